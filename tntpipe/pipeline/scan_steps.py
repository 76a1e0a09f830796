"""The steps of one scan, in the order of the method.

Registrations have the scan as fixed image. What lies in model space comes to the scan by the displacement field; points
come by its inverse. Each derivative is exported by the step that makes it, so that it is there as soon as it
exists.
"""

from __future__ import annotations

from dataclasses import replace

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
    AFFINE,
    INVERSE_WARP_ALONE,
    TISSUE_GRID_MM,
    TISSUES,
    WARP_ALONE,
    carrying,
    carrying_back,
    linear_registration,
    nonlinear_registration,
    tissue_registration,
)
from tntpipe.steps.step import Input, Step
from tntpipe.steps.transforms import DISPLACEMENT, PROBABILITY, Chain, Link, apply_to_image, displacement_field


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
    syn = register(build, model, images)
    there: Chain = carrying(syn)
    back: Chain = carrying_back(syn)
    if model.priors is None:
        xfm = as_fields(build, model, images, there, back)
        return classify(build, images, xfm), xfm
    by_tissue = _registered_by_tissue(build, images, there)
    there = (Link(by_tissue.product(WARP_ALONE)), *there)
    back = (*back, Link(by_tissue.product(INVERSE_WARP_ALONE)))
    xfm = as_fields(build, model, images, there, back)
    samples = sample_tissue(build, images.corrected, images.brain_mask, xfm)
    return segment(build, images, xfm, samples), xfm


def register(build: ScanSteps, model: PreparedModel, images: Images, *, prefix: str = "") -> Step:
    """Linear, then SyN, of brains."""
    method = build.method
    place = build.place if method.preset.grid_mm is None else replace(build.place, voxel_mm=method.preset.grid_mm)
    linear = build.add(
        linear_registration(
            place,
            kind=f"{prefix}linear_registration",
            fixed=images.brain,
            moving=model.brain,
            preset=method.preset,
            seed=method.random_seed,
        ),
        build.export(AFFINE, outputs.transform(model.space, "T1w", linear=True), None),
    )
    return build.add(
        nonlinear_registration(
            place,
            kind=f"{prefix}nonlinear_registration",
            fixed=images.brain,
            moving=model.brain,
            linear=linear.product(AFFINE),
            preset=method.preset,
            seed=method.random_seed,
        )
    )


def _registered_by_tissue(build: ScanSteps, images: Images, there: Chain) -> Step:
    """The registration that carries the tissues of the first transform to where they were found."""
    model, place = build.model, build.place
    assert model.tissue_maps is not None
    field = displacement_field(
        place, "first_displacement", image=model.t1w, reference=images.corrected, transforms=there
    )
    maps = build.add(
        build.by_atlas(
            "tissue_maps",
            "tissue-maps",
            images.corrected,
            build.add(field).product(DISPLACEMENT),
            *("--mask", Input("mask.nii.gz", images.brain_mask), "--output", "tissue_"),
            *("--grid_mm", f"{TISSUE_GRID_MM:g}"),
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
            transforms=there,
            interpolation=PROBABILITY,
            output=tissue_map(tissue),
        )
        expected[tissue] = build.add(carried).product(tissue_map(tissue))
    seed, debug = build.method.random_seed, build.method.debug
    place = replace(place, voxel_mm=TISSUE_GRID_MM)
    return build.add(tissue_registration(place, fixed=found, moving=expected, seed=seed, debug=debug))


def as_fields(
    build: ScanSteps, model: PreparedModel, images: Images, there: Chain, back: Chain, *, prefix: str = ""
) -> Transform:
    """Both ways between a model and the scan, each as the one displacement field that is published."""
    scan, place = images.corrected, build.place
    forward = displacement_field(place, f"{prefix}displacement", image=model.t1w, reference=scan, transforms=there)
    backward = displacement_field(
        place, f"{prefix}inverse_displacement", image=scan, reference=model.t1w, transforms=back
    )
    to_scan, to_model = outputs.transform(model.space, "T1w"), outputs.transform("T1w", model.space)
    return Transform(
        model_to_scan=build.add(forward, build.export(DISPLACEMENT, to_scan, None)).product(DISPLACEMENT),
        scan_to_model=build.add(backward, build.export(DISPLACEMENT, to_model, None)).product(DISPLACEMENT),
    )


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
        syn = register(build, other, images, prefix="subcortical_")
        second = as_fields(build, other, images, carrying(syn), carrying_back(syn), prefix="subcortical_")
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
