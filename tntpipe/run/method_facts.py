"""How a run makes its results, in the form in which they carry it: for sidecars, manifests and the methods text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, get_args

from tntpipe import __version__
from tntpipe.bids.methods import BrainExtraction, Registration, RunFacts
from tntpipe.bids.sidecars import made_by
from tntpipe.programs.find import Programs
from tntpipe.run.settings import Settings
from tntpipe.steps.step import Step

_LIMITS = ("n_proc", "memory_gb", "ants_n_proc")
"""What `Settings.described` has beside the method: it changes no result."""


def facts_of(settings: Settings, programs: Programs) -> RunFacts:
    """What the run's derivatives tell about how they were made."""
    method = settings.method
    model, second = settings.models.main, settings.models.subcortical
    return RunFacts(
        tntpipe_version=__version__,
        ants_flavour=programs.ants.flavour,
        ants_version=programs.ants.version,
        model=model.space,
        registration=method.preset.name,  # type: ignore[arg-type]
        brain_extraction=method.brain_extraction.value,
        subcortical_model=(second or model).space if method.subcortical else None,
        intracranial_volume=method.intracranial_volume,
        atlas=model.priors is not None,
        nuclei_by_atlas=model.nuclei_by_priors and second is None,
    )


def method_of(settings: Settings, programs: Programs) -> dict[str, Any]:
    """The whole method, as a manifest holds it."""
    parameters = {name: value for name, value in settings.described().items() if name not in _LIMITS}
    return {**asdict(facts_of(settings, programs)), "parameters": parameters}


def facts_in(method: Mapping[str, Any] | None) -> RunFacts | None:
    """The facts of a manifest's method; None where it is of another version and does not tell them."""
    names = {field.name for field in fields(RunFacts)}
    if method is None or not names <= method.keys():
        return None
    facts = RunFacts(**{name: method[name] for name in names})
    texts = (facts.tntpipe_version, facts.ants_flavour, facts.ants_version, facts.model, facts.subcortical_model or "")
    known = facts.registration in get_args(Registration) and facts.brain_extraction in get_args(BrainExtraction)
    return facts if known and all(isinstance(text, str) for text in texts) else None


def with_provenance(steps: Iterable[Step], settings: Settings, programs: Programs) -> Iterator[Step]:
    """The steps, with each sidecar saying how what it stands beside is made."""
    fields_of_all = made_by(facts_of(settings, programs), settings.method.random_seed)
    for step in steps:
        exports = (
            export if export.sidecar is None else replace(export, sidecar={**export.sidecar, **fields_of_all})
            for export in step.exports
        )
        yield replace(step, exports=tuple(exports)) if step.exports else step
