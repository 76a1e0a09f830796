"""Reads every scan and model file once, before hours are spent; what cannot be used is refused by name.

What was found is remembered by size and modification time, so that a rerun reads only what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tntpipe import __version__
from tntpipe.bids.scan import Scan
from tntpipe.decoding import Count, Figure, read_decoded
from tntpipe.errors import ImageError, OutputError, TableError, TntpipeError
from tntpipe.files import write_json
from tntpipe.imaging.check import check_header, check_image, check_labels, check_mask, check_priors, check_tags
from tntpipe.imaging.facts import ImageFacts
from tntpipe.imaging.tables import LARGEST_INDEX, Label, read_labels
from tntpipe.pipeline.build import Subject, TissueClasses
from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model import Model
from tntpipe.run.threads import worker_threads

SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """A scan that will not be run, and why."""

    scan: str
    message: str


@dataclass(frozen=True, slots=True)
class Warned:
    """What to know of a scan that will be run."""

    scan: str
    message: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found in a scan: kept for the next run, whose ``stamp`` must be the same."""

    stamp: list[str | int | float]
    voxels: Count
    voxel_mm: Figure
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class _Cache:
    """What was found, by the scan's path."""

    schema_version: int
    scans: Mapping[str, _Known]


def check_scans(
    scans: Sequence[Scan],
    method: Method,
    brain_mask_dir: Path | None,
    *,
    n_threads: int,
    cache: Path,
    save_cache: bool = True,
    progress: Callable[[int], None] = lambda n_checked: None,
) -> tuple[list[Subject], list[Refusal], list[Warned]]:
    """The scans that can be run, in their order, those that cannot, and what is odd about the former."""
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
    warned = [Warned(s.scan.key, text) for s in subjects for text in known[str(s.scan.path)].warnings]
    return subjects, refusals, warned


def _check_scan(scan: Scan, method: Method, brain_mask_dir: Path | None, known: dict[str, _Known]) -> Subject:
    path = scan.path
    stamp = _stamp(path, method)
    facts = known.get(str(path))
    if facts is None or facts.stamp != stamp:
        found = check_image(path, max_shear_angle=method.max_shear_angle_rad)
        facts = _Known(stamp, found.n_voxels, sum(found.voxel_mm) / 3, list(found.warnings))
        known[str(path)] = facts
    return Subject(
        scan=scan,
        voxels=facts.voxels,
        voxel_mm=facts.voxel_mm,
        brain_mask=_given_mask(scan, brain_mask_dir, method) if brain_mask_dir else None,
    )


def _given_mask(scan: Scan, folder: Path, method: Method) -> Path:
    """The user's mask of a scan, which must be there and on the scan's grid."""
    place = folder / scan.folder
    for extension in (".nii.gz", ".nii"):
        path = place / f"{scan.key}_desc-brain_mask{extension}"
        if path.is_file():
            shear = method.max_shear_angle_rad
            check_mask(path, like=check_header(scan.path, max_shear_angle=shear), max_shear_angle=shear)
            return path.absolute()
    raise ImageError(
        f"No brain mask for {scan.key}: {place / (scan.key + '_desc-brain_mask.nii.gz')} is not there.",
        remedy="Put it there, leave the scan out, or run without --brain_mask_dir.",
    )


def check_model(model: Model, method: Method) -> tuple[ImageFacts, TissueClasses | None]:
    """Check every file of a model, its tables and that all lie on the template's grid."""
    shear = method.max_shear_angle_rad
    facts = check_image(model.t1w, max_shear_angle=shear)
    check_mask(model.brain_mask, like=facts, max_shear_angle=shear)
    if model.intracranial_mask and method.intracranial_volume:
        check_mask(model.intracranial_mask, like=facts, max_shear_angle=shear)
    lobes = read_labels(model.lobes.labels) if model.lobes else ()
    if model.lobes:
        check_labels(model.lobes.path, lobes, like=facts, max_shear_angle=shear)
    if model.subcortex and method.subcortical:
        table = read_labels(model.subcortex.labels)
        check_labels(model.subcortex.path, table, like=facts, max_shear_angle=shear)
    if model.priors:
        nuclei = read_labels(model.subcortex.labels) if model.subcortex and model.nuclei_by_priors else ()
        check_priors(model.priors.path, model.priors.labels, nuclei)
    if not model.tags:
        return facts, None
    labels = read_labels(model.tags.labels)
    tissues = tissue_classes(labels, model.tags.labels)
    largest = max((label.index for label in lobes), default=0)
    if model.lobes and largest * tissues.n_classes > LARGEST_INDEX:
        raise TableError(
            f"{model.lobes.labels}: index {largest} times {tissues.n_classes} tissues is more than {LARGEST_INDEX}.",
            remedy="Number the lobes with smaller indices.",
        )
    check_tags(model.tags.path, labels, facts, model.brain_mask, max_shear_angle=shear)
    return facts, tissues


def tissue_classes(labels: Iterable[Label], path: Path) -> TissueClasses:
    """The classes of a tag table, which must be numbered without a gap and be CSF, GM and WM."""
    names = {label.index: label.name for label in labels if label.index > 0}
    if sorted(names) != list(range(1, len(names) + 1)) or set(names.values()) != {"CSF", "GM", "WM"}:
        raise ImageError(
            f"{path} names the tissues {names}.",
            remedy="It must name 1, 2 and 3, as CSF, GM and WM in any order.",
        )
    return TissueClasses(names=names)


def _stamp(path: Path, method: Method) -> list[str | int | float]:
    status = path.stat()
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return [__version__, status.st_size, *times, status.st_ino, method.max_shear_angle_rad]


def _read_cache(path: Path) -> dict[str, _Known]:
    """What an earlier run knew; nothing where that is not as this module writes it."""
    cache = read_decoded(path, _Cache)
    return dict(cache.scans) if cache and cache.schema_version == SCHEMA_VERSION else {}


def _write_cache(path: Path, known: Mapping[str, _Known]) -> None:
    """Save what is known, where there is a work folder."""
    if path.parent.is_dir():
        scans = {scan: asdict(facts) for scan, facts in known.items()}
        try:
            write_json(path, {"schema_version": SCHEMA_VERSION, "scans": scans})
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written: {error.strerror}.", remedy="Check the work folder."
            ) from error
