"""What people compute by hand from a study's volumes: fractions and residuals over ICV, asymmetries, robust z.

Everything is computed over the scans that are done; a figure that too few scans stand behind is ``n/a``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, median

from tntpipe.imaging.tables import MISSING
from tntpipe.study.columns import Column, dictionary
from tntpipe.study.tables import BRAIN_ICV, MM3, VOXEL, Table

MAD_TO_SD = 1.4826
"""Of a normal distribution: 1 / the 75 % quantile of the standard one."""

FEWEST = 5
"""Scans behind a z, of a site where sites are known, and behind a slope: of fewer, each is its own yardstick."""

Values = list[float | None]


def derived_table(wide: Table, site_of: Mapping[str, str] | None = None) -> Table:
    """A row for each row of the wide table, in its order.

    Parameters
    ----------
    wide
        As `tntpipe.study.tables.wide_table` makes it.
    site_of
        The site of each participant, where it is known: z is then taken within sites.
    """
    cells = {name: [row[i] for row in wide.rows] for i, name in enumerate(wide.columns)}
    volumes = {name: _numbers(column) for name, column in cells.items() if name.endswith("_mm3") and name != VOXEL.name}
    icv, brain_icv = volumes["icv_mm3"], _numbers(cells[BRAIN_ICV.name])
    by_site = " within its site" if site_of else ""
    sites = [(site_of or {}).get(participant, "") for participant in cells["participant_id"]]
    found: list[tuple[Column, list[str]]] = []

    def add(name: str, text: str, values: Values, form: str = ".5f", units: str = "") -> None:
        column = Column(name=name, description=text, units=units, derived=True)
        found.append((column, [MISSING if value is None else f"{value:{form}}" for value in values]))

    def add_z(name: str, of: str, values: Values) -> None:
        text = f"Robust z of {of} among all scans{by_site}: (x - median) / ({MAD_TO_SD} MAD)."
        add(name, text, robust_z(values, sites), ".3f")

    for name, values in volumes.items():
        stem = name.removesuffix("_mm3")
        if stem != "icv":
            add(f"{stem}_per_icv", f"{name} / icv_mm3.", _pairwise(values, icv, _ratio))
            text = f"{name} less what its regression on icv_mm3 expects beyond that of the mean icv_mm3."
            add(f"{stem}_residual_mm3", text, icv_corrected(values, icv), ".1f", MM3)
        add_z(f"{stem}_z", name, values)
    add_z("brain_per_icv_z", BRAIN_ICV.name, brain_icv)
    for left, stem in _pairs(volumes):
        name = f"{stem}_asymmetry"
        values = _pairwise(volumes[left], volumes[f"{stem}_r_mm3"], asymmetry)
        add(name, f"(L - R) / (L + R) of {stem}.", values)
        add_z(f"{name}_z", name, values)
    kept = wide.columns[: wide.columns.index("status") + 1]  # what tells scans apart, and how they stand
    entries = {name: wide.dictionary[name] for name in kept} | dictionary(column for column, _ in found)
    lines = [cells[name] for name in kept] + [texts for _, texts in found]
    return Table((*kept, *(column.name for column, _ in found)), tuple(zip(*lines, strict=True)), entries)


def asymmetry(left: float, right: float) -> float | None:
    """How much larger the left side is.

    >>> asymmetry(3.0, 1.0), asymmetry(0.0, 0.0)
    (0.5, None)
    """
    return (left - right) / (left + right) if left + right else None


def robust_z(values: Sequence[float | None], sites: Sequence[str]) -> Values:
    """How far each value is from the median of its site's, in standard deviations that outliers do not widen.

    None where a site has fewer than `FEWEST` values, or half of them are the same.

    >>> [z if z is None else round(z, 3) for z in robust_z([1.0, 2.0, 3.0, 4.0, 100.0, None], [""] * 6)]
    [-1.349, -0.674, 0.0, 0.674, 65.426, None]
    >>> robust_z([1.0, 2.0, 3.0, 4.0, 100.0], ["a", "a", "a", "b", "b"])
    [None, None, None, None, None]
    """
    there: dict[str, list[float]] = {}
    for value, site in zip(values, sites, strict=True):
        if value is not None:
            there.setdefault(site, []).append(value)
    yardsticks: dict[str, tuple[float, float]] = {}
    for site, own in there.items():
        middle = median(own)
        spread = MAD_TO_SD * median(abs(value - middle) for value in own)
        if len(own) >= FEWEST and spread > 0:
            yardsticks[site] = (middle, spread)

    def z(value: float | None, site: str) -> float | None:
        if value is None or site not in yardsticks:
            return None
        middle, spread = yardsticks[site]
        return (value - middle) / spread

    return [z(value, site) for value, site in zip(values, sites, strict=True)]


def icv_corrected(values: Values, icv: Values) -> Values:
    """Each volume as it would be in a head of mean size: v - b (ICV - mean ICV), b the least-squares slope of v on ICV.

    None of all where fewer than `FEWEST` scans have both, or all heads have one size.

    >>> icv_corrected([1.0, 2.0, 3.0, 4.0, 5.0, None], [10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    [3.0, 3.0, 3.0, 3.0, 3.0, None]

    References
    ----------
    Sanfilipo MP, et al. Correction for intracranial volume in analysis of whole brain atrophy in multiple sclerosis:
    the proportion vs. residual method. NeuroImage 2004;22(4):1732-43. doi:10.1016/j.neuroimage.2004.03.037
    """
    both = [(v, size) for v, size in zip(values, icv, strict=True) if v is not None and size is not None]
    if len(both) < FEWEST:
        return [None] * len(values)
    mean_v, mean_size = fmean(v for v, _ in both), fmean(size for _, size in both)
    variance = sum((size - mean_size) ** 2 for _, size in both)
    if not variance:
        return [None] * len(values)
    slope = sum((v - mean_v) * (size - mean_size) for v, size in both) / variance
    return _pairwise(values, icv, lambda v, size: v - slope * (size - mean_size))


def _ratio(value: float, whole: float) -> float | None:
    return value / whole if whole else None


def _pairwise(first: Values, second: Values, of: Callable[[float, float], float | None]) -> Values:
    return [None if a is None or b is None else of(a, b) for a, b in zip(first, second, strict=True)]


def _numbers(column: Sequence[str]) -> Values:
    return [None if cell == MISSING else float(cell) for cell in column]


def _pairs(volumes: Mapping[str, Values]) -> Iterator[tuple[str, str]]:
    """The column of each left side that has a right one, and what both are called."""
    for name in volumes:
        stem = name.removesuffix("_l_mm3")
        if stem != name and f"{stem}_r_mm3" in volumes:
            yield name, stem
