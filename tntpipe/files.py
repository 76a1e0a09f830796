"""Files that appear whole or not at all, even through a power cut, and the fingerprint of a file's content."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HASH_CHUNK_BYTES = 1 << 20
TEMPORARY = re.compile(r"\.(?P<head>.+)\.[0-9a-f]{12}\.tmp", re.DOTALL)
HEAD_LENGTH = 100
"""So much of a file's name is in the name of its temporary file, which may have 255 bytes as a whole."""


@contextmanager
def replaced_atomically(path: Path, scratch: Path | None = None) -> Iterator[Path]:
    """A path to write to, renamed to ``path`` at the end; nothing is left of it when the block fails.

    It lies beside ``path``, or in the folder ``scratch`` of the same file system.
    """
    temporary = (scratch or path.parent) / f".{path.name[:HEAD_LENGTH]}.{uuid.uuid4().hex[:12]}.tmp"
    try:
        yield temporary
        sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def remove_temporaries(folder: Path, names: Collection[str] | None = None) -> None:
    """Remove what a process that was killed left of files of these names, or of any file, in the folder."""
    heads = None if names is None else {name[:HEAD_LENGTH] for name in names}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = TEMPORARY.fullmatch(entry.name)
            if match and (heads is None or match["head"] in heads):
                with contextlib.suppress(OSError):
                    Path(entry.path).unlink()


def sync_file(path: Path) -> None:
    """Have the disk hold the file's content before anything that comes later."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Have the disk hold the names in a folder; some network file systems cannot be asked, and need not be."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def regular(path: Path) -> Path:
    """A path that is to be read; OSError where there is what a reader could wait for without end: a pipe, a device."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return path


def parsed_json(text: str | bytes, **keywords: Any) -> Any:
    """What a JSON text says; ValueError where it makes no sense, however it goes wrong."""
    try:
        return json.loads(text, **keywords)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def leads_inside(path: Path, root: Path) -> bool:
    """Whether a path, with every link in it followed, is below ``root``, wherever that itself leads."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def encoded(text: str) -> bytes:
    r"""The bytes that `write_text` writes: what is not valid Unicode, from a path in another encoding, is escaped.

    >>> encoded("d\udce9")
    b'd\\udce9'
    """
    return text.encode(errors="backslashreplace")


def write_text(path: Path, text: str, scratch: Path | None = None) -> None:
    """Write ``text`` atomically, in UTF-8; what is not valid Unicode, from a path in another encoding, is escaped."""
    with replaced_atomically(path, scratch) as temporary:
        temporary.write_bytes(encoded(text))


def write_json(path: Path, value: Any, scratch: Path | None = None) -> None:
    """Write ``value`` atomically, as JSON that people can read."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", scratch)


def copy_file(source: Path, destination: Path) -> None:
    """Copy the content atomically; the permissions are those of a new file."""
    with replaced_atomically(destination) as temporary:
        shutil.copyfile(source, temporary)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
