"""Structures of the template: SAMSEG's prior and the template's own intensities, combined by expectation-maximisation.

One Gaussian per group of structures of like intensity, estimated inside the intracranial mask; the atlas's prior stays
fixed. (SAMSEG's own model without its bias field and mesh deformation, which a registered template does not need.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.build_model.images import Mask

GROUPS: tuple[tuple[str, ...], ...] = (
    ("Cerebral-White-Matter", "Cerebellum-White-Matter"),
    ("Cerebral-Cortex", "Cerebellum-Cortex", "Hippocampus", "Amygdala", "hypointensities"),
    ("Caudate", "Accumbens"),
    ("Putamen",),
    ("Pallidum",),
    ("Thalamus",),
    ("Brain-Stem", "VentralDC", "Optic-Chiasm"),
    ("CSF", "Ventricle", "Inf-Lat-Vent"),
    ("vessel", "choroid"),
)
"""Structures that share one Gaussian, by part of their name."""

EXTRACRANIAL = ("Unknown", "Skull", "Soft_Nonbrain_Tissue", "Fluid_Inside_Eyes")
ITERATIONS = 20


@dataclass(frozen=True, slots=True)
class Structures:
    """Probabilities of the intracranial structures at the voxels of `inside`, in its C order.

    The prior is the atlas's: how many of its people have the structure there. The posterior is the template's.
    """

    names: tuple[str, ...]
    inside: Mask
    prior: NDArray[np.float32]
    posterior: NDArray[np.float32]

    def probability(self, *parts: str) -> NDArray[np.float32]:
        """Return the summed posterior, as a volume, of all structures whose name contains one of `parts`."""
        return self._summed(self.posterior, parts)

    def prior_probability(self, *parts: str) -> NDArray[np.float32]:
        """Return the summed prior, as a volume, of all structures whose name contains one of `parts`."""
        return self._summed(self.prior, parts)

    def _summed(self, weights: NDArray[np.float32], parts: tuple[str, ...]) -> NDArray[np.float32]:
        volume = np.zeros(self.inside.shape, dtype=np.float32)
        volume[self.inside] = weights[:, self._chosen(parts)].sum(axis=1)
        return volume

    def _chosen(self, parts: tuple[str, ...]) -> list[int]:
        return [index for index, name in enumerate(self.names) if any(part in name for part in parts)]

    def most_probable(self, *parts: str) -> Mask:
        """Return where the most probable structure is one whose name contains one of `parts`."""
        volume = np.zeros(self.inside.shape, dtype=bool)
        volume[self.inside] = np.isin(self.posterior.argmax(axis=1), self._chosen(parts))
        return volume


def group_of(name: str) -> int:
    return next(index for index, parts in enumerate(GROUPS) if any(part in name for part in parts))


def normalised(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights / np.maximum(total, np.float32(1e-20)))


def log_likelihood(intensity: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the log density of `intensity` under the Gaussian that `weights` give."""
    total = weights.sum()
    mean = (weights * intensity).sum() / total
    variance = (weights * (intensity - mean) ** 2).sum() / total
    return np.asarray(-0.5 * ((intensity - mean) ** 2 / variance + np.log(variance)), dtype=np.float32)


def segment(template: NDArray[np.float32], priors: NDArray[np.float32], names: list[str], inside: Mask) -> Structures:
    """Return the posterior of every intracranial structure inside the mask."""
    kept = [index for index, name in enumerate(names) if name not in EXTRACRANIAL]
    intracranial = tuple(names[index] for index in kept)
    groups = np.array([group_of(name) for name in intracranial])
    intensity = template[inside]
    prior = normalised(priors[inside][:, kept] + np.float32(1e-7))
    posterior = prior
    for _ in range(ITERATIONS):
        density = np.stack(
            [log_likelihood(intensity, posterior[:, groups == group].sum(axis=1)) for group in range(len(GROUPS))],
            axis=1,
        )
        density = np.exp(density - density.max(axis=1, keepdims=True))
        posterior = normalised(prior * density[:, groups])
    return Structures(intracranial, inside, prior, posterior)
