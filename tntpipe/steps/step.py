"""A step: the frozen description of one command that runs in a folder of its own.

Inputs appear in that folder under plain names below ``in/``; outputs are written beside it. So the words of a command
never hold a path of the user's: nothing in a file name can be read as an option, a separator of ANTs' bracket syntax
or a shell's syntax, and a fingerprint made from the words survives a moved folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INPUT_FOLDER = "in"

Source = Path | str
"""Where an input comes from: a ``Path`` of the user's, or, as ``<step name>/<output>``, a file that a step makes."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file that a step reads as ``in/<name>``."""

    name: str
    source: Source

    @property
    def word(self) -> str:
        """How the command's arguments name it."""
        return f"{INPUT_FOLDER}/{self.name}"


@dataclass(frozen=True, slots=True)
class Export:
    """A derivative: ``file`` (an output, or ``in/<name>`` for an input that goes along) is copied to ``path``.

    ``path`` is relative to the output dataset; ``sidecar`` is written beside it as JSON.
    """

    file: str
    path: str
    sidecar: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose step it is: the first part of its name, the scan (none for a model), and the size and grid that it works
    on."""

    folder: str
    scan: str = ""
    voxels: int = 0
    voxel_mm: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command.

    ``name`` is unique and is the step's folder, ``<scan>/<kind>``; its resource use is learnt under ``kind`` and
    ``variant``, and scales with ``voxels``. The CPUs of a ``moldable`` step may be chosen freely: they set
    its threads, and it gives the same bytes with any number of them. Every other step has one thread.
    """

    place: Place
    kind: str
    program: str
    arguments: tuple[str, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    variant: str = ""
    moldable: bool = False
    exports: tuple[Export, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.place.folder}/{self.kind}"

    @property
    def scan(self) -> str:
        return self.place.scan

    @property
    def voxels(self) -> int:
        return self.place.voxels

    def argv(self, commands: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The words to run, given how each program starts on this machine."""
        return (*commands[self.program], *self.arguments)

    def product(self, output: str) -> str:
        """The work-folder path of one of its outputs, for another step's :class:`Input`."""
        if output not in self.outputs:
            raise KeyError(f"{self.name} makes no {output}")
        return f"{self.name}/{output}"
