"""Rows of intensities whose mixture, field and partial volumes are known, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tntpipe.imaging import mixture
from tntpipe.imaging.mixture import BRAIN, RELATIVE_MEAN, Fit, Mixture, fit, floored
from tntpipe.imaging.smooth_field import CosineBasis, cosine_basis

GREY, WHITE = 600.0, 1000.0
SPAN = WHITE - GREY
MEANS = {
    "GM": GREY,
    "WM": WHITE,
    **{name: GREY + relative * SPAN for name, relative in RELATIVE_MEAN.items()},
    "CSF": 200.0,
    "EyeFluid": 240.0,
    "Skull": 150.0,
    "SoftTissue": 800.0,
    "Background": 10.0,
}
SDS = {**dict.fromkeys(MEANS, 0.1 * SPAN), "Skull": 60.0, "SoftTissue": 120.0, "Background": 8.0}
COUNTS = {
    "GM": 4000, "WM": 3500, "CerebellarGM": 800, "CerebellarWM": 300, "BrainStem": 300, "Caudate": 300, "Putamen": 300,
    "Pallidum": 200, "Thalamus": 300, "CSF": 1200, "Ventricle": 500, "EyeFluid": 100, "Skull": 1000, "SoftTissue": 1200,
    "Background": 1500,
}  # fmt: skip
GROUPS = tuple(COUNTS)
SHAPE = (80, 96, 80)
VOXEL_MM = (2.0, 2.0, 2.0)


@dataclass(frozen=True)
class Rows:
    """Voxels of a made-up head: ``truth`` (n,) is the index of each one's group."""

    truth: np.ndarray
    values: np.ndarray
    priors: np.ndarray
    indices: np.ndarray
    basis: CosineBasis

    def of(self, *groups: str) -> np.ndarray:
        return np.isin(self.truth, [GROUPS.index(group) for group in groups])

    def fit(self, values: np.ndarray | None = None) -> Fit:
        chosen = self.values if values is None else values.astype(np.float32)
        return fit(chosen, self.priors, GROUPS, self.basis.at(self.indices), self.basis.bending())

    def field(self, found: Fit) -> np.ndarray:
        return np.exp(self.basis.at(self.indices) @ found.field)


def places(n: int, draw: np.random.Generator) -> tuple[np.ndarray, CosineBasis]:
    axes = [(np.arange(length) - (length - 1) / 2) / (0.45 * length) for length in SHAPE]
    inside = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")) < 1
    voxels = np.argwhere(inside)
    return voxels[draw.integers(0, len(voxels), n)].T, cosine_basis(inside, VOXEL_MM)


def made_up(certainty: tuple[float, float], seed: int = 0) -> Rows:
    """Voxels whose atlas is as sure of one group as a draw from ``certainty`` says, and right as often as it claims."""
    draw = np.random.default_rng(seed)
    counts = np.array(list(COUNTS.values()))
    expected = np.repeat(np.arange(len(GROUPS)), counts)
    sure = draw.uniform(*certainty, expected.size)
    priors = (1 - sure) * (counts / counts.sum())[:, None]
    priors[expected, np.arange(expected.size)] += sure
    right = draw.uniform(size=expected.size) < sure
    truth = np.where(right, expected, draw.choice(len(GROUPS), expected.size, p=counts / counts.sum()))
    means, sds = np.array([MEANS[name] for name in GROUPS]), np.array([SDS[name] for name in GROUPS])
    values = np.maximum(draw.normal(means[truth], sds[truth]), 0)
    indices, basis = places(expected.size, draw)
    return Rows(truth, values.astype(np.float32), priors.astype(np.float32), indices, basis)


def known_field(rows: Rows) -> np.ndarray:
    """From about 0.8 to 1.2 in the head."""
    x, y, z = (line / length for line, length in zip(rows.indices, SHAPE, strict=True))
    return 1 + 0.1 * np.cos(np.pi * x) + 0.1 * np.cos(2 * np.pi * y) + 0.06 * np.cos(np.pi * z)


def assert_alike(field: np.ndarray, truth: np.ndarray) -> None:
    """But for a constant, which belongs to the means as well."""
    off = field / truth
    off = np.abs(off / np.median(off) - 1)
    assert np.percentile(off, 95) < 0.025
    assert off.max() < 0.04


@pytest.fixture(scope="module")
def rows() -> Rows:
    return made_up((0.3, 0.95))


@pytest.fixture(scope="module")
def found(rows: Rows) -> Fit:
    return rows.fit()


@pytest.mark.parametrize("certainty", [(0.9, 1), (0.3, 0.6)], ids=["sure", "vague"])
def test_means_are_recovered_to_2_per_cent_of_the_distance_from_grey_to_white(certainty):
    rows = made_up(certainty)
    found = rows.fit()
    gain = np.median(rows.field(found)[rows.of(*BRAIN)])
    off = {name: (found.mixture.mean(name) * gain - MEANS[name]) / SPAN for name in (*BRAIN, "Ventricle")}
    assert max(map(abs, off.values())) < 0.02, off


def test_widths_of_grey_and_white_matter_are_recovered(found):
    for name in ("GM", "WM"):
        assert found.mixture.sd(name) == pytest.approx(SDS[name], rel=0.15)


def test_without_a_field_none_is_found(rows, found):
    assert_alike(rows.field(found), np.ones(rows.values.size))


def test_a_known_field_is_recovered_to_2_and_a_half_per_cent(rows):
    field = known_field(rows)
    assert np.ptp(field) > 0.35
    assert_alike(rows.field(rows.fit(rows.values * field)), field)


@pytest.mark.parametrize("gain", [1e-6, 1e6])
def test_the_unit_of_intensities_changes_neither_tissues_nor_field(rows, found, gain):
    other = rows.fit(rows.values * np.float32(gain))
    for name in (*BRAIN, "CSF", "Ventricle"):
        assert other.mixture.mean(name) / gain == pytest.approx(found.mixture.mean(name), rel=1e-3)
        assert other.mixture.sd(name) / gain == pytest.approx(found.mixture.sd(name), rel=1e-3)
    assert np.allclose(rows.field(other), rows.field(found), rtol=1e-3)


def border(mixture: Mixture, dark: str, bright: str) -> float:
    """The intensity above which a voxel is ``bright`` where the atlas expects both as much."""
    steps = np.linspace(mixture.mean(dark), mixture.mean(bright), 2001)
    likely = mixture.likelihoods(steps.astype(np.float32))
    brighter = likely[mixture.groups.index(bright)] > likely[mixture.groups.index(dark)]
    assert not brighter[0] and brighter[-1]
    return float(steps[brighter.argmax()])


@pytest.mark.parametrize(
    ("grey_sd", "white_sd"), [(0.06, 0.06), (0.06, 0.18), (0.18, 0.06)], ids=["alike", "white wide", "grey wide"]
)
def test_the_border_of_grey_and_white_matter_is_where_a_voxel_is_half_of_each(rows, grey_sd, white_sd):
    draw = np.random.default_rng(1)
    values = rows.values.astype(np.float64)
    for name, mean, sd in (("GM", GREY, grey_sd), ("WM", WHITE, white_sd)):
        values[rows.of(name)] = draw.normal(mean, sd * SPAN, int(rows.of(name).sum()))
    shared = rows.of("GM", "WM") & (draw.uniform(size=values.size) < 0.3)
    of_white = draw.uniform(size=int(shared.sum()))
    sd = SPAN * (grey_sd + of_white * (white_sd - grey_sd))
    values[shared] = GREY + of_white * SPAN + draw.normal(size=of_white.size) * sd
    found = rows.fit(values)
    gain = np.median(rows.field(found)[rows.of(*BRAIN)])
    assert (border(found.mixture, "GM", "WM") * gain - GREY) / SPAN == pytest.approx(0.5, abs=0.05)


def test_a_caudate_beside_wide_ventricles_does_not_become_dark(rows):
    """Sixteen times as much fluid as caudate lies where the atlas expects the caudate."""
    draw = np.random.default_rng(2)
    n_caudate, n_fluid = 150, 2400
    nucleus, fluid, white = (GROUPS.index(name) for name in ("Caudate", "Ventricle", "WM"))
    expected = np.zeros((len(GROUPS), n_caudate + n_fluid), np.float32)
    expected[[nucleus, fluid, white]] = np.array([[0.6], [0.2], [0.2]])
    truth = np.repeat([nucleus, fluid], [n_caudate, n_fluid])
    seen = np.where(truth == nucleus, MEANS["Caudate"], MEANS["Ventricle"]) + draw.normal(0, 40, truth.size)
    indices, basis = places(truth.size + rows.truth.size, draw)
    both = Rows(
        np.concatenate((rows.truth, truth)),
        np.concatenate((rows.values, seen.astype(np.float32))),
        np.concatenate((rows.priors, expected), axis=1),
        indices,
        basis,
    )
    found = both.fit()
    relative = (found.mixture.mean("Caudate") - found.mixture.mean("GM")) / (
        found.mixture.mean("WM") - found.mixture.mean("GM")
    )
    assert relative > -0.1
    likely = found.mixture.likelihoods(seen[truth == fluid].astype(np.float32))
    assert (likely[fluid] > likely[nucleus]).mean() > 0.9


def test_a_group_has_its_least_probability_everywhere_and_probabilities_still_sum_to_1(rows):
    raised = floored(rows.priors, GROUPS)
    assert np.allclose(raised.sum(axis=0), 1, atol=1e-5)
    caudate = np.zeros((len(GROUPS), 1), np.float32)
    caudate[GROUPS.index("Caudate")] = 1
    beside = floored(caudate, GROUPS)
    assert beside[GROUPS.index("Ventricle"), 0] == pytest.approx(0.02, rel=0.05)
    assert beside[GROUPS.index("CSF"), 0] == pytest.approx(0.001, rel=0.05)
    assert beside[GROUPS.index("Putamen"), 0] == 0


def test_each_group_of_a_mixture_is_a_density(found):
    mixture = found.mixture
    steps = np.linspace(-1500, 3500, 50_001).astype(np.float32)
    total = mixture.likelihoods(steps).sum(axis=1) * float(steps[1] - steps[0])
    assert np.allclose(total, 1, atol=0.01)


def test_what_is_asked_of_the_field_is_how_the_likelihood_rises_with_it():
    """Against differences of the log likelihood of y under the field exp(b), shared voxels included."""
    groups = ("GM", "WM", "Putamen")
    components, n_gaussians = mixture._components(groups)
    assert sum(part.other is not None for part in components) == 4 and n_gaussians == 3
    means, sds = np.array([500.0, 800.0, 640.0]), np.array([40.0, 30.0, 35.0])
    weights = np.full(len(components), 0.3)
    flat = np.linspace(420, 880, 47, dtype=np.float32)

    def joint(log_field: float) -> np.ndarray:
        values = (flat * np.exp(-log_field)).astype(np.float32)
        density = [mixture._density(values, part, means, sds) for part in components]
        return weights[:, None] * np.stack(density) * np.exp(-log_field)

    share = (joint(0) / joint(0).sum(axis=0)).astype(np.float32)
    step = 1e-3
    rise = (np.log(joint(step).sum(axis=0)) - np.log(joint(-step).sum(axis=0))) / (2 * step)
    slope, curvature = mixture._asked_of_field(flat, share, means, sds, components, groups)
    assert np.abs(rise).max() > 5
    assert np.abs(slope - rise).max() < 0.3
    assert (curvature > 0).all()
