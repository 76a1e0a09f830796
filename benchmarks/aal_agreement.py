"""Agreement of lobes and nuclei on Colin27 with AAL, which was drawn on that head by other people.

AAL labels grey matter only, so a lobe is compared where AAL labels anything of cortex or cerebellum; insula, middle
cingulate and vermis, which the lobe lists of the two assign differently or not at all, are left out. AAL is used to
check, never shipped: it is ``aal.nii.gz`` of Debian's package ``mricron-data``, beside ``ch2.nii.gz``, the scan.

    python -m benchmarks.aal_agreement OUTPUT_DIR SCAN /usr/share/mricron/templates/aal.nii.gz
"""

from __future__ import annotations

import argparse
import csv
import re
from pathlib import Path

import nibabel as nib
import numpy as np

SMOKE = ("--help",)

LOBES = {
    "Frontal": r"Precentral|Frontal_|Rolandic_Oper|Supp_Motor_Area|Olfactory|Rectus|Cingulum_Ant|Paracentral_Lobule",
    "Parietal": r"Postcentral|Parietal_|SupraMarginal|Angular|Precuneus|Cingulum_Post",
    "Temporal": r"Hippocampus|ParaHippocampal|Amygdala|Fusiform|Heschl|Temporal_",
    "Occipital": r"Calcarine|Cuneus|Lingual|Occipital_",
    "Cerebellum": r"Cerebelum_",
}
NUCLEI = ("Thalamus", "Caudate", "Putamen", "Pallidum", "Hippocampus", "Amygdala")


def read_names(path: Path) -> dict[str, int]:
    """AAL's label of each region, from the text file beside the map."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[1]: int(words[0]) for words in lines if len(words) >= 2}


def read_table(path: Path) -> dict[str, int]:
    """Our label of each structure."""
    with path.open() as file:
        return {row["name"]: int(row["index"]) for row in csv.DictReader(file, delimiter="\t")}


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Twice the overlap over the sum."""
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


def on_grid_of(image: nib.Nifti1Image, other: nib.Nifti1Image) -> np.ndarray:
    """The labels of ``image`` at the voxels of ``other``, by nearest neighbour."""
    to_image = np.linalg.inv(image.affine) @ other.affine
    indices = np.stack(np.indices(other.shape), axis=-1).reshape(-1, 3)
    nearest = np.rint(nib.affines.apply_affine(to_image, indices)).astype(int)
    inside = np.all((nearest >= 0) & (nearest < image.shape), axis=1)
    labels = np.zeros(len(indices), dtype=int)
    labels[inside] = np.asarray(image.dataobj)[tuple(nearest[inside].T)]
    return labels.reshape(other.shape)


def agreement(stem: str, aal_path: Path) -> list[tuple[str, float, float, float]]:
    """Name, Dice, and both volumes (cm³; ours within AAL's grey matter for lobes) of each structure."""
    lobes_path, nuclei_path = f"{stem}_seg-lobes_dseg", next(Path(stem).parent.glob("*_seg-subcortex_dseg.nii.gz"))
    image = nib.load(f"{lobes_path}.nii.gz")
    aal = on_grid_of(nib.load(aal_path), image)
    names = read_names(aal_path.with_name("aal.nii.txt"))
    voxel_cm3 = abs(np.linalg.det(image.affine[:3, :3])) / 1000
    compared = {name: label for name, label in names.items() if any(re.match(p, name) for p in LOBES.values())}
    region = np.isin(aal, list(compared.values()))
    rows = []

    def compare(name: str, theirs: np.ndarray, ours: np.ndarray) -> None:
        rows.append((name, dice(theirs, ours), theirs.sum() * voxel_cm3, ours.sum() * voxel_cm3))

    lobes, table = np.asarray(image.dataobj), read_table(Path(f"{lobes_path}.tsv"))
    for lobe, pattern in LOBES.items():
        for side in "RL":
            wanted = [
                label for name, label in compared.items() if re.match(pattern, name) and name.endswith(f"_{side}")
            ]
            compare(f"{lobe}-{side}", np.isin(aal, wanted), region & (lobes == table[f"{lobe}-{side}"]))
    nuclei, table = (
        np.asarray(nib.load(nuclei_path).dataobj),
        read_table(Path(str(nuclei_path).replace(".nii.gz", ".tsv"))),
    )
    for nucleus in NUCLEI:
        for side in "RL":
            compare(f"{nucleus}-{side}", aal == names[f"{nucleus}_{side}"], nuclei == table[f"{nucleus}-{side}"])
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output_dir", type=Path)
    parser.add_argument("scan", help="its name, sub-…")
    parser.add_argument("aal", type=Path)
    options = parser.parse_args()
    found = next(options.output_dir.rglob(f"anat/{options.scan}_seg-lobes_dseg.nii.gz"))
    rows = agreement(str(found).removesuffix("_seg-lobes_dseg.nii.gz"), options.aal)
    print("| structure | Dice | AAL cm³ | ours cm³ |\n|---|---|---|---|")
    for name, value, theirs, ours in rows:
        print(f"| {name} | {value:.3f} | {theirs:.1f} | {ours:.1f} |")
    print(f"| mean | {np.mean([row[1] for row in rows]):.3f} | | |")


if __name__ == "__main__":
    main()
