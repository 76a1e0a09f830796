"""Reads every scan and model file once, before hours are spent; what cannot be used is refused by name.

What was found is remembered by size and modification time, so that a rerun reads only what is new.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tntpipe import __version__
from tntpipe.bids.scan import Scan
from tntpipe.cli.threads import worker_threads
from tntpipe.errors import ImageError, OutputError, TntpipeError
from tntpipe.files import write_json
from tntpipe.imaging.check import check_header, check_image, check_labels, check_mask
from tntpipe.imaging.facts import ImageFacts
from tntpipe.imaging.tables import Label, read_labels, read_tags
from tntpipe.model import Model
from tntpipe.pipeline.build import Subject, TissueClasses
from tntpipe.pipeline.method import Method

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """A scan that will not be run, and why."""

    scan: str
    message: str


def check_scans(
    scans: Sequence[Scan],
    method: Method,
    brain_mask_dir: Path | None,
    *,
    n_threads: int,
    cache: Path,
    save_cache: bool = True,
    progress: Callable[[int], None] = lambda n_checked: None,
) -> tuple[list[Subject], list[Refusal]]:
    """The scans that can be run, in their order, and those that cannot."""
    known = _read_cache(cache)
    subjects: list[Subject] = []
    refusals: list[Refusal] = []

    def check(scan: Scan) -> Subject | Refusal:
        try:
            return _check_scan(scan, method, brain_mask_dir, known)
        except (TntpipeError, OSError) as error:
            return Refusal(scan.key, str(error))

    with worker_threads(n_threads) as pool:
        for n_checked, result in enumerate(pool.map(check, scans), 1):
            (subjects if isinstance(result, Subject) else refusals).append(result)  # type: ignore[arg-type]
            progress(n_checked)
    if save_cache:
        _write_cache(cache, known)
    return subjects, refusals


def _check_scan(scan: Scan, method: Method, brain_mask_dir: Path | None, known: dict[str, Any]) -> Subject:
    path = scan.path
    stamp = _stamp(path, method)
    facts = known.get(str(path))
    if not facts or facts["stamp"] != stamp:
        found = check_image(path, max_shear_angle=method.max_shear_angle_rad)
        facts = {"stamp": stamp, "voxels": found.n_voxels, "voxel_mm": list(found.voxel_mm)}
        known[str(path)] = facts
    return Subject(
        scan=scan,
        voxels=facts["voxels"],
        voxel_mm=float(sum(facts["voxel_mm"]) / 3),
        brain_mask=_given_mask(scan, brain_mask_dir, method) if brain_mask_dir else None,
    )


def _given_mask(scan: Scan, folder: Path, method: Method) -> Path:
    """The user's mask of a scan, which must be there and on the scan's grid."""
    place = folder / scan.folder
    for extension in (".nii.gz", ".nii"):
        path = place / f"{scan.key}_desc-brain_mask{extension}"
        if path.is_file():
            check_mask(path, like=check_header(scan.path, max_shear_angle=method.max_shear_angle_rad))
            return path.absolute()
    raise ImageError(
        f"No brain mask for {scan.key}: {place / (scan.key + '_desc-brain_mask.nii.gz')} is not there.",
        remedy="Put it there, leave the scan out, or run without --brain_mask_dir.",
    )


def check_model(model: Model, method: Method) -> tuple[ImageFacts, TissueClasses | None]:
    """Check every file of a model, its tables and that all lie on the template's grid."""
    facts = check_image(model.t1w, max_shear_angle=method.max_shear_angle_rad)
    check_mask(model.brain_mask, like=facts)
    if model.intracranial_mask and method.intracranial_volume:
        check_mask(model.intracranial_mask, like=facts)
    if model.lobes:
        check_labels(model.lobes.path, read_labels(model.lobes.labels), like=facts)
    if model.subcortex and method.subcortical:
        check_labels(model.subcortex.path, read_labels(model.subcortex.labels), like=facts)
    if not model.tags:
        return facts, None
    labels = read_labels(model.tags.labels)
    read_tags(model.tags.path, labels)
    return facts, tissue_classes(labels, model.tags.labels)


def tissue_classes(labels: Iterable[Label], path: Path) -> TissueClasses:
    """The classes of a tag table, which must be numbered without a gap and be CSF, GM and WM."""
    names = {label.index: label.name for label in labels if label.index > 0}
    if sorted(names) != list(range(1, len(names) + 1)) or set(names.values()) != {"CSF", "GM", "WM"}:
        raise ImageError(
            f"{path} names the tissues {names}.",
            remedy="It must name 1, 2 and 3, as CSF, GM and WM in any order.",
        )
    return TissueClasses(names=names)


def _stamp(path: Path, method: Method) -> list[object]:
    status = path.stat()
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return [__version__, status.st_size, *times, status.st_ino, method.max_shear_angle_rad]


def _read_cache(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        return {}
    scans: dict[str, Any] = content.get("scans", {})
    return scans


def _write_cache(path: Path, known: dict[str, Any]) -> None:
    """Save what is known, where there is a work folder."""
    if path.parent.is_dir():
        try:
            write_json(path, {"schema_version": SCHEMA_VERSION, "scans": known})
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written: {error.strerror}.", remedy="Check the work folder."
            ) from error
