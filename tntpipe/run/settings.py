"""What is asked of a run, in values that its stages take: nothing here was read from a command line.

`Settings` says what is to be computed, and with what; `RunOptions` says how the run is to behave while it does.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from tntpipe.bids.selection import Selection
from tntpipe.errors import UsageError
from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model import Model, built_in_model
from tntpipe.profiling.resource_file import ResourceFile


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a run reads and writes, as absolute paths."""

    dataset: Path
    output: Path
    work: Path

    @classmethod
    def of(cls, dataset: Path | str, output: Path | str, work: Path | str | None = None) -> Folders:
        """The folders of a run; without ``work`` it is the folder of that name in the output.

        Raises
        ------
        UsageError
            One of them lies where it would do harm to another.
        """
        output = Path(output).absolute()
        folders = cls(Path(dataset).absolute(), output, Path(work).absolute() if work else output / "work")
        _check_folders(folders.dataset, folders.output, folders.work)
        return folders


@dataclass(frozen=True, slots=True)
class Models:
    """The model, and the one for subcortical labels where that is another."""

    main: Model = field(default_factory=built_in_model)
    subcortical: Model | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """CPUs and memory of the budget, None for what is found on the machine; and the most CPUs of one step."""

    n_proc: int | None = None
    memory_gb: float | None = None
    ants_n_proc: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is to be computed; the defaults are those of the command line."""

    folders: Folders
    selection: Selection = field(default_factory=Selection)
    method: Method = field(default_factory=Method)
    models: Models = field(default_factory=Models)
    brain_mask_dir: Path | None = None
    limits: Limits = field(default_factory=Limits)
    resources: ResourceFile | None = None

    def described(self) -> dict[str, Any]:
        """What decides how long and how much a run computes, as plain values, for the journal and for profiles."""
        method = asdict(self.method)
        method["preset"] = self.method.preset.name
        plain = {name: value.value if isinstance(value, Enum) else value for name, value in method.items()}
        model, second = self.models.main, self.models.subcortical
        return plain | {
            "model": model.space,
            "atlas": model.priors is not None,
            "nuclei_by_atlas": model.nuclei_by_priors and second is None,
            "subcortical_model": second.space if second is not None else None,
            **asdict(self.limits),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run behaves: none of it changes a result.

    ``command`` is what was typed, for the journal; ``notices`` are said at the beginning.
    """

    dashboard: bool = False
    loglevel: str = "INFO"
    stop_on_first_crash: bool = False
    clean_work: bool = False
    profile: Path | None = None
    command: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def _check_folders(bids_dir: Path, output_dir: Path, work_dir: Path) -> None:
    bids, output, work = (Path(os.path.realpath(folder)) for folder in (bids_dir, output_dir, work_dir))
    if output == bids:
        raise UsageError(f"The output folder is the dataset itself, {bids_dir}.", remedy="Name another one.")
    for name, folder, real in (("output", output_dir, output), ("work", work_dir, work)):
        if real.is_relative_to(bids) and not real.is_relative_to(bids / "derivatives"):
            raise UsageError(
                f"The {name} folder {folder} is inside the dataset {bids_dir}.",
                remedy="Put it elsewhere, or below the dataset's derivatives folder.",
            )
    if work == output:
        raise UsageError(
            f"The work folder is the output folder, {work_dir}.", remedy="Name another one, for example a folder in it."
        )
