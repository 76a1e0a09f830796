"""JSON beside each derivative: what it shows and what it was made from.

Sources are BIDS URIs: ``bids:raw:…`` for the dataset that was read (``DatasetLinks`` says where it is), ``bids::…`` for
a file of the derivative dataset itself. Contents only; writing them is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from tntpipe.bids.methods import RunFacts
from tntpipe.bids.scan import Scan

RAW = "raw"

TISSUE_CLASSES: Mapping[str, str] = {"GM": "grey matter", "WM": "white matter", "CSF": "cerebrospinal fluid"}


def raw_uri(scan: Scan) -> str:
    """BIDS URI of the scan in its own dataset."""
    return f"bids:{RAW}:{scan.dataset_path}"


def derivative_uri(path: PurePosixPath | str) -> str:
    """BIDS URI of a derivative, by its path in the output folder.

    >>> derivative_uri(PurePosixPath("sub-01/anat/sub-01_desc-brain_mask.nii.gz"))
    'bids::sub-01/anat/sub-01_desc-brain_mask.nii.gz'
    """
    return f"bids::{path}"


def made_by(facts: RunFacts, random_seed: int) -> dict[str, object]:
    """How a derivative was made, for the JSON of each: `GeneratedBy` as BIDS has it for a dataset, and what was chosen.

    In the JSON of a table these stand beside the names of columns, none of which looks like them.
    """
    return {
        "GeneratedBy": [
            {"Name": "tntpipe", "Version": facts.tntpipe_version},
            {"Name": "ANTs", "Version": facts.ants_version, "Description": facts.ants_flavour},
        ],
        "RegistrationPreset": facts.registration,
        "Model": facts.model,
        "BrainExtraction": facts.brain_extraction,
        "RandomSeed": random_seed,
        "Debug": facts.debug,
    }


def t1w_sidecar(description: str, sources: Iterable[str], *, skull_stripped: bool = False) -> dict[str, object]:
    """For an image of intensities."""
    return {"Description": description, "SkullStripped": skull_stripped, "Sources": list(sources)}


def brain_mask_sidecar(scan: Scan, sources: Iterable[str]) -> dict[str, object]:
    """For the brain mask."""
    return _aligned(scan, "Brain mask.", sources, Type="Brain")


def intracranial_mask_sidecar(scan: Scan, sources: Iterable[str]) -> dict[str, object]:
    """For the intracranial mask; BIDS has no type of its own for it."""
    return _aligned(scan, "Mask of the intracranial cavity.", sources, Type="ROI")


def dseg_sidecar(scan: Scan, description: str, sources: Iterable[str]) -> dict[str, object]:
    """For a label image, whose labels are in the table of the same name."""
    return _aligned(scan, description, sources, Manual=False)


def probseg_sidecar(scan: Scan, label: str, sources: Iterable[str]) -> dict[str, object]:
    """For the probability of one tissue class, ``GM``, ``WM`` or ``CSF``."""
    return _aligned(scan, f"Probability of {TISSUE_CLASSES[label]}, 0 to 1.", sources, Manual=False)


def stats_sidecar(*, intensity: str = "bias-corrected T1w") -> dict[str, object]:
    """Dictionary of the columns of a statistics table."""
    return {
        "index": {
            "LongName": "Label",
            "Description": "Value of the label in the segmentation; 1 for a mask, n/a for several labels together.",
        },
        "name": {"LongName": "Name of the label", "Description": "Name of the structure, as in the table of labels."},
        "number_voxels": {"LongName": "Number of voxels", "Description": "Voxels that carry the label."},
        "volume": {
            "LongName": "Volume",
            "Description": "Number of voxels times the volume of one voxel.",
            "Units": "mm^3",
        },
        "mean": {
            "LongName": "Mean intensity",
            "Description": f"Mean of the {intensity} image over the voxels that carry the label.",
            "Units": "arbitrary",
        },
    }


def features_sidecar() -> dict[str, object]:
    """Dictionary of the columns of the table that the tissue classifier was trained on."""
    return {
        "value": {
            "LongName": "Intensity",
            "Description": "Bias-corrected T1w intensity at a tag of the model, carried to the scan.",
            "Units": "arbitrary",
        },
        "index": {
            "LongName": "Tissue class",
            "Description": "Class of the tag.",
            "Levels": {"1": "CSF", "2": "GM", "3": "WM"},
        },
    }


def _aligned(scan: Scan, description: str, sources: Iterable[str], **fields: object) -> dict[str, object]:
    """Fields of an image without intensities, which lies on the voxels of the scan."""
    return {
        "Description": description,
        **fields,
        "Sources": list(sources),
        "SpatialReference": raw_uri(scan),
    }
