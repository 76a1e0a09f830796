"""What a user may ask of scans: participants, and values of entities.

Labels are taken with or without their prefix and are refused, before any folder is looked at, if they could not stand
in a BIDS name: typed by a word processor (a dash that is no hyphen), or meant to leave the dataset. Knows no dataset.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tntpipe.bids.entities import DERIVATIVE_KEYS, INDEX, INDEX_KEYS, LABEL, key_of, raw_entities
from tntpipe.bids.scan import EXTENSIONS, Scan
from tntpipe.errors import UsageError

ANY = "*"  # in a BIDS filter file: has the entity, whatever its value

DERIVATIVE_ENTITIES = DERIVATIVE_KEYS | {
    "template",
    "hemisphere",
    "resolution",
    "density",
    "segmentation",
    "description",
}
"""Names of entities that only derivatives carry: the short ones, and how pybids and BIDS spell them out."""

_QUERIES = {"Query.NONE": None, "Query.ANY": ANY, "Query.REQUIRED": ANY}


@dataclass(frozen=True, slots=True)
class EntityFilter:
    """Scans whose ``entity`` is one of ``accepts``, where None is a scan that lacks it and ``*`` any that has it."""

    entity: str
    accepts: tuple[str | None, ...]

    def admits(self, scan: Scan) -> bool:
        """Whether the scan passes; numbers are compared as numbers, so that run 1 is run 01."""
        value = scan.extension if self.entity == "extension" else scan.get(self.entity)
        if value is None:
            return None in self.accepts
        return any(wanted in (ANY, value) or _same_index(self.entity, wanted, value) for wanted in self.accepts)

    def __str__(self) -> str:
        return f"{self.entity} {' or '.join('(none)' if value is None else value for value in self.accepts)}"


def _same_index(entity: str, wanted: str | None, value: str) -> bool:
    if entity == "extension" or key_of(entity) not in INDEX_KEYS or wanted is None:
        return False
    return wanted.lstrip("0") == value.lstrip("0")


def clean_label(text: str, key: str) -> str:
    """A label as typed, without its ``key-``, or a UsageError that says what is wrong with it.

    >>> clean_label("sub-01", "sub"), clean_label("01", "sub")
    ('01', '01')
    """
    for character in text:
        if character != "-" and (unicodedata.category(character) == "Pd" or character == "\N{MINUS SIGN}"):
            name = unicodedata.name(character)
            raise UsageError(
                f"{text!r} holds {character!r} ({name.lower()}, U+{ord(character):04X}) where a hyphen belongs.",
                remedy="Type it again with the plain '-' of the keyboard.",
            )
    label = text.strip().removeprefix(f"{key}-")
    if not LABEL.fullmatch(label):
        raise UsageError(
            f"{text!r} is not a BIDS label for {key!r}: only letters A-Z, digits and '+' may stand in one.",
            remedy="Give several labels with spaces between them.",
        )
    return label


def clean_labels(texts: Iterable[str]) -> tuple[str, ...]:
    """Participant labels, each once, in the order given."""
    return tuple(dict.fromkeys(clean_label(text, "sub") for text in texts))


def entity_filter(entity: str, values: Iterable[str | None]) -> EntityFilter:
    """A filter on one entity by pybids' name; no value at all asks for scans that lack it.

    >>> entity_filter("session", ["ses-02"]).accepts, entity_filter("session", []).accepts
    (('02',), (None,))
    """
    key = key_of(entity)
    accepts = tuple(value if value in (None, ANY) else clean_label(str(value), key) for value in values)
    for value in accepts:
        if key in INDEX_KEYS and value not in (None, ANY) and not INDEX.fullmatch(str(value)):
            raise UsageError(f"{entity} {value!r} is not a number.", remedy=f"A BIDS {entity} is 1, 2, 3, …")
    return EntityFilter(entity, accepts or (None,))


def filters_of_file(content: object) -> tuple[EntityFilter, ...]:
    """Filters from a BIDS filter file in fMRIPrep's form, ``{"t1w": {"session": "01", "run": null}}``.

    Raises UsageError, whose fact is about the file, without its name.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get("t1w"), Mapping):
        raise UsageError("It has no 't1w' entry.", remedy='It looks like {"t1w": {"session": "01", "run": null}}.')
    asked = content["t1w"].items()
    return tuple(made for entity, wanted in asked if (made := _filter_of_entry(str(entity), wanted)) is not None)


def _filter_of_entry(entity: str, wanted: object) -> EntityFilter | None:
    if wanted is None and (entity == "extension" or entity in DERIVATIVE_ENTITIES):
        return None  # no raw image carries it, and every one has an extension
    values = _values_of_entry(entity, wanted)
    if entity in ("datatype", "suffix"):
        only = {"datatype": "anat", "suffix": "T1w"}[entity]
        if only not in values:
            raise UsageError(f"It asks for {entity} {wanted!r}.", remedy=f"Only {only} is read.")
        return None
    if "Query.OPTIONAL" in values:
        return None
    if entity == "extension":
        extensions = tuple(f".{value.lstrip('.')}" for value in values if value is not None) or EXTENSIONS
        if not set(extensions) <= set(EXTENSIONS):
            raise UsageError(f"It asks for extension {wanted!r}.", remedy="Use .nii or .nii.gz.")
        return EntityFilter(entity, extensions)
    return entity_filter(entity, [_QUERIES.get(value, value) if value else value for value in values])


def _values_of_entry(entity: str, wanted: object) -> tuple[str | None, ...]:
    known = {name for name, _ in raw_entities().values()} | {"datatype", "suffix", "extension"}
    if entity not in known:
        raise UsageError(
            f"It filters by {entity!r}, which no T1w name carries.",
            remedy=f"Known are: {', '.join(sorted(known))}.",
        )
    values = wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else (wanted,)
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise UsageError(f"It gives {entity} as {wanted!r}.", remedy="Use text, a list, or null.")
    return tuple(None if value is None else str(value) for value in values)
