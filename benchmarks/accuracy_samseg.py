"""SAMSEG's volumes of a head (``run_samseg -i T1w -o WORK/samseg/HEAD``), in the structures that tntpipe has.

Puonti 2016, NeuroImage 143:235. Its posteriors are summed, so that partial volume counts in part.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.accuracy_outputs import NUCLEI
from benchmarks.accuracy_run import Values

MEASURE = re.compile(r"# Measure ([\w-]+), ([\d.eE+-]+), mm\^3")
PAIRED = ("Cerebral-Cortex", "Cerebellum-Cortex", "Cerebral-White-Matter", "Cerebellum-White-Matter", "VentralDC",
          "Lateral-Ventricle", "Inf-Lat-Vent", *NUCLEI)  # fmt: skip
ITS_NAMES = {"Accumbens": "Accumbens-area"}

SUMS = {
    "GM": ("Cerebral-Cortex", "Cerebellum-Cortex", *NUCLEI),
    "WM": ("Cerebral-White-Matter", "Cerebellum-White-Matter", "VentralDC", "Brain-Stem", "WM-hypointensities"),
    "ventricles": ("Lateral-Ventricle", "Inf-Lat-Vent", "3rd-Ventricle", "4th-Ventricle", "5th-Ventricle"),
    "CSF": ("Lateral-Ventricle", "Inf-Lat-Vent", "3rd-Ventricle", "4th-Ventricle", "5th-Ventricle", "CSF"),
    **{name: (name,) for name in NUCLEI},
}


def samseg_mm3(folder: Path) -> Values:
    """Its figures for ICV, tissues and nuclei, if it has all parts of them; empty where it was not run."""
    files = [folder / name for name in ("samseg.stats", "sbtiv.stats")]
    text = "".join(path.read_text(encoding="utf-8") for path in files if path.is_file())
    said = {name: float(value) for name, value in MEASURE.findall(text)}
    for name in PAIRED:
        sides = [f"{side}-{ITS_NAMES.get(name, name)}" for side in ("Left", "Right")]
        if all(side in said for side in sides):
            said[name] = sum(said[side] for side in sides)
    sums = {
        name: sum(said[part] for part in parts) for name, parts in SUMS.items() if all(part in said for part in parts)
    }
    return {**({"ICV": said["Intra-Cranial"]} if "Intra-Cranial" in said else {}), **sums}
