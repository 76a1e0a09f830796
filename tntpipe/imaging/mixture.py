"""The intensities of a head as a mixture: Gaussians for each group of structures, and voxels shared by two of them.

A voxel on the border between two tissues holds a share of both, any share as likely as any other; what it shows is then
spread evenly between the two means and blurred by noise. One half of that goes to either tissue. So the border between
two tissues is where a voxel is half of each, however narrow or wide the tissues themselves are.

Where each group is expected is given (`Priors`), as probabilities at each voxel. A smooth field and the mixture are
found in turn. Knows no image: voxels are a row of numbers.

References
----------
Ashburner J, Friston KJ (2005), NeuroImage 26:839, and Puonti O et al. (2016), NeuroImage 143:235: mixture, field and
atlas in one model. Van Leemput K et al. (2003), IEEE Trans Med Imaging 22:105: partial volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.imaging.smooth_field import LEAST, MOST, curved, stepped

Values = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]

N_GAUSSIANS = {"CSF": 2, "Skull": 2, "SoftTissue": 3, "Background": 2}
"""Of a group; one for all others. Fluid between the gyri and in the cisterns, with vessels and membranes in it, is no
single intensity, nor is anything outside the skull (Puonti 2016)."""

RELATIVE_MEAN = {
    "CerebellarWM": 0.62, "BrainStem": 0.6, "CerebellarGM": -0.13, "Caudate": 0.1, "Putamen": 0.43, "Pallidum": 0.87,
    "Thalamus": 0.52, "Ventricle": -0.81,
}  # fmt: skip
"""Where the mean of a group lies from that of cortex (0) to that of white matter (1): means over many T1w scans
(Billot B et al. 2023, Med Image Anal 86:102789, their table of intensities). Brain stem and ventral diencephalon are
taken together. That table gives the caudate the mean of cortex; 0.1 is assumed, for a caudate a little brighter."""

TIES = {
    "Caudate": 3.0, "Thalamus": 3.0, "Putamen": 1.0, "Pallidum": 1.0, "BrainStem": 1.0, "CerebellarGM": 1.0,
    "CerebellarWM": 0.5, "Ventricle": 1.0,
}  # fmt: skip
"""How much `RELATIVE_MEAN` counts, in units of the group's own voxels. Small groups beside wide ventricles would
otherwise take fluid for themselves: without ties, a caudate of 5 cm³ beside ventricles of 88 cm³ became dark."""

TIED_SD = 0.15
WIDEST_SD = 0.22
"""Standard deviations, of the distance from cortex to white matter: what a tied group is expected to have, and the most
that any group of the brain may have. Within a scan a structure spreads by 0.05 to 0.12 of it (Billot 2023); noise
of 9 % adds 0.2."""

BORDERS = (
    ("WM", "GM"), ("CerebellarWM", "CerebellarGM"), ("GM", "CSF"), ("CerebellarGM", "CSF"),
    ("Caudate", "Ventricle"), ("Thalamus", "Ventricle"), ("Putamen", "WM"), ("Caudate", "WM"), ("Thalamus", "WM"),
    ("BrainStem", "CSF"),
)  # fmt: skip
"""Groups that share voxels. White matter and ventricles are not among them: what lies between the two in intensity is
cortex and nuclei, and they took it (a putamen lost half of itself)."""
SHARED_START = 0.3

BRAIN = ("WM", "CerebellarWM", "BrainStem", "GM", "CerebellarGM", "Caudate", "Putamen", "Pallidum", "Thalamus")
"""Groups that decide the field: fluid is too dark, and what lies outside the skull too varied."""

EVERYWHERE = {"CSF": 1e-3, "SoftTissue": 1e-3, "Skull": 1e-3, "Background": 1e-4}
"""Least probability of a group at any voxel: vessels, membranes, holes where the atlas has none."""
WIDE_VENTRICLES = 0.02
"""Probability of ventricular fluid, of the probability of what may lie beside wide ventricles."""
BESIDE_VENTRICLES = ("Caudate", "Thalamus", "WM", "GM")

NEEDED = ("Ventricle", "GM", "WM")
"""Groups without which a scan cannot be judged, and to which others are tied."""

ITERATIONS = 30
"""A fixed number, since the likelihood is not what should be greatest: with more, the mean of cortex slides on towards
fluid. One acquisition stored without and with the correction for its coils: with 15 rounds its grey and white matter by
lobe were 2.8 % apart (median), at worst 6.2 %, with 30 rounds 2.1 % and 3.5 % (before the field had an end outside).
Synthetic heads 04 and 18 at 1 mm have 0.943 and 1.010 of the true grey matter with 15 rounds, 0.939 and 1.012 with 30,
and the same white matter."""

CURVATURE_EVERY = 5
"""Rounds in which the steps of the field go by one curvature, which takes most of a round and changes little."""
SHARED_CURVATURE = 0.3
"""How strongly a shared voxel holds the field, beside one of a single tissue; it decides the steps' length alone."""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a group: the Gaussian ``own``, or, with ``other``, the half of the voxels shared with another Gaussian
    that is mostly its own."""

    group: int
    own: int
    other: int | None = None


@dataclass(frozen=True, slots=True)
class Mixture:
    """Means and standard deviations of the Gaussians, and the weight of each component within its group."""

    groups: tuple[str, ...]
    components: tuple[Component, ...]
    means: NDArray[np.float64]
    sds: NDArray[np.float64]
    weights: NDArray[np.float64]

    def mean(self, group: str) -> float:
        """Of a group's first Gaussian."""
        return float(self.means[self._first(group)])

    def sd(self, group: str) -> float:
        """Of a group's first Gaussian."""
        return float(self.sds[self._first(group)])

    def likelihoods(self, values: Values) -> NDArray[np.float32]:
        """(groups, n): the density of each intensity (n,) under each group."""
        found = np.zeros((len(self.groups), values.size), dtype=np.float32)
        for component, weight in zip(self.components, self.weights, strict=True):
            found[component.group] += np.float32(weight) * _density(values, component, self.means, self.sds)
        return found

    def _first(self, group: str) -> int:
        index = self.groups.index(group)
        return next(part.own for part in self.components if part.group == index)


@dataclass(frozen=True, slots=True)
class Fit:
    """A mixture, the coefficients of the logarithm of its field, and how well both explain the voxels."""

    mixture: Mixture
    field: NDArray[np.float64]
    log_likelihood: float


def floored(priors: NDArray[np.float32], groups: tuple[str, ...]) -> NDArray[np.float32]:
    """(groups, n): probabilities with the least that each group has anywhere; they sum to 1."""
    raised = priors.copy()
    for group, least in EVERYWHERE.items():
        if group in groups:
            raised[groups.index(group)] += np.float32(least)
    if "Ventricle" in groups:
        beside = sum(priors[groups.index(group)] for group in BESIDE_VENTRICLES if group in groups)
        raised[groups.index("Ventricle")] += np.float32(WIDE_VENTRICLES) * beside
    return np.asarray(raised / raised.sum(axis=0))


def fit(
    values: Values,
    priors: NDArray[np.float32],
    groups: tuple[str, ...],
    basis: NDArray[np.float32],
    bending: NDArray[np.float64],
    iterations: int = ITERATIONS,
) -> Fit:
    """The mixture and the field that explain intensities best, by expectation-maximisation.

    Parameters
    ----------
    values
        (n,), intensities, 0 for air; any scale.
    priors
        (groups, n), the probability of each group at each voxel.
    groups
        Their names, ``GM`` and ``WM`` among them.
    basis, bending
        (n, functions) and (functions,), as `CosineBasis` gives them, for the logarithm of the field.
    iterations
        How many rounds.
    """
    scale = np.float32(1000 / max(float(np.percentile(values, 98)), 1e-30))
    seen = values * scale
    expected = floored(priors, groups)
    components, n_gaussians = _components(groups)
    owner = np.array([component.group for component in components])
    means, sds = _start(seen, expected, components, n_gaussians)
    weights = _start_weights(components, owner)
    flat = seen
    field = np.zeros(basis.shape[1])
    explained = -np.inf
    for iteration in range(iterations):
        joint = np.stack([_density(flat, part, means, sds) for part in components])
        joint *= weights[:, None].astype(np.float32) * expected[owner]
        total = joint.sum(axis=0) + np.float32(1e-12)
        share = joint / total
        explained = float(np.log(total).mean())
        sizes = share.sum(axis=1, dtype=np.float64) + 1e-3
        for group in range(len(groups)):
            weights[owner == group] = sizes[owner == group] / sizes[owner == group].sum()
        _update(flat, share, sizes, means, sds, components, groups)
        if iteration:
            slope, curvature = _asked_of_field(flat, share, means, sds, components, groups)
            if iteration % CURVATURE_EVERY == 1:
                known = curved(basis, bending, curvature)
            field = stepped(basis, slope, known, field)
            flat = seen / np.clip(np.exp(basis @ field.astype(np.float32)), LEAST, MOST)
    mixture = Mixture(groups, components, means / scale, sds / scale, weights)
    return Fit(mixture, field, explained)


def _components(groups: tuple[str, ...]) -> tuple[tuple[Component, ...], int]:
    pure = [(group, name) for group, name in enumerate(groups) for _ in range(N_GAUSSIANS.get(name, 1))]
    first = {name: own for own, (_, name) in reversed(list(enumerate(pure)))}
    components = [Component(group, own) for own, (group, _) in enumerate(pure)]
    for one, other in BORDERS:
        if one in first and other in first:
            components.append(Component(pure[first[one]][0], first[one], first[other]))
            components.append(Component(pure[first[other]][0], first[other], first[one]))
    return tuple(components), len(pure)


def _start(
    values: Values, priors: NDArray[np.float32], components: tuple[Component, ...], n_gaussians: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Quantiles of each group's voxels, weighted by its probability."""
    order = np.argsort(values)
    ranked = values[order]
    means, sds = np.zeros(n_gaussians), np.zeros(n_gaussians)
    pure = [component for component in components if component.other is None]
    for group in {component.group for component in pure}:
        own = [component.own for component in pure if component.group == group]
        below = np.cumsum(priors[group][order], dtype=np.float64)
        below /= below[-1]

        def quantile(share: float, below: NDArray[np.float64] = below) -> float:
            return float(ranked[min(int(np.searchsorted(below, share)), ranked.size - 1)])

        for place, index in enumerate(own):
            means[index] = quantile((place + 0.5) / len(own))
            sds[index] = max((quantile(0.8) - quantile(0.2)) / 1.68 / len(own), 1.0)
    return means, sds


def _start_weights(components: tuple[Component, ...], owner: NDArray[np.intp]) -> NDArray[np.float64]:
    shared = np.array([component.other is not None for component in components])
    weights = np.zeros(len(components))
    for group in np.unique(owner):
        for kind, total in ((shared, SHARED_START), (~shared, 1 - SHARED_START)):
            chosen = (owner == group) & kind
            weights[chosen] = total / max(1, int(chosen.sum()))
        weights[owner == group] /= weights[owner == group].sum()
    return weights


def _density(
    values: Values, component: Component, means: NDArray[np.float64], sds: NDArray[np.float64]
) -> NDArray[np.float32]:
    mean, sd = float(means[component.own]), float(sds[component.own])
    if component.other is None:
        z = (values - np.float32(mean)) / np.float32(sd)
        return np.asarray(np.exp(np.float32(-0.5) * z * z) / np.float32(sd * np.sqrt(2 * np.pi)))
    low, high, blur = _spread(component, means, sds)
    reach = _between((values - low) / blur, (values - high) / blur)
    return np.asarray(reach / np.float32(max(float(high - low), 1e-3)), dtype=np.float32)


def _update(
    values: Values,
    share: NDArray[np.float32],
    sizes: NDArray[np.float64],
    means: NDArray[np.float64],
    sds: NDArray[np.float64],
    components: tuple[Component, ...],
    groups: tuple[str, ...],
) -> None:
    """New means and widths from the voxels that are of one kind only, those of some groups tied to the main ones."""
    pure = [(row, component) for row, component in enumerate(components) if component.other is None]
    for row, component in pure:
        mean = float(share[row] @ values) / sizes[row]
        means[component.own] = mean
        sds[component.own] = np.sqrt(float(share[row] @ (values - np.float32(mean)) ** 2) / sizes[row] + 1)
    first = {groups[component.group]: component.own for _, component in reversed(pure)}
    grey, span = means[first["GM"]], means[first["WM"]] - means[first["GM"]]
    if span <= 0:
        return
    for name, own in first.items():
        if name in RELATIVE_MEAN:
            tie = TIES[name]
            mean = (means[own] + tie * (grey + RELATIVE_MEAN[name] * span)) / (1 + tie)
            variance = (sds[own] ** 2 + (means[own] - mean) ** 2 + tie * (TIED_SD * span) ** 2) / (1 + tie)
            means[own], sds[own] = mean, np.sqrt(variance)
        if name in BRAIN:
            sds[own] = min(sds[own], WIDEST_SD * span)


def _asked_of_field(
    flat: Values,
    share: NDArray[np.float32],
    means: NDArray[np.float64],
    sds: NDArray[np.float64],
    components: tuple[Component, ...],
    groups: tuple[str, ...],
) -> tuple[Values, Values]:
    """(n,) each: how the log likelihood of the brain's voxels rises with the log field, and how that bends.

    The density of an intensity y under a field exp(b) is p(y exp(-b)) exp(-b): its logarithm rises with b by
    -y exp(-b) p'/p - 1. Shared voxels count too: without them, white matter that a deep field darkens is called shared
    and no longer asks for the field.
    """
    slope, curvature = np.zeros_like(flat), np.zeros_like(flat)
    for row, component in enumerate(components):
        if groups[component.group] not in BRAIN:
            continue
        mean, sd = np.float32(means[component.own]), np.float32(sds[component.own])
        if component.other is None:
            score, precision = (mean - flat) / (sd * sd), 1 / (sd * sd)
        else:
            low, high, blur = _spread(component, means, sds)
            left, right = (flat - low) / blur, (flat - high) / blur
            score = (_normal(left) - _normal(right)) / (blur * np.maximum(_between(left, right), np.float32(1e-6)))
            precision = np.float32(SHARED_CURVATURE) / (blur * blur)
        slope -= share[row] * (flat * score + 1)
        curvature += share[row] * precision * mean * mean
    return slope, curvature


def _spread(
    component: Component, means: NDArray[np.float64], sds: NDArray[np.float64]
) -> tuple[np.float32, np.float32, np.float32]:
    """Between which intensities the half of the shared voxels lies, and the standard deviation of what blurs it."""
    assert component.other is not None
    mean, other = float(means[component.own]), float(means[component.other])
    middle = (mean + other) / 2
    blur = (float(sds[component.own]) + float(sds[component.other])) / 2
    return np.float32(min(middle, mean)), np.float32(max(middle, mean)), np.float32(blur)


def _between(left: Floats, right: Floats) -> Values:
    from scipy.special import ndtr

    return np.asarray(ndtr(left) - ndtr(right), dtype=np.float32)


def _normal(z: Floats) -> Values:
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi), dtype=np.float32)
