"""What ANTs and ITK say when they fail, what that means here, and what to do: a table.

Every pattern stands for a message that ANTs 2.5 really gave on a real head (a test provokes each). More particular
messages come first: a file that is missing makes several others follow. ANTs often ends without an error after one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AntsMessage:
    """Words of a log (regular expressions, in any case), their meaning, and what to do, a thing a line."""

    patterns: tuple[str, ...]
    meaning: str
    advice: tuple[str, ...]


_COMPARE = "look at the images of the folder's in/ together in a viewer that shows their places in space (fsleyes,"
_LEAVE_OUT = "if the scan is not usable, leave it out: {exclude}."

ANTS_MESSAGES = (
    AntsMessage(
        patterns=("invalid flag provided", "invalid command line flags"),
        meaning="this ANTs does not know an option",
        advice=(
            "it may be older than ANTs 2.5, for which tntpipe is written: --dry_run says which one is used; take it",
            "  out of PATH and $ANTSPATH, and the one of the Python package antspyx is used.",
        ),
    ),
    AntsMessage(
        patterns=(
            r"file \S+ does not exist",
            r"transform file does not exist",
            r"can't read initial transform",
            r"the file \S+ cannot be opened for reading",
            "must have column names such as",
        ),
        meaning="a file that ANTs reads is missing or damaged",
        advice=(
            "see that nobody moves or writes to the dataset, the model and the work folder while the run lasts;",
            "the level verify says which files of the work folder are damaged, and the same command makes them again.",
        ),
    ),
    AntsMessage(
        patterns=(r"only supports orthonormal direction cosines",),
        meaning="the header of an image shears its axes",
        advice=("write the image again on a grid with right angles, or with a qform: ANTs reads no other.",),
    ),
    AntsMessage(
        patterns=("all samples map outside moving image buffer", r"virtualsampledpointset must have 1 or more points"),
        meaning="the images do not overlap, or a mask is empty",
        advice=(
            _COMPARE,
            "  ITK-SNAP): an origin or orientation in the header that is wrong puts the head beside the model;",
            "with --brain_mask_dir, look at the mask too;",
            _LEAVE_OUT,
        ),
    ),
    AntsMessage(
        patterns=("total mass of the image was zero",),
        meaning="an image is empty: all of it is 0",
        advice=(
            "look at the brain mask and the corrected scan of this scan: the brain was not found, or was masked away;",
            "a mask of your own can take its place: --brain_mask_dir DIR;",
            _LEAVE_OUT,
        ),
    ),
    AntsMessage(
        patterns=("joint pdf summed to zero",),
        meaning="an image has no contrast where it is compared",
        advice=(
            "look at the scan: all of its head has one value, or the part that lies on the model is blank;",
            _LEAVE_OUT,
        ),
    ),
    AntsMessage(
        patterns=("inverse does not exist for",),
        meaning="a transform cannot be inverted",
        advice=(
            "the registration before it has collapsed the head to a plane: look at the scan and the model together;",
            _LEAVE_OUT,
        ),
    ),
    AntsMessage(
        patterns=("covariance is singular",),
        meaning="all voxels of a tissue class have one value",
        advice=(
            "look at the corrected scan: there is no picture within the brain mask, or few grey levels;",
            _LEAVE_OUT,
        ),
    ),
    AntsMessage(
        patterns=(r"resulted in \d+ non-zero label sets", "can't access label object at position"),
        meaning="a tissue class is empty",
        advice=(
            "look at the model's tags and the brain mask on the scan: the registration has failed, or the mask is",
            "  empty or misses a tissue;",
            _LEAVE_OUT,
        ),
    ),
    AntsMessage(
        patterns=(r"requested region is \(at least partially\) outside", "do not occupy the same physical space"),
        meaning="images that belong together do not lie on one grid",
        advice=(
            "one of the files of the folder's in/ was made for another scan: begin again with --clean_workdir;",
            "with masks of your own, see that each has the size and the place of its scan.",
        ),
    ),
)
