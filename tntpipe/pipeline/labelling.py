"""What the registration brings to the scan, and what is measured there: tissue, lobes, nuclei, masks, statistics."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tntpipe.bids import outputs, sidecars
from tntpipe.bids.outputs import Derivative
from tntpipe.pipeline.build import Images, ScanSteps, Transform, reading
from tntpipe.pipeline.model_steps import PreparedLabels
from tntpipe.steps.arithmetic import imaging
from tntpipe.steps.step import Export, Input, Source
from tntpipe.steps.tissue import SEGMENTATION, atropos, posterior
from tntpipe.steps.transforms import LABELS, MASK, apply_to_image, apply_to_points

_LABELS = Path(str(resources.files("tntpipe"))) / "data" / "labels"
BRAIN_LABEL, INTRACRANIAL_LABEL = _LABELS / "brain_labels.tsv", _LABELS / "intracranial_labels.tsv"
"""The one-line label tables of masks."""


def carry(
    build: ScanSteps,
    kind: str,
    image: Source,
    images: Images,
    xfm: Transform,
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


def add_statistics(
    build: ScanSteps, kind: str, labels: Source, table: Source, derivative: Derivative, images: Images
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


def carry_brain_mask(build: ScanSteps, images: Images, xfm: Transform) -> None:
    sidecar = sidecars.brain_mask_sidecar(build.subject.scan, build.sources(outputs.PREPROC_T1W))
    export = build.export("warped_brain_mask.nii.gz", outputs.WARPED_MODEL_BRAIN_MASK, sidecar)
    mask = carry(build, "warped_brain_mask", build.model.brain_mask, images, xfm, MASK, export)
    add_statistics(build, "brain_statistics", mask, BRAIN_LABEL, outputs.BRAIN_STATS, images)


def classify_tissue(build: ScanSteps, images: Images, xfm: Transform) -> str:
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
        *("--tissue_labels", Input("tissues.tsv", model.tags.labels)),
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
                outputs.probseg(name),
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
    labels = reading(labels, Input("labels.tsv", model.tags.labels))
    text = "Tissue classes (Atropos)."
    exports = label_exports(build, "tissue.nii.gz", "in/labels.tsv", outputs.TISSUE_DSEG, text, sources)
    return build.add(labels, *exports).product("tissue.nii.gz")


def label_exports(
    build: ScanSteps, image: str, table: str, derivative: Derivative, description: str, sources: list[str]
) -> tuple[Export, Export]:
    """A label image and, beside it, the table of its labels."""
    scan = build.subject.scan
    sidecar = sidecars.dseg_sidecar(scan, description, sources)
    return build.export(image, derivative, sidecar), Export(table, str(derivative.label_table(scan)))


def add_lobes(build: ScanSteps, images: Images, xfm: Transform, tissue: str) -> None:
    place, model = build.place, build.model
    assert model.lobes is not None and model.tags is not None
    text = "Lobes of the model."
    lobes = carry_labels(build, "lobes", model.lobes, model.space, images, xfm, outputs.LOBES_DSEG, text)
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
    step = build.add(step, *label_exports(build, combined, table, outputs.TISSUELOBES_DSEG, "Tissue by lobe.", sources))
    stats = outputs.TISSUELOBES_STATS
    add_statistics(build, "tissue_lobes_statistics", step.product(combined), step.product(table), stats, images)


def carry_labels(
    build: ScanSteps,
    kind: str,
    labels: PreparedLabels,
    space: str,
    images: Images,
    xfm: Transform,
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
    step = reading(step, Input("labels.tsv", labels.table))
    exports = label_exports(build, output, "in/labels.tsv", derivative, description, sources)
    return build.add(step, *exports).product(output)


def add_subcortex(build: ScanSteps, images: Images, xfm: Transform, space: str, labels: PreparedLabels) -> None:
    derivative, text = outputs.subcortex_dseg(space), "Subcortical structures of the model."
    image = carry_labels(build, "subcortex", labels, space, images, xfm, derivative, text)
    stats = outputs.subcortex_stats(space)
    add_statistics(build, "subcortex_statistics", image, labels.table, stats, images)


def add_intracranial_mask(build: ScanSteps, images: Images, xfm: Transform) -> None:
    assert build.model.intracranial_mask is not None
    sidecar = sidecars.intracranial_mask_sidecar(build.subject.scan, build.sources(outputs.PREPROC_T1W))
    export = build.export("intracranial_mask.nii.gz", outputs.INTRACRANIAL_MASK, sidecar)
    mask = carry(build, "intracranial_mask", build.model.intracranial_mask, images, xfm, MASK, export)
    add_statistics(build, "intracranial_statistics", mask, INTRACRANIAL_LABEL, outputs.INTRACRANIAL_STATS, images)
