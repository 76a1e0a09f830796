"""The manifest of a scan: which files of the output folder are its results, their checksums, and how they were made.

    manifest/<scan>.json    in the output folder, with paths relative to it, so that it travels with the results

A file is entered after it has its final name, and struck out before it is replaced or moved: what a killed run leaves
is a file that no manifest knows, never an entry for another content. It holds no time: the same results have the same
manifest. What the method means is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tntpipe.decoding import read_decoded
from tntpipe.errors import OutputError
from tntpipe.files import leads_inside, write_json

FOLDER = "manifest"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a file was published with; one that is ``given`` is a person's, and no run replaces it."""

    size_bytes: int
    sha256: str
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The files of one scan, by their paths in the output folder, and the method that made them."""

    scan: str
    method: Mapping[str, Any]
    files: Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written(Manifest):
    """The same as it stands in its file."""

    schema_version: int


def manifest_path(output_dir: Path, scan: str) -> Path:
    """Where the manifest of a scan stands."""
    return output_dir / FOLDER / f"{scan}.json"


def read_manifest(path: Path) -> Manifest | None:
    """A manifest, None where there is none that makes sense, or one that names a file outside the output folder."""
    written = read_decoded(path, _Written)
    if written is None or (written.schema_version, written.scan) != (SCHEMA_VERSION, path.stem):
        return None
    if not all(map(_is_inside, written.files)):
        return None
    return Manifest(scan=written.scan, method=written.method, files=written.files)


def read_manifests(output_dir: Path) -> Iterator[tuple[str, Manifest | None]]:
    """Each scan that has a manifest in the output folder, with what it says; None for one that makes no sense."""
    for path in sorted((output_dir / FOLDER).glob("*.json")):
        if not path.name.startswith("."):
            yield path.stem, read_manifest(path)


def write_manifest(output_dir: Path, manifest: Manifest) -> None:
    """Write the manifest of a scan in one step.

    Raises
    ------
    OutputError
        The folder of manifests is a link out of the output folder.
    OSError
        It cannot be written.
    """
    path = manifest_path(output_dir, manifest.scan)
    if not leads_inside(path.parent, output_dir):
        raise OutputError(
            f"{path.parent} leads out of the output folder.",
            remedy="Remove the symbolic link, or give another output folder.",
        )
    path.parent.mkdir(exist_ok=True)
    files = {name: asdict(manifest.files[name]) for name in sorted(manifest.files)}
    content = {
        "schema_version": SCHEMA_VERSION,
        "scan": manifest.scan,
        "method": dict(manifest.method),
        "files": files,
    }
    write_json(path, content)


def _is_inside(name: str) -> bool:
    """Whether it is a path in the output folder."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not parts[0].startswith("/") and ".." not in parts and "\0" not in name
