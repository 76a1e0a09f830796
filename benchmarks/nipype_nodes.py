"""Jobs as nodes of a real nipype workflow, run by MultiProc; importing this needs nipype (the extra ``benchmark``).

Nodes are added in the order of the jobs, then the connections of each job, which is what ``nipype_policy`` assumes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nipype import Node, Workflow, logging
from nipype import config as settings
from nipype.interfaces.base import CommandLine, CommandLineInputSpec, File, TraitedSpec

from benchmarks.sleeping_child import TIMES_NAME
from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job


class ChildInput(CommandLineInputSpec):
    """Files that must be there first; they do not appear in the command."""

    after_0 = File(exists=True)
    after_1 = File(exists=True)
    after_2 = File(exists=True)


class ChildOutput(TraitedSpec):
    """The file that the child writes."""

    times = File(exists=True)


class Child(CommandLine):
    """Any command that writes ``times.txt`` into its folder."""

    input_spec = ChildInput
    output_spec = ChildOutput

    def _list_outputs(self) -> dict[str, str]:
        return {"times": str(Path(TIMES_NAME).resolve())}


def run_nodes(
    jobs: Sequence[Job], argv: Mapping[str, Sequence[str]], folder: Path, budget: Resources, poll_s: float
) -> tuple[str, ...]:
    """Run the jobs' commands in one folder each, ``folder/jobs/<node>``; the jobs' names in the order of submission."""
    settings.set("execution", "poll_sleep_duration", str(poll_s))
    settings.set("logging", "log_to_file", "false")
    for name in ("nipype.workflow", "nipype.interface", "nipype.utils"):
        logging.getLogger(name).setLevel("WARNING")
    name_of = {node_name(job.name): job.name for job in jobs}
    submitted: list[str] = []

    def note(node: Node, status: str) -> None:
        if status == "start":
            submitted.append(name_of[node.name])

    plugin_args = {"n_procs": budget.cpus, "memory_gb": budget.mem_bytes / GIB, "status_callback": note}
    _workflow(jobs, argv, folder).run(plugin="MultiProc", plugin_args=plugin_args)
    return tuple(submitted)


def node_name(name: str) -> str:
    """nipype allows neither slashes nor dots."""
    return name.replace("/", "_").replace(".", "_")


def _workflow(jobs: Sequence[Job], argv: Mapping[str, Sequence[str]], folder: Path) -> Workflow:
    nodes = {}
    for job in jobs:
        program, *arguments = argv[job.name]
        nodes[job.name] = Node(
            Child(command=program, args=" ".join(arguments)),
            name=node_name(job.name),
            n_procs=job.request.cpus,
            mem_gb=job.request.mem_bytes / GIB,
        )
    workflow = Workflow("jobs", base_dir=str(folder))
    workflow.add_nodes(list(nodes.values()))
    for job in jobs:
        for n, name in enumerate(job.follows):
            workflow.connect(nodes[name], "times", nodes[job.name], f"after_{n}")
    return workflow
