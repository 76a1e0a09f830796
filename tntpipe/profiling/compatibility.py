"""Whether profiles may be put together: those of one machine, one ANTs build and one set of registration parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from tntpipe.profiling.profile import DEBUG, Profile


def mixtures(profiles: Mapping[str, Profile]) -> Iterator[str]:
    """What the profiles, by the names of their files, do not have in common, in words."""
    machines = _by((profile.machine or "a machine that it does not tell", name) for name, profile in profiles.items())
    if len(machines) > 1:
        told = "; ".join(f"{', '.join(names)}: {machine}" for machine, names in machines.items())
        yield f"The profiles are of {len(machines)} machines ({told})."
    presets = _by((profile.preset, name) for name, profile in profiles.items() if profile.preset)
    if len(presets) > 1:
        told = "; ".join(f"{', '.join(names)}: {preset}" for preset, names in presets.items())
        debug = " A run with one iteration per level knows memory, but no time." if DEBUG in presets else ""
        yield f"The profiles are of runs with different registrations ({told}).{debug}"


def _by(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, name in pairs:
        groups[key].append(name)
    return groups
