"""One positive range for the intensities of any scan: air at 0, the head at a fixed level.

The later steps take 0 for air and compute logarithms, while a scan may come with an offset, as z-scores, multiplied by
1e-9 or with a border of -1024. Decides from the picture alone what is air and what is head, whatever the gain, offset,
padding and a few stray voxels. Knows neither tissue nor template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError
from tntpipe.imaging.doubts import doubt_about_air, tell
from tntpipe.imaging.intensity import MAD_TO_SD
from tntpipe.imaging.noise import air_noise, find_noise
from tntpipe.imaging.padding import find_padding, reaching_faces
from tntpipe.imaging.volumes import like, load, save, stored_voxels

HEAD_LEVEL = 500.0
"""What the middle of the head becomes; white matter and fat then come to about 1000, as in most scans. N4 leaves out
the logarithms of voxels of 0 and so takes them for 1: how far that is below tissue changes its field."""

AIR_BELOW = 1.0
"""Of the result: what is darker becomes 0; N4 would take it for darker than air."""

STRAY_SHARE = 0.001
"""Of the picture's voxels, at either end, that may be anything."""

HEAD_SHARE = 0.35
"""Of the way from the dark end to the middle of the head: brighter is head, darker is air or bone. The air of 34 heads
lies at most at 0.11."""

LEAST_AIR = 0.28
"""Of the picture's voxels, those darker than that where there is air in it: 0.48 and more in scans with noise, 0.03 to
0.11 in brains without their skull, whose air is the constant around them, 0.24 without the darkest quarter of those."""

AIR_SDS = 3.0
"""Below the middle of air, where noise ends; darker are undershoots of resampling. Cubic splines made one voxel in a
thousand of a 2 mm head darker than -0.18 of the middle of the head."""

FAINT = 0.1
"""Of the same way: 0, or a constant around the head, that lies no further below the dark end is air though noise begins
higher: at 0 to 0.06 in 34 heads."""

WIDEST_GAP = 4.0
"""Of the same way: a constant that lies further below the darkest voxels of a brain without its skull is no air. Of 27
brains 0.03 to 0.15 lie between them, without the darkest quarter of each brain 1.5 to 3.4."""

TOP_SHARE = 3.0
"""Of the way from air to the head's 99.9th percentile: brighter voxels are clipped. Those of 34 heads end below 2.6."""

SAMPLE_SIZE = 2**22
"""Voxels from which levels are taken."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Padding that is brighter than air; ``everywhere`` where no tissue can have the same value by chance."""

    value: float
    everywhere: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PositiveRange:
    """Levels of a scan in its own unit: of air, of the middle of the head, and the highest that is kept."""

    air: float
    head: float
    top: float
    padding: tuple[Constant, ...] = ()

    def mapped(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """The scan with air and padding at 0, and the middle of the head at `HEAD_LEVEL`."""
        real = np.result_type(values.dtype, np.float32)
        scaled = values.astype(real)
        np.clip(scaled, real.type(self.air), real.type(self.top), out=scaled)
        scaled -= real.type(self.air)
        scaled /= real.type((self.head - self.air) / HEAD_LEVEL)
        scaled[scaled < AIR_BELOW] = 0
        for constant in self.padding:
            same = values == constant.value
            scaled[same if constant.everywhere else reaching_faces(same)] = 0
        return scaled.astype(np.float32, copy=False)


def to_positive_range(values: NDArray[Any]) -> NDArray[np.float32]:
    """Map intensities linearly onto one positive range: air becomes 0, the middle of the head `HEAD_LEVEL`.

    Parameters
    ----------
    values
        (i, j, k), finite intensities of a T1w, of any real type and in any unit.

    Returns
    -------
    ndarray
        float32, (i, j, k), at least 0. What is darker than air is 0, and so is padding; at the other end, what is
        brighter than any head is clipped. The same, to rounding, for ``a * values + b`` with a > 0, where `find_range`
        does not say otherwise, and with any constant around the picture.

    Raises
    ------
    ImageError
        There is no picture: but for padding and stray voxels all have one value.

    Examples
    --------
    >>> head = np.pad(110 - np.linspace(8, 0, 64).reshape(4, 4, 4) ** 2, 2)
    >>> to_positive_range(head)[2, 2].round()
    array([  0.,   0., 236., 246., 256., 266.,   0.,   0.], dtype=float32)
    >>> bool(np.allclose(to_positive_range(1e-9 * head - 1e-3), to_positive_range(head), rtol=1e-4))
    True
    """
    return find_range(values).mapped(values)


def find_range(values: NDArray[Any]) -> PositiveRange:
    """The levels of a scan.

    Air is the constant around the head where that is as dark as the darkest of the picture. Where there is none, it is
    0 if noise begins near 0 and some voxels are 0 or negative, else where noise begins. So the noise of a scan with an
    offset is brought down to 0, and that of a scan without one stays where it is. This makes a difference where noise
    begins well above 0: in one of 34 heads, at 0.05 of the middle of the head.

    Raises
    ------
    ImageError
        As `to_positive_range`.
    """
    constants, picture = find_padding(values)
    inside = values.ravel("K")[picture.ravel("K")]
    levels = np.sort(inside[:: max(1, inside.size // SAMPLE_SIZE)]).astype(np.float64)
    dark, middle_of_air, head = _dark_and_head(levels)
    air = _air(dark, middle_of_air, head, constants, has_zeros=bool((values == 0).any()))
    bright = levels[_n_up_to(levels, dark + HEAD_SHARE * (head - dark)) :]
    return PositiveRange(
        air=air,
        head=head,
        top=air + TOP_SHARE * (_quantile(bright, 1 - STRAY_SHARE) - air),
        padding=tuple(
            Constant(value, not _is_grey_level(value, levels))
            for value in constants
            if value > (dark if middle_of_air is None else middle_of_air)
        ),
    )


def to_positive_range_file(*, input: str, output: str) -> None:
    """The command ``to-positive-range``."""
    image = load(input)
    values = stored_voxels(image, input)
    found = find_range(values)
    scaled = found.mapped(values)
    noise = air_noise(scaled, HEAD_LEVEL)
    if doubt := doubt_about_air(noise.level, noise.roughness):
        values = np.where(find_noise(scaled), values.dtype.type(found.air), values)
        found = find_range(values)
        scaled = found.mapped(values)
    print(f"{input}: {_description(found)}")
    tell(doubt)
    save(like(scaled, image), output)


def _description(found: PositiveRange) -> str:
    padding = "".join(f"; padding of {constant.value:.6g} becomes 0" for constant in found.padding)
    return (
        f"air at {found.air:.6g} becomes 0, the middle of the head at {found.head:.6g} becomes {HEAD_LEVEL:g}{padding}"
    )


def _quantile(levels: NDArray[np.float64], share: float) -> float:
    return float(levels[round(share * (levels.size - 1))])


def _n_up_to(levels: NDArray[np.float64], level: float) -> int:
    return int(np.searchsorted(levels, level, side="right"))


def _dark_and_head(levels: NDArray[np.float64]) -> tuple[float, float | None, float]:
    """The dark end of the picture, the middle of its air where there is some in it, and the middle of the head."""
    if not levels.size or not _quantile(levels, STRAY_SHARE) < _quantile(levels, 1 - STRAY_SHARE):
        raise ImageError("But for padding and stray voxels, all of the scan has one value: there is no picture in it.")
    dark = _quantile(levels, STRAY_SHARE)
    head = _middle_of_head(levels, dark)
    air = levels[: _n_up_to(levels, dark + HEAD_SHARE * (head - dark))]
    if air.size < LEAST_AIR * levels.size:
        return dark, None, head
    middle = float(np.median(air))
    dark = max(dark, middle - AIR_SDS * MAD_TO_SD * float(np.median(np.abs(air - middle))))
    return dark, middle, _middle_of_head(levels, dark)


def _middle_of_head(levels: NDArray[np.float64], dark: float) -> float:
    """The mean of the middle half of all that is brighter than `HEAD_SHARE` of it; a median would jump between grey
    levels."""
    head = _quantile(levels, 1 - STRAY_SHARE)
    while True:
        bright = levels[_n_up_to(levels, dark + HEAD_SHARE * (head - dark)) :]
        lower = float(bright[bright.size // 4 : bright.size - bright.size // 4].mean())
        if not lower < head:
            return head
        head = lower


def _air(dark: float, middle_of_air: float | None, head: float, constants: list[float], has_zeros: bool) -> float:
    contrast = head - dark
    highest = dark if middle_of_air is None else middle_of_air
    if as_dark := [value for value in constants if dark - FAINT * contrast <= value <= highest]:
        return min(as_dark)
    around_brain = [value for value in constants if dark - WIDEST_GAP * contrast <= value < dark]
    if around_brain and middle_of_air is None:
        return max(around_brain)
    keeps_zero = abs(dark) <= FAINT * contrast and (has_zeros or dark < 0)
    return 0.0 if keeps_zero else dark


def _is_grey_level(value: float, levels: NDArray[np.float64]) -> bool:
    """Whether a value is among the few that the picture has, so that tissue may have it too."""
    steps = np.unique(levels)
    if steps.size > levels.size / 2:
        return False
    place = int(np.searchsorted(steps, value))
    near = steps[max(place - 50, 0) : place + 50]
    return bool(np.abs(near - value).min() > np.diff(near).min() / 2)
