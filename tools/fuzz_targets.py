"""Every parser of ours as a target of fuzzing: how it reads a file, what it is given at first, what it may raise."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tntpipe.bids.dataset import read_dataset
from tntpipe.bids.filters import clean_label
from tntpipe.bids.scan import is_candidate, scan_of
from tntpipe.bids.selection import Selection
from tntpipe.cli.config import options_of
from tntpipe.cli.settings import labels_of
from tntpipe.contents import ContentCache
from tntpipe.errors import TntpipeError
from tntpipe.files import parsed_json
from tntpipe.imaging.check import check_image
from tntpipe.imaging.tables import read_labels, read_tags
from tntpipe.journal import read_journal
from tntpipe.profiling.profile_file import read_profile
from tntpipe.profiling.resource_file import read_resource_file
from tntpipe.records import read_record

DATA = Path(__file__).resolve().parents[1] / "tntpipe/data"
EXAMPLE = DATA / "example/bids"
MODEL = DATA / "models/MNI152NLin2009cAsym"
KINDS = ("bias_correction", "nonlinear_registration", "lobes")

JOURNAL = (
    b'{"t":1.0,"event":"RunStarted","schema_version":5,"command":["tntpipe"],"version":"1","ants":"a","host":{},'
    b'"pid":1,"cpus":1,"mem_bytes":1,"budget":"","scans":{"s":1},"reused":{},"settings":{},"folders":{}}\n'
    b'{"t":1.1,"event":"StepReady","name":"s/lobes","scan":"s","kind":"lobes","variant":"","voxels":9}\n'
    b'{"t":1.2,"event":"StepStarted","name":"s/lobes","cpus":1,"mem_bytes":5,"pid":7}\n'
    b'{"t":1.3,"event":"StepSampled","name":"s/lobes","age_s":1,"cpu_s":1,"cpus":1,"rss_bytes":5,"vms_bytes":9}\n'
    b'{"t":2.0,"event":"StepEnded","name":"s/lobes","outcome":"done","usage":{"wall_s":1,"cpu_s":1,"peak_bytes":5}}\n'
)
RESOURCES = {"bias_correction": {"ncpu": 1, "mem": 0.5, "time": 60, "variant": "quick"}, "lobes": {"mem": 1}}
FLAT = {"name": ["s.lobes"], "time": [1.5], "rss_GiB": [0.5], "vms_GiB": [1.0], "cpus": [99.0]}
RECORD = {
    "step": "s/lobes",
    "kind": "lobes",
    "variant": "",
    "voxels": 9,
    "argv": ["x"],
    "program_version": "1",
    "fingerprint": "f",
    "inputs": {},
    "outputs": {"o": {"size_bytes": 1, "sha256": "a"}},
    "usage": {},
    "schema_version": 1,
}


@dataclass(frozen=True)
class Target:
    """A parser of files: how it reads one, what it is given at first, and what it may raise beside our errors."""

    read: Callable[[Path], object]
    seeds: tuple[bytes, ...]
    name: str = "file"
    documented: tuple[type[Exception], ...] = ()

    def feed(self, data: bytes, folder: Path) -> None:
        """Have the parser read a file that holds these bytes; anything raised is a crash."""
        path = folder / self.name
        path.write_bytes(data)
        with contextlib.suppress(TntpipeError, *self.documented):
            self.read(path)


def _files(*paths: Path) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in paths)


def _head(path: Path) -> bytes:
    """The first slices of a real scan, with a header that tells of as many, uncompressed."""
    whole = gzip.decompress(path.read_bytes())
    return whole[:1000]


def _lines(path: Path, n_lines: int) -> bytes:
    return b"\n".join(path.read_bytes().split(b"\n")[:n_lines])


def _of_text(text: bytes) -> str:
    return text.decode("utf-8", errors="surrogateescape")


def _filter(path: Path) -> object:
    return Selection.of(
        participant_labels=[],
        exclude_participant_labels=[],
        entities={},
        filter_file=parsed_json(path.read_bytes()),
        skip_validation=False,
    )


def _name(path: Path) -> object:
    name = _of_text(path.read_bytes())
    return scan_of(Path("/d/sub-01/anat") / name, "01", None) if is_candidate(name) else None


TARGETS: Mapping[str, Target] = {
    "image": Target(check_image, (_head(EXAMPLE / "sub-colin27/anat/sub-colin27_T1w.nii.gz"),), "x.nii"),
    "compressed image": Target(check_image, (gzip.compress(b"\x5c\x01" + bytes(600)),), "x.nii.gz"),
    "label table": Target(read_labels, _files(*MODEL.glob("*_labels.tsv")), "x.tsv"),
    "tag table": Target(
        read_tags, (b"\n".join(next(MODEL.glob("*_tags.tsv")).read_bytes().split(b"\n")[:40]),), "x.tsv"
    ),
    "dataset description": Target(
        lambda path: read_dataset(path.parent), _files(EXAMPLE / "dataset_description.json"), "dataset_description.json"
    ),
    "filter file": Target(
        _filter, (b'{"t1w": {"session": ["01"], "run": 1, "suffix": "T1w"}}',), "f.json", (ValueError,)
    ),
    "name of a scan": Target(_name, (b"sub-01_ses-2_acq-x_run-1_T1w.nii.gz", b"sub-01_T1w.nii")),
    "label": Target(lambda path: clean_label(_of_text(path.read_bytes()), "sub"), (b"sub-01",)),
    "label file": Target(lambda path: labels_of([str(path)]), (b"01\nsub-02\n",), "labels.txt"),
    "configuration": Target(
        lambda path: options_of(["b", "o", "participant", "--config_file", str(path)]),
        (b'n_proc = 4\nsubcortical = true\nparticipant_labels = ["01"]\n',),
        "c.toml",
    ),
    "resource file": Target(lambda path: read_resource_file(path, KINDS), (json.dumps(RESOURCES).encode(),), "r.json"),
    "profile": Target(lambda path: read_profile(path, KINDS), (json.dumps(FLAT).encode(), JOURNAL), "p.json"),
    "journal": Target(lambda path: list(read_journal(path)), (JOURNAL,), "journal.jsonl"),
    "record": Target(read_record, (json.dumps(RECORD).encode(),), "record.json"),
    "contents": Target(
        lambda path: ContentCache(path).digest(path), (json.dumps({"/a": {"stamp": [1], "sha256": "x"}}).encode(),)
    ),
}
