"""Looks ahead: runs what is left on a simulated clock under several policies and rules, and advises the best.

It decides nothing itself: its advice is an event among others, which the scheduler takes in. It thinks in slices of a
few milliseconds while nothing happens, so that no job starts later because of it. Invariants: it never changes the
scheduler that it is shown; the same scheduler at the same instant gets the same advice.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.messages import Rule, RuleChosen
from tntpipe.scheduler.portfolio import PORTFOLIO
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
"""Trying other numbers of CPUs pays with fewer critical paths left than this: before, the fewest are the best."""

ROUND = 0.1
"""Part of the time left after which to look ahead again."""

SURPRISED_ROUND = 0.03
"""The same after something that nobody could foresee."""

LEAST_ROUND = 0.005
"""The same as a part of the time that has passed."""

SPREAD = 0.2
"""Sampled times lie within this part of the estimates."""

N_VARIANTS = 9
"""Later the rule in force is varied at random, so many times a round."""

N_FINALISTS = 4
N_FIRST_SAMPLES = 2
N_SAMPLES = 5
"""All rules meet the first sets of sampled times, the best few all of them. None meets the estimates themselves where
jobs are moldable: scans that run in step, as they never do, reward rules that count on it."""

LEAST_GAIN = 0.003
"""Another rule is advised where it ends the run earlier by this part of the time left: less is chance."""

FEWEST_RUNS = 4
"""With time for fewer simulated runs than this, nothing is compared."""

MOST_ENDS = 100_000
"""Simulated ends of jobs in one round: some five seconds of CPU."""

MOST_ENDS_BEFORE = 12_000
"""The same before the first decision, which waits for it: some half a second."""

S_PER_END = 5e-5
MOST_BUSY = 0.01
"""After the first round, thinking takes at most this part of the time since the last, at so many seconds a simulated
end."""


class Adviser:
    """Advises one run."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._round = 0
        self._began: float | None = None
        self._next_at = self._soonest_at = float("-inf")
        self._thought_at = 0.0
        self._n_surprises = 0
        self._left_s = 0.0
        self._thought: Generator[None, None, Rule] | None = None

    def consider(self, scheduler: Scheduler, now: float) -> Iterator[RuleChosen | None]:
        """Think about a scheduler that has just decided; yields after each slice, and last the advice, if any.

        What is broken off is taken up at the next call.
        """
        if self._thought is None:
            is_surprised = scheduler.n_surprises != self._n_surprises
            if now < (self._soonest_at if is_surprised else self._next_at):
                return
            if self._began is None:
                self._began = self._thought_at = now
            self._round += scheduler.has_begun
            self._n_surprises = scheduler.n_surprises
            self._thought = self._think(scheduler.fork(), now)
        while True:
            try:
                next(self._thought)
            except StopIteration as result:
                self._thought = None
                assert self._began is not None
                if scheduler.has_begun:
                    least_s = LEAST_ROUND * (now - self._began)
                    self._next_at = now + max(ROUND * self._left_s, least_s)
                    self._soonest_at = now + max(SURPRISED_ROUND * self._left_s, least_s)
                    self._thought_at = now
                if result.value != scheduler.guidance.rule:
                    yield RuleChosen(rule=result.value)
                return
            yield None

    def _think(self, scheduler: Scheduler, now: float) -> Generator[None, None, Rule]:
        """Find the rule with which the run ends first on average."""
        current = scheduler.guidance.rule
        names = [job.name for job in scheduler.unfinished()]
        n_runs = int(self._most_ends(now) / len(names)) if names else 0
        chooses_cpus = bool(self._round) and scheduler.has_choices and scheduler.guidance.n_paths_left <= LAST_PATHS
        if n_runs < FEWEST_RUNS:
            self._left_s = max(0.0, scheduler.guidance.horizon - now)
            return current
        if not scheduler.has_choices:
            ends_s = (yield from end_of(scheduler.fork(), now, lambda name: 1.0)) - now
            if (1 - LEAST_GAIN) * ends_s <= scheduler.least_left_s(now):  # nothing could be better
                self._left_s = ends_s
                return current
        rng = random.Random(f"{self._seed} {self._round}")
        samples: list[Mapping[str, float]] = [] if scheduler.has_choices else [dict.fromkeys(names, 1.0)]
        n_samples = (N_SAMPLES if chooses_cpus else N_FIRST_SAMPLES) if scheduler.has_choices else 1
        while len(samples) < n_samples:
            yield
            samples.append({name: rng.uniform(1 - SPREAD, 1 + SPREAD) for name in names})
        rules = self._rules(scheduler, rng, chooses_cpus)
        n_first = min(N_FIRST_SAMPLES, len(samples))
        n_rules = max(3, (n_runs - N_FINALISTS * (len(samples) - n_first)) // n_first)
        rules = rules[:n_rules]
        sums_s: dict[Rule, float] = dict.fromkeys(rules, 0.0)
        for number, sample in enumerate(samples):
            if number == N_FIRST_SAMPLES:
                best = sorted(rules, key=sums_s.__getitem__)[:N_FINALISTS]
                rules = [current, *(rule for rule in best if rule != current)]
            for rule in rules:
                yield
                chosen = (RuleChosen(rule=rule),)
                sums_s[rule] += (yield from end_of(scheduler.fork(), now, sample.__getitem__, chosen)) - now
        best_rule = min(rules, key=sums_s.__getitem__)
        best_rule = best_rule if sums_s[best_rule] < (1 - LEAST_GAIN) * sums_s[current] else current
        self._left_s = sums_s[best_rule] / len(samples)
        return best_rule

    def _most_ends(self, now: float) -> float:
        """Of jobs, in the simulations of this round."""
        if self._round <= 1:
            return MOST_ENDS if self._round else MOST_ENDS_BEFORE
        return min(MOST_ENDS, MOST_BUSY * (now - self._thought_at) / S_PER_END)

    def _rules(self, scheduler: Scheduler, rng: random.Random, chooses_cpus: bool) -> list[Rule]:
        """What is tried, the rule in force first."""
        current = scheduler.guidance.rule
        policies = [replace(current, policy=name) for name in PORTFOLIO]
        if self._round > 1:
            rng.shuffle(policies)  # where there is no time for all, others have their turn in the next round
        if not chooses_cpus:
            return list(dict.fromkeys((current, *policies)))
        short_of_memory = scheduler.guidance.large_cpus > 1
        tried = FIRST_RULES if self._round == 1 else ()
        varied = [_varied(current, short_of_memory, rng) for _ in range(N_VARIANTS)]
        return list(dict.fromkeys((current, Rule(), *tried, *varied, *policies)))


def _varied(rule: Rule, short_of_memory: bool, rng: random.Random) -> Rule:
    """A rule near this one."""
    slack = min(max(rule.slack * rng.uniform(0.8, 1.25), 0.5), 2.0)
    widen = rule.widen if rng.random() < 0.7 else not rule.widen
    if not short_of_memory:
        return Rule(slack=slack, widen=widen, policy=rule.policy)
    factor = min(max(rule.large_factor * rng.uniform(0.8, 1.25), 0.5), 2.0)
    return Rule(slack=slack, widen=widen, large_factor=factor, policy=rule.policy)
