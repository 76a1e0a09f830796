"""Where a run's estimates come from, in words: one line of counts, and a line for each kind of step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tntpipe.formatting import and_more, counted, format_gib
from tntpipe.profiling.estimates import Estimate, Estimates, Source
from tntpipe.profiling.profile import machine_of
from tntpipe.resources import Host
from tntpipe.steps.step import Step

N_KINDS_TOLD = 5
"""So many kinds without figures are named."""


def sources(step: Step, estimates: Estimates) -> str:
    """Those of one step, in a few words."""
    expected = estimates.of(step.kind, step.variant, step.voxels, step.program)
    if expected.source is expected.time_source:
        return expected.source.value
    return f"memory {expected.source.value}, time {expected.time_source.value}"


def summary(steps: Iterable[Step], estimates: Estimates) -> str:
    """How many kinds of step have their figures from where."""
    by_kind = {step.kind: estimates.of(step.kind, step.variant, step.voxels, step.program) for step in steps}
    memory = Counter(expected.source for expected in by_kind.values())
    time = Counter(expected.time_source for expected in by_kind.values())
    file = "" if estimates.file is None else f" ({estimates.file.path})"
    return f"estimates of {counted(len(by_kind), 'kind')} of step{file}: memory {_told(memory)}; time {_told(time)}"


def guesses(steps: Iterable[Step], estimates: Estimates) -> str | None:
    """Which kinds nobody measured, and what they are taken for; None where all have figures of their own."""
    guessed: dict[str, Step] = {}
    for step in steps:
        expected = estimates.of(step.kind, step.variant, step.voxels, step.program)
        if Source.GUESSED in (expected.source, expected.time_source):
            guessed.setdefault(step.kind, step)
    if not guessed:
        return None
    told = and_more(
        [f"{kind} (as {estimates.taken_for(kind, step.program)})" for kind, step in sorted(guessed.items())],
        N_KINDS_TOLD,
    )
    return (
        f"no measured figures for {counted(len(guessed), 'kind')} of step, memory and time are guessed: {told}; "
        "make a resource file from a finished run to replace the guess"
    )


def table(steps: Iterable[Step], estimates: Estimates) -> Iterator[str]:
    """For each kind, from the least to the largest: requests, times with one thread, and where they come from."""
    by_kind: dict[str, list[tuple[Step, Estimate]]] = {}
    for step in steps:
        by_kind.setdefault(step.kind, []).append(
            (step, estimates.of(step.kind, step.variant, step.voxels, step.program))
        )
    for kind, known in sorted(by_kind.items()):
        memory = _range(format_gib(n_bytes) for n_bytes in sorted(expected.mem_bytes for _, expected in known))
        time = _range(f"{time_s:g} s" for time_s in sorted(expected.cpu_s for _, expected in known))
        yield f"  {kind:<34} {len(known):>5} x {memory:>20} {time:>18}  {sources(known[0][0], estimates)}"


def other_machine(estimates: Estimates, host: Host, ants: str) -> str | None:
    """What to know where a resource file was measured on another machine than this; None where that is not so."""
    if estimates.file is None:
        return None
    measured_on = {str(profile["machine"]) for profile in estimates.file.profiles if profile.get("machine")}
    here = machine_of({**host, "ants": ants})
    if not measured_on or measured_on == {here}:
        return None
    told = "; ".join(sorted(measured_on))
    return f"{estimates.file.path} was measured elsewhere ({told}); here are {here}: its times may not hold"


def _told(counts: Counter[Source]) -> str:
    return ", ".join(f"{counts[source]} {source.value}" for source in Source if counts[source])


def _range(texts: Iterable[str]) -> str:
    known = list(texts)
    return known[0] if known[0] == known[-1] else f"{known[0]} to {known[-1]}"
