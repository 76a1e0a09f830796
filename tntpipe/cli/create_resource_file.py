"""The level ``create_resource_file``: from what runs used to what others should be given, and how sure that is."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tntpipe import __version__
from tntpipe.cli.conclusions_table import print_conclusions
from tntpipe.errors import ExitStatus, TableError, UsageError
from tntpipe.pipeline.kinds import step_kinds
from tntpipe.profiling.compatibility import mixtures
from tntpipe.profiling.conclusions import conclusions, never_ended
from tntpipe.profiling.estimates import Estimates
from tntpipe.profiling.profile import DEBUG, Profile
from tntpipe.profiling.profile_file import read_profile, write_profile
from tntpipe.profiling.reference_rule import reference_conclusions
from tntpipe.profiling.resource_file import SCHEMA_VERSION, ResourceFile, StepResources, write_resource_file
from tntpipe.run.profile_output import refuse_unwritable


def create_resource_file(options: argparse.Namespace) -> ExitStatus:
    """Read the profiles, write what is asked for, and print what was concluded.

    Raises
    ------
    TntpipeError
        A profile cannot be read, they do not belong together, or a file cannot be written.
    """
    inputs, profile_output, resource_output = _asked(options)
    profiles = {str(path): read_profile(path, step_kinds()) for path in inputs}
    if profile_output is not None:
        (profile,) = profiles.values()
        refuse_unwritable(profile_output)
        write_profile(profile_output, profile)
        print(f"profile of {len(profile.steps)} steps: {profile_output}")
    if resource_output is not None:
        refuse_unwritable(resource_output)
        _convert(
            profiles, resource_output, by_reference=options.resource_rule == "reference", mix=options.mixed_profiles
        )
    return ExitStatus.SUCCESS


def _asked(options: argparse.Namespace) -> tuple[list[Path], Path | None, Path | None]:
    """The profiles to read, the profile to write and the resource file to write."""
    inputs: list[Path] = options.profiling_input_file or []
    is_run_too = "participant" in options.levels  # which writes the profile
    profile_output = None if is_run_too else options.profiling_output_file
    outputs = [path for path in (profile_output, options.resource_output_file) if path is not None]
    if not inputs or not outputs:
        raise UsageError(
            "create_resource_file makes a resource file from profiles, and lacks the name of one of them.",
            remedy="Give --profiling_input_file and --resource_output_file.",
        )
    if profile_output is not None and len(inputs) > 1:
        raise UsageError("One profile cannot be made from several.", remedy="Leave --profiling_output_file out.")
    names = [path.resolve() for path in (*dict.fromkeys(inputs), *outputs)]
    if len(set(names)) < len(names):
        raise UsageError("A file that is read would be written.", remedy="Give each file a name of its own.")
    return list(dict.fromkeys(inputs)), profile_output, options.resource_output_file


def _convert(profiles: Mapping[str, Profile], output: Path, *, by_reference: bool, mix: bool) -> None:
    mixed = list(mixtures(profiles))
    if mixed and not mix:
        raise UsageError(" ".join(mixed), remedy="Give those that belong together, or add --mixed_profiles.")
    if by_reference:
        steps, about = reference_conclusions(profiles.values()), {}
    else:
        steps, about = conclusions(profiles.values(), Estimates().time_ratio), _about(profiles)
    if not steps:
        raise TableError("No step ended well in these profiles.", remedy="Profile a run of which some scan is done.")
    write_resource_file(ResourceFile(path=output, steps=steps, about=about))
    print_conclusions(steps, by_reference=by_reference)
    for remark in (*mixed, *_remarks(profiles, steps, by_reference=by_reference)):
        print(f"- {remark}")
    print(f"{len(steps)} kinds of step: {output}; give it to a run as --resource_input_file")


def _about(profiles: Mapping[str, Profile]) -> dict[str, Any]:
    """Where the figures come from."""
    return {
        "schema_version": SCHEMA_VERSION,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "by": f"tntpipe {__version__}",
        "profiles": [_provenance(name, profile) for name, profile in profiles.items()],
    }


def _provenance(name: str, profile: Profile) -> dict[str, Any]:
    started = profile.run.get("started")
    return {
        "file": name,
        "machine": profile.machine,
        "host": profile.host.get("name"),
        "tntpipe": profile.host.get("tntpipe"),
        "registration": profile.preset or None,
        "started": None if started is None else datetime.fromtimestamp(started).astimezone().isoformat("T", "seconds"),
        "steps": len(profile.steps),
    }


def _remarks(
    profiles: Mapping[str, Profile], steps: Mapping[str, StepResources], *, by_reference: bool
) -> Iterator[str]:
    """What to know before the file is used."""
    for name, profile in profiles.items():
        for remark in profile.remarks:
            yield f"{name}: {remark}."
    if any(profile.preset == DEBUG for profile in profiles.values()):
        yield (
            "Registrations with one iteration per level (--debug) need the memory of full ones, not their time: their "
            "times are left open, and the shipped ones stand in."
        )
    busy = [f"{name} ({step.ncpu})" for name, step in steps.items() if (step.ncpu or 1) > 1]
    if busy:
        told = ", ".join(busy)
        yield f"More than one CPU is kept busy by {told}: steps whose threads nobody chooses are given so many."
    unknown = sorted(set(steps) - step_kinds())
    if unknown:
        yield f"No step of tntpipe is called {', '.join(unknown)}: remove or rename them before a run reads the file."
    failed = never_ended(profiles.values())
    if failed and not by_reference:
        yield f"Of {', '.join(failed)} no step ended well: nothing is said of them."
