"""From what was typed to what is meant, checked as a whole before anything is read but the files that options name."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tntpipe.bids.filters import clean_label, filters_of_file
from tntpipe.bids.selection import Selection
from tntpipe.cli.models import models_of
from tntpipe.cli.values import LARGEST_GIB, SMALLEST_GIB, path
from tntpipe.errors import InputMissingError, UsageError
from tntpipe.files import parsed_json
from tntpipe.pipeline.kinds import step_kinds
from tntpipe.pipeline.method import BrainExtraction, Method
from tntpipe.pipeline.model import existing
from tntpipe.profiling.resource_file import ResourceFile, read_resource_file
from tntpipe.run.settings import Folders, Limits, Models, RunOptions, Settings
from tntpipe.steps.registration import PRESETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The level ``participant``, as it was typed: a run, or something that is told of one instead."""

    settings: Settings
    options: RunOptions
    plan: bool
    plan_picture: Path | None
    planned_budgets: tuple[tuple[int | None, float | None], ...]
    dry_run: bool
    graph_output: Path | None


def settings_of(options: argparse.Namespace, words: Sequence[str] = ()) -> Asked:
    """What the options of the level mean; ``words`` are as they were typed.

    Raises
    ------
    UsageError, InputMissingError
        Options that do not fit together, or a file that is not there.
    """
    models = Models(*models_of(options))
    memories_gb, notices = _memory(options)
    budgets = _budgets(options, memories_gb)
    plan = _plans(options, len(budgets))
    return Asked(
        settings=Settings(
            folders=Folders.of(options.bids_dir, options.output_dir, options.working_directory),
            selection=_selection(options),
            method=_method(options),
            models=models,
            brain_mask_dir=options.brain_mask_dir.absolute() if options.brain_mask_dir else None,
            limits=Limits(n_proc=budgets[0][0], memory_gb=budgets[0][1], ants_n_proc=options.ants_n_proc),
            resources=_resources(options),
        ),
        options=RunOptions(
            dashboard=not options.no_dashboard,
            loglevel="DEBUG" if options.verbose else options.loglevel,
            stop_on_first_crash=options.stop_on_first_crash,
            clean_work=options.clean_workdir,
            profile=options.profiling_output_file,
            command=("tntpipe", *words),
            notices=tuple(notices),
        ),
        plan=plan,
        plan_picture=options.plan_picture,
        planned_budgets=budgets if plan else (),
        dry_run=options.dry_run,
        graph_output=options.graph_output,
    )


def _selection(options: argparse.Namespace) -> Selection:
    entities = ("session", "acquisition", "reconstruction", "run")
    return Selection.of(
        participant_labels=labels_of(options.participant_labels),
        exclude_participant_labels=labels_of(options.exclude_participant_labels),
        entities={entity: getattr(options, f"filter_{entity}") for entity in entities},
        filter_file=_filter_file(options.bids_filter_file),
        skip_validation=options.skip_validation,
    )


def labels_of(words: list[str] | None) -> list[str]:
    """Labels as typed; a word that names a file stands for those in it, one a line or as in ``participants.tsv``."""
    labels: list[str] = []
    for word in words or ():
        try:
            labels += _labels_in(path(word)) if "/" in word or "." in word else [word]
        except argparse.ArgumentTypeError as error:
            raise UsageError(f"{word}: {error}.", remedy="Check the name of the label file.") from error
    return labels


def _labels_in(path: Path) -> list[str]:
    if not path.is_file():
        label = path.name.removeprefix("sub-")
        meant = f"; type {label} for that participant" if path.name.startswith("sub-") else ""
        raise InputMissingError(
            f"The label file {path} is not there.", remedy=f"Labels are typed without folders, as 01 or sub-01{meant}."
        )
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (ValueError, OSError) as error:
        raise UsageError(f"The label file {path} cannot be read: {error}.", remedy=_LABEL_FILE) from error
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise UsageError(f"The label file {path} is empty.", remedy=_LABEL_FILE)
    columns = [name.strip() for name in numbered[0][1].split("\t")]
    if PARTICIPANT_COLUMN in columns:
        place = columns.index(PARTICIPANT_COLUMN)
        words = [(number, _cell(line, place)) for number, line in numbered[1:]]
    elif len(columns) > 1:
        raise UsageError(
            f"The label file {path}, line {numbered[0][0]}: a table without a column {PARTICIPANT_COLUMN}.",
            remedy=_LABEL_FILE,
        )
    else:
        words = [(number, word) for number, line in numbered for word in line.split()]
    if not words:
        raise UsageError(f"The label file {path} has no row below its first line.", remedy=_LABEL_FILE)
    for number, word in words:
        try:
            clean_label(word, "sub")
        except UsageError as error:
            raise UsageError(f"The label file {path}, line {number}: {error.fact}", remedy=_LABEL_FILE) from error
    return [word for _, word in words]


PARTICIPANT_COLUMN = "participant_id"  # of participants.tsv: BIDS specification, "Participants file"
_LABEL_FILE = f"It is one label a line, or a table with tabs and a column {PARTICIPANT_COLUMN}."


def _cell(line: str, place: int) -> str:
    """A cell of a line of a table; empty where the line has too few."""
    return dict(enumerate(line.split("\t"))).get(place, "").strip()


def _filter_file(path: Path | None) -> object:
    if path is None:
        return None
    try:
        content = parsed_json(existing(path).read_text(encoding="utf-8-sig"))
        filters_of_file(content)  # here, where the file's name is known
        return content
    except UsageError as error:
        raise UsageError(f"The BIDS filter file {path}: {error.fact}", remedy=error.remedy) from error
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON: {error}.", remedy="Fix the filter file.") from error


LEAST_RANGE = 1e-3
"""Of the larger end: 32-bit numbers that large tell some ten thousand intensities apart in it."""


def _method(options: argparse.Namespace) -> Method:
    extraction = BrainExtraction(options.brain_extraction or "template")
    if options.brain_mask_dir is not None:
        if options.brain_extraction is not None:
            raise UsageError("--brain_extraction and --brain_mask_dir exclude each other.", remedy="Give one of them.")
        if not options.brain_mask_dir.is_dir():
            raise InputMissingError(
                f"The folder {options.brain_mask_dir} is not there.", remedy="Check --brain_mask_dir."
            )
        extraction = BrainExtraction.GIVEN
    if extraction is not BrainExtraction.BET and (options.bet_frac, options.bet_vertical_gradient) != (None, None):
        raise UsageError(
            "--bet_frac and --bet_vertical_gradient are for bet, which this run does not use.",
            remedy="Add --brain_extraction bet, or leave them out.",
        )
    low, high = options.inormalize_const2
    if high - low < LEAST_RANGE * max(abs(low), abs(high)) or low == high:
        raise UsageError(f"--inormalize_const2 {low:g} {high:g} is not a range.", remedy="Give the lower end first.")
    return Method(
        preset=PRESETS["debug" if options.debug else options.registration],
        brain_extraction=extraction,
        subcortical=options.subcortical,
        intracranial_volume=options.intracranial_volume,
        max_shear_angle_rad=options.max_shear_angle,
        normalised_minimum=low,
        normalised_maximum=high,
        clip_percent=options.inormalize_range,
        bet_frac=0.5 if options.bet_frac is None else options.bet_frac,
        bet_vertical_gradient=options.bet_vertical_gradient or 0.0,
        random_seed=options.random_seed,
    )


def _resources(options: argparse.Namespace) -> ResourceFile | None:
    """What the resource file says, which the profile must not overwrite."""
    path, profile = options.resource_input_file, options.profiling_output_file
    if path is None:
        return None
    if profile is not None and profile.resolve() == path.resolve():
        raise UsageError(
            f"--profiling_output_file and --resource_input_file are both {path}.", remedy="Give each a name of its own."
        )
    return read_resource_file(path, step_kinds())


_UNITS_GIB = {"k": 2.0**-20, "m": 2.0**-10, "g": 1.0, "t": 2.0**10}
LARGEST_BARE_GIB = 1024.0
"""A bare ``--mem`` is MB for fMRIPrep and GB for MRIQC: below this it is taken for GiB, from it on for MiB."""


def _memory(options: argparse.Namespace) -> tuple[float | tuple[float, ...] | None, list[str]]:
    """The memory in GiB, of each budget where there are several, and what to say about how it was understood."""
    given = [name for name in ("memory_gb", "mem", "mem_mb") if getattr(options, name) is not None]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(f'--{name}' for name in given)} exclude each other.", remedy="Give --memory_gb."
        )
    if given in ([], ["memory_gb"]):
        return options.memory_gb, []
    typed = f"--{given[0]} {getattr(options, given[0])}"
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", getattr(options, given[0]).strip().lower())
    amount = float(match[1]) if match else 0.0
    bare = "m" if given == ["mem_mb"] or amount >= LARGEST_BARE_GIB else "g"
    memory_gb = amount * _UNITS_GIB[match[2] or bare] if match else 0.0
    if not SMALLEST_GIB <= memory_gb <= LARGEST_GIB:
        raise UsageError(f"{typed} is no amount of memory.", remedy="Write for example 16G or 16000M.")
    return memory_gb, [f"{typed} is understood as {memory_gb:g} GiB"]


def _budgets(
    options: argparse.Namespace, memories_gb: float | tuple[float, ...] | None
) -> tuple[tuple[int | None, float | None], ...]:
    """CPUs and memory of each budget; None where they are still to be found."""
    n_procs, memories = (value if isinstance(value, tuple) else (value,) for value in (options.n_proc, memories_gb))
    n_budgets = max(len(n_procs), len(memories))
    if {len(n_procs), len(memories)} - {1, n_budgets}:
        raise UsageError(
            f"--n_proc has {len(n_procs)} values, --memory_gb {len(memories)}.",
            remedy="Give as many of each, which make pairs, or one of either.",
        )
    repeated = (values * n_budgets if len(values) == 1 else values for values in (n_procs, memories))
    return tuple(zip(*repeated, strict=True))


def _plans(options: argparse.Namespace, n_budgets: int) -> bool:
    """Whether a plan is asked for, and all that is for one comes with one."""
    plan: bool = options.plan or options.plan_picture is not None
    if plan and options.graph_output is not None:
        raise UsageError("--plan and --graph_output exclude each other.", remedy="Give one of them.")
    if options.plan_picture is not None:
        from tntpipe.planning.gantt_picture import check_ending

        check_ending(options.plan_picture)
    if n_budgets > 1 and not plan:
        raise UsageError(
            "--n_proc and --memory_gb have one value each in a run.",
            remedy="Add --plan to compare several budgets, or give one value.",
        )
    return plan
