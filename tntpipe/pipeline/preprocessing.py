"""From the raw scan to its brain: one orientation, one range of intensities, even intensities, and a brain mask to
register with.

The head is corrected first, then registered as a whole to know about where the brain is. With a model that has
probabilities, the tissues that they find there show what is left of the field, and the head is registered again;
without, N4 looks once more within the brain mask.
"""

from __future__ import annotations

from tntpipe.bids import outputs, sidecars
from tntpipe.pipeline.build import Images, ScanSteps
from tntpipe.pipeline.method import BrainExtraction
from tntpipe.pipeline.model_steps import CLEAN, clean_header
from tntpipe.steps.arithmetic import image_input, imaging
from tntpipe.steps.bet import bet
from tntpipe.steps.bias import FIELD, N4_INPUT_MM, bias_field
from tntpipe.steps.registration import AFFINE, brain_registration, head_registration
from tntpipe.steps.step import Input, Step
from tntpipe.steps.transforms import DISPLACEMENT, PROBABILITY, Link, apply_to_image, displacement_field

CORRECTED, BRAIN = "corrected.nii.gz", "brain.nii.gz"
SCALE = "air is 0, the middle of the head near 500"
"""Of every image after the first step that changes intensities."""


def preprocess(build: ScanSteps) -> Images:
    """The images that the registration of the model reads."""
    place, method = build.place, build.method
    clean = build.add(
        clean_header(place, "clean_header", build.subject.scan.path, method.max_shear_angle_rad),
        build.export(CLEAN, outputs.CLEAN_T1W, sidecars.t1w_sidecar("T1w with one orientation.", build.sources())),
    ).product(CLEAN)
    positive = _one_range(build, clean)
    head = _corrected_head(build, positive)
    rescaled = normalised(build, "head_intensities", head)
    if build.model.priors is not None:
        transform = _registered_head(build, rescaled)
        even = _corrected_by_tissue(build, head, transform)
        if method.brain_extraction is BrainExtraction.TEMPLATE:
            transform = _registered_again(build, even, transform)
        mask = _brain_mask(build, clean, even, transform)
    else:
        by_template = method.brain_extraction is BrainExtraction.TEMPLATE
        mask = _brain_mask(build, clean, rescaled, _registered_head(build, rescaled) if by_template else "")
        step = _without_field(build, head, mask, "brain_")
        text = f"Bias-corrected T1w (N4 in the head, then in the brain); {SCALE}."
        sidecar = sidecars.t1w_sidecar(text, build.sources(outputs.CLEAN_T1W))
        even = build.add(step, build.export(CORRECTED, outputs.NUCOR_T1W, sidecar)).product(CORRECTED)
    crop = imaging(
        place,
        "brain",
        "crop-brain",
        *("--image", Input("T1w.nii.gz", even), "--mask", Input("mask.nii.gz", mask), "--output", BRAIN),
        *method.preset.grid_words,
        outputs=(BRAIN,),
    )
    return Images(clean=clean, corrected=even, brain_mask=mask, brain=build.add(crop).product(BRAIN))


def _registered_head(build: ScanSteps, rescaled: str) -> str:
    model, method = build.model, build.method
    step = brain_registration(
        build.place, fixed=rescaled, moving=model.t1w, seed=method.random_seed, debug=method.debug
    )
    return build.add(step).product(AFFINE)


def _registered_again(build: ScanSteps, even: str, transform: str) -> str:
    model, method = build.model, build.method
    step = head_registration(
        build.place,
        fixed=even,
        moving=model.t1w,
        transform=transform,
        seed=method.random_seed,
        debug=method.debug,
    )
    return build.add(step).product(AFFINE)


def _one_range(build: ScanSteps, clean: str) -> str:
    output = "positive.nii.gz"
    words = ("--input", Input("T1w.nii.gz", clean), "--output", output)
    step = imaging(build.place, "positive_range", "to-positive-range", *words, outputs=(output,))
    return build.add(step).product(output)


def _corrected_head(build: ScanSteps, positive: str) -> str:
    output = "head_mask.nii.gz"
    words = ("--image", Input("T1w.nii.gz", positive), "--output", output)
    mask = build.add(imaging(build.place, "head_mask", "head-mask", *words, outputs=(output,))).product(output)
    return build.add(_without_field(build, positive, mask, "")).product(CORRECTED)


def _without_field(build: ScanSteps, image: str, mask: str, prefix: str) -> Step:
    """The step that takes N4's field off an image, after those that find it on a coarse grid."""
    coarse, coarse_mask = "coarse.nii.gz", "coarse_mask.nii.gz"
    grid = imaging(
        build.place,
        f"{prefix}bias_grid",
        "bias-grid",
        *("--image", Input("T1w.nii.gz", image), "--mask", Input("mask.nii.gz", mask)),
        *("--output_image", coarse, "--output_mask", coarse_mask, "--grid_mm", repr(N4_INPUT_MM)),
        outputs=(coarse, coarse_mask),
    )
    at = build.add(grid)
    field = bias_field(
        build.place,
        image=at.product(coarse),
        mask=at.product(coarse_mask),
        kind=f"{prefix}bias_field",
        debug=build.method.debug,
    )
    return imaging(
        build.place,
        f"{prefix}bias_correction",
        "divide-by-field",
        *("--image", Input("T1w.nii.gz", image), "--field", Input("field.nii.gz", build.add(field).product(FIELD))),
        *("--output", CORRECTED),
        outputs=(CORRECTED,),
    )


def _corrected_by_tissue(build: ScanSteps, head: str, transform: str) -> str:
    field = build.add(
        displacement_field(
            build.place, "head_displacement", image=build.model.t1w, reference=head, transforms=(Link(transform),)
        )
    )
    step = build.by_atlas(
        "tissue_bias_correction",
        "correct-by-tissue",
        head,
        field.product(DISPLACEMENT),
        *("--output", CORRECTED),
        outputs=(CORRECTED,),
    )
    return build.add(step).product(CORRECTED)


def normalised(build: ScanSteps, kind: str, image: str) -> str:
    """An image in the common range of intensities."""
    return build.add(normalisation(build, kind, image)).product("normalised.nii.gz")


def normalisation(build: ScanSteps, kind: str, image: str) -> Step:
    method, output = build.method, "normalised.nii.gz"
    return imaging(
        build.place,
        kind,
        "rescale",
        *("--input", Input("T1w.nii.gz", image), "--output", output),
        *("--range_min", repr(method.normalised_minimum), "--range_max", repr(method.normalised_maximum)),
        *("--clip_percent", repr(method.clip_percent)),
        outputs=(output,),
    )


def _brain_mask(build: ScanSteps, clean: str, even: str, transform: str) -> str:
    """The brain mask that is registered with, by whichever way was chosen; every way ends in ``brain_mask``."""
    extraction = build.method.brain_extraction
    if extraction is BrainExtraction.TEMPLATE:
        step = _mask_by_template(build, even, transform)
    elif extraction is BrainExtraction.BET:
        method = build.method
        step = bet(build.place, image=even, frac=method.bet_frac, vertical_gradient=method.bet_vertical_gradient)
    else:
        step = _mask_given(build, clean)
    output = step.outputs[0]
    if extraction is BrainExtraction.TEMPLATE and build.model.priors is not None:
        return build.add(step).product(output)  # the segmentation makes the one that is published
    sidecar = sidecars.brain_mask_sidecar(build.subject.scan, build.sources(outputs.CLEAN_T1W))
    return build.add(step, build.export(output, outputs.BRAIN_MASK, sidecar)).product(output)


def _mask_by_template(build: ScanSteps, even: str, transform: str) -> Step:
    coarse = build.add(
        apply_to_image(
            build.place,
            "coarse_brain_mask",
            image=build.model.brain_mask,
            reference=even,
            transforms=(Link(transform),),
            interpolation=PROBABILITY,
            output="probability.nii.gz",
        )
    )
    return imaging(
        build.place,
        "brain_mask",
        "refine-brain-mask",
        *("--image", Input("T1w.nii.gz", even)),
        *("--mask", Input("probability.nii.gz", coarse.product("probability.nii.gz"))),
        *("--output", "brain_mask.nii.gz"),
        outputs=("brain_mask.nii.gz",),
    )


def _mask_given(build: ScanSteps, clean: str) -> Step:
    given = build.subject.brain_mask
    assert given is not None
    return imaging(
        build.place,
        "brain_mask",
        "given-mask",
        *("--mask", Input(image_input("mask", given.name), given), "--like_image", Input("T1w.nii.gz", clean)),
        *("--output", "brain_mask.nii.gz", "--max_shear_angle", repr(build.method.max_shear_angle_rad)),
        outputs=("brain_mask.nii.gz",),
    )
