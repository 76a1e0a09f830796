"""From the raw scan to its brain: one orientation, even intensities, a common range, and a brain mask."""

from __future__ import annotations

from tntpipe.bids import outputs, sidecars
from tntpipe.pipeline.build import Images, ScanSteps
from tntpipe.pipeline.method import BrainExtraction
from tntpipe.pipeline.model_steps import CLEAN, MASKED, clean_header, multiply
from tntpipe.steps.arithmetic import imaging
from tntpipe.steps.bet import bet
from tntpipe.steps.bias import bias_correction
from tntpipe.steps.registration import COMPOSITE, brain_registration
from tntpipe.steps.step import Input, Step
from tntpipe.steps.transforms import PROBABILITY, apply_to_image


def preprocess(build: ScanSteps) -> Images:
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
    mask = find_brain(build, clean, normalised)
    return Images(
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


def find_brain(build: ScanSteps, clean: str, normalised: str) -> str:
    """The brain mask, by whichever way was chosen; every way ends in a step called ``brain_mask``."""
    step = {
        BrainExtraction.TEMPLATE: _mask_by_template,
        BrainExtraction.BET: _mask_by_bet,
        BrainExtraction.GIVEN: _mask_given,
    }[build.method.brain_extraction](build, clean, normalised)
    sidecar = sidecars.brain_mask_sidecar(build.subject.scan, build.sources(outputs.PREPROC_T1W))
    return build.add(step, build.export(step.outputs[0], outputs.BRAIN_MASK, sidecar)).product(step.outputs[0])


def _mask_by_template(build: ScanSteps, clean: str, normalised: str) -> Step:
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
