"""``python -m tntpipe.imaging COMMAND``: one operation on files, in a child of its own.

`COMMANDS` lists the commands whose options need more words than their names; any other is found by its module
(:mod:`tntpipe.imaging.command`). What a command needs is imported when it is called, since the child is started
thousands of times. An expected error is one line on stderr and the error's exit status.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from tntpipe.errors import ExitStatus, TntpipeError
from tntpipe.imaging.command import Command, Option, found_command, found_commands
from tntpipe.processes.parent_death import die_with_parent

SCAN_AND_MASK = (Option("image", "the scan"), Option("mask", "a mask on the scan's grid; inside is above 0"))

ATLAS = (
    Option("image", "the bias-corrected scan, 0 for air"),
    Option("displacement", "displacement field from the scan to the atlas (mm, LPS), as antsApplyTransforms writes it"),
    Option("priors", "4-D image of bytes: probability of each structure, 255 for 1"),
    Option("priors_table", "TSV of name, tissue, intensity and subcortex of each structure, in the image's order"),
)
LABEL_TABLES = (
    Option("tissue_labels", "TSV of index and name of CSF, GM and WM"),
    Option("subcortex_labels", "TSV of index and name of the subcortical structures"),
)
ROUNDS = Option("iterations", "rounds of mixture and field", 30.0)
PREFIX = Option("output", "what the names of the files begin with")
GRID = Option("grid_mm", "isotropic voxels to resample to, in mm; 0 for the scan's own", 0.0)
SHEAR = Option("max_shear_angle", "largest shear (radians) of an image that has an sform only", 1e-4)
MARGIN = Option("margin", "mm around the mask", 12.0)

COMMANDS = (
    Command(
        "clean-header",
        "clean_header:clean_header_file",
        "leave a qform as the only orientation, and a voxel type that ANTs reads",
        (
            Option("input", "NIfTI image"),
            Option("output", "the same voxels with a fresh header"),
            SHEAR,
        ),
    ),
    Command(
        "to-positive-range",
        "scale:to_positive_range_file",
        "map any intensities onto one positive range: air 0, the middle of the head 500; noise as bright as tissue 0",
        (Option("input", "NIfTI image"), Option("output", "float32 image")),
    ),
    Command(
        "rescale",
        "intensity:rescale_file",
        "map intensities linearly onto a range, the extremes clipped",
        (
            Option("input", "NIfTI image"),
            Option("output", "float32 image"),
            Option("range_min", "darkest intensity", 0.0),
            Option("range_max", "brightest intensity", 5000.0),
            Option("clip_percent", "per cent of the voxels above 0 that are clipped at each end", 1.0),
        ),
    ),
    Command(
        "multiply",
        "intensity:multiply_file",
        "set a scan to 0 outside a mask",
        (*SCAN_AND_MASK, Option("output", "the masked scan")),
    ),
    Command(
        "head-mask",
        "head:head_mask_file",
        "find the head in its image, its gaps filled",
        (Option("image", "the scan, 0 for air"), Option("output", "uint8 mask")),
    ),
    Command(
        "bias-grid",
        "bias_grid:bias_grid_file",
        "every n-th voxel of a scan and its mask, to look for a smooth field",
        (
            *SCAN_AND_MASK,
            Option("output_image", "the voxels of the scan"),
            Option("output_mask", "the same of the mask, uint8"),
            Option("grid_mm", "about so far apart along each axis, in mm", 4.0),
        ),
    ),
    Command(
        "divide-by-field",
        "bias_grid:without_field_file",
        "take a smooth multiplicative field off a scan, from whatever grid it was found on",
        (Option("image", "the scan"), Option("field", "the field"), Option("output", "the scan without it")),
    ),
    Command(
        "correct-by-tissue",
        "segmentation:correct_by_tissue_file",
        "take off the smooth field that a scan's tissues show",
        (*ATLAS, Option("output", "the scan without the field"), ROUNDS),
    ),
    Command(
        "tissue-maps",
        "segmentation:tissue_maps_file",
        "write a scan's probabilities of CSF, GM and WM in the box of its brain",
        (*ATLAS, Option("mask", "the brain mask"), PREFIX, MARGIN, GRID, ROUNDS),
    ),
    Command(
        "prior-tissues",
        "segmentation:prior_tissues_file",
        "write an atlas's probabilities of CSF, GM and WM",
        (*ATLAS[2:], PREFIX),
    ),
    Command(
        "crop-brain",
        "brain_box:crop_brain_file",
        "cut the brain out of a scan, 0 around it, in a box no larger than needed",
        (
            *SCAN_AND_MASK,
            Option("output", "the brain"),
            MARGIN,
            Option("clip_percent", "per cent of the brain's voxels that are clipped at the bright end", 0.5),
            GRID,
        ),
    ),
    Command(
        "segment",
        "segmentation:segment_file",
        "find tissues, structures, the remaining field and the brain mask of a scan",
        (*ATLAS, *LABEL_TABLES, Option("mask", "the brain mask, where one is given", optional=True), PREFIX, ROUNDS),
    ),
    Command(
        "refine-brain-mask",
        "brain:refine_brain_mask_file",
        "make a brain mask that a coarse registration brought fit the brain",
        (
            Option("image", "the bias-corrected scan"),
            Option("mask", "the registered mask, or its probability from 0 to 1, on the scan's grid"),
            Option("output", "uint8 mask"),
        ),
    ),
    Command(
        "given-mask",
        "brain:given_mask_file",
        "take a brain mask that was drawn on the scan",
        (
            Option("mask", "the mask; inside is above 0"),
            Option("like_image", "the scan, whose grid the mask must have"),
            Option("output", "uint8 mask with the scan's header"),
            SHEAR,
        ),
    ),
    Command(
        "tags-to-points",
        "points:tags_to_points_file",
        "write tags (TSV, RAS) as points that antsApplyTransformsToPoints reads (CSV, LPS)",
        (
            Option("tags", "TSV of x, y, z (mm, RAS) and index"),
            Option("output", "CSV of x, y, z (mm, LPS), t and label"),
        ),
    ),
    Command(
        "sample-tags",
        "tissue:sample_tags_file",
        "read a scan's intensities at tags that were carried to it; tissues as on a T1w, or an error",
        (
            Option("points", "CSV of the carried tags (LPS), in the order of --tags"),
            *SCAN_AND_MASK,
            Option("tags", "TSV of the tags as they were, for the class of each"),
            Option("tissue_labels", "TSV of index and name of the classes: CSF, GM and WM"),
            Option("output", "TSV of value and index"),
        ),
    ),
    Command(
        "classify",
        "tissue:classify_file",
        "give each voxel of a mask the tissue class that its intensity fits best",
        (
            *SCAN_AND_MASK,
            Option("features", "TSV of value and index, as sample-tags writes it"),
            Option("output", "uint8 label map"),
        ),
    ),
    Command(
        "combine",
        "labels:combine_file",
        "combine tissue and lobe labels into one label map: tissue + (lobe - 1) * largest tissue",
        (
            Option("tissue", "label map"),
            Option("lobes", "label map on the same grid"),
            Option("tissue_labels", "TSV of index and name"),
            Option("lobe_labels", "TSV of index and name"),
            Option("output", "combined label map"),
            Option("output_labels", "its TSV of index and name"),
        ),
    ),
    Command(
        "to-integer",
        "labels:to_integer_file",
        "store a label map in the smallest unsigned integer type",
        (Option("input", "label map of any type"), Option("output", "the same labels")),
    ),
    Command(
        "statistics",
        "statistics:statistics_file",
        "count, volume (mm3) and mean intensity of each label",
        (
            Option("labels", "label map"),
            Option("labels_table", "TSV of index and name: the labels to report"),
            Option("image", "the scan whose mean is taken, on the same grid"),
            Option("output", "TSV of index, name, number_voxels, volume and mean"),
        ),
    ),
)


def commands_for(words: Sequence[str]) -> tuple[Command, ...]:
    """`COMMANDS` with the one that the words name, or, where they name none, with every one that is found."""
    listed = {command.name for command in COMMANDS}
    if words and words[0] in listed:
        return COMMANDS
    found = found_command(words[0]) if words else None
    others = found_commands() if found is None else (found,)
    return (*COMMANDS, *(command for command in others if command.name not in listed))


def parser(commands_known: Sequence[Command] = COMMANDS) -> argparse.ArgumentParser:
    """The command line, one subcommand for each command."""
    top = argparse.ArgumentParser(
        prog="python -m tntpipe.imaging",
        description="Arithmetic on images, points and tables: one command, its files named, its outputs written whole.",
        epilog="Each command explains its options: python -m tntpipe.imaging COMMAND --help",
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in commands_known:
        sub = commands.add_parser(command.name, help=command.help, description=command.help, allow_abbrev=False)
        for option in command.options:
            if option.default is None:
                sub.add_argument(f"--{option.name}", metavar="FILE", required=not option.optional, help=option.help)
            else:
                text = f"{option.help} (default: %(default)g)"
                sub.add_argument(f"--{option.name}", metavar="NUMBER", type=float, default=option.default, help=text)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    die_with_parent()
    words = sys.argv[1:] if arguments is None else arguments
    known = commands_for(words)
    options = vars(_parse(words, known))
    command = next(command for command in known if command.name == options["command"])
    del options["command"]
    module, name = command.function.split(":")
    function = getattr(import_module(f"tntpipe.imaging.{module}"), name)
    try:
        function(**options)
    except TntpipeError as error:
        sys.stdout.flush()  # into the same log, whose last line must be the error
        print(f"{command.name}: {error}", file=sys.stderr)
        return int(error.exit_status)
    except OSError as error:
        sys.stdout.flush()
        print(f"{command.name}: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return int(ExitStatus.INPUT_OUTPUT)
    return int(ExitStatus.SUCCESS)


def _parse(words: Sequence[str], known: Sequence[Command]) -> argparse.Namespace:
    try:
        return parser(known).parse_args(words)
    except SystemExit as ended:
        raise SystemExit(int(ExitStatus.USAGE) if ended.code else 0) from None


if __name__ == "__main__":
    sys.exit(main())
