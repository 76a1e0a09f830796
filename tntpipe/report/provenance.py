"""What a run's report tells of how the results were made: the methods text, settings, versions and folders."""

from __future__ import annotations

import re
import shlex
from typing import Any, get_args

from tntpipe.bids.methods import BrainExtraction, Registration, RunFacts, methods_parts
from tntpipe.formatting import format_gib
from tntpipe.journal.events import RunStarted

ANTS = re.compile(r"ANTs (?P<version>.+) \((?P<flavour>\w+): .*\)", re.DOTALL)


def methods_of(facts: RunStarted) -> tuple[str, list[str]] | None:
    """The paragraph on methods and its references; None where the journal does not tell enough."""
    settings = facts.settings
    ants = ANTS.fullmatch(facts.ants)
    registration = next((name for name in get_args(Registration) if name == settings.get("preset")), None)
    extraction = next((name for name in get_args(BrainExtraction) if name == settings.get("brain_extraction")), None)
    if ants is None or registration is None or extraction is None:
        return None
    model = str(settings.get("model"))
    paragraph, references = methods_parts(
        RunFacts(
            tntpipe_version=facts.version,
            ants_flavour=ants["flavour"],
            ants_version=ants["version"],
            model=model,
            registration=registration,
            brain_extraction=extraction,
            subcortical_model=str(settings.get("subcortical_model") or model) if settings.get("subcortical") else None,
            intracranial_volume=bool(settings.get("intracranial_volume")),
            atlas=bool(settings.get("atlas")),
            nuclei_by_atlas=bool(settings.get("nuclei_by_atlas")),
        )
    )
    return paragraph.replace("`", ""), references


def provenance_of(facts: RunStarted) -> dict[str, str]:
    """The command, versions, machine, budget and folders, by what they are called."""
    host = facts.host
    said = (host.get("name"), host.get("processor") or host.get("machine"), host.get("system"))
    machine = [str(fact) for fact in said if fact]
    if "cpus" in host and "mem_bytes" in host:
        machine.append(f"{host['cpus']} CPUs, {format_gib(host['mem_bytes'])} of memory")
    return {
        "command": shlex.join(facts.command),
        "tntpipe": facts.version,
        "ANTs": facts.ants,
        "Python": str(host.get("python", "")),
        "machine": "; ".join(machine),
        "budget": facts.budget,
        **{f"{name} folder": str(path) for name, path in facts.folders.items()},
    }


def settings_of(facts: RunStarted) -> dict[str, str]:
    """The settings by name, as a person would write them."""
    return {name: _said(value) for name, value in facts.settings.items()}


def _said(value: Any) -> str:
    match value:
        case None:
            return "–"
        case True:
            return "yes"
        case False:
            return "no"
    return str(value)
