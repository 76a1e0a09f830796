"""Which looks at a step are kept in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, pairwise, takewhile

from tntpipe.formatting import MIB
from tntpipe.journal.events import StepSampled
from tntpipe.run.sample_thinning import Thinning


def ages(until_s: float) -> Iterable[float]:
    """When a step is looked at: as the monitor does."""
    age = 0.0
    while age < until_s:
        yield age
        age += min(max(0.05, 0.05 * age), 1.0)


def look(age_s: float, rss_bytes: int = MIB, name: str = "s/a") -> StepSampled:
    return StepSampled(name=name, age_s=age_s, cpu_s=0, cpus=0, rss_bytes=rss_bytes, vms_bytes=0)


def kept(looks: Iterable[StepSampled]) -> list[StepSampled]:
    thinning = Thinning()
    return [sample for sample in looks if thinning.keeps(sample)]


def test_a_step_of_a_second_keeps_its_curve() -> None:
    assert 10 <= len(kept(look(age) for age in ages(1.0))) <= 21


def test_a_step_of_hours_keeps_one_look_in_half_a_minute() -> None:
    found = [sample.age_s for sample in kept(look(age) for age in ages(7200.0))]
    late = list(takewhile(lambda pair: pair[0] > 600, reversed(list(pairwise(found)))))
    assert late and all(29.9 < after - before < 31.5 for before, after in late)
    assert len(found) < 350


def test_a_new_peak_is_kept_whenever_it_comes() -> None:
    looks = [look(100.0, 100 * MIB), look(100.5, 104 * MIB), look(101.0, 106 * MIB), look(101.5, 105 * MIB)]
    assert [sample.age_s for sample in kept(looks)] == [100.0, 101.0]


def test_steps_and_tries_of_a_step_are_told_apart() -> None:
    looks = [look(100.0), look(100.5, name="s/b"), look(0.05), look(0.1)]
    assert kept(looks) == looks


def test_memory_that_grows_for_ever_is_kept_only_at_its_rungs() -> None:
    looks = (look(age, int(MIB * (1 + age))) for age in takewhile(lambda age: age < 500, count(0.0, 0.25)))
    assert len(kept(looks)) < 200


def test_of_a_step_that_has_ended_nothing_is_remembered() -> None:
    thinning = Thinning()
    assert thinning.keeps(look(50)) and not thinning.keeps(look(51))
    thinning.forget("s/a")
    thinning.forget("never looked at")
    assert thinning.keeps(look(51))
