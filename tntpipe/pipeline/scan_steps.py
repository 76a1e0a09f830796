"""The steps of one scan, in the order of the method.

Registrations have the scan as fixed image. What lies in model space comes to the scan by the composite transform;
points come by its inverse. Each derivative is exported by the step that makes it, so that it is there as soon as it
exists.
"""

from __future__ import annotations

from tntpipe.bids import outputs, sidecars
from tntpipe.bids.outputs import Derivative
from tntpipe.pipeline.build import Images, ScanSteps, Subject, TissueClasses, Transform
from tntpipe.pipeline.labelling import (
    add_intracranial_mask,
    add_lobes,
    add_subcortex,
    carry_brain_mask,
    classify_tissue,
)
from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model_steps import PreparedModel
from tntpipe.pipeline.preprocessing import preprocess
from tntpipe.steps.registration import (
    COMPOSITE,
    INVERSE_COMPOSITE,
    WARPED,
    linear_registration,
    nonlinear_registration,
)
from tntpipe.steps.step import Step


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
    images = preprocess(build)
    xfm = register(build, model, images, outputs.WARPED_MODEL)
    carry_brain_mask(build, images, xfm)
    tissue = classify_tissue(build, images, xfm)
    add_lobes(build, images, xfm, tissue)
    if method.subcortical:
        if subcortical_model is not None:
            name = outputs.warped_subcortical_model(subcortical_model.space)
            second = register(build, subcortical_model, images, name, prefix="subcortical_")
        source, from_source = (subcortical_model, second) if subcortical_model is not None else (model, xfm)
        assert source.subcortex is not None
        add_subcortex(build, images, from_source, source.space, source.subcortex)
    if method.intracranial_volume:
        add_intracranial_mask(build, images, xfm)
    return tuple(build.steps)


def register(build: ScanSteps, model: PreparedModel, images: Images, warped: Derivative, prefix: str = "") -> Transform:
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
    return Transform(model_to_scan=syn.product(COMPOSITE), scan_to_model=syn.product(INVERSE_COMPOSITE))
