"""What the registration brings to the scan, and what is measured there: tissue, lobes, nuclei, masks, statistics."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tntpipe.bids import outputs, sidecars
from tntpipe.bids.outputs import Derivative
from tntpipe.pipeline.build import Images, ScanSteps, Tissues, Transform, reading
from tntpipe.pipeline.method import BrainExtraction
from tntpipe.pipeline.model_steps import MASKED, PreparedLabels, multiply
from tntpipe.pipeline.preprocessing import SCALE
from tntpipe.steps.arithmetic import imaging
from tntpipe.steps.step import Export, Input, Source
from tntpipe.steps.tissue import SEGMENTATION, atropos, posterior
from tntpipe.steps.transforms import LABELS, MASK, PROBABILITY, Link, apply_to_image, apply_to_points

_LABELS = Path(str(resources.files("tntpipe"))) / "data" / "labels"
BRAIN_LABEL, INTRACRANIAL_LABEL = _LABELS / "brain_labels.tsv", _LABELS / "intracranial_labels.tsv"
"""The one-line label tables of masks."""


def carry(
    build: ScanSteps, kind: str, image: Source, reference: str, xfm: Transform, interpolation: str, *exports: Export
) -> str:
    """An image of the model on the scan's voxels."""
    output = f"{kind}.nii.gz"
    step = apply_to_image(
        build.place,
        kind,
        image=image,
        reference=reference,
        transforms=(Link(xfm.model_to_scan),),
        interpolation=interpolation,
        output=output,
    )
    return build.add(step, *exports).product(output)


def add_statistics(
    build: ScanSteps, kind: str, labels: Source, table: Source, derivative: Derivative, image: str
) -> None:
    """Voxels, volume and mean intensity of each label of the table."""
    output = "stats.tsv"
    step = imaging(
        build.place,
        kind,
        "statistics",
        *("--labels", Input("labels.nii.gz", labels), "--labels_table", Input("labels.tsv", table)),
        *("--image", Input("T1w.nii.gz", image), "--output", output),
        outputs=(output,),
    )
    build.add(step, build.export(output, derivative, sidecars.stats_sidecar()))


def carry_model(build: ScanSteps, tissues: Tissues, xfm: Transform) -> None:
    """The model's head and brain mask on the scan, to look at beside it."""
    model, sources = build.model, build.sources(outputs.NUCOR_T1W, build.transform_to_scan)
    sidecar = sidecars.t1w_sidecar(f"{model.space}, warped to the scan.", sources)
    export = build.export("warped_model.nii.gz", outputs.WARPED_MODEL, sidecar)
    carry(build, "warped_model", model.t1w, tissues.corrected, xfm, PROBABILITY, export)
    export = build.export(
        "warped_brain_mask.nii.gz",
        outputs.WARPED_MODEL_BRAIN_MASK,
        sidecars.brain_mask_sidecar(build.subject.scan, sources),
    )
    mask = carry(build, "warped_brain_mask", model.brain_mask, tissues.corrected, xfm, MASK, export)
    stats = outputs.WARPED_MODEL_BRAIN_STATS
    add_statistics(build, "warped_brain_statistics", mask, BRAIN_LABEL, stats, tissues.corrected)


def sample_tissue(build: ScanSteps, image: str, mask: str, xfm: Transform) -> str:
    """The intensities at the model's tags: what the tissues look like, or an error where they cannot be told apart."""
    place, model = build.place, build.model
    assert model.tags is not None and model.tag_points is not None
    points = build.add(apply_to_points(place, points=model.tag_points, inverse=Link(xfm.scan_to_model)))
    brain = build.add(multiply(place, "corrected_brain", image, mask)).product(MASKED)
    samples = imaging(
        place,
        "tissue_samples",
        "sample-tags",
        *("--points", Input("points.csv", points.product("points.csv")), "--tags", Input("tags.tsv", model.tags.path)),
        *("--tissue_labels", Input("tissues.tsv", model.tags.labels)),
        *("--image", Input("T1w.nii.gz", brain), "--mask", Input("mask.nii.gz", mask), "--output", "features.tsv"),
        outputs=("features.tsv",),
    )
    table = outputs.TISSUE_FEATURES
    step = build.add(samples, build.export("features.tsv", table, sidecars.features_sidecar()))
    return step.product("features.tsv")


def segment(build: ScanSteps, images: Images, xfm: Transform, samples: str) -> Tissues:
    """Tissues and structures by the model's probabilities and the scan's intensities together.

    It follows the samples at the tags, so that a scan whose tissues cannot be told apart there gets no figures.
    """
    model, scan, method = build.model, build.subject.scan, build.method
    assert model.tags is not None
    given = method.brain_extraction is not BrainExtraction.TEMPLATE
    names = build.tissues.names
    table = model.subcortex.table if model.subcortex and model.nuclei_by_priors else model.tags.labels
    files = ("corrected", "brain_mask", "tissue", "structures", "subcortex", *(f"posterior{index}" for index in names))
    outputs_of = {name: f"segmented_{name}.nii.gz" for name in files}
    step = build.by_atlas(
        "segmentation",
        "segment",
        images.corrected,
        xfm.model_to_scan,
        *("--tissue_labels", Input("tissues.tsv", model.tags.labels), "--subcortex_labels", Input("nuclei.tsv", table)),
        *(("--mask", Input("mask.nii.gz", images.brain_mask)) if given else ()),
        *("--output", "segmented_"),
        outputs=tuple(outputs_of.values()),
    )
    sources = build.sources(build.transform_to_scan)
    text = f"Bias-corrected T1w (N4, then the field that the tissues show); {SCALE}."
    exports = [
        build.export(outputs_of["corrected"], outputs.NUCOR_T1W, sidecars.t1w_sidecar(text, build.sources())),
        *label_exports(
            build,
            outputs_of["tissue"],
            "in/tissues.tsv",
            outputs.TISSUE_DSEG,
            "Tissue classes (atlas, intensities and field together).",
            sources,
        ),
    ]
    exports += [
        build.export(
            outputs_of[f"posterior{index}"], outputs.probseg(name), sidecars.probseg_sidecar(scan, name, sources)
        )
        for index, name in names.items()
    ]
    text = "All structures of the atlas within the brain mask, by the rows of its table."
    derivative = outputs.structures_dseg(model.space)
    exports += label_exports(build, outputs_of["structures"], "in/priors.tsv", derivative, text, sources)
    if not given:
        sidecar = sidecars.brain_mask_sidecar(scan, sources)
        exports.append(build.export(outputs_of["brain_mask"], outputs.BRAIN_MASK, sidecar))
    if method.subcortical and model.nuclei_by_priors:
        text = "Subcortical structures (atlas and intensities together)."
        derivative = outputs.subcortex_dseg(model.space)
        exports += label_exports(build, outputs_of["subcortex"], "in/nuclei.tsv", derivative, text, sources)
    step = build.add(reading(step, Input("features.tsv", samples)), *exports)
    return Tissues(
        corrected=step.product(outputs_of["corrected"]),
        brain_mask=step.product(outputs_of["brain_mask"]),
        tissue=step.product(outputs_of["tissue"]),
        subcortex=step.product(outputs_of["subcortex"]),
    )


def classify(build: ScanSteps, images: Images, xfm: Transform) -> Tissues:
    """Samples at the tags start a Gaussian a class, Atropos labels the brain: for models without probabilities."""
    place, model, scan = build.place, build.model, build.subject.scan
    assert model.tags is not None
    features = sample_tissue(build, images.corrected, images.brain_mask, xfm)
    mask = Input("mask.nii.gz", images.brain_mask)
    brain = f"{place.folder}/corrected_brain/{MASKED}"
    start = build.add(
        imaging(
            place,
            "tissue_start",
            "classify",
            *("--image", Input("T1w.nii.gz", brain), "--mask", mask),
            *("--features", Input("features.tsv", features), "--output", "initial.nii.gz"),
            outputs=("initial.nii.gz",),
        )
    )
    sources = build.sources(outputs.NUCOR_T1W, outputs.BRAIN_MASK)
    segmented = build.add(
        atropos(
            place,
            image=brain,
            mask=images.brain_mask,
            initial=start.product("initial.nii.gz"),
            n_classes=build.tissues.n_classes,
        ),
        *(
            build.export(posterior(index), outputs.probseg(name), sidecars.probseg_sidecar(scan, name, sources))
            for index, name in build.tissues.names.items()
        ),
    )
    labels = imaging(
        place,
        "tissue_labels",
        "to-integer",
        *("--input", Input("segmentation.nii.gz", segmented.product(SEGMENTATION)), "--output", "tissue.nii.gz"),
        outputs=("tissue.nii.gz",),
    )
    labels = reading(labels, Input("labels.tsv", model.tags.labels))
    text = "Tissue classes (Atropos)."
    exports = label_exports(build, "tissue.nii.gz", "in/labels.tsv", outputs.TISSUE_DSEG, text, sources)
    tissue = build.add(labels, *exports).product("tissue.nii.gz")
    return Tissues(corrected=images.corrected, brain_mask=images.brain_mask, tissue=tissue)


def add_totals(build: ScanSteps, tissues: Tissues) -> None:
    """Volumes of the brain mask and of each tissue in it, whether or not it lies in a lobe."""
    assert build.model.tags is not None
    image = tissues.corrected
    add_statistics(build, "brain_statistics", tissues.brain_mask, BRAIN_LABEL, outputs.BRAIN_STATS, image)
    table = build.model.tags.labels
    add_statistics(build, "tissue_statistics", tissues.tissue, table, outputs.TISSUE_STATS, image)


def label_exports(
    build: ScanSteps, image: str, table: str, derivative: Derivative, description: str, sources: list[str]
) -> tuple[Export, Export]:
    """A label image and, beside it, the table of its labels."""
    scan = build.subject.scan
    sidecar = sidecars.dseg_sidecar(scan, description, sources)
    return build.export(image, derivative, sidecar), Export(table, str(derivative.label_table(scan)))


def add_lobes(build: ScanSteps, tissues: Tissues, xfm: Transform) -> None:
    place, model = build.place, build.model
    assert model.lobes is not None and model.tags is not None
    text = "Lobes of the model."
    lobes = carry_labels(
        build, "lobes", model.lobes, tissues.corrected, xfm, build.transform_to_scan, outputs.LOBES_DSEG, text
    )
    combined, table = "tissue_lobes.nii.gz", "labels.tsv"
    step = imaging(
        place,
        "tissue_lobes",
        "combine",
        *("--tissue", Input("tissue.nii.gz", tissues.tissue), "--lobes", Input("lobes.nii.gz", lobes)),
        *("--tissue_labels", Input("tissue.tsv", model.tags.labels)),
        *("--lobe_labels", Input("lobes.tsv", model.lobes.table)),
        *("--output", combined, "--output_labels", table),
        outputs=(combined, table),
    )
    sources = build.sources(outputs.TISSUE_DSEG, outputs.LOBES_DSEG)
    step = build.add(step, *label_exports(build, combined, table, outputs.TISSUELOBES_DSEG, "Tissue by lobe.", sources))
    stats = outputs.TISSUELOBES_STATS
    add_statistics(
        build, "tissue_lobes_statistics", step.product(combined), step.product(table), stats, tissues.corrected
    )


def carry_labels(
    build: ScanSteps,
    kind: str,
    labels: PreparedLabels,
    reference: str,
    xfm: Transform,
    transform: Derivative,
    derivative: Derivative,
    description: str,
) -> str:
    """A label map of the model on the scan, with its table."""
    sources = build.sources(outputs.NUCOR_T1W, transform)
    output = f"{kind}.nii.gz"
    step = apply_to_image(
        build.place,
        kind,
        image=labels.image,
        reference=reference,
        transforms=(Link(xfm.model_to_scan),),
        interpolation=LABELS,
        output=output,
    )
    step = reading(step, Input("labels.tsv", labels.table))
    exports = label_exports(build, output, "in/labels.tsv", derivative, description, sources)
    return build.add(step, *exports).product(output)


def add_subcortex(build: ScanSteps, tissues: Tissues, xfm: Transform, space: str, labels: PreparedLabels) -> None:
    """A label map that comes by registration alone: of a second model, or a user's own."""
    derivative, text = outputs.subcortex_dseg(space), "Subcortical structures of the model."
    transform = outputs.transform(space, "T1w")
    image = carry_labels(build, "subcortex", labels, tissues.corrected, xfm, transform, derivative, text)
    stats = outputs.subcortex_stats(space)
    add_statistics(build, "subcortex_statistics", image, labels.table, stats, tissues.corrected)


def add_intracranial_mask(build: ScanSteps, tissues: Tissues, xfm: Transform) -> None:
    assert build.model.intracranial_mask is not None
    sidecar = sidecars.intracranial_mask_sidecar(build.subject.scan, build.sources(outputs.NUCOR_T1W))
    export = build.export("intracranial_mask.nii.gz", outputs.INTRACRANIAL_MASK, sidecar)
    mask = carry(build, "intracranial_mask", build.model.intracranial_mask, tissues.corrected, xfm, MASK, export)
    add_statistics(
        build, "intracranial_statistics", mask, INTRACRANIAL_LABEL, outputs.INTRACRANIAL_STATS, tissues.corrected
    )


def add_nuclei(build: ScanSteps, tissues: Tissues) -> None:
    """Statistics of the subcortical structures that the segmentation found."""
    model = build.model
    assert model.subcortex is not None and tissues.subcortex is not None
    table, stats = model.subcortex.table, outputs.subcortex_stats(model.space)
    add_statistics(build, "subcortex_statistics", tissues.subcortex, table, stats, tissues.corrected)
