"""A machine in a folder: files like those of /proc and /sys, and a process with 16 CPUs and 32 GiB."""

from __future__ import annotations

from pathlib import Path

from tntpipe.budget.find import Budget, find_budget
from tntpipe.formatting import GIB

N_CPUS = 16
AVAILABLE_BYTES = 32 * GIB
BY_DEFAULT_BYTES = int(0.93 * AVAILABLE_BYTES)


class FakeMachine:
    """Files are written below its root; ``environment`` holds the variables of the process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment: dict[str, str] = {}
        self.write("proc/meminfo", f"MemTotal: 99999999 kB\nMemAvailable:   {AVAILABLE_BYTES // 1024} kB\nSwap: 0 kB\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def groups(self, *lines: str) -> None:
        """The groups of the process, as /proc/self/cgroup has them."""
        self.write("proc/self/cgroup", "".join(f"{line}\n" for line in lines))

    def limit(self, group: str, **files: str | int) -> None:
        """Write the files of a group; ``__`` in a name stands for the dot."""
        for name, text in files.items():
            self.write(f"sys/fs/cgroup/{group}/{name.replace('__', '.')}", f"{text}\n")

    def budget(self, n_proc: int | None = None, memory_gb: float | None = None) -> Budget:
        return find_budget(n_proc, memory_gb, self.root, self.environment)
