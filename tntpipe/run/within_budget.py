"""What of a plan a budget can hold: a scan that is too large for it is refused by name, and the others run.

Decides before anything is written; a budget that holds no scan at all, or not what all scans share, is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tntpipe.budget.find import Budget
from tntpipe.errors import BudgetError
from tntpipe.formatting import counted
from tntpipe.resources import Resources
from tntpipe.run.jobs import check_budget, job_of
from tntpipe.run.plan import Plan
from tntpipe.run.scan_checks import Refusal
from tntpipe.steps.graph import build_graph
from tntpipe.steps.step import Step


def within_budget(plan: Plan, budget: Budget) -> Plan:
    """The plan without the scans that have a step larger than the whole budget, which are among its refusals.

    Raises
    ------
    BudgetError
        It holds none of the scans, or not a step that all of them share.
    """
    needs = _too_large(plan, plan.graph, budget.resources)
    if not needs:
        return plan
    if "" in needs or set(plan.scans) <= set(needs):
        _refuse_all(plan, budget)
    steps = [step for step in plan.graph if step.scan not in needs]
    refusals = [Refusal(scan, _message(plan, scan, needs[scan], budget)) for scan in plan.scans if scan in needs]
    return replace(
        plan,
        graph=build_graph(steps, plan.programs.commands),
        scans=tuple(scan for scan in plan.scans if scan not in needs),
        refusals=(*plan.refusals, *refusals),
        warned=tuple(warned for warned in plan.warned if warned.scan not in needs),
    )


def _too_large(plan: Plan, steps: Iterable[Step], budget: Resources) -> Mapping[str, Mapping[str, Resources]]:
    """What the steps ask for that the budget cannot hold, by scan and step; those that all share are under ``""``."""
    requests: dict[tuple[str, str, int, bool], Resources] = {}
    found: dict[str, dict[str, Resources]] = {}
    for step in steps:
        alike = (step.kind, step.variant, step.voxels, step.moldable)
        if alike not in requests:
            requests[alike] = job_of(step, plan.estimates, plan.settings.limits.ants_n_proc).request
        if not requests[alike].fits_in(budget):
            found.setdefault(step.scan, {})[step.kind] = requests[alike]
    return found


def _message(plan: Plan, scan: str, needs: Mapping[str, Resources], budget: Budget) -> str:
    """Both figures: what the scan needs, and what the budget has."""
    cpus = max(request.cpus for request in needs.values())
    mem_bytes = max(request.mem_bytes for request in needs.values())
    first = next(iter(needs))
    who = f"{first} needs" if len(needs) == 1 else f"{first} and {counted(len(needs) - 1, 'other step')} need"
    voxels = max(step.voxels for step in plan.graph if step.scan == scan)
    file = plan.estimates.file
    told = f" The resource file {file.path} may ask for too much." if file is not None else ""
    return (
        f"{who} {Resources(cpus, mem_bytes)} for its {voxels / 1e6:.1f} million voxels, more than the whole budget of "
        f"{budget.resources}. Run it where there is that much (--n_proc and --memory_gb set it), or resample the scan "
        f"to larger voxels.{told}"
    )


def _refuse_all(plan: Plan, budget: Budget) -> None:
    try:
        check_budget(plan.graph, plan.estimates, plan.settings.limits.ants_n_proc, budget.resources)
    except BudgetError as error:
        raise BudgetError(f"{error.fact} The budget is {budget}.", remedy=error.remedy) from None
