"""The models that options name: the built-in one, a folder's, or single files in the place of some of its files."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from tntpipe.errors import UsageError
from tntpipe.pipeline.model import (
    Labelled,
    Model,
    built_in_model,
    checked_space,
    existing,
    labelled,
    read_model_folder,
    with_files,
)


def models_of(options: argparse.Namespace) -> tuple[Model, Model | None]:
    """The main model, and the one for subcortical labels where that is another.

    Raises
    ------
    UsageError, InputMissingError
        Options that do not fit together, or a file that is not there.
    """
    _refuse_idle_options(options)
    model = _main_model(options)
    if not options.subcortical:
        return model, None
    own = _subcortical_model(options, model)
    if own is None and model.subcortex is None:
        own = built_in_model()
    if own is None:
        return model, None
    if own.t1w.resolve() == model.t1w.resolve():
        return with_files(model, subcortex=own.subcortex), None
    if own.space == model.space:
        raise UsageError(
            f"The model {model.t1w} and the subcortical model {own.t1w} are both called {model.space}.",
            remedy="Give one of them another name, by --model_space or --subcortical_model_space.",
        )
    return replace(model, subcortex=None), replace(own, lobes=None, tags=None, intracranial_mask=None, priors=None)


def _refuse_idle_options(options: argparse.Namespace) -> None:
    """An option for something that was not asked for is a slip: the run would end without it."""
    names = ("model", "model_space", "model_brain_mask", "atlas", "labels")
    idle = [f"--subcortical_{name}" for name in names if not options.subcortical]
    idle += [] if options.intracranial_volume else ["--intracranial_mask"]
    given = [option for option in idle if getattr(options, option[2:]) is not None]
    if given:
        wanted = "--subcortical" if "subcortical" in given[0] else "--intracranial_volume"
        raise UsageError(f"{given[0]} is of no use without {wanted}.", remedy=f"Add {wanted}, or leave it out.")


def _main_model(options: argparse.Namespace) -> Model:
    model = _template(options.model, options.model_space, options.model_brain_mask, "model")
    replaced: dict[str, Labelled | Path | None] = {
        "lobes": _given(options.atlas, options.atlas_labels),
        "tags": _given(options.tags, options.tag_labels),
        "intracranial_mask": existing(options.intracranial_mask) if options.intracranial_mask else None,
    }
    model = with_files(model or built_in_model(), **replaced)
    if options.tags:  # tissues trained on them, as the user wants, and not by the model's probabilities
        model = replace(model, priors=None)
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


def _subcortical_model(options: argparse.Namespace, main: Model) -> Model | None:
    prefix = "subcortical_model"
    model = _template(
        options.subcortical_model, options.subcortical_model_space, options.subcortical_model_brain_mask, prefix
    )
    atlas = _given(options.subcortical_atlas, options.subcortical_labels)
    if model is None:
        return with_files(main, subcortex=atlas) if atlas else None
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
        if space or brain_mask:
            raise UsageError(
                f"--{option} {path} is a folder, which names its space and its brain mask itself.",
                remedy=f"Leave out --{option}_space and --{option}_brain_mask, or name the template's file.",
            )
        return read_model_folder(path)
    existing(path)
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
