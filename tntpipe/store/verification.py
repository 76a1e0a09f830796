"""Whether what runs have published is still what they published: files against the checksums that were noted of them.

The results of a scan are verified against its manifest, which lies beside them in the output folder; what steps have
left in a work folder, where there is one, against their records. It repairs nothing and writes nothing into the output;
what is damaged can be forgotten in the work folder, so that the next run makes or publishes it again, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tntpipe.files import sha256_of
from tntpipe.store.manifest import Manifest, manifest_path
from tntpipe.store.record import RECORD_NAME, read_record
from tntpipe.store.wholeness import is_whole
from tntpipe.store.work_folder import SUPERSEDED, WorkFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a file must hold; ``note`` is the record or the manifest in which it stands."""

    path: Path
    note: Path
    size_bytes: int
    sha256: str
    is_derivative: bool = False

    def broken_by(self) -> str:
        """What is wrong with the file; empty where nothing is."""
        try:
            size = self.path.stat().st_size
            if size != self.size_bytes:
                return f"has {size} bytes, and was published with {self.size_bytes}"
            if sha256_of(self.path) != self.sha256:
                return f"has the {size} bytes that it should, but other content than was published"
        except FileNotFoundError:
            return "is not there"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        return ""

    def is_edited(self) -> bool:
        """Whether what is there instead is a whole file of its kind, as a person leaves it."""
        return self.is_derivative and is_whole(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file that does not hold what it should."""

    path: Path
    fact: str
    note: Path

    @property
    def is_of_step(self) -> bool:
        """Whether it is a file of the work folder, which a step made."""
        return self.note.name == RECORD_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found of ``n_steps`` steps of the work folder and of the results of ``n_scans`` scans.

    ``unknown`` are files in the participants' folders that no manifest knows: nobody can say what they should hold.
    """

    n_steps: int
    n_scans: int
    n_files: int
    damages: tuple[Damage, ...]
    edited: tuple[Path, ...]
    unknown: tuple[Path, ...]


def recorded_steps(work_dir: Path) -> list[Path]:
    """The folders of the steps of a work folder, those that were superseded too."""
    records = (*(work_dir / "steps").glob(f"*/*/{RECORD_NAME}"), *(work_dir / SUPERSEDED).glob(f"*/*/*/{RECORD_NAME}"))
    return sorted(record.parent for record in records)


def scan_of(step_folder: Path, work_dir: Path) -> str:
    """The scan, or the model, whose step it is."""
    return step_folder.relative_to(work_dir).parts[1]


def verify(
    folders: Sequence[Path],
    manifests: Sequence[tuple[str, Manifest | None]],
    output_dir: Path,
    n_threads: int,
    progress: Callable[[int, int], None],
) -> Verification:
    """Hash all that the records of these steps and these scans' manifests name.

    ``progress`` is told how many files are done, and of how many.
    """
    promises: list[Promise] = []
    damages: list[Damage] = []
    edited: list[Path] = []
    for folder in folders:
        try:
            promises += _outputs(folder)
        except ValueError as error:
            note = folder / RECORD_NAME
            damages.append(Damage(path=folder, fact=f"has a record that cannot be read: {error}", note=note))
    for scan, manifest in manifests:
        note = manifest_path(output_dir, scan)
        if manifest is None:
            damages.append(Damage(path=note, fact="is broken, or of another version", note=note))
        else:
            promises += _derivatives(manifest, output_dir, note)
    with ThreadPoolExecutor(n_threads) as pool:
        facts = pool.map(Promise.broken_by, promises)
        for number, (promise, fact) in enumerate(zip(promises, facts, strict=True), start=1):
            progress(number, len(promises))
            if fact and promise.is_edited():
                edited.append(promise.path)
            elif fact:
                damages.append(Damage(path=promise.path, fact=fact, note=promise.note))
    named = {promise.path for promise in promises}
    return Verification(
        n_steps=len(folders),
        n_scans=len(manifests),
        n_files=len(promises),
        damages=tuple(damages),
        edited=tuple(edited),
        unknown=tuple(path for path in _files_of_scans(output_dir) if path not in named),
    )


def forget(damages: Collection[Damage], work: WorkFolder) -> None:
    """Have the next run make, or publish, again what is damaged: without its record a step is not done, and a
    derivative that the work folder has no stamp of is read.

    Raises
    ------
    OSError
        A record cannot be removed.
    """
    for damage in damages:
        if damage.is_of_step:
            damage.note.unlink(missing_ok=True)
        else:
            work.contents.forget(damage.path)


def _outputs(folder: Path) -> Iterator[Promise]:
    note = folder / RECORD_NAME
    record = read_record(note)
    if record is None:
        raise ValueError("it is broken, or of another version")
    for name, made in record.outputs.items():
        yield Promise(path=folder / name, note=note, size_bytes=made.size_bytes, sha256=made.sha256)


def _derivatives(manifest: Manifest, output_dir: Path, note: Path) -> Iterator[Promise]:
    for name, entry in manifest.files.items():
        yield Promise(
            path=output_dir / name,
            note=note,
            size_bytes=entry.size_bytes,
            sha256=entry.sha256,
            is_derivative=True,
        )


def _files_of_scans(output_dir: Path) -> Iterator[Path]:
    """What stands in the folders of the participants, but for links and folders."""
    for path in sorted(output_dir.glob("sub-*/**/*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path
