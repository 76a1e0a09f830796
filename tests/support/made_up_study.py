"""Output folders of studies that nobody ran: manifests, tables and journals with chosen figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tntpipe.journal.events import RunEvent, RunStarted
from tntpipe.journal.writer import JOURNAL_NAME, Journal
from tntpipe.store.manifest import Entry, Manifest, write_manifest

METHOD = {
    "tntpipe_version": "0.1.0",
    "ants_version": "v2.5.1",
    "model": "MNI",
    "registration": "standard",
    "parameters": {"random_seed": 1},
}
VOXEL_MM3 = 2.0

Rows = Sequence[tuple[int | None, str, int]]
"""Index, name and number of voxels of labels."""

TABLES: Mapping[str, Rows] = {
    "label-ICV": [(1, "intracranial", 700_000)],
    "desc-brain": [(1, "brain", 600_000)],
    "seg-tissue": [(1, "CSF", 50_000), (2, "GM", 300_000), (3, "WM", 250_000)],
    "seg-tissuelobes": [(2, "GM+Frontal-R", 60_000), (14, "GM+Frontal-L", 0)],
    "atlas-MNI_seg-subcortex": [
        (2, "Caudate-R", 2000),
        (3, "Putamen-R", 3000),
        (17, "BrainStem", 9000),
        (None, "Striatum-R", 5000),
    ],
}


def add_scan(out: Path, name: str, tables: Mapping[str, Rows] = TABLES, method: Mapping[str, object] = METHOD) -> None:
    """A scan's tables, and the manifest that lists them."""
    pairs = dict(pair.split("-") for pair in name.split("_"))
    folder = "/".join((f"sub-{pairs['sub']}", *([f"ses-{pairs['ses']}"] if "ses" in pairs else []), "anat"))
    (out / folder).mkdir(parents=True, exist_ok=True)
    files = {}
    for entity, rows in tables.items():
        path = f"{folder}/{name}_{entity}_stats.tsv"
        lines = ["index\tname\tnumber_voxels\tvolume\tmean"]
        for index, label, n in rows:
            mean = "109.2866339479439" if n else "n/a"
            lines.append(f"{'n/a' if index is None else index}\t{label}\t{n}\t{n * VOXEL_MM3}\t{mean}")
        (out / path).write_text("\n".join(lines) + "\n", encoding="utf-8")
        files[path] = Entry(size_bytes=1, sha256="0" * 64)
    write_manifest(out, Manifest(scan=name, method=method, files=files))


def add_run(out: Path, t: float, scans: Sequence[str], *events: RunEvent) -> Path:
    """The journal of a run that began at ``t`` with these scans; its path."""
    path = out / f"logs/run-{t:.0f}" / JOURNAL_NAME
    journal = Journal(path)
    started = RunStarted(
        command=(),
        version="0.1.0",
        ants="ANTs",
        host={},
        pid=1,
        cpus=1,
        mem_bytes=1,
        budget="",
        scans=dict.fromkeys(scans, 3),
        reused={},
        settings={},
        folders={},
    )
    for event in (started, *events):
        journal.record(t, event)
    journal.close()
    return path


def describe(out: Path) -> None:
    """What makes the folder a dataset of tntpipe's."""
    out.mkdir(parents=True, exist_ok=True)
    content = {"Name": "made up", "BIDSVersion": "1.10.0", "GeneratedBy": [{"Name": "tntpipe"}]}
    (out / "dataset_description.json").write_text(json.dumps(content))
