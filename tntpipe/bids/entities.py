"""The key-value pairs of a BIDS file name: their keys, their order, and what a value may look like.

Which entities a raw file may carry is pybids' to say: its configuration file is read and compiled here. pybids is not
imported: its import and its ``parse_file_entities`` are too slow for thousands of names. Knows no folder and no scan.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Short keys in the order of a file name: BIDS 1.10 schema, ``rules/entities.yaml``, with ``atlas`` and ``scale`` where
# version 1.11 put them. ``from``, ``to``, ``mode`` (transforms, unspecified in BIDS) stand where fMRIPrep writes them.
KEY_ORDER = (
    *(
        "sub",
        "tpl",
        "ses",
        "cohort",
        "sample",
        "task",
        "tracksys",
        "acq",
        "nuc",
        "voi",
        "ce",
        "trc",
        "stain",
        "rec",
        "dir",
    ),
    *("run", "mod", "echo", "flip", "inv", "mt", "part", "proc", "hemi", "space", "split", "recording", "chunk"),
    *("from", "to", "mode", "atlas", "seg", "scale", "res", "den", "label", "desc"),
)
DERIVATIVE_KEYS = frozenset(
    ("tpl", "cohort", "hemi", "space", "from", "to", "mode", "atlas", "seg", "scale", "res", "den", "label", "desc")
)
INDEX_KEYS = frozenset(("run", "echo", "flip", "inv", "split", "chunk"))

LABEL = re.compile(r"[0-9a-zA-Z+]+")  # BIDS schema, ``objects/formats.yaml``
INDEX = re.compile(r"[0-9]+")
_PREFIX = re.compile(r"([a-z]+)-\(")

_RANK = {key: rank for rank, key in enumerate(KEY_ORDER)}


def rank(key: str) -> int:
    """Place of an entity in a file name."""
    return _RANK[key]


@cache
def raw_entities() -> dict[str, tuple[str, re.Pattern[str]]]:
    """For each key of a raw file name, pybids' name of the entity and the pattern of ``_key-value``."""
    package = find_spec("bids")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("pybids is not installed.", name="bids")
    config = json.loads((Path(package.origin).parent / "layout" / "config" / "bids.json").read_bytes())
    entities = {}
    for entity in config["entities"]:
        prefix = _PREFIX.search(entity["pattern"])
        if prefix is not None and prefix[1] in _RANK:
            entities[prefix[1]] = (entity["name"], re.compile(entity["pattern"]))
    return entities


@cache
def key_of(name: str) -> str:
    """Short key of an entity that a raw file may carry.

    >>> key_of("acquisition"), key_of("run")
    ('acq', 'run')
    """
    return next(key for key, (entity, _) in raw_entities().items() if entity == name)


def shown(name: str) -> str:
    """A name from the disk as it can be printed: bytes that are no text, and control characters, escaped."""
    return name if name.isprintable() else ascii(name)
