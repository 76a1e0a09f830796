"""Writes ``docs/third_party.md``: what tntpipe needs, what its tests need, and under which licences, as the packages
that are installed say of themselves.

    python -m tools.third_party            (in the environment that bin/test makes)

What is copyleft is marked. Whether a version has a known weakness is not known here: that takes a service on the
network (``pip-audit``).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SMOKE = ("--page", "{folder}/third-party.md")

PAGE = Path(__file__).resolve().parents[1] / "docs/third_party.md"
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|CDDL)|GNU|Mozilla", re.IGNORECASE)
SHORTEST_TEXT = 60
"""A field of more letters holds the licence's text, whose name is then in its first line."""

HEAD = """\
# Software of others

What tntpipe needs to run, and what its tests need beside that, as installed when this page was made by
`python -m tools.third_party`; licences are what each package says of itself. tntpipe (Apache-2.0) ships none of these
packages; what it ships of others is in [NOTICE](../NOTICE).

Packages under the MPL, GPL or LGPL are marked with ◆; they are used as they are. The wheel `antspyx` carries ANTs and
ITK (both Apache-2.0). Of FSL only `bet` is run, where a user has it and asks for it; FSL is not for commercial use.

Known weaknesses of these versions: check them before a release, where there is a network, with
`pip-audit --requirement <(.venv/bin/pip freeze --exclude-editable) --no-deps`. Where this page was made pip-audit could
not reach its database (neither PyPI's nor OSV's), so nothing is claimed about them here.
"""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, default=PAGE, help="default: docs/third_party.md")
    page = parser.parse_args().page
    needed = closure(("tntpipe",), frozenset())
    tested = closure(("tntpipe",), frozenset({"test"})) - needed
    parts = [HEAD, "## To run\n", *table(needed), "\n## To test, besides\n", *table(tested)]
    page.write_text("\n".join(parts) + "\n", encoding="utf-8")


def closure(names: Iterable[str], extras: frozenset[str]) -> set[str]:
    """The packages that are needed for these, with the extras of the first ones; not these themselves."""
    waiting = [(canonicalize_name(name), extras) for name in names]
    own, found = {name for name, _ in waiting}, set[str]()
    while waiting:
        name, wanted = waiting.pop()
        for text in metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in (*wanted, "")):
                other = canonicalize_name(requirement.name)
                if other not in found and other not in own:
                    found.add(other)
                    waiting.append((other, frozenset(requirement.extras)))
    return found


def table(names: Iterable[str]) -> Iterable[str]:
    """The rows of the packages, by name."""
    yield "| package | version | licence |\n|---|---|---|"
    for name in sorted(names):
        said = metadata.metadata(name)
        licence = licence_of(said)
        mark = "◆ " if COPYLEFT.search(licence) else ""
        yield f"| {said['Name']} | {said['Version']} | {mark}{licence} |"


def licence_of(said: metadata.PackageMetadata) -> str:
    """What a package says of its licence: the expression, or else the classifiers, or else the field."""
    expression = said.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = said.get_all("Classifier") or []
    named = [text.split(" :: ")[-1] for text in classifiers if text.startswith("License :: ")]
    named = [name for name in named if name != "OSI Approved"]
    field = (said.get("License") or "").strip().splitlines()
    short = field[0][:SHORTEST_TEXT] if field else ""
    return ", ".join(named) or short or "does not say"


if __name__ == "__main__":
    main()
