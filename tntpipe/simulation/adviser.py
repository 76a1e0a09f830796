"""Looks ahead: runs what is left on a simulated clock under several rules, and advises the best.

It decides nothing itself: its advice is an event among others, which the scheduler takes in. It thinks in slices of a
few milliseconds while nothing happens, so that no job starts later because of it. Invariants: it never changes the
scheduler that it is shown; the same scheduler at the same instant gets the same advice.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.messages import Rule, RuleChosen
from tntpipe.simulation.rest_of_run import end_of

FIRST_RULES = (
    Rule(slack=1.1),
    *(Rule(fixed_cpus=cpus) for cpus in (1, 2, 3, 4, 5, 6, 8)),
    Rule(slack=1.1, widen=True),
    Rule(slack=1.25),
    Rule(slack=0.9),
    Rule(slack=1.0, widen=True),
)
"""What is tried at first, beside the rule in force; where much is left to do, only the first few."""

LAST_PATHS = 2.5
"""Looking ahead pays with fewer critical paths left than this: before, the fewest CPUs are the best."""

ROUND = 0.1
"""Part of the time to the horizon after which to look ahead again."""

LEAST_ROUND = 0.005
"""The same as a part of the time that has passed."""

SPREAD = 0.2
"""Sampled times lie within this part of the estimates."""

N_VARIANTS = 9
"""Later the rule in force is varied at random, so many times a round."""

N_FINALISTS = 4
N_FIRST_SAMPLES = 2
N_SAMPLES = 5
"""All rules meet the first sets of sampled times, the best few all of them. None meets the estimates themselves: scans
that run in step, as they never do, reward rules that count on it."""

LEAST_GAIN = 0.003
"""Another rule is advised where it ends the run earlier by this part of the time left: less is chance."""

MOST_ENDS = 100_000
"""Simulated ends of jobs in one round: some five seconds of CPU."""


class Adviser:
    """Advises one run."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._round = 0
        self._began: float | None = None
        self._next_at = float("-inf")
        self._thought: Generator[None, None, Rule] | None = None

    def consider(self, scheduler: Scheduler, now: float) -> Iterator[RuleChosen | None]:
        """Think about a scheduler that has just decided; yields after each slice, and last the advice, if any.

        What is broken off is taken up at the next call.
        """
        if self._thought is None:
            guidance = scheduler.guidance
            if now < self._next_at or guidance.n_paths_left > LAST_PATHS or not scheduler.has_choices:
                return
            if self._began is None:
                self._began = now
            self._next_at = now + max(ROUND * (guidance.horizon - now), LEAST_ROUND * (now - self._began))
            self._round += 1
            self._thought = self._think(scheduler.fork(), now)
        while True:
            try:
                next(self._thought)
            except StopIteration as result:
                self._thought = None
                if result.value != scheduler.guidance.rule:
                    yield RuleChosen(rule=result.value)
                return
            yield None

    def _think(self, scheduler: Scheduler, now: float) -> Generator[None, None, Rule]:
        """Find the rule with which the run ends first on average."""
        names = [job.name for job in scheduler.unfinished()]
        rng = random.Random(f"{self._seed} {self._round}")
        samples = []
        for _ in range(N_SAMPLES):
            yield
            samples.append({name: rng.uniform(1 - SPREAD, 1 + SPREAD) for name in names})
        current = scheduler.guidance.rule
        n_runs = MOST_ENDS // len(names)
        n_rules = max(3, (n_runs - N_FINALISTS * (N_SAMPLES - N_FIRST_SAMPLES)) // N_FIRST_SAMPLES)
        short_of_memory = scheduler.guidance.large_cpus > 1
        tried = FIRST_RULES if self._round == 1 else ()
        varied = [_varied(current, short_of_memory, rng) for _ in range(N_VARIANTS)]
        rules = list(dict.fromkeys((current, Rule(), *tried, *varied)))[:n_rules]
        ends_s: dict[Rule, float] = dict.fromkeys(rules, 0.0)
        for number, sample in enumerate(samples):
            if number == N_FIRST_SAMPLES:
                best = sorted(rules, key=ends_s.__getitem__)[:N_FINALISTS]
                rules = [current, *(rule for rule in best if rule != current)]
            for rule in rules:
                yield
                chosen = (RuleChosen(rule=rule),)
                ends_s[rule] += (yield from end_of(scheduler.fork(), now, sample.__getitem__, chosen)) - now
        best_rule = min(rules, key=ends_s.__getitem__)
        return best_rule if ends_s[best_rule] < (1 - LEAST_GAIN) * ends_s[current] else current


def _varied(rule: Rule, short_of_memory: bool, rng: random.Random) -> Rule:
    """A rule near this one."""
    slack = min(max(rule.slack * rng.uniform(0.8, 1.25), 0.5), 2.0)
    widen = rule.widen if rng.random() < 0.7 else not rule.widen
    if not short_of_memory:
        return Rule(slack=slack, widen=widen)
    factor = min(max(rule.large_factor * rng.uniform(0.8, 1.25), 0.5), 2.0)
    return Rule(slack=slack, widen=widen, large_factor=factor)
