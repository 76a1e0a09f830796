"""A starting tissue map from points whose tissue is known on the model.

The intensities at the points describe each class; each voxel takes the class that it fits best. Decides a first answer
for a segmentation with neighbourhoods to refine; refuses to make one where the samples cannot tell the classes apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError, TableError
from tntpipe.imaging.doubts import doubt_about_tissues, tell
from tntpipe.imaging.points import points_to_ras
from tntpipe.imaging.tables import MIN_TAGS, Point, read_labels, read_table, read_tags, write_table
from tntpipe.imaging.tissue_classes import classify, describe_classes
from tntpipe.imaging.volumes import Affine, like, load, real_voxels, require_same_grid, save, stored_voxels


def sample_points(
    points: Sequence[Point], values: NDArray[np.floating[Any]], mask: NDArray[np.bool_], affine: Affine
) -> NDArray[np.float64]:
    """The intensity of the voxel nearest to each point.

    Parameters
    ----------
    points
        World positions, mm, RAS.
    values, mask
        (i, j, k), on the same grid.
    affine
        (4, 4), voxel indices to world mm (RAS).

    Returns
    -------
    ndarray
        (n,), NaN for a point outside the image or the mask.

    Examples
    --------
    >>> image = np.arange(8.0).reshape(2, 2, 2)
    >>> sample_points([(0.4, 0, 1.2), (9, 0, 0)], image, image > 0, np.eye(4))
    array([ 1., nan])
    """
    world = np.column_stack([np.asarray(points, dtype=np.float64).reshape(-1, 3), np.ones(len(points))])
    nearest = np.floor((world @ np.linalg.inv(affine).T)[:, :3] + 0.5).astype(np.int64)
    within = ((nearest >= 0) & (nearest < values.shape)).all(axis=1)
    i, j, k = np.where(within[:, None], nearest, 0).T
    return np.where(within & mask[i, j, k], values[i, j, k], np.nan)


def sample_tags_file(*, points: str, image: str, mask: str, tags: str, tissue_labels: str, output: str) -> None:
    """The command ``sample-tags``."""
    scan, masking = load(image), load(mask)
    require_same_grid(scan, image, masking, mask)
    names = {label.index: label.name for label in read_labels(tissue_labels)}
    known, places = read_tags(tags), points_to_ras(points)
    if len(places) != len(known.points):
        raise TableError(f"{points}: holds {len(places)} points for the {len(known.points)} tags of {tags}.")
    values = sample_points(places, real_voxels(scan, image), stored_voxels(masking, mask) > 0, scan.affine)
    kept = [(float(v), i) for v, i in zip(values, known.indices, strict=True) if np.isfinite(v)]
    counts = Counter(index for _, index in kept)
    for index, total in sorted(Counter(known.indices).items()):
        print(f"class {index}: {counts[index]} of {total} tags lie inside the brain")
        if counts[index] < MIN_TAGS:
            raise TableError(
                f"Only {counts[index]} of the {total} tags of tissue class {index} lie inside the brain of {image}, "
                f"at least {MIN_TAGS} are needed.",
                remedy="Look at the registration and the brain mask.",
            )
    samples = {index: np.array([value for value, i in kept if i == index]) for index in counts}
    tell(doubt_about_tissues(describe_classes(samples), names, image))
    write_table(output, ("value", "index"), kept)


def classify_file(*, image: str, mask: str, features: str, output: str) -> None:
    """The command ``classify``."""
    scan, masking = load(image), load(mask)
    require_same_grid(scan, image, masking, mask)
    classes = describe_classes(_read_samples(features))
    inside = stored_voxels(masking, mask) > 0
    labels = np.zeros(scan.shape, dtype=np.uint8)
    labels[inside] = classify(real_voxels(scan, image)[inside], classes)
    counts = np.bincount(labels[inside], minlength=256)
    for tissue in classes:
        n_voxels = int(counts[tissue.index])
        print(
            f"class {tissue.index}: n {tissue.n_samples}, median {tissue.median:.6g}, sd {tissue.sd:.6g}, "
            f"{n_voxels} voxels"
        )
        if not n_voxels:
            raise ImageError(f"{image}: no voxel inside the mask has tissue class {tissue.index}.")
    save(like(labels, scan), output)


def _read_samples(path: str) -> dict[int, NDArray[np.float64]]:
    samples: dict[int, list[float]] = {}
    for row in read_table(path, ("value", "index")):
        try:
            samples.setdefault(int(row["index"]), []).append(float(row["value"]))
        except ValueError:
            raise TableError(f"{path}: holds {row['value']!r}, {row['index']!r}, not a sample and its class.") from None
    if any(not 0 < index < 256 for index in samples):
        raise TableError(f"{path}: tissue classes must have indices from 1 to 255.")
    return {index: np.array(values) for index, values in samples.items()}
