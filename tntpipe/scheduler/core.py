"""The scheduler: keeps the state of every job and turns what happened into what to do.

It knows no clock, thread, file or process, and not what a job is: ``now`` is an argument, events go in, actions come
out, and somebody else carries them out. What starts, and with how many CPUs, is the policy's choice; here is only what
may start.

Rules that hold after every call:

* the requests of the running jobs never exceed the budget;
* a job is launched once (again only when it was requeued), after every job that it follows has succeeded, with a
  number of CPUs that it can use;
* a job that fails drops what follows it at any distance, each once, and nothing else;
* after an interruption nothing is launched, and every job that runs has been told to stop;
* the same events at the same instants give the same actions, in whatever order the jobs were listed.

What jobs need may be corrected while the run goes on (``Reestimated``, ``Grown``, ``Requeued``): the rules hold then
too, with what a running job really holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from heapq import heappop, heappush, nsmallest

from tntpipe.resources import Resources
from tntpipe.scheduler.holdings import Holdings
from tntpipe.scheduler.horizon import ScanLeft, Work, look_ahead, memory_of
from tntpipe.scheduler.job import Job, State
from tntpipe.scheduler.longest_path_first import LongestPathFirst
from tntpipe.scheduler.messages import (
    Action,
    Drop,
    Ended,
    Event,
    Grown,
    Interrupted,
    Launch,
    MemoryPressed,
    Reestimated,
    Requeued,
    Rule,
    RuleChosen,
    Stop,
)
from tntpipe.scheduler.molding import Guidance
from tntpipe.scheduler.nodes import Node, Shapes, differ_in_memory_alone, nodes_of, renewed, resized
from tntpipe.scheduler.policy import Occupation, Packing, Policy, ReadyClass, Reservation
from tntpipe.scheduler.portfolio import PORTFOLIO
from tntpipe.scheduler.scans import Scans
from tntpipe.scheduler.why import (
    BehindReservation,
    BehindScans,
    Dropped,
    Finished,
    NotStarted,
    Running,
    Stopped,
    WaitsForJobs,
    WaitsForMoreCpus,
    WaitsForPressure,
    WaitsForResources,
    Why,
)

DEFAULT_RULE = Rule()
DEFAULT_POLICY = LongestPathFirst()

LEFT = (State.WAITING, State.READY, State.RUNNING)
"""The states of jobs that are not over."""

REVIEW_INTERVAL = 0.03
"""The horizon is found anew each time that this part of the time to it has passed."""

ALL_AT_ONCE_PATHS = 3.0
"""With fewer critical paths left than this, scans no longer wait for their turn: there may soon be too little to do."""

PILE_PER_CPU = 2
"""So many ready jobs for each CPU, all near the ends of their scans, are let go first."""


class Scheduler:
    """Runs ``jobs`` within ``budget``; raises ``GraphError`` or ``BudgetError`` if they cannot all be run."""

    def __init__(
        self, jobs: Iterable[Job], budget: Resources, rule: Rule = DEFAULT_RULE, policy: Policy = DEFAULT_POLICY
    ) -> None:
        self._budget, self._own_policy, self._policy = budget, policy, policy
        self._shapes = Shapes()
        self._nodes: Sequence[Node] = nodes_of(tuple(jobs), budget, self._shapes, policy)
        self._indices = {node.job.name: node.index for node in self._nodes}
        self._memory = memory_of((node.job for node in self._nodes), budget)
        self._largest_bytes = max((node.job.request.mem_bytes for node in self._nodes), default=0)
        self._scans = Scans(self._nodes, self._memory)
        self._has_scans = policy.scans_in_turn and any(node.job.group for node in self._nodes)
        self._most_cpus = max((len(node.tails_s) for node in self._nodes), default=1)
        self._states = [State.WAITING] * len(self._nodes)
        self._n_pending = [node.n_predecessors for node in self._nodes]
        self._because: dict[int, str] = {}
        self._classes: dict[int, ReadyClass] = {}
        self._held = Holdings(budget)
        self._reservation: Reservation | None = None
        self._n_unfinished = len(self._nodes)
        self._now: float | None = None
        self._interrupted = False
        self._pressed = False
        self.n_surprises = 0
        """How often something came that no forecast knew of: a failure, a retry, a better estimate."""
        self._guidance = Guidance(rule=rule, large_bytes=self._memory.large_bytes)
        self._follow(rule.policy)
        self._next_review = -math.inf
        for node in self._nodes:
            if not node.n_predecessors:
                self._make_ready(node)

    @property
    def has_begun(self) -> bool:
        """Whether a decision was made."""
        return self._now is not None

    @property
    def finished(self) -> bool:
        """Whether every job has come to its final state."""
        return not self._n_unfinished

    @property
    def free(self) -> Resources:
        """What of the budget no running job holds."""
        return self._held.free

    @property
    def running(self) -> tuple[Occupation, ...]:
        """What the running jobs hold, those first that should end first."""
        return tuple(self._held)

    @property
    def reservation(self) -> Reservation | None:
        """For whom the last decision holds resources back."""
        return self._reservation

    @property
    def guidance(self) -> Guidance:
        """What the last decision about CPUs rested on."""
        return self._guidance

    @property
    def leader(self) -> str:
        """What people call the policy that leads."""
        names = (name for name, policy in PORTFOLIO.items() if policy == self._policy)
        return next(names, type(self._policy).__name__)

    @property
    def has_choices(self) -> bool:
        """Whether any job that has not begun is moldable."""
        return self._most_cpus > 1 and any(scan.work.n_moldable for scan in self._scans)

    def state(self, name: str) -> State:
        """Where the job stands."""
        return self._states[self._indices[name]]

    def job(self, name: str) -> Job:
        """What is known of the job now."""
        return self._nodes[self._indices[name]].job

    def expected_s(self, name: str) -> float:
        """How long a running job should take in all, with the CPUs that it was given."""
        held = self._held[name]
        return held.ends - held.since

    def unfinished(self) -> Iterator[Job]:
        """Yield the jobs that have not come to their final state, in the order of their names."""
        for node in self._nodes:
            if self._states[node.index] in LEFT:
                yield node.job

    def least_left_s(self, now: float) -> float:
        """What is left takes at least so long by its estimates, if no job is moldable, whatever the order."""
        cpu_s = memory_s = path_s = 0.0
        for node in self._nodes:
            if self._states[node.index] in (State.WAITING, State.READY):
                request, wall_s = node.job.request, node.job.wall_s
                path_s = max(path_s, node.level_s)
            elif self._states[node.index] is State.RUNNING:
                held = self._held[node.job.name]
                request, wall_s = held.request, max(0.0, held.ends - now)
                path_s = max(path_s, wall_s + node.tails_s[0])
            else:
                continue
            cpu_s += request.cpus * wall_s
            memory_s += request.mem_bytes * wall_s
        return max(cpu_s / self._budget.cpus, memory_s / max(1, self._budget.mem_bytes), path_s)

    def start(self, now: float) -> tuple[Action, ...]:
        """Begin the run: launch what can start at once."""
        return self.handle((), now)

    def handle(self, events: Iterable[Event], now: float) -> tuple[Action, ...]:
        """Take in all that happened up to ``now`` and decide once; an interruption counts after the ends beside it."""
        if self._now is not None and now < self._now:
            raise ValueError(f"the clock went back from {self._now} to {now}")
        self._now = now
        actions: list[Action] = []
        interrupted = False
        for event in events:
            match event:
                case Ended():
                    actions += self._end(event)
                case Requeued():
                    self.n_surprises += 1
                    self._requeue(event)
                case Reestimated():
                    self.n_surprises += 1
                    self._reestimate(event.jobs)
                case Grown():
                    self._held.grow(event.name, event.mem_bytes)
                case MemoryPressed():
                    self._pressed = event.pressed
                case RuleChosen():
                    if event.rule.policy != self._guidance.rule.policy:
                        self._follow(event.rule.policy)
                    self._guidance = replace(self._guidance, rule=event.rule)
                    self._next_review = now
                case Interrupted():
                    interrupted = True
        if interrupted and not self._interrupted:
            actions += self._interrupt()
        elif not self._interrupted:
            actions += self._launch(now)
        return tuple(actions)

    def why(self, name: str) -> Why:
        """Tell why the job does not run, or that it runs or is finished."""
        node = self._nodes[self._indices[name]]
        match self._states[node.index]:
            case State.WAITING:
                followed = dict.fromkeys(node.job.follows)
                return WaitsForJobs(
                    names=tuple(other for other in followed if self.state(other) is not State.SUCCEEDED)
                )
            case State.READY:
                return self._why_ready(node)
            case State.RUNNING:
                return Running(since=self._held[name].since)
            case State.SUCCEEDED | State.FAILED as state:
                return Finished(succeeded=state is State.SUCCEEDED)
            case State.DROPPED:
                return Dropped(because=self._because[node.index])
            case State.STOPPED:
                return Stopped()

    def queue(self, n_most: int) -> tuple[str, ...]:
        """The first ready jobs that wait, in the order in which they would start; scans not begun come last."""
        heads = (
            (ready_class.turn, rank)
            for ready_class in self._classes.values()
            for rank in nsmallest(n_most, ready_class.heap)
        )
        first = tuple(rank.name for _, rank in nsmallest(n_most, heads))
        return first + self._scans.parked(n_most - len(first))

    def fork(self) -> Scheduler:
        """An independent copy, to look ahead with: what is done with it does not come back."""
        other = Scheduler((), self._budget, policy=self._own_policy)
        other._policy = self._policy
        other._has_scans = self._has_scans
        other._nodes, other._indices, other._most_cpus = self._nodes, self._indices, self._most_cpus
        other._shapes, other._largest_bytes = self._shapes, self._largest_bytes
        other._memory, other._scans = self._memory, self._scans.fork()
        other._states, other._n_pending = list(self._states), list(self._n_pending)
        other._because = dict(self._because)
        other._classes = {
            index: ReadyClass(ready_class.shape, ready_class.turn, list(ready_class.heap))
            for index, ready_class in self._classes.items()
        }
        other._held, other._reservation = self._held.fork(), self._reservation
        other._n_unfinished, other._now, other._interrupted = self._n_unfinished, self._now, self._interrupted
        other._pressed = False  # nobody can foresee what is really used
        other._guidance, other._next_review = self._guidance, self._next_review
        return other

    def _why_ready(self, node: Node) -> Why:
        if self._now is None:
            return NotStarted()
        if self._is_held_back():
            return WaitsForPressure()
        if not self._scans.is_under_way(node):
            return BehindScans(n_under_way=self._scans.n_under_way)
        request, reserved, free = node.job.request, self._reservation, self._held.free
        is_reserved = reserved is not None and reserved.name == node.job.name
        if reserved is not None and request.fits_in(free):
            if is_reserved or request.fits_in(reserved.spare):
                return WaitsForMoreCpus(shadow_time=reserved.shadow_time)
            return BehindReservation(name=reserved.name, shadow_time=reserved.shadow_time)
        missing = (reserved.request if reserved is not None and is_reserved else request) - free
        short_of = Resources(max(0, missing.cpus), max(0, missing.mem_bytes))
        shadow_time = reserved.shadow_time if reserved is not None and is_reserved else None
        return WaitsForResources(short_of=short_of, shadow_time=shadow_time)

    def _launch(self, now: float) -> list[Launch]:
        """Let scans begin whose turn it is, and carry out the policy's decision on the state."""
        if self._is_held_back():
            return []
        self._review(now)
        self._finish_scans_first()
        in_turn = self._own_policy.scans_in_turn and self._guidance.n_paths_left > ALL_AT_ONCE_PATHS
        most_under_way = self._budget.cpus if in_turn else math.inf
        while self._scans.n_parked and self._scans.n_under_way < most_under_way:
            self._begin_scan(lambda node: True)
        launches: list[Launch] = []
        while True:
            held = self._held
            packing = self._policy.pack(
                self._classes.values(), held.by_end, held.free, now, self._guidance, self._reservation
            )
            for launch in packing.launches:
                self._begin(launch, now)
            self._reservation = packing.reservation
            launches += packing.launches
            if not packing.free.cpus or not self._scans.n_parked:
                return launches
            if not self._begin_scan(partial(_could_start, packing, now)):
                return launches

    def _is_held_back(self) -> bool:
        """Whether nothing starts until memory is released; somebody has to run who could release it."""
        return self._pressed and bool(self._held)

    def _finish_scans_first(self) -> None:
        """Once much of what ends scans has piled up behind longer jobs, let it go first until none of it is ready."""
        if not self._has_scans:
            return
        n_ready = sum(len(ready.heap) for ready in self._classes.values() if ready.shape.nearly_done)
        if n_ready >= PILE_PER_CPU * self._budget.cpus if not self._guidance.scans_first else not n_ready:
            self._guidance = replace(self._guidance, scans_first=not self._guidance.scans_first)
            self._take_turns()

    def _take_turns(self) -> None:
        for ready_class in self._classes.values():
            ready_class.turn = self._guidance.turn(ready_class.shape)

    def _begin(self, launch: Launch, now: float) -> None:
        node = self._nodes[self._indices[launch.name]]
        ready_class = self._classes[node.shape_index]
        heappop(ready_class.heap)
        if not ready_class.heap:
            del self._classes[node.shape_index]
        self._states[node.index] = State.RUNNING
        ends = now + node.shape.wall_s(launch.request.cpus)
        self._held.begin(Occupation(ends, launch.name, now, launch.request))
        self._scans.begin(node)

    def _begin_scan(self, fits: Callable[[Node], bool]) -> bool:
        nodes = self._scans.next_turn(fits)
        for node in nodes:
            self._push(node)
        return bool(nodes)

    def _review(self, now: float) -> None:
        """Find the horizon anew if it is time."""
        if now < self._next_review or not (self._scans.n_parked or self.has_choices):
            return
        was_scans_first = self._guidance.scans_first
        left, rest_s = Work(), {}
        for occupation in self._held:
            index = self._indices[occupation.name]
            rest_s[index] = max(occupation.ends - now, 0.0)
            left.add_running(occupation.request, rest_s[index], self._memory)
        scans = []
        for scan in self._scans:
            left.add_all(scan.work)
            if scan.live:
                scans.append(ScanLeft(scan.work, _longest([self._chains_s(index, rest_s) for index in scan.live])))
        self._guidance = look_ahead(left, scans, self._budget, self._memory, self._guidance.rule, self._most_cpus, now)
        self._guidance = replace(self._guidance, scans_first=was_scans_first)
        self._take_turns()
        self._next_review = now + REVIEW_INTERVAL * max(0.0, self._guidance.horizon - now)

    def _chains_s(self, index: int, rest_s: Mapping[int, float]) -> Sequence[float]:
        """How long the chain is that a ready or running job begins, with 1, 2, … CPUs for all that is moldable."""
        node = self._nodes[index]
        if index in rest_s:
            return [rest_s[index] + tail_s for tail_s in node.tails_s]
        return node.shape.chains_s or [node.job.wall_s + tail_s for tail_s in node.tails_s]

    def _end(self, event: Ended) -> Iterator[Drop]:
        """Free what the job held, then make ready or drop what follows it."""
        node = self._release(event.name)
        if event.succeeded:
            for follower in node.followers:
                self._n_pending[follower] -= 1
                if not self._n_pending[follower] and self._states[follower] is State.WAITING:
                    self._make_ready(self._nodes[follower])
            self._finish(node, State.SUCCEEDED)
        elif self._interrupted:
            self._finish(node, State.STOPPED)
        else:
            self.n_surprises += 1
            self._finish(node, State.FAILED)
            yield from self._drop_behind(node)

    def _release(self, name: str) -> Node:
        """Free what a job held that does not run any more."""
        self._held.release(name)
        return self._nodes[self._indices[name]]

    def _requeue(self, event: Requeued) -> None:
        """Free what the job held, and make it ready with another request."""
        node = self._release(event.name)
        if self._interrupted:
            self._finish(node, State.STOPPED)
            return
        job = node.job
        mem_bytes = min(max(event.mem_bytes, job.request.mem_bytes), self._budget.mem_bytes)
        self._states[node.index] = State.READY
        again = replace(job, request=Resources(job.request.cpus, mem_bytes))
        if mem_bytes <= self._largest_bytes:
            node = self._resize(node, again)
            self._scans.begin_again(node)
            self._push(node)
        else:
            self._scans.begin_again(node)
            self._push(node)
            self._reestimate([again])

    def _resize(self, node: Node, job: Job) -> Node:
        """Give a job that is ready another request of memory, which changes nothing for the others."""
        (node,) = resized([node], {job.name: job}, self._shapes, self._own_policy)
        nodes = list(self._nodes)  # forks keep the old ones
        nodes[node.index] = node
        self._nodes = nodes
        self._scans.take_nodes(nodes)
        return node

    def _reestimate(self, jobs: Iterable[Job]) -> None:
        """Replace jobs, but those that are over; where memory alone differs, paths and times need no thinking anew."""
        told = {job.name: job for job in jobs}
        if told.keys() - self._indices.keys():
            raise ValueError(f"{', '.join(sorted(told.keys() - self._indices.keys()))}: re-estimated, but never there")
        left = [node for node in self._nodes if self._states[node.index] in LEFT]
        corrected = [node for node in left if node.job.name in told]
        if differ_in_memory_alone(corrected, told, self._budget):
            self._take_over(list(resized(corrected, told, self._shapes, self._own_policy)), left, paths_stay=True)
        else:
            self._shapes = Shapes()
            self._take_over(
                list(renewed(left, told, self._budget, self._shapes, self._own_policy)), left, paths_stay=False
            )

    def _take_over(self, others: Sequence[Node], left: Sequence[Node], *, paths_stay: bool) -> None:
        """Go on with other nodes in the place of some, or of all, that are left."""
        nodes = list(self._nodes)  # forks keep the old ones
        for node in others:
            nodes[node.index] = node
        memory = memory_of((nodes[node.index].job for node in left), self._budget)
        self._largest_bytes = max((nodes[node.index].job.request.mem_bytes for node in left), default=0)
        if paths_stay and memory == self._memory:
            self._scans.resize(nodes, (node for node in others if self._states[node.index] is not State.RUNNING))
        else:
            not_begun = (nodes[node.index] for node in left if self._states[node.index] is not State.RUNNING)
            self._scans.renew(nodes, memory, not_begun)
        self._nodes, self._memory = nodes, memory
        self._push_again()
        if not paths_stay:
            self._most_cpus = max((len(node.tails_s) for node in others), default=1)
            self._held.expect(lambda held: nodes[self._indices[held.name]].shape.wall_s(held.request.cpus))
        self._next_review = -math.inf

    def _drop_behind(self, root: Node) -> Iterator[Drop]:
        """Drop what follows a failed job; none of it can be ready, since a job it follows has not succeeded."""
        behind = [root]
        for node in behind:
            for index in node.followers:
                if self._states[index] is State.WAITING:
                    follower = self._nodes[index]
                    self._because[index] = root.job.name
                    self._finish(follower, State.DROPPED)
                    behind.append(follower)
                    yield Drop(name=follower.job.name, because=root.job.name)

    def _interrupt(self) -> Iterator[Stop]:
        """Stop what runs; what has not begun is finished with."""
        self._interrupted = True
        self._reservation = None
        for node in self._nodes:
            if self._states[node.index] in (State.WAITING, State.READY):
                self._finish(node, State.STOPPED)
        for occupation in self._held:
            yield Stop(name=occupation.name)

    def _make_ready(self, node: Node) -> None:
        self._states[node.index] = State.READY
        if self._scans.become_live(node):
            self._push(node)

    def _follow(self, policy: str) -> None:
        """Have a policy of the portfolio lead, or the scheduler's own."""
        self._policy = PORTFOLIO[policy] if policy else self._own_policy
        self._push_again()

    def _push_again(self) -> None:
        """Put what is ready in order anew."""
        ready = [self._indices[rank.name] for ready_class in self._classes.values() for rank in ready_class.heap]
        self._classes = {}
        for index in ready:
            self._push(self._nodes[index])

    def _push(self, node: Node) -> None:
        ready_class = self._classes.get(node.shape_index)
        if ready_class is None:
            ready_class = self._classes[node.shape_index] = ReadyClass(node.shape, self._guidance.turn(node.shape))
        is_own = self._policy is self._own_policy
        heappush(ready_class.heap, node.rank if is_own else node.ranked(self._policy))

    def _finish(self, node: Node, state: State) -> None:
        self._scans.finish(node, had_begun=self._states[node.index] is State.RUNNING)
        self._states[node.index] = state
        self._n_unfinished -= 1


def _longest(chains_s: Sequence[Sequence[float]]) -> Sequence[float]:
    """The longest of some chains with each number of CPUs."""
    return chains_s[0] if len(chains_s) == 1 else list(map(max, *chains_s))


def _could_start(packing: Packing, now: float, node: Node) -> bool:
    """Whether a job whose scan has not begun would find room, and not delay the reserved one."""
    shape, reserved = node.shape, packing.reservation
    if not shape.request.fits_in(packing.free):
        return False
    return reserved is None or now + shape.walls_s[0] <= reserved.shadow_time or shape.request.fits_in(reserved.spare)
