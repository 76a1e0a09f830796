"""A native ANTs of shell scripts, which do what a test wants, and runs of the command line that use it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import termios
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
from cli_runs import PACKAGE

from tntpipe.programs.ants import PROGRAMS

SCRIPT = """#!/bin/sh
if [ "$1" = --version ]; then {version}; exit; fi
{text}
"""
RUN = "from tntpipe.cli.main import command\n{before}\ncommand()\n"


def write_programs(folder: Path, text: str, version: str = "echo 'ANTs Version: 2.5.3'") -> None:
    """Every program of ANTs, as the shell script ``text``; ``$0`` ends with the program's name."""
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text(SCRIPT.format(version=version, text=text))
        (folder / name).chmod(0o755)


def write_scans(folder: Path, *participants: str) -> None:
    """A dataset of one small scan each, a bright ball that shines more on one side, which passes every check."""
    grid = np.indices((24, 24, 24)) - 11.5
    ball = np.where((grid**2).sum(axis=0) < 90, 1000 + grid[0] + 20 * grid[1], 10).astype(np.int16)
    image = nib.Nifti1Image(ball, None)
    image.set_qform(np.diag([8.0, 8, 8, 1]), 1)
    image.set_sform(None, 0)
    for participant in participants:
        anat = folder / f"sub-{participant}/anat"
        anat.mkdir(parents=True)
        nib.save(image, anat / f"sub-{participant}_T1w.nii.gz")
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "balls", "BIDSVersion": "1.10.0"}))


@dataclass
class Place:
    """A dataset, an output folder and a fake ANTs."""

    root: Path
    options: list[str] = field(default_factory=lambda: ["--debug", "--n_proc", "2", "--memory_gb", "8"])

    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.root / "out"

    def start(
        self,
        *options: str,
        before: str = "",
        prefix: tuple[str, ...] = (),
        terminal: int | None = None,
        said: str = "said",
    ) -> Run:
        """Start the command; ``before`` is Python that is run in its process first, ``prefix`` starts that process.

        With a ``terminal``, the process is the first of a session that it controls. ``said`` is the file that has what
        it says.
        """
        words = [str(self.root / "bids"), str(self.out), "participant", *self.options, *options]
        variables = {"PYTHONPATH": str(PACKAGE.parent), "ANTSPATH": str(self.root / "ants"), "COLUMNS": "200"}
        with (self.root / f"{said}.txt").open("wb") as file:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-c", RUN.format(before=before), *words],
                env=os.environ | variables,
                stdin=subprocess.DEVNULL,
                stdout=file if terminal is None else terminal,
                stderr=file if terminal is None else terminal,
                start_new_session=terminal is not None,
                preexec_fn=None if terminal is None else lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0),
            )
        self.processes.append(process)
        return Run(process, self, self.root / f"{said}.txt")

    def close(self) -> None:
        """Leave no run behind."""
        for process in self.processes:
            process.kill()
            process.wait()


@dataclass
class Run:
    """A run that was started."""

    process: subprocess.Popen[bytes]
    place: Place
    said_file: Path

    def status(self, limit_s: float = 60.0) -> int:
        return self.process.wait(limit_s)

    @property
    def said(self) -> str:
        return self.said_file.read_text()
