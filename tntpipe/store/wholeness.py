"""Whether a file that is not what was published is a whole file of its kind: then a person has edited it; else it is
damaged. Reads all of it."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from tntpipe.files import HASH_CHUNK_BYTES, parsed_json
from tntpipe.store.truncation import missing_from


def is_whole(path: Path) -> bool:
    """Whether a reader of such files could use it."""
    try:
        if path.stat().st_size == 0 or missing_from(path):
            return False
        if path.name.endswith(".gz"):
            with gzip.open(path) as file:
                while file.read(HASH_CHUNK_BYTES):
                    pass
        elif path.name.endswith(".json"):
            return isinstance(parsed_json(path.read_bytes()), dict)
        elif path.name.endswith(".tsv"):
            return "\0" not in path.read_text(encoding="utf-8")
    except (OSError, EOFError, ValueError, zlib.error):
        return False
    return True
