"""Whom a run is about: the participants asked for, less those excluded.

A participant who was asked for and is not there stops the run, with the nearest label that is: it is a slip of the
finger. An excluded one who is not there is only reported: such lists are shared between datasets.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from tntpipe.bids.scan import Finding
from tntpipe.errors import SelectionError

N_NAMED = 5


def choose_participants(
    there: Collection[str], asked: Collection[str], excluded: Collection[str], root: Path
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Labels to run, sorted, and a notice for each excluded label that the dataset does not have."""
    if not there:
        raise SelectionError(f"{root} has no sub-… folder.", remedy="Name the folder that holds them.")
    missing = [label for label in asked if label not in there]
    if missing:
        named = ", ".join(_with_nearest(label, there) for label in missing[:N_NAMED])
        if len(missing) > N_NAMED:
            named += f" and {len(missing) - N_NAMED} more"
        raise SelectionError(f"{root} has no participant {named}.", remedy="Correct or leave out what is not there.")
    chosen = tuple(sorted((set(asked) or set(there)) - set(excluded)))
    if not chosen:
        raise SelectionError("Every participant asked for is also excluded.", remedy="Exclude fewer.")
    unknown = (label for label in excluded if label not in there)
    return chosen, tuple(Finding(root / f"sub-{label}", "is excluded but is not there.") for label in unknown)


def _with_nearest(label: str, there: Collection[str]) -> str:
    """The label, with the one that was perhaps meant.

    >>> _with_nearest("1", ["001", "011"]), _with_nearest("zz", ["001"])
    ('1 (there is 001)', 'zz')
    >>> _with_nearest("control7", ["CONTROL07", "other70"])
    'control7 (there is CONTROL07)'
    """
    same_number = [other for other in sorted(there) if other.lstrip("0") == label.lstrip("0")]
    nearest = same_number or _alike(label, there)
    return f"{label} (there is {nearest[0]})" if nearest else label


def _alike(label: str, there: Collection[str]) -> list[str]:
    """The label that is most like it, upper and lower case aside; none where none is much like it."""
    folded = {other.casefold(): other for other in sorted(there)}
    return [folded[match] for match in get_close_matches(label.casefold(), folded, n=1)]
