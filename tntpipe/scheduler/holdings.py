"""What the running jobs hold of the budget, and until when they should: the account that the scheduler keeps.

It decides nothing. Invariant: what is held and what is free are together the budget, and nothing is free that is held.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence

from tntpipe.resources import Resources
from tntpipe.scheduler.policy import Occupation


class Holdings:
    """The occupations of the running jobs, by name, and in the order of their expected ends."""

    def __init__(self, budget: Resources) -> None:
        self.free = budget
        self._by_name: dict[str, Occupation] = {}
        self._by_end: list[Occupation] = []

    def __iter__(self) -> Iterator[Occupation]:
        return iter(self._by_end)

    def __bool__(self) -> bool:
        return bool(self._by_end)

    def __getitem__(self, name: str) -> Occupation:
        return self._by_name[name]

    @property
    def by_end(self) -> Sequence[Occupation]:
        """Those first that should end first."""
        return self._by_end

    def begin(self, occupation: Occupation) -> None:
        """A job starts to hold what it was given."""
        self._by_name[occupation.name] = occupation
        insort(self._by_end, occupation)
        self.free -= occupation.request

    def release(self, name: str) -> None:
        """A job holds nothing any more; ValueError where it held nothing."""
        occupation = self._by_name.pop(name, None)
        if occupation is None:
            raise ValueError(f"{name} ended, but was not running")
        del self._by_end[bisect_left(self._by_end, occupation)]
        self.free += occupation.request

    def grow(self, name: str, mem_bytes: int) -> None:
        """A job takes more memory, as far as it is free; ValueError where it held nothing."""
        held = self._by_name.get(name)
        if held is None:
            raise ValueError(f"{name} grew, but was not running")
        more = min(mem_bytes - held.request.mem_bytes, self.free.mem_bytes)
        if more > 0:
            grown = held._replace(request=held.request + Resources(0, more))
            place = bisect_left(self._by_end, held)  # end and name, which order them, are as they were
            self._by_end[place] = self._by_name[name] = grown
            self.free -= Resources(0, more)

    def expect(self, wall_s: Callable[[Occupation], float]) -> None:
        """Expect every end anew, by the time that each job takes in all."""
        self._by_name = {name: held._replace(ends=held.since + wall_s(held)) for name, held in self._by_name.items()}
        self._by_end = sorted(self._by_name.values())

    def fork(self) -> Holdings:
        """An independent copy."""
        other = Holdings(self.free)
        other._by_name, other._by_end = dict(self._by_name), list(self._by_end)
        return other
