"""The settings that change results, and nothing else: threads, budgets and paths are not among them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tntpipe.steps.registration import PRESETS, Preset


class BrainExtraction(str, Enum):
    """How the brain is found: the template's mask, FSL's bet, or masks that the user gives."""

    TEMPLATE = "template"
    BET = "bet"
    GIVEN = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What is computed, and how; the defaults are those of the command line."""

    preset: Preset = PRESETS["standard"]
    brain_extraction: BrainExtraction = BrainExtraction.TEMPLATE
    subcortical: bool = False
    intracranial_volume: bool = False
    max_shear_angle_rad: float = 1e-4
    normalised_minimum: float = 0.0
    normalised_maximum: float = 5000.0
    clip_percent: float = 1.0
    bet_frac: float = 0.5
    bet_vertical_gradient: float = 0.0
    random_seed: int = 1

    @property
    def debug(self) -> bool:
        """Whether everything iterates once a level, to try the machinery."""
        return self.preset.name == "debug"
