"""Whether what runs have published is still what they published: files against the checksums of their records.

It reads the work folder's records and hashes what they name, in the work folder and in the output dataset. It repairs
nothing: what is damaged can be forgotten, so that the next run makes or publishes it again, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tntpipe.files import parsed_json, sha256_of
from tntpipe.store.derivatives import LIST_NAME, sidecar_path
from tntpipe.store.record import RECORD_NAME, read_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a file must hold; ``text`` is the whole of a sidecar, else size and digest are given.

    ``note`` is the record or the list in which it stands.
    """

    path: Path
    note: Path
    size_bytes: int = 0
    sha256: str | None = None
    text: str | None = None

    def broken_by(self) -> str:
        """What is wrong with the file; empty where nothing is."""
        try:
            if self.text is not None:
                return "" if self.path.read_bytes() == self.text.encode() else "does not say what was published"
            size = self.path.stat().st_size
            if size != self.size_bytes:
                return f"has {size} bytes, and was published with {self.size_bytes}"
            if self.sha256 is not None and sha256_of(self.path) != self.sha256:
                return f"has the {size} bytes that it should, but other content than was published"
        except FileNotFoundError:
            return "is not there"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file that does not hold what it should."""

    path: Path
    fact: str
    note: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found; ``n_elsewhere`` steps were published to another output folder."""

    n_steps: int
    n_files: int
    n_elsewhere: int
    damages: tuple[Damage, ...]
    unknown: tuple[Path, ...]


def recorded_steps(work_dir: Path) -> list[Path]:
    """The folders of the published steps of a work folder."""
    return sorted(record.parent for record in (work_dir / "steps").glob(f"*/*/{RECORD_NAME}"))


def verify(folders: list[Path], output_dir: Path, n_threads: int, progress: Callable[[int, int], None]) -> Verification:
    """Hash all that the records of these steps name; ``progress`` is told how many files are done, and of how many."""
    promises: list[Promise] = []
    damages: list[Damage] = []
    n_elsewhere = 0
    for folder in folders:
        try:
            promises += _outputs(folder)
            derivatives = list(_derivatives(folder, output_dir))
        except (ValueError, OSError) as error:
            damages.append(Damage(path=folder, fact=f"has a record that cannot be read: {error}", note=_note(folder)))
            continue
        n_elsewhere += not derivatives and (folder / LIST_NAME).exists()
        promises += derivatives
    with ThreadPoolExecutor(n_threads) as pool:
        for number, (promise, fact) in enumerate(
            zip(promises, pool.map(Promise.broken_by, promises), strict=True), start=1
        ):
            progress(number, len(promises))
            if fact:
                damages.append(Damage(path=promise.path, fact=fact, note=promise.note))
    named = {promise.path for promise in promises}
    return Verification(
        n_steps=len(folders),
        n_files=len(promises),
        n_elsewhere=n_elsewhere,
        damages=tuple(damages),
        unknown=tuple(path for path in _files_of_scans(output_dir) if path not in named),
    )


def forget(damages: tuple[Damage, ...]) -> None:
    """Have the next run make, or publish, again what is damaged: without its record it is not done.

    Raises
    ------
    OSError
        A record cannot be removed.
    """
    for note in {damage.note for damage in damages}:
        note.unlink(missing_ok=True)


def _note(folder: Path) -> Path:
    return folder / RECORD_NAME


def _outputs(folder: Path) -> Iterator[Promise]:
    record = read_record(_note(folder))
    if record is None:
        raise ValueError("it is broken, or of another version")
    for name, made in record.outputs.items():
        yield Promise(path=folder / name, note=_note(folder), size_bytes=made.size_bytes, sha256=made.sha256)


def _derivatives(folder: Path, output_dir: Path) -> Iterator[Promise]:
    note = folder / LIST_NAME
    if not note.exists():
        return
    listed = parsed_json(note.read_bytes())
    if not isinstance(listed, dict) or listed.get("root") != str(output_dir.resolve()):
        return
    try:
        for name, entry in listed["files"].items():
            path = output_dir / name
            yield Promise(path=path, note=note, size_bytes=entry["size_bytes"], sha256=entry["sha256"])
            if entry["sidecar"] is not None:
                yield Promise(path=sidecar_path(path), note=note, text=entry["sidecar"])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{LIST_NAME} is broken") from error


def _files_of_scans(output_dir: Path) -> Iterator[Path]:
    """What stands in the folders of the participants, but for links and folders."""
    for path in sorted(output_dir.glob("sub-*/**/*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path
