"""antsRegistration commands: heads (affine, to find the brain), brains (linear, then SyN), tissues (SyN).

``fixed`` is always the scan and ``moving`` the model, so the transforms carry model images to the scan, and their
inverses carry model points to the scan.

Only registrations whose metric is summed voxel by voxel (cross-correlation, mean squares) are moldable: with mutual
information each thread has a histogram of its own, and their sum, and with it the result, depends on how many there
are.

References
----------
Avants BB et al. (2008), Med Image Anal 12:26, for SyN. The ``reference`` parameters are the published defaults of
``antsRegistrationSyN.sh``, the ``quick`` ones those of ``antsRegistrationSyNQuick.sh`` (ANTs 2.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tntpipe.steps.step import Input, Place, Source, Step
from tntpipe.steps.transforms import Link

PREFIX = "xfm_"
AFFINE = f"{PREFIX}0GenericAffine.mat"
"""The affine transform, that of its start included."""
WARP, INVERSE_WARP = f"{PREFIX}1Warp.nii.gz", f"{PREFIX}1InverseWarp.nii.gz"
"""What SyN adds to it."""
SYN_OUTPUTS = (AFFINE, WARP, INVERSE_WARP)
WARP_ALONE, INVERSE_WARP_ALONE = f"{PREFIX}0Warp.nii.gz", f"{PREFIX}0InverseWarp.nii.gz"
"""The same without an affine transform before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Iterations of the linear and SyN levels, and the SyN metric with its closing words (radius or bins).

    With a ``grid_mm`` brains are registered on isotropic voxels of that size, whatever the scan's are.
    """

    name: str
    linear_iterations: tuple[int, ...]
    syn_iterations: tuple[int, ...]
    syn_metric: str
    syn_metric_size: int
    source: str
    shrink_factors: tuple[int, ...] = (8, 4, 2, 1)
    smoothing_sigmas_vox: tuple[float, ...] = (3.0, 2.0, 1.0, 0.0)
    grid_mm: float | None = None

    @property
    def grid_words(self) -> tuple[str, ...]:
        """Options of ``crop-brain``."""
        return () if self.grid_mm is None else ("--grid_mm", f"{self.grid_mm:g}")


PRESETS = {
    "standard": Preset(
        name="standard",
        linear_iterations=(500, 200, 50),
        syn_iterations=(100, 70, 30),
        syn_metric="CC",
        syn_metric_size=2,
        source="SyN with cross-correlation at 8, 4 and 2 mm, whatever the voxels of the scan",
        shrink_factors=(4, 2, 1),
        smoothing_sigmas_vox=(2.0, 1.0, 0.0),
        grid_mm=2.0,
    ),
    "reference": Preset(
        name="reference",
        linear_iterations=(1000, 500, 250, 100),
        syn_iterations=(100, 70, 50, 20),
        syn_metric="CC",
        syn_metric_size=4,
        source="antsRegistrationSyN.sh (ANTs 2.5), its default -t s",
    ),
    "quick": Preset(
        name="quick",
        linear_iterations=(1000, 500, 250, 0),
        syn_iterations=(100, 70, 50, 0),
        syn_metric="MI",
        syn_metric_size=32,
        source="antsRegistrationSyNQuick.sh (ANTs 2.5), its default -t s",
    ),
    "debug": Preset(
        name="debug",
        linear_iterations=(1, 1, 1, 1),
        syn_iterations=(1, 1, 1, 1),
        syn_metric="CC",
        syn_metric_size=4,
        source="reference with one iteration per level",
    ),
}

CONVERGENCE = "1e-6,10"
LARGEST_VOXEL_MM = 2.0
"""Scans with larger voxels are shrunk and smoothed as if they had these. With the reference's factors, `quick` looks at
a head of 4 mm on grids of 32, 16 and 8 mm: the same head on another scale, equal to 1e-5 until then, got another size
(determinants of the affine part 0.92 and 1.02), and on grids of 16, 8 and 4 mm the same one (1.040 and 1.040)."""
LINEAR_GRADIENT_STEP = "0.1"
SYN_PARAMETERS = "0.1,3,0"
MUTUAL_INFORMATION = "1,32,Regular,0.25"


def linear_registration(place: Place, *, fixed: Source, moving: Source, preset: Preset, seed: int, kind: str) -> Step:
    """Rigid, then affine, from the centres of mass, of brain-only images."""
    files = (Input("fixed.nii.gz", fixed), Input("moving.nii.gz", moving))
    metric = f"MI[{files[0].word},{files[1].word},{MUTUAL_INFORMATION}]"
    stages: list[str] = []
    for transform in ("Rigid", "Affine"):
        stages += ["--transform", f"{transform}[{LINEAR_GRADIENT_STEP}]", "--metric", metric]
        stages += _levels(place, preset, preset.linear_iterations)
    start = f"[{files[0].word},{files[1].word},1]"
    return _registration(place, kind, files, start, stages, preset.name, seed)


def nonlinear_registration(
    place: Place, *, fixed: Source, moving: Source, linear: Source, preset: Preset, seed: int, kind: str
) -> Step:
    """SyN of brain-only images, from the linear transform: the scalp of a scan is not the template's."""
    files = (Input("fixed.nii.gz", fixed), Input("moving.nii.gz", moving), Input("linear.mat", linear))
    metric = f"{preset.syn_metric}[{files[0].word},{files[1].word},1,{preset.syn_metric_size}]"
    levels = _levels(place, preset, preset.syn_iterations)
    stages = ["--transform", f"SyN[{SYN_PARAMETERS}]", "--metric", metric, *levels]
    moldable = preset.syn_metric != "MI"
    return _registration(place, kind, files, files[2].word, stages, preset.name, seed, SYN_OUTPUTS, moldable)


def carrying(syn: Step) -> tuple[Link, Link]:
    """The chain by which model images come to the scan, from a step of `nonlinear_registration`."""
    return Link(syn.product(WARP)), Link(syn.product(AFFINE))


def carrying_back(syn: Step) -> tuple[Link, Link]:
    """The chain by which scan images come to the model."""
    return Link(syn.product(AFFINE), inverted=True), Link(syn.product(INVERSE_WARP))


def _levels(place: Place, preset: Preset, iterations: tuple[int, ...]) -> list[str]:
    finer = min(1.0, LARGEST_VOXEL_MM / place.voxel_mm)
    factors = (max(1, round(factor * finer)) for factor in preset.shrink_factors)
    sigmas = (f"{sigma * finer:g}" for sigma in preset.smoothing_sigmas_vox)
    return [
        *("--convergence", f"[{'x'.join(map(str, iterations))},{CONVERGENCE}]"),
        *("--shrink-factors", "x".join(map(str, factors))),
        *("--smoothing-sigmas", "x".join(sigmas) + "vox"),
    ]


def _registration(
    place: Place,
    kind: str,
    files: tuple[Input, ...],
    start: str | None,
    stages: list[str],
    variant: str,
    seed: int,
    outputs: tuple[str, ...] = (AFFINE,),
    moldable: bool = False,
    winsorise: bool = True,
) -> Step:
    arguments = [
        *("--dimensionality", "3", "--float", "0", "--verbose", "1", "--random-seed", str(seed)),
        *("--collapse-output-transforms", "1", "--write-composite-transform", "0"),
        *("--output", PREFIX),
        *("--use-histogram-matching", "0"),
        *(("--winsorize-image-intensities", "[0.005,0.995]") if winsorise else ()),
        *(("--initial-moving-transform", start) if start else ()),
        *stages,
    ]
    return Step(
        place=place,
        kind=kind,
        variant=variant,
        program="antsRegistration",
        arguments=tuple(arguments),
        inputs=files,
        outputs=outputs,
        moldable=moldable,
    )


BRAIN_RIGID_LEVELS_MM = (16.0, 8.0, 4.0)
"""Grids on which the head is turned. From 8 mm on, Colin27 turned by 30 degrees about z is missed (MI 0.53 at 4 mm,
where the upright head has 0.98); from 16 mm, where an iteration costs 3 ms, it is found (0.89)."""
BRAIN_RIGID_ITERATIONS = "500x500x50"
BRAIN_LEVELS_MM = (8.0, 4.0)
"""Grids of the affine part: at 4 mm the skull and the brain are apart, and a level costs a second or two."""
BRAIN_AFFINE_ITERATIONS = "500x50"
"""Many where they are cheap; at 4 mm, after coarser levels, none of 10 stages with room for 200 took more than 35 (a
very bad scan takes all 50)."""
BRAIN_CONVERGENCE_WINDOW = 20
"""The line search of rigid and affine goes uphill for some iterations now and then, and 10 that do so on average count
as converged: with 10, the same head stopped after 15 iterations at 8 mm, with 20 it went on from MI 0.69 to 1.09."""


def brain_registration(place: Place, *, fixed: Source, moving: Source, seed: int, debug: bool = False) -> Step:
    """Whole-head template to whole-head scan, rigid and affine, to know about where the brain is.

    No SyN: between whole heads it matches the scalp. On one acquisition stored without and with the scanner's
    normalisation the affine transform's brain mask has 1.44 and 1.39 L, after SyN at 4 mm 1.48 and 1.23 L.
    """
    files = (Input("fixed.nii.gz", fixed), Input("moving.nii.gz", moving))
    stages = [
        *_head_stage(place, "Rigid[0.1]", files, BRAIN_RIGID_LEVELS_MM, BRAIN_RIGID_ITERATIONS, debug),
        *_head_stage(place, "Affine[0.1]", files, BRAIN_LEVELS_MM, BRAIN_AFFINE_ITERATIONS, debug),
    ]
    start = f"[{files[0].word},{files[1].word},1]"
    return _registration(place, "brain_registration", files, start, stages, "debug" if debug else "", seed)


def head_registration(
    place: Place, *, fixed: Source, moving: Source, transform: Source, seed: int, debug: bool = False
) -> Step:
    """The affine part of `brain_registration` once more, from its ``transform``, on a scan without its field.

    A field that is left in a head turns into size. On one acquisition stored without and with the scanner's
    normalisation the carried brain mask is 3.6 % larger without, after this step 0.9 %.
    """
    files = (Input("fixed.nii.gz", fixed), Input("moving.nii.gz", moving), Input("affine.mat", transform))
    stages = _head_stage(place, "Affine[0.1]", files, BRAIN_LEVELS_MM, BRAIN_AFFINE_ITERATIONS, debug)
    return _registration(place, "head_registration", files, files[2].word, stages, "debug" if debug else "", seed)


def _head_stage(
    place: Place, transform: str, files: tuple[Input, ...], levels_mm: tuple[float, ...], iterations: str, debug: bool
) -> list[str]:
    counts = "x".join("1" for _ in levels_mm) if debug else iterations
    return [
        *("--transform", transform),
        *("--metric", f"MI[{files[0].word},{files[1].word},{MUTUAL_INFORMATION}]"),
        *("--convergence", f"[{counts},1e-6,{BRAIN_CONVERGENCE_WINDOW}]"),
        *_levels_mm(place, levels_mm),
    ]


TISSUE_GRID_MM = 2.0
"""Voxels of the maps that are registered, whatever the scan's are: half of the finest level's."""
TISSUE_LEVELS_MM = (8.0, 4.0)
TISSUE_ITERATIONS = "60x40"
TISSUE_SYN = "0.2,3,0"
TISSUES = ("CSF", "GM", "WM")


def tissue_registration(
    place: Place,
    *,
    fixed: Mapping[str, Source],
    moving: Mapping[str, Source],
    seed: int,
    debug: bool = False,
) -> Step:
    """SyN of an atlas's tissue probabilities, brought to the scan already, onto those found in it.

    A registration of intensities leaves a narrow ventricle of the model in a wide one of the scan; the tissues that
    were found there pull it open, and the nuclei beside it along (Ashburner 2007, NeuroImage 38:95, registers tissue
    maps for this). Mean squares, since both are probabilities.
    """
    scan = {tissue: Input(f"fixed_{tissue}.nii.gz", fixed[tissue]) for tissue in TISSUES}
    model = {tissue: Input(f"moving_{tissue}.nii.gz", moving[tissue]) for tissue in TISSUES}
    stages = ["--transform", f"SyN[{TISSUE_SYN}]"]
    for tissue in TISSUES:
        stages += ["--metric", f"MeanSquares[{scan[tissue].word},{model[tissue].word},1]"]
    counts = "x".join("1" for _ in TISSUE_LEVELS_MM) if debug else TISSUE_ITERATIONS
    stages += ["--convergence", f"[{counts},1e-7,10]", *_levels_mm(place, TISSUE_LEVELS_MM)]
    files = (*scan.values(), *model.values())
    variant = "debug" if debug else ""
    outputs = (WARP_ALONE, INVERSE_WARP_ALONE)
    return _registration(
        place, "tissue_registration", files, None, stages, variant, seed, outputs, moldable=True, winsorise=False
    )


def _levels_mm(place: Place, levels_mm: tuple[float, ...]) -> list[str]:
    factors = "x".join(str(max(1, round(level / place.voxel_mm))) for level in levels_mm)
    return ["--shrink-factors", factors, "--smoothing-sigmas", "x".join(f"{level / 2:g}" for level in levels_mm) + "mm"]
