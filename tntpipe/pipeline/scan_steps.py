"""The steps of one scan, in the order of the method, and the derivatives that they leave.

Registrations have the scan as fixed image. What lies in model space comes to the scan by the composite transform;
points come by its inverse. Each derivative is exported by the step that makes it, so that it is there as soon as it
exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from tntpipe.bids import outputs, sidecars
from tntpipe.bids.outputs import Derivative
from tntpipe.bids.scan import Scan
from tntpipe.pipeline.method import BrainExtraction, Method
from tntpipe.pipeline.model_steps import CLEAN, MASKED, PreparedLabels, PreparedModel, clean_header, multiply
from tntpipe.steps.arithmetic import imaging
from tntpipe.steps.bet import bet
from tntpipe.steps.bias import bias_correction
from tntpipe.steps.registration import (
    COMPOSITE,
    INVERSE_COMPOSITE,
    WARPED,
    brain_registration,
    linear_registration,
    nonlinear_registration,
)
from tntpipe.steps.step import Export, Input, Place, Source, Step
from tntpipe.steps.tissue import SEGMENTATION, atropos, posterior
from tntpipe.steps.transforms import LABELS, MASK, PROBABILITY, apply_to_image, apply_to_points

_LABELS = Path(str(resources.files("tntpipe"))) / "data" / "labels"
BRAIN_LABEL, INTRACRANIAL_LABEL = _LABELS / "brain_labels.tsv", _LABELS / "intracranial_labels.tsv"
"""The one-line label tables of masks."""


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
        step = _exporting(step, exports)
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

    def sources(self, *derivatives: Derivative) -> list[str]:
        """BIDS URIs of what a derivative was made from: the scan, and other derivatives of it."""
        return [self._raw_uri, *(sidecars.derivative_uri(self.path(derivative)) for derivative in derivatives)]


def scan_steps(
    subject: Subject,
    model: PreparedModel,
    subcortical_model: PreparedModel | None,
    method: Method,
    tissues: TissueClasses,
) -> tuple[Step, ...]:
    """All steps of one scan.

    ``subcortical_model`` is given where the subcortical labels live in another space than ``model``; it costs a second
    registration. Otherwise they come by the first one.
    """
    build = ScanSteps(subject=subject, model=model, method=method, tissues=tissues)
    images = _preprocessing(build)
    xfm = _registration(build, model, images, outputs.WARPED_MODEL)
    _model_brain(build, images, xfm)
    tissue = _tissue(build, images, xfm)
    _lobes(build, images, xfm, tissue)
    if method.subcortical:
        if subcortical_model is not None:
            name = outputs.warped_subcortical_model(subcortical_model.space)
            xfm = _registration(build, subcortical_model, images, name, prefix="subcortical_")
        source = subcortical_model or model
        assert source.subcortex is not None
        _subcortex(build, images, xfm, source.space, source.subcortex)
    if method.intracranial_volume:
        _intracranial(build, images, xfm if subcortical_model is None else _main_transform(build))
    return tuple(build.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Images:
    """The versions of the scan that later steps read."""

    clean: str
    corrected: str
    normalised: str
    brain_mask: str
    corrected_brain: str
    normalised_brain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transform:
    """Composite transforms between a model and the scan."""

    model_to_scan: str
    scan_to_model: str


def _preprocessing(build: ScanSteps) -> _Images:
    place, method = build.place, build.method
    clean = build.add(
        clean_header(place, "clean_header", build.subject.scan.path, method.max_shear_angle_rad),
        build.export(CLEAN, outputs.CLEAN_T1W, sidecars.t1w_sidecar("T1w with one orientation.", build.sources())),
    ).product(CLEAN)
    corrected = build.add(
        bias_correction(place, image=clean, variant=method.preset.name),
        build.export(
            "corrected.nii.gz",
            outputs.NUCOR_T1W,
            sidecars.t1w_sidecar("Bias-corrected T1w (N4).", build.sources(outputs.CLEAN_T1W)),
        ),
    ).product("corrected.nii.gz")
    normalised = _normalised(build, corrected)
    mask = _brain_mask(build, clean, normalised)
    return _Images(
        clean=clean,
        corrected=corrected,
        normalised=normalised,
        brain_mask=mask,
        corrected_brain=build.add(multiply(place, "corrected_brain", corrected, mask)).product(MASKED),
        normalised_brain=build.add(multiply(place, "normalised_brain", normalised, mask)).product(MASKED),
    )


def _normalised(build: ScanSteps, corrected: str) -> str:
    method, output = build.method, "normalised.nii.gz"
    step = imaging(
        build.place,
        "intensity_normalisation",
        "rescale",
        *("--input", Input("T1w.nii.gz", corrected), "--output", output),
        *("--range_min", repr(method.normalised_minimum), "--range_max", repr(method.normalised_maximum)),
        *("--clip_percent", repr(method.clip_percent)),
        outputs=(output,),
    )
    text = (
        f"Bias-corrected T1w, rescaled to {method.normalised_minimum:g}–{method.normalised_maximum:g} "
        f"with {method.clip_percent:g} % clipped at each end."
    )
    sidecar = sidecars.t1w_sidecar(text, build.sources(outputs.NUCOR_T1W))
    return build.add(step, build.export(output, outputs.PREPROC_T1W, sidecar)).product(output)


def _brain_mask(build: ScanSteps, clean: str, normalised: str) -> str:
    """The brain mask, by whichever way was chosen; every way ends in a step called ``brain_mask``."""
    step = {
        BrainExtraction.TEMPLATE: _mask_by_registration,
        BrainExtraction.BET: _mask_by_bet,
        BrainExtraction.GIVEN: _mask_given,
    }[build.method.brain_extraction](build, clean, normalised)
    sidecar = sidecars.brain_mask_sidecar(build.subject.scan, build.sources(outputs.PREPROC_T1W))
    return build.add(step, build.export(step.outputs[0], outputs.BRAIN_MASK, sidecar)).product(step.outputs[0])


def _mask_by_registration(build: ScanSteps, clean: str, normalised: str) -> Step:
    place, model = build.place, build.model
    seed = build.method.random_seed
    found = build.add(
        brain_registration(place, fixed=normalised, moving=model.t1w, seed=seed, debug=build.method.debug)
    )
    coarse = build.add(
        apply_to_image(
            place,
            "coarse_brain_mask",
            image=model.brain_mask,
            reference=normalised,
            transform=found.product(COMPOSITE),
            interpolation=PROBABILITY,
            output="probability.nii.gz",
        )
    )
    return imaging(
        place,
        "brain_mask",
        "refine-brain-mask",
        *("--image", Input("T1w.nii.gz", normalised)),
        *("--mask", Input("probability.nii.gz", coarse.product("probability.nii.gz"))),
        *("--output", "brain_mask.nii.gz"),
        outputs=("brain_mask.nii.gz",),
    )


def _mask_by_bet(build: ScanSteps, clean: str, normalised: str) -> Step:
    method = build.method
    return bet(build.place, image=normalised, frac=method.bet_frac, vertical_gradient=method.bet_vertical_gradient)


def _mask_given(build: ScanSteps, clean: str, normalised: str) -> Step:
    assert build.subject.brain_mask is not None
    return imaging(
        build.place,
        "brain_mask",
        "given-mask",
        *("--mask", Input("mask.nii.gz", build.subject.brain_mask), "--like_image", Input("T1w.nii.gz", clean)),
        *("--output", "brain_mask.nii.gz"),
        outputs=("brain_mask.nii.gz",),
    )


def _registration(
    build: ScanSteps, model: PreparedModel, images: _Images, warped: Derivative, prefix: str = ""
) -> _Transform:
    """Linear on brains, then SyN on heads."""
    place, method = build.place, build.method
    linear = build.add(
        linear_registration(
            place,
            kind=f"{prefix}linear_registration",
            fixed=images.normalised_brain,
            moving=model.brain,
            preset=method.preset,
            seed=method.random_seed,
        ),
        build.export(COMPOSITE, outputs.transform(model.space, "T1w", linear=True), None),
    )
    sources = build.sources(outputs.PREPROC_T1W)
    syn = build.add(
        nonlinear_registration(
            place,
            kind=f"{prefix}nonlinear_registration",
            fixed=images.normalised,
            moving=model.t1w,
            linear=linear.product(COMPOSITE),
            preset=method.preset,
            seed=method.random_seed,
        ),
        build.export(COMPOSITE, outputs.transform(model.space, "T1w"), None),
        build.export(INVERSE_COMPOSITE, outputs.transform("T1w", model.space), None),
        build.export(WARPED, warped, sidecars.t1w_sidecar(f"{model.space}, warped to the scan.", sources)),
    )
    return _Transform(model_to_scan=syn.product(COMPOSITE), scan_to_model=syn.product(INVERSE_COMPOSITE))


def _main_transform(build: ScanSteps) -> _Transform:
    step = next(step for step in build.steps if step.kind == "nonlinear_registration")
    return _Transform(model_to_scan=step.product(COMPOSITE), scan_to_model=step.product(INVERSE_COMPOSITE))


def _warp(
    build: ScanSteps,
    kind: str,
    image: Source,
    images: _Images,
    xfm: _Transform,
    interpolation: str,
    *exports: Export,
) -> str:
    output = f"{kind}.nii.gz"
    step = apply_to_image(
        build.place,
        kind,
        image=image,
        reference=images.corrected,
        transform=xfm.model_to_scan,
        interpolation=interpolation,
        output=output,
    )
    return build.add(step, *exports).product(output)


def _statistics(
    build: ScanSteps, kind: str, labels: Source, table: Source, derivative: Derivative, images: _Images
) -> None:
    """Voxels, volume and mean intensity of each label of the table."""
    output = "stats.tsv"
    step = imaging(
        build.place,
        kind,
        "statistics",
        *("--labels", Input("labels.nii.gz", labels), "--labels_table", Input("labels.tsv", table)),
        *("--image", Input("T1w.nii.gz", images.corrected), "--output", output),
        outputs=(output,),
    )
    build.add(step, build.export(output, derivative, sidecars.stats_sidecar()))


def _model_brain(build: ScanSteps, images: _Images, xfm: _Transform) -> None:
    sidecar = sidecars.brain_mask_sidecar(build.subject.scan, build.sources(outputs.PREPROC_T1W))
    export = build.export("warped_brain_mask.nii.gz", outputs.WARPED_MODEL_BRAIN_MASK, sidecar)
    mask = _warp(build, "warped_brain_mask", build.model.brain_mask, images, xfm, MASK, export)
    _statistics(build, "brain_statistics", mask, BRAIN_LABEL, outputs.BRAIN_STATS, images)


def _tissue(build: ScanSteps, images: _Images, xfm: _Transform) -> str:
    """Samples at the tags start a Gaussian a class, Atropos labels the brain."""
    place, model, scan = build.place, build.model, build.subject.scan
    assert model.tags is not None and model.tag_points is not None
    points = build.add(apply_to_points(place, points=model.tag_points, inverse=xfm.scan_to_model))
    mask = Input("mask.nii.gz", images.brain_mask)
    samples = imaging(
        place,
        "tissue_samples",
        "sample-tags",
        *("--points", Input("points.csv", points.product("points.csv")), "--tags", Input("tags.tsv", model.tags.path)),
        *("--image", Input("T1w.nii.gz", images.corrected_brain), "--mask", mask, "--output", "features.tsv"),
        outputs=("features.tsv",),
    )
    table = outputs.TISSUE_FEATURES
    features = build.add(samples, build.export("features.tsv", table, sidecars.features_sidecar()))
    start = build.add(
        imaging(
            place,
            "tissue_start",
            "classify",
            *("--image", Input("T1w.nii.gz", images.corrected_brain), "--mask", mask),
            *("--features", Input("features.tsv", features.product("features.tsv")), "--output", "initial.nii.gz"),
            outputs=("initial.nii.gz",),
        )
    )
    sources = build.sources(outputs.NUCOR_T1W, outputs.BRAIN_MASK)
    names = build.tissues.names
    segmented = build.add(
        atropos(
            place,
            image=images.corrected_brain,
            mask=images.brain_mask,
            initial=start.product("initial.nii.gz"),
            n_classes=build.tissues.n_classes,
        ),
        *(
            build.export(
                posterior(index),
                outputs.image("probseg", label=name),
                sidecars.probseg_sidecar(scan, name, sources),
            )
            for index, name in names.items()
        ),
    )
    labels = imaging(
        place,
        "tissue_labels",
        "to-integer",
        *("--input", Input("segmentation.nii.gz", segmented.product(SEGMENTATION)), "--output", "tissue.nii.gz"),
        outputs=("tissue.nii.gz",),
    )
    labels = _reading(labels, Input("labels.tsv", model.tags.labels))
    exports = _dseg(build, "tissue.nii.gz", "in/labels.tsv", outputs.TISSUE_DSEG, "Tissue classes (Atropos).", sources)
    return build.add(labels, *exports).product("tissue.nii.gz")


def _dseg(
    build: ScanSteps, image: str, table: str, derivative: Derivative, description: str, sources: list[str]
) -> tuple[Export, Export]:
    """A label image and, beside it, the table of its labels."""
    scan = build.subject.scan
    sidecar = sidecars.dseg_sidecar(scan, description, sources)
    return build.export(image, derivative, sidecar), Export(table, str(derivative.label_table(scan)))


def _lobes(build: ScanSteps, images: _Images, xfm: _Transform, tissue: str) -> None:
    place, model = build.place, build.model
    assert model.lobes is not None and model.tags is not None
    lobes = _atlas(build, "lobes", model.lobes, model.space, images, xfm, outputs.LOBES_DSEG, "Lobes of the model.")
    combined, table = "tissue_lobes.nii.gz", "labels.tsv"
    step = imaging(
        place,
        "tissue_lobes",
        "combine",
        *("--tissue", Input("tissue.nii.gz", tissue), "--lobes", Input("lobes.nii.gz", lobes)),
        *("--tissue_labels", Input("tissue.tsv", model.tags.labels)),
        *("--lobe_labels", Input("lobes.tsv", model.lobes.table)),
        *("--output", combined, "--output_labels", table),
        outputs=(combined, table),
    )
    sources = build.sources(outputs.TISSUE_DSEG, outputs.LOBES_DSEG)
    step = build.add(step, *_dseg(build, combined, table, outputs.TISSUELOBES_DSEG, "Tissue by lobe.", sources))
    stats = outputs.TISSUELOBES_STATS
    _statistics(build, "tissue_lobes_statistics", step.product(combined), step.product(table), stats, images)


def _atlas(
    build: ScanSteps,
    kind: str,
    labels: PreparedLabels,
    space: str,
    images: _Images,
    xfm: _Transform,
    derivative: Derivative,
    description: str,
) -> str:
    """A label map of the model on the scan, with its table."""
    sources = build.sources(outputs.PREPROC_T1W, outputs.transform(space, "T1w"))
    output = f"{kind}.nii.gz"
    step = apply_to_image(
        build.place,
        kind,
        image=labels.image,
        reference=images.corrected,
        transform=xfm.model_to_scan,
        interpolation=LABELS,
        output=output,
    )
    step = _reading(step, Input("labels.tsv", labels.table))
    return build.add(step, *_dseg(build, output, "in/labels.tsv", derivative, description, sources)).product(output)


def _subcortex(build: ScanSteps, images: _Images, xfm: _Transform, space: str, labels: PreparedLabels) -> None:
    derivative, text = outputs.subcortex_dseg(space), "Subcortical structures of the model."
    image = _atlas(build, "subcortex", labels, space, images, xfm, derivative, text)
    stats = outputs.subcortex_stats(space)
    _statistics(build, "subcortex_statistics", image, labels.table, stats, images)


def _intracranial(build: ScanSteps, images: _Images, xfm: _Transform) -> None:
    assert build.model.intracranial_mask is not None
    sidecar = sidecars.intracranial_mask_sidecar(build.subject.scan, build.sources(outputs.PREPROC_T1W))
    export = build.export("intracranial_mask.nii.gz", outputs.INTRACRANIAL_MASK, sidecar)
    mask = _warp(build, "intracranial_mask", build.model.intracranial_mask, images, xfm, MASK, export)
    _statistics(build, "intracranial_statistics", mask, INTRACRANIAL_LABEL, outputs.INTRACRANIAL_STATS, images)


def _exporting(step: Step, exports: tuple[Export, ...]) -> Step:
    return replace(step, exports=exports) if exports else step


def _reading(step: Step, item: Input) -> Step:
    return replace(step, inputs=(*step.inputs, item))
