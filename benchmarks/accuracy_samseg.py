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
          "Lateral-Ventricle", "Inf-Lat-Vent", *NUCLEI[:-1], "Accumbens-area")  # fmt: skip
NAMES = {"Accumbens-area": "Accumbens"}

SUMS = {
    "GM": ("Cerebral-Cortex", "Cerebellum-Cortex", *NUCLEI),
    "WM": ("Cerebral-White-Matter", "Cerebellum-White-Matter", "VentralDC", "Brain-Stem", "WM-hypointensities"),
    "ventricles": ("Lateral-Ventricle", "Inf-Lat-Vent", "3rd-Ventricle", "4th-Ventricle", "5th-Ventricle"),
    "CSF": ("Lateral-Ventricle", "Inf-Lat-Vent", "3rd-Ventricle", "4th-Ventricle", "5th-Ventricle", "CSF"),
    **{name: (name,) for name in NUCLEI},
}


def samseg_mm3(folder: Path) -> Values:
    """Its figures for ICV, tissues and nuclei; empty where it was not run."""
    path = folder / "samseg.stats"
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    intracranial = folder / "sbtiv.stats"
    if intracranial.is_file():
        text += intracranial.read_text(encoding="utf-8")
    said = {name: float(value) for name, value in MEASURE.findall(text)}
    parts = {NAMES.get(name, name): said.get(f"Left-{name}", 0.0) + said.get(f"Right-{name}", 0.0) for name in PAIRED}
    sums = {name: sum(parts.get(part, said.get(part, 0.0)) for part in members) for name, members in SUMS.items()}
    return {**({"ICV": said["Intra-Cranial"]} if "Intra-Cranial" in said else {}), **sums}
