"""The steps of one scan, in the order of the method.

Registrations have the scan as fixed image. What lies in model space comes to the scan by the composite transform;
points come by its inverse. Each derivative is exported by the step that makes it, so that it is there as soon as it
exists.
"""

from __future__ import annotations

from tntpipe.bids import outputs, sidecars
from tntpipe.pipeline.build import Images, ScanSteps, Subject, TissueClasses, Tissues, Transform
from tntpipe.pipeline.labelling import (
    add_intracranial_mask,
    add_lobes,
    add_nuclei,
    add_subcortex,
    add_totals,
    carry,
    carry_model,
    classify,
    sample_tissue,
    segment,
)
from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model_steps import PreparedModel, tissue_map
from tntpipe.pipeline.preprocessing import normalisation, preprocess
from tntpipe.steps.registration import (
    COMPOSITE,
    INVERSE_COMPOSITE,
    TISSUES,
    linear_registration,
    nonlinear_registration,
    tissue_registration,
)
from tntpipe.steps.step import Input, Step
from tntpipe.steps.transforms import DISPLACEMENT, PROBABILITY, apply_to_image, displacement_field


def scan_steps(
    subject: Subject,
    model: PreparedModel,
    subcortical_model: PreparedModel | None,
    method: Method,
    tissues: TissueClasses,
) -> tuple[Step, ...]:
    """All steps of one scan.

    ``subcortical_model`` is given where the subcortical labels live in another space than ``model``; it costs a second
    registration. Otherwise they come by the first one, or from the model's probabilities.
    """
    build = ScanSteps(subject=subject, model=model, method=method, tissues=tissues)
    images = preprocess(build)
    found, xfm = find_tissues(build, images)
    _publish_normalised(build, found)
    carry_model(build, found, xfm)
    add_totals(build, found)
    add_lobes(build, found, xfm)
    if method.subcortical:
        _add_subcortical_structures(build, images, found, xfm, subcortical_model)
    if method.intracranial_volume:
        add_intracranial_mask(build, found, xfm)
    return tuple(build.steps)


def find_tissues(build: ScanSteps, images: Images) -> tuple[Tissues, Transform]:
    """The tissues, and the transform of the model that is final with them."""
    model = build.model
    if model.priors is None:
        xfm = register(build, model, images, final=True)
        return classify(build, images, xfm), xfm
    first = register(build, model, images, final=False)
    xfm = _registered_by_tissue(build, images, first)
    samples = sample_tissue(build, images.corrected, images.brain_mask, xfm)
    return segment(build, images, xfm, samples), xfm


def register(build: ScanSteps, model: PreparedModel, images: Images, *, final: bool, prefix: str = "") -> Transform:
    """Linear, then SyN, of brains; ``final`` where the transforms are the ones to publish."""
    place, method = build.place, build.method
    linear = build.add(
        linear_registration(
            place,
            kind=f"{prefix}linear_registration",
            fixed=images.brain,
            moving=model.brain,
            preset=method.preset,
            seed=method.random_seed,
        ),
        build.export(COMPOSITE, outputs.transform(model.space, "T1w", linear=True), None),
    )
    syn = nonlinear_registration(
        place,
        kind=f"{prefix}nonlinear_registration",
        fixed=images.brain,
        moving=model.brain,
        linear=linear.product(COMPOSITE),
        preset=method.preset,
        seed=method.random_seed,
    )
    return _published(build, model, syn) if final else _transform(build.add(syn))


def _registered_by_tissue(build: ScanSteps, images: Images, first: Transform) -> Transform:
    """The first transform, followed by the one that carries its tissues to where they were found."""
    model, place = build.model, build.place
    assert model.tissue_maps is not None
    field = displacement_field(
        place, "first_displacement", image=model.t1w, reference=images.corrected, transforms=[first.model_to_scan]
    )
    maps = build.add(
        build.by_atlas(
            "tissue_maps",
            "tissue-maps",
            images.corrected,
            build.add(field).product(DISPLACEMENT),
            *("--mask", Input("mask.nii.gz", images.brain_mask), "--output", "tissue_"),
            outputs=tuple(tissue_map(tissue) for tissue in TISSUES),
        )
    )
    found = {tissue: maps.product(tissue_map(tissue)) for tissue in TISSUES}
    expected = {}
    for tissue in TISSUES:
        carried = apply_to_image(
            place,
            f"expected_{tissue}",
            image=model.tissue_maps[tissue],
            reference=found[tissue],
            transform=first.model_to_scan,
            interpolation=PROBABILITY,
            output=tissue_map(tissue),
        )
        expected[tissue] = build.add(carried).product(tissue_map(tissue))
    seed, debug = build.method.random_seed, build.method.debug
    step = build.add(tissue_registration(place, fixed=found, moving=expected, seed=seed, debug=debug))
    there = displacement_field(
        place,
        "displacement",
        image=model.t1w,
        reference=images.corrected,
        transforms=[step.product(COMPOSITE), first.model_to_scan],
    )
    back = displacement_field(
        place,
        "inverse_displacement",
        image=images.corrected,
        reference=model.t1w,
        transforms=[first.scan_to_model, step.product(INVERSE_COMPOSITE)],
    )
    forward, backward = (
        outputs.transform(model.space, "T1w", field=True),
        outputs.transform("T1w", model.space, field=True),
    )
    return Transform(
        model_to_scan=build.add(there, build.export(DISPLACEMENT, forward, None)).product(DISPLACEMENT),
        scan_to_model=build.add(back, build.export(DISPLACEMENT, backward, None)).product(DISPLACEMENT),
    )


def _published(build: ScanSteps, model: PreparedModel, step: Step) -> Transform:
    return _transform(
        build.add(
            step,
            build.export(COMPOSITE, outputs.transform(model.space, "T1w"), None),
            build.export(INVERSE_COMPOSITE, outputs.transform("T1w", model.space), None),
        )
    )


def _transform(step: Step) -> Transform:
    return Transform(model_to_scan=step.product(COMPOSITE), scan_to_model=step.product(INVERSE_COMPOSITE))


def _publish_normalised(build: ScanSteps, found: Tissues) -> None:
    method = build.method
    text = (
        f"Bias-corrected T1w, rescaled to {method.normalised_minimum:g}–{method.normalised_maximum:g} "
        f"with {method.clip_percent:g} % clipped at each end."
    )
    sidecar = sidecars.t1w_sidecar(text, build.sources(outputs.NUCOR_T1W))
    step = normalisation(build, "intensity_normalisation", found.corrected)
    build.add(step, build.export(step.outputs[0], outputs.PREPROC_T1W, sidecar))


def _add_subcortical_structures(
    build: ScanSteps, images: Images, found: Tissues, xfm: Transform, other: PreparedModel | None
) -> None:
    model = build.model
    if other is not None:
        second = register(build, other, images, final=True, prefix="subcortical_")
        assert other.subcortex is not None
        sources = build.sources(outputs.NUCOR_T1W, outputs.transform(other.space, "T1w"))
        sidecar = sidecars.t1w_sidecar(f"{other.space}, warped to the scan.", sources)
        name, image = outputs.warped_subcortical_model(other.space), "warped_subcortical_model"
        export = build.export(f"{image}.nii.gz", name, sidecar)
        carry(build, image, other.t1w, found.corrected, second, PROBABILITY, export)
        add_subcortex(build, found, second, other.space, other.subcortex)
    elif model.nuclei_by_priors and found.subcortex is not None:
        add_nuclei(build, found)
    else:
        assert model.subcortex is not None
        add_subcortex(build, found, xfm, model.space, model.subcortex)
