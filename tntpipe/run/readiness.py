"""Tells when a step becomes ready: when all that it follows is done. Knows neither CPUs nor memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tntpipe.journal.events import Outcome, RunEvent, StepEnded, StepReady
from tntpipe.steps.graph import Graph
from tntpipe.steps.step import Step


class Readiness:
    """Follows the steps of ``graph`` that are not in ``done``."""

    def __init__(self, graph: Graph, done: Iterable[str]) -> None:
        self._steps = graph.steps
        done = set(done)
        self._n_pending: dict[str, int] = {}
        self._followers: dict[str, list[str]] = {}
        for step in graph:
            if step.name not in done:
                pending = set(graph.follows[step.name]) - done
                self._n_pending[step.name] = len(pending)
                for name in pending:
                    self._followers.setdefault(name, []).append(step.name)

    def begin(self) -> Iterator[StepReady]:
        """The steps that follow nothing."""
        for name, n_pending in self._n_pending.items():
            if not n_pending:
                yield _ready(self._steps[name])

    def follow(self, event: RunEvent) -> Iterator[StepReady]:
        """The steps that become ready by this event."""
        if isinstance(event, StepEnded) and event.outcome in (Outcome.DONE, Outcome.REUSED):
            for name in self._followers.pop(event.name, ()):
                self._n_pending[name] -= 1
                if not self._n_pending[name]:
                    yield _ready(self._steps[name])


def _ready(step: Step) -> StepReady:
    return StepReady(name=step.name, scan=step.scan, kind=step.kind, variant=step.variant, voxels=step.voxels)
