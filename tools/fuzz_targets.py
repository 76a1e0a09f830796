"""Every parser of ours as a target of fuzzing: how it reads a file, what it is given at first, what it may raise."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from tntpipe.bids.dataset import read_dataset
from tntpipe.bids.description import refuse_foreign_dataset
from tntpipe.bids.filters import clean_label
from tntpipe.bids.scan import is_candidate, scan_of
from tntpipe.bids.selection import Selection
from tntpipe.cli.config import options_of
from tntpipe.cli.create_resource_file import create_resource_file
from tntpipe.cli.settings import labels_of
from tntpipe.errors import TntpipeError
from tntpipe.files import parsed_json
from tntpipe.imaging.check import check_image, check_mask
from tntpipe.imaging.points import points_to_ras
from tntpipe.imaging.tables import read_labels, read_tags
from tntpipe.journal.events import Outcome, RunStarted, StepEnded, StepReady, StepSampled, StepStarted
from tntpipe.journal.history import history_of
from tntpipe.journal.reader import read_journal
from tntpipe.journal.run_state import RunState
from tntpipe.journal.usage import Usage
from tntpipe.journal.writer import Journal
from tntpipe.profiling.journal_profile import profile_of
from tntpipe.profiling.profile_file import read_profile, write_profile
from tntpipe.profiling.resource_file import read_resource_file
from tntpipe.report.write import make_report
from tntpipe.run.scan_checks import _read_cache
from tntpipe.status.liveness import sight_of
from tntpipe.status.status import status_lines, status_of
from tntpipe.steps.step import Export, Place, Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.input_digests import ContentCache
from tntpipe.store.locks import try_lock
from tntpipe.store.manifest import manifest_path
from tntpipe.store.record import read_record
from tntpipe.store.scan_claims import Claim
from tntpipe.store.work_folder import WorkFolder

DATA = Path(__file__).resolve().parents[1] / "tntpipe/data"
EXAMPLE = DATA / "example/bids"
MODEL = DATA / "models/MNI152NLin2009cAsym"
KINDS = ("bias_field", "nonlinear_registration", "lobes")

EVENTS = (
    RunStarted(
        command=("tntpipe",),
        version="1",
        ants="a",
        host={"name": "n", "cpus": 1, "mem_bytes": 9},
        pid=1,
        cpus=1,
        mem_bytes=1,
        budget="",
        scans={"s": 1},
        reused={},
        settings={"preset": "quick"},
        folders={},
    ),
    StepReady(name="s/lobes", scan="s", kind="lobes", variant="", voxels=9),
    StepStarted(name="s/lobes", scan="s", kind="lobes", cpus=1, mem_bytes=5, pid=7),
    StepSampled(name="s/lobes", age_s=1, cpu_s=1, cpus=1, rss_bytes=5, vms_bytes=9),
    StepEnded(
        name="s/lobes",
        scan="s",
        kind="lobes",
        outcome=Outcome.DONE,
        usage=Usage(wall_s=1, cpu_s=1, peak_bytes=5),
    ),
)


def _written(write: Callable[[Path], None]) -> bytes:
    """What one of our own writers leaves."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(path)
        return path.read_bytes()


def _write_journal(path: Path) -> None:
    journal = Journal(path)
    for t, event in enumerate(EVENTS):
        journal.record(float(t), event)
    journal.close()


JOURNAL = _written(_write_journal)
PROFILE = _written(lambda path: write_profile(path, profile_of((float(t), event) for t, event in enumerate(EVENTS))))
RESOURCES = {"bias_field": {"ncpu": 1, "mem": 0.5, "time": 60, "variant": "quick"}, "lobes": {"mem": 1}}
FLAT = {"name": ["s.lobes"], "time": [1.5], "rss_GiB": [0.5], "vms_GiB": [1.0], "cpus": [99.0]}
PROFILES = (json.dumps(FLAT).encode(), PROFILE, JOURNAL)
CHECKS = {"schema_version": 2, "scans": {"/a": {"stamp": [1], "voxels": 9, "voxel_mm": 1.0, "warnings": ["odd"]}}}
MANIFEST = {
    "schema_version": 1,
    "scan": "s",
    "method": {"model": "m"},
    "files": {"sub-01/o.tsv": {"size_bytes": 3, "sha256": "x", "given": False}},
}
DESCRIPTION = "dataset_description.json"
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


def _image(kind: str, *, version: int = 1, endianness: str = "<", sform: bool = False) -> bytes:
    """The smallest image that passes every check, so that a changed byte is seen by whatever reads it."""
    image = {1: nib.Nifti1Image, 2: nib.Nifti2Image}[version]
    voxels = (np.arange(16**3).reshape(16, 16, 16) % 100).astype(np.dtype(kind).newbyteorder(endianness))
    header = image.header_class(endianness=endianness)
    header.set_data_dtype(voxels.dtype)
    made = image(voxels, None, header)
    made.set_qform(np.diag([6.0, 6, 6, 1]), 1)
    made.set_sform(np.diag([6.0, 6, 6, 1]) if sform else None, int(sform))
    return bytes(made.to_bytes())


def _fold(path: Path) -> object:
    """What ``status`` makes of a journal."""
    state = RunState()
    for t, event in read_journal(path):
        state.apply(t, event)
    sight = sight_of(state, host="h", process_began=lambda pid: None, last_word=0.0, now=1.0)
    return list(status_lines(status_of(state, sight, path.parent, 1.0)))


def _conclusions(path: Path) -> object:
    """What ``create_resource_file`` makes of a profile: a profile, and a resource file that a run can read."""
    profile = read_profile(path, KINDS)
    write_profile(path.with_name("written.json"), profile)
    read_profile(path.with_name("written.json"), KINDS)
    resources = path.with_name("resources.json")
    words = ["b", "o", "create_resource_file", "--profiling_input_file", str(path)]
    with contextlib.redirect_stdout(io.StringIO()):
        create_resource_file(options_of([*words, "--resource_output_file", str(resources)]))
    return read_resource_file(resources, [step.kind for step in profile.steps])


def _report(path: Path) -> object:
    """The page of a journal."""
    return make_report(history_of(read_journal(path)), path.parent)


def _manifest(path: Path) -> object:
    """Whether derivatives are published that a manifest tells of."""
    work = WorkFolder(path.parent, {})
    step = Step(
        place=Place(folder="s"),
        kind="k",
        program="p",
        arguments=(),
        inputs=(),
        outputs=("o",),
        exports=(Export("o", "sub-01/o.tsv"),),
    )
    folder = work.folder(step.name)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = manifest_path(path.parent, "s")
    manifest.parent.mkdir(exist_ok=True)
    manifest.write_bytes(path.read_bytes())
    (folder / "record.json").write_text(json.dumps(RECORD))
    return Derivatives(path.parent, work).are_published(step)


def _claim(path: Path) -> object:
    """Two runs that see what another has left of its claim."""
    claim = Claim(path.parent, "mine")
    other = path.parent / "logs/running/other.json"
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_bytes(path.read_bytes())
    try:
        with other.open() as held:
            try_lock(held)
            claim.take(["sub-01"])
    finally:
        claim.release()
    return None


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


IMAGES = (_image("i2"), _image("f4", version=2, sform=True), _image("u1", endianness=">"), _image("f8"))
MASK = _image("u1")[:352] + bytes(2048) + b"\1" * 2048

TARGETS: Mapping[str, Target] = {
    "image": Target(check_image, IMAGES, "x.nii"),
    "compressed image": Target(check_image, tuple(gzip.compress(image, 0) for image in IMAGES), "x.nii.gz"),
    "mask": Target(check_mask, (MASK,), "x.nii"),
    "label table": Target(read_labels, _files(*MODEL.glob("*_labels.tsv")), "x.tsv"),
    "tag table": Target(
        read_tags, (b"\n".join(next(MODEL.glob("*_tags.tsv")).read_bytes().split(b"\n")[:40]),), "x.tsv"
    ),
    "dataset description": Target(lambda path: read_dataset(path.parent), _files(EXAMPLE / DESCRIPTION), DESCRIPTION),
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
    "profile": Target(lambda path: read_profile(path, KINDS), PROFILES, "p.json"),
    "journal": Target(lambda path: list(read_journal(path)), (JOURNAL,), "journal.jsonl"),
    "status of a journal": Target(_fold, (JOURNAL,), "journal.jsonl"),
    "conclusions of a profile": Target(_conclusions, PROFILES, "p.json"),
    "report of a journal": Target(_report, (JOURNAL,), "journal.jsonl"),
    "points": Target(points_to_ras, (b"x,y,z,t,label\n1,2,3,0,1\n",), "p.csv"),
    "checks of scans": Target(_read_cache, (json.dumps(CHECKS).encode(),), "checks.json"),
    "manifest": Target(_manifest, (json.dumps(MANIFEST).encode(),), "given.json"),
    "claim": Target(_claim, (json.dumps({"holder": "h", "scans": ["sub-02"]}).encode(),), "given.json"),
    "foreign dataset": Target(
        lambda path: refuse_foreign_dataset(path.parent), (b'{"GeneratedBy": [{"Name": "tntpipe"}]}',), DESCRIPTION
    ),
    "record": Target(read_record, (json.dumps(RECORD).encode(),), "record.json"),
    "contents": Target(
        lambda path: ContentCache(path).digest(path), (json.dumps({"/a": {"stamp": [1], "sha256": "x"}}).encode(),)
    ),
}
