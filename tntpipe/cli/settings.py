"""From what was typed to what is meant, checked as a whole before anything is read but the files that options name."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path

from tntpipe.bids.selection import Selection
from tntpipe.cli.parser import LEVELS
from tntpipe.errors import ExitStatus, InputMissingError, UsageError
from tntpipe.model import (
    Labelled,
    Model,
    built_in_model,
    checked_space,
    existing,
    labelled,
    read_model_folder,
    with_files,
)
from tntpipe.pipeline.method import BrainExtraction, Method
from tntpipe.steps.registration import PRESETS


class UnknownLevelError(UsageError):
    """The level is none of ours."""

    exit_status = ExitStatus.UNKNOWN_LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run, as it was asked for."""

    bids_dir: Path
    output_dir: Path
    work_dir: Path
    selection: Selection
    method: Method
    model: Model
    subcortical_model: Model | None
    brain_mask_dir: Path | None
    n_proc: int | None
    memory_gb: float | None
    ants_n_proc: int
    dry_run: bool
    graph_output: Path | None
    stop_on_first_crash: bool
    dashboard: bool
    loglevel: str
    notices: tuple[str, ...]


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of a run.

    Raises
    ------
    UsageError, InputMissingError
        Options that do not fit together, or a file that is not there.
    """
    for level in options.levels:
        if level not in LEVELS:
            raise UnknownLevelError(f"There is no level {level!r}.", remedy=f"Use {' or '.join(LEVELS)}.")
    model, subcortical_model = _models(options)
    memory_gb, notices = _memory(options)
    bids_dir, output_dir = options.bids_dir.absolute(), options.output_dir.absolute()
    work_dir = (options.working_directory or options.output_dir / "work").absolute()
    _check_folders(bids_dir, output_dir, work_dir)
    return Settings(
        bids_dir=bids_dir,
        output_dir=output_dir,
        work_dir=work_dir,
        selection=_selection(options),
        method=_method(options),
        model=model,
        subcortical_model=subcortical_model,
        brain_mask_dir=options.brain_mask_dir.absolute() if options.brain_mask_dir else None,
        n_proc=options.n_proc,
        memory_gb=memory_gb,
        ants_n_proc=options.ants_n_proc or 1,
        dry_run=options.dry_run,
        graph_output=options.graph_output,
        stop_on_first_crash=options.stop_on_first_crash,
        dashboard=not options.no_dashboard,
        loglevel="DEBUG" if options.verbose else options.loglevel,
        notices=tuple(notices),
    )


def _check_folders(bids_dir: Path, output_dir: Path, work_dir: Path) -> None:
    if output_dir.resolve() == bids_dir.resolve():
        raise UsageError(f"The output folder is the dataset itself, {bids_dir}.", remedy="Name another one.")
    inside = work_dir.resolve().is_relative_to(bids_dir.resolve())
    if inside and not output_dir.resolve().is_relative_to(bids_dir.resolve() / "derivatives"):
        raise UsageError(
            f"The work folder {work_dir} is inside the dataset {bids_dir}.",
            remedy="Put output and work folder elsewhere, or the output below the dataset's derivatives folder.",
        )


def _selection(options: argparse.Namespace) -> Selection:
    entities = ("session", "acquisition", "reconstruction", "run")
    return Selection.of(
        participant_labels=_labels(options.participant_labels),
        exclude_participant_labels=_labels(options.exclude_participant_labels),
        entities={entity: getattr(options, f"filter_{entity}") for entity in entities},
        filter_file=_filter_file(options.bids_filter_file),
        skip_validation=options.skip_validation,
    )


def _labels(words: list[str] | None) -> list[str]:
    """Labels as typed; a word that names a file stands for the labels in it, one a line."""
    labels: list[str] = []
    for word in words or ():
        if ("/" in word or "." in word) and Path(word).is_file():
            labels += Path(word).read_text(encoding="utf-8-sig").split()
        else:
            labels.append(word)
    return labels


def _filter_file(path: Path | None) -> object:
    if path is None:
        return None
    try:
        return json.loads(existing(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON: {error}.", remedy="Mend the filter file.") from error


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
    if not low < high:
        raise UsageError(f"--inormalize_const2 {low:g} {high:g} is no range.", remedy="Give the lower end first.")
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


def _models(options: argparse.Namespace) -> tuple[Model, Model | None]:
    """The main model, and the one for subcortical labels where that is another."""
    model = _main_model(options)
    if not options.subcortical:
        return model, None
    own = _subcortical_model(options)
    if own is not None and own.t1w.resolve() == model.t1w.resolve():
        model, own = with_files(model, subcortex=own.subcortex), None
    if own is None and model.subcortex is None:
        own = built_in_model()
    return model, own


def _main_model(options: argparse.Namespace) -> Model:
    model = _template(options.model, options.model_space, options.model_brain_mask, "model")
    replaced: dict[str, Labelled | Path | None] = {
        "lobes": _given(options.atlas, options.atlas_labels),
        "tags": _given(options.tags, options.tag_labels),
        "intracranial_mask": existing(options.intracranial_mask) if options.intracranial_mask else None,
    }
    model = with_files(model or built_in_model(), **replaced)
    needed = {"--atlas": model.lobes, "--tags": model.tags}
    if options.intracranial_volume:
        needed["--intracranial_mask"] = model.intracranial_mask  # type: ignore[assignment]
    missing = [option for option, value in needed.items() if value is None]
    if missing:
        raise UsageError(
            f"The model {model.space} comes without what {' and '.join(missing)} give.",
            remedy=f"Give {' and '.join(missing)}, drawn in the space of {model.t1w.name}.",
        )
    return model


def _subcortical_model(options: argparse.Namespace) -> Model | None:
    prefix = "subcortical_model"
    model = _template(
        options.subcortical_model, options.subcortical_model_space, options.subcortical_model_brain_mask, prefix
    )
    atlas = _given(options.subcortical_atlas, options.subcortical_labels)
    if model is None:
        if atlas is not None:
            main = _main_model(options)
            return with_files(main, subcortex=atlas)
        return None
    model = with_files(model, subcortex=atlas)
    if model.subcortex is None:
        raise UsageError(
            f"The subcortical model {model.space} has no label map.",
            remedy="Give --subcortical_atlas, drawn in its space.",
        )
    return model


def _template(path: Path | None, space: str | None, brain_mask: Path | None, option: str) -> Model | None:
    """The template that options name: a model folder, or an image with its space and its brain mask."""
    if path is None:
        if space or brain_mask:
            raise UsageError(
                f"--{option}_space and --{option}_brain_mask belong to --{option}.", remedy=f"Give --{option}."
            )
        return None
    if path.is_dir():
        return read_model_folder(path)
    if not space or not brain_mask:
        raise UsageError(
            f"--{option} {path} alone is not enough.",
            remedy=f"Give --{option}_space and --{option}_brain_mask too, or a model folder (docs/models.md).",
        )
    return Model(space=checked_space(space), t1w=existing(path), brain_mask=existing(brain_mask))


def _given(path: Path | None, labels: Path | None) -> Labelled | None:
    if path is None:
        if labels is not None:
            raise UsageError(f"The label table {labels} belongs to no label map.", remedy="Name the map or tags too.")
        return None
    return labelled(path.absolute(), labels.absolute() if labels else None)


_UNITS_GIB = {"k": 2.0**-20, "m": 2.0**-10, "g": 1.0, "t": 2.0**10}
LARGEST_BARE_GIB = 1024.0
"""A bare ``--mem`` is MB for fMRIPrep and GB for MRIQC: below this it is taken for GiB, from it on for MiB."""


def _memory(options: argparse.Namespace) -> tuple[float | None, list[str]]:
    """The memory budget in GiB, and what to say about how it was understood."""
    if options.mem is None:
        return options.memory_gb, []
    if options.memory_gb is not None:
        raise UsageError("--mem and --memory_gb exclude each other.", remedy="Give --memory_gb.")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", options.mem.strip().lower())
    if not match or float(match[1]) == 0:
        raise UsageError(f"--mem {options.mem} is no amount of memory.", remedy="Write for example 16G or 16000M.")
    amount, unit = float(match[1]), match[2] or ("g" if float(match[1]) < LARGEST_BARE_GIB else "m")
    memory_gb = amount * _UNITS_GIB[unit]
    return memory_gb, [f"--mem {options.mem} is understood as {memory_gb:g} GiB"]
