"""What the steps of one scan are gathered in, and the files that its stages hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tntpipe.bids import outputs, sidecars
from tntpipe.bids.outputs import Derivative
from tntpipe.bids.scan import Scan
from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model_steps import PreparedModel
from tntpipe.steps.arithmetic import image_input, imaging
from tntpipe.steps.step import Export, Input, Place, Step

DEBUG_ROUNDS = "1"
"""Of the mixture, without a field: it would fit what a registration of one iteration misplaces, and
the tissues at the tags would no longer be in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A scan with what its image is like, and its brain mask where the user gives one."""

    scan: Scan
    voxels: int
    voxel_mm: float
    brain_mask: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueClasses:
    """The tissue classes of the model's tags: name by index; BIDS' name where the table maps to one."""

    names: Mapping[int, str]

    @property
    def n_classes(self) -> int:
        return max(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The versions of the scan that the registration reads: even intensities, a brain mask, the brain cut out."""

    clean: str
    corrected: str
    brain_mask: str
    brain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissues:
    """What the segmentation leaves: the corrected scan, the brain mask, the tissue map."""

    corrected: str
    brain_mask: str
    tissue: str
    subcortex: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """The displacement fields between a model and the scan."""

    model_to_scan: str
    scan_to_model: str


@dataclass(slots=True)
class ScanSteps:
    """Gathers the steps of one scan; ``steps`` is the result."""

    subject: Subject
    model: PreparedModel
    method: Method
    tissues: TissueClasses
    steps: list[Step] = field(default_factory=list)
    place: Place = field(init=False)
    _raw_uri: str = field(init=False)
    _paths: dict[Derivative, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        subject = self.subject
        key = subject.scan.key
        self.place = Place(folder=key, scan=key, voxels=subject.voxels, voxel_mm=subject.voxel_mm)
        self._raw_uri = sidecars.raw_uri(subject.scan)

    def add(self, step: Step, *exports: Export) -> Step:
        """Take up a step, with the derivatives that it makes."""
        step = exporting(step, exports)
        self.steps.append(step)
        return step

    def export(self, file: str, derivative: Derivative, sidecar: Mapping[str, object] | None) -> Export:
        """A derivative that a step leaves, with the JSON beside it."""
        return Export(file, self.path(derivative), sidecar)

    def path(self, derivative: Derivative) -> str:
        """Where a derivative of this scan goes, relative to the output folder."""
        if derivative not in self._paths:
            self._paths[derivative] = str(derivative.path(self.subject.scan))
        return self._paths[derivative]

    @property
    def transform_to_scan(self) -> Derivative:
        """The transform of the model that is published."""
        return outputs.transform(self.model.space, "T1w")

    def by_atlas(
        self, kind: str, command: str, image: str, displacement: str, *words: str | Input, outputs: tuple[str, ...]
    ) -> Step:
        """A command that weighs an image against the model's probabilities; short where all only try the machinery."""
        assert self.model.priors is not None
        return imaging(
            self.place,
            kind,
            command,
            *("--image", Input("T1w.nii.gz", image), "--displacement", Input("displacement.nii.gz", displacement)),
            *("--priors", Input(image_input("priors", self.model.priors.path.name), self.model.priors.path)),
            *("--priors_table", Input("priors.tsv", self.model.priors.labels)),
            *words,
            *(("--iterations", DEBUG_ROUNDS) if self.method.debug else ()),
            outputs=outputs,
        )

    def sources(self, *derivatives: Derivative) -> list[str]:
        """BIDS URIs of what a derivative was made from: the scan, and other derivatives of it."""
        return [self._raw_uri, *(sidecars.derivative_uri(self.path(derivative)) for derivative in derivatives)]


def exporting(step: Step, exports: tuple[Export, ...]) -> Step:
    return replace(step, exports=exports) if exports else step


def reading(step: Step, item: Input) -> Step:
    return replace(step, inputs=(*step.inputs, item))
