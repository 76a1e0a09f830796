"""What a batch system grants to the job that this process is in, by the variables that it sets.

Of each system the first variable that is set and can be read counts:

``SLURM_CPUS_PER_TASK``
    CPUs of one task; set only where ``--cpus-per-task`` was given. A run is one task.
``SLURM_CPUS_ON_NODE``
    CPUs of the job on this node.
``SLURM_JOB_CPUS_PER_NODE``
    CPUs of the job on each of its nodes, as ``16(x2),8``; ours is the one numbered ``SLURM_NODEID`` from 0.
``SLURM_MEM_PER_NODE``, ``SLURM_MEM_PER_CPU``
    MiB on each node (0: all of it), or for each CPU; Slurm sets one of them. The second counts times the CPUs above.
``PBS_NCPUS``, ``PBS_RESC_MEM``
    CPUs and bytes of the job on this host, where the site's hook sets them, as that of MetaCentrum does.
``PBS_NUM_PPN``, ``PBS_NP``
    Torque: processors on each node; in the whole job.
``NCPUS``
    PBS: the job's ``ncpus``. Others use this name too, so it counts only beside ``PBS_JOBID``.
``NSLOTS``
    Grid Engine: slots of the job.
``LSB_DJOB_NUMPROC``, ``LSB_MAX_NUM_PROCESSORS``
    LSF: slots of the job; the most that were asked for.

``PBS_NP``, ``NSLOTS`` and those of LSF count the job's other hosts too, where it has any.

Sources: sbatch(1) and Slurm's src/common/env.c; OpenPBS's src/resmom; MetaCentrum's PBS hook; qsub(1) of
Torque and of Grid Engine; IBM Spectrum LSF, environment variable reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tntpipe.budget.limit import Limit
from tntpipe.formatting import GIB, MIB

CPU_VARIABLES = (
    ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "SLURM_JOB_CPUS_PER_NODE"),
    ("PBS_NCPUS", "PBS_NUM_PPN", "NCPUS", "PBS_NP"),
    ("NSLOTS",),
    ("LSB_DJOB_NUMPROC", "LSB_MAX_NUM_PROCESSORS"),
)
"""By batch system, those that say most exactly what this process may use first."""

EXCESS = "the batch system may kill them"

_UNIT_BYTES = {"": 1, "k": 2**10, "m": MIB, "g": GIB, "t": 2**40}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """The limits that batch systems set, and what could not be read."""

    cpus: tuple[Limit, ...]
    mem: tuple[Limit, ...]
    notices: tuple[str, ...]


def find_grants(environment: Mapping[str, str]) -> Grants:
    """The grants that the variables of ``environment`` tell."""
    reader = _Reader(environment)
    by_system = [reader.first(names, reader.cpus) for names in CPU_VARIABLES]
    slurm_cpus = by_system[0]
    memory = [
        reader.first(("SLURM_MEM_PER_NODE",), reader.mebibytes) or reader.slurm_memory_by_cpu(slurm_cpus),
        reader.first(("PBS_RESC_MEM",), reader.plain_bytes),
    ]
    return Grants(
        cpus=tuple(grant for grant in by_system if grant),
        mem=tuple(grant for grant in memory if grant),
        notices=tuple(reader.notices),
    )


class _Reader:
    """Reads variables, and notes those that cannot be read."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.notices: list[str] = []

    def first(self, names: tuple[str, ...], amount_of: Callable[[str, str], int | None]) -> Limit | None:
        """The limit that the first readable variable sets; none by 0, which is Slurm's word for all there is."""
        for name in names:
            text = self._environment.get(name, "").strip()
            if not text or (name == "NCPUS" and "PBS_JOBID" not in self._environment):
                continue
            amount = amount_of(name, text)
            if amount is None:
                self.notices.append(f"{name} is {text!r}, which is no {_noun(name)}: it is ignored")
            elif amount > 0:
                excess = EXCESS if "MEM" in name else ""
                return Limit(amount=amount, source=name, claim=f"{name} grants", excess=excess)
        return None

    def cpus(self, name: str, text: str) -> int | None:
        cpus = self._on_this_node(text) if name == "SLURM_JOB_CPUS_PER_NODE" else _count(text)
        return cpus or None

    def plain_bytes(self, _name: str, text: str) -> int | None:
        return _bytes(text, "")

    def mebibytes(self, _name: str, text: str) -> int | None:
        return _bytes(text, "m")

    def slurm_memory_by_cpu(self, cpus: Limit | None) -> Limit | None:
        by_cpu = self.first(("SLURM_MEM_PER_CPU",), self.mebibytes)
        if by_cpu is None:
            return None
        if cpus is None:
            self.notices.append(
                "SLURM_MEM_PER_CPU is ignored, because no variable of Slurm says how many CPUs there are"
            )
            return None
        source = f"SLURM_MEM_PER_CPU times the {cpus.amount} of {cpus.source}"
        return Limit(amount=by_cpu.amount * cpus.amount, source=source, claim=f"{source} grants", excess=EXCESS)

    def _on_this_node(self, text: str) -> int | None:
        if not re.fullmatch(r"[0-9]{1,9}(\(x[0-9]{1,9}\))?(,[0-9]{1,9}(\(x[0-9]{1,9}\))?)*", text):
            return None
        n_before = _count(self._environment.get("SLURM_NODEID", "")) or 0
        runs = [(int(cpus), int(n_nodes or 1)) for cpus, n_nodes in re.findall(r"([0-9]+)(?:\(x([0-9]+)\))?", text)]
        for cpus, n_nodes in runs:
            if n_before < n_nodes:
                return cpus
            n_before -= n_nodes
        return min(cpus for cpus, _ in runs)


def _noun(name: str) -> str:
    return "amount of memory" if "MEM" in name else "number of CPUs"


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _bytes(text: str, unit: str) -> int | None:
    """Bytes from a whole number with or without a unit, as ``16gb``; ``unit`` is the one where none is given."""
    match = re.fullmatch(r"([0-9]{1,18})(?:([kmgt])?(b?))", text.lower())
    if not match:
        return None
    return int(match[1]) * _UNIT_BYTES[match[2] or ("" if match[3] else unit)]
