"""A run of the level participant as a library, without a command line.

>>> from tntpipe.run import Folders, Method, Settings, make_plan, run  # doctest: +SKIP
>>> settings = Settings(folders=Folders.of("bids", "out"), method=Method(subcortical=True))  # doctest: +SKIP
>>> plan = make_plan(settings)  # every scan is read and checked; nothing is written  # doctest: +SKIP
>>> print(len(plan.scans), "scans;", plan.refusals)  # doctest: +SKIP
>>> status = run(plan)  # doctest: +SKIP

What is imported from here is loaded when it is asked for: the parts of a run that come before it need not wait for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tntpipe.bids.selection import Selection
    from tntpipe.pipeline.method import BrainExtraction, Method
    from tntpipe.run.participant_run import run
    from tntpipe.run.plan import Plan, make_plan
    from tntpipe.run.settings import Folders, Limits, Models, RunOptions, Settings

__all__ = [
    "BrainExtraction",
    "Folders",
    "Limits",
    "Method",
    "Models",
    "Plan",
    "RunOptions",
    "Selection",
    "Settings",
    "make_plan",
    "run",
]

_HOMES = {
    "tntpipe.bids.selection": ("Selection",),
    "tntpipe.pipeline.method": ("BrainExtraction", "Method"),
    "tntpipe.run.participant_run": ("run",),
    "tntpipe.run.plan": ("Plan", "make_plan"),
    "tntpipe.run.settings": ("Folders", "Limits", "Models", "RunOptions", "Settings"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
