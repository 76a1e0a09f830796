"""The graph for each combination of options: which registrations, whose transforms, which derivatives."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from whole_graphs import FIRST, SECOND, graph_of, model

from tntpipe.bids.dataset import Dataset
from tntpipe.budget.find import Budget
from tntpipe.budget.limit import Limit
from tntpipe.cli.config import options_of
from tntpipe.cli.dry_run import print_plan
from tntpipe.cli.settings import settings_of
from tntpipe.formatting import GIB
from tntpipe.pipeline.kinds import step_kinds
from tntpipe.pipeline.method import BrainExtraction, Method
from tntpipe.pipeline.model import Model
from tntpipe.profiling.estimates import Estimates, shipped_measurements
from tntpipe.programs.ants import Ants
from tntpipe.programs.find import Programs
from tntpipe.run.jobs import jobs_of
from tntpipe.run.plan import Plan
from tntpipe.steps.graph import Graph
from tntpipe.steps.registration import PRESETS
from tntpipe.steps.step import Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.survey import survey
from tntpipe.store.work_folder import WorkFolder

OTHER = model("Other", whole=False)
METHODS = [
    Method(preset=preset, brain_extraction=extraction, subcortical=subcortical, intracranial_volume=intracranial)
    for preset, extraction, subcortical, intracranial in itertools.product(
        PRESETS.values(), BrainExtraction, (False, True), (False, True)
    )
]
GRAPHS: list[tuple[Method, Model | None]] = [(method, None) for method in METHODS]
GRAPHS += [(method, OTHER) for method in METHODS if method.subcortical]


def name_of(case: tuple[Method, Model | None]) -> str:
    method, second = case
    words = [method.preset.name, method.brain_extraction.value]
    words += ["subcortical"] * method.subcortical + ["icv"] * method.intracranial_volume + ["second"] * bool(second)
    return "-".join(words)


def kinds(graph: Graph, program: str = "") -> set[str]:
    return {step.kind for step in graph if step.scan and (not program or step.program == program)}


def source(graph: Graph, kind: str, name: str) -> str:
    """Where a step of the first scan has one of its inputs from."""
    step = graph.steps[f"{FIRST.key}/{kind}"]
    return next(str(item.source) for item in step.inputs if item.name == name)


def exports(graph: Graph) -> list[str]:
    return [export.path for step in graph for export in step.exports]


LINEAR_AND_SYN = {"linear_registration", "nonlinear_registration"}
BY_PRIORS = {"brain_registration", "head_registration", *LINEAR_AND_SYN, "tissue_registration"}


def test_with_probabilities_heads_brains_and_tissues_are_registered_in_turn() -> None:
    graph = graph_of(Method())
    assert kinds(graph, "antsRegistration") == BY_PRIORS
    assert not {"subcortex_statistics", "intracranial_mask", "intracranial_statistics"} & kinds(graph)
    assert "Atropos" not in {step.program for step in graph}


def test_without_probabilities_tissues_come_from_tags_and_atropos() -> None:
    graph = graph_of(Method(), priors=False)
    assert kinds(graph, "antsRegistration") == {"brain_registration", *LINEAR_AND_SYN}
    assert {"tissue_samples", "tissue_start", "tissue_segmentation", "brain_bias_correction"} <= kinds(graph)
    assert not {"segmentation", "tissue_maps", "tissue_bias_correction"} & kinds(graph)


def test_nuclei_of_the_models_probabilities_come_from_the_segmentation() -> None:
    graph = graph_of(Method(subcortical=True))
    assert kinds(graph) - kinds(graph_of(Method())) == {"subcortex_statistics"}
    assert source(graph, "subcortex_statistics", "labels.nii.gz") == "sub-01/segmentation/segmented_subcortex.nii.gz"


def test_subcortical_labels_in_the_models_space_come_by_its_registration() -> None:
    graph = graph_of(Method(subcortical=True), priors=False)
    assert kinds(graph, "antsRegistration") == {"brain_registration", *LINEAR_AND_SYN}
    assert kinds(graph) - kinds(graph_of(Method(), priors=False)) == {"subcortex", "subcortex_statistics"}
    assert source(graph, "subcortex", "transform0.nii.gz") == "sub-01/displacement/displacement.nii.gz"


def test_subcortical_labels_of_another_space_cost_one_more_linear_and_syn_registration() -> None:
    graph = graph_of(Method(subcortical=True, intracranial_volume=True), subcortical_model=OTHER)
    more = kinds(graph, "antsRegistration") - kinds(graph_of(Method()), "antsRegistration")
    assert more == {"subcortical_linear_registration", "subcortical_nonlinear_registration"}
    assert source(graph, "subcortex", "transform0.nii.gz") == "sub-01/subcortical_displacement/displacement.nii.gz"
    assert source(graph, "subcortex", "image.nii.gz") == "subcortical-model-Other/model_subcortex/clean.nii.gz"
    for kind in ("intracranial_mask", "lobes", "warped_brain_mask"):
        assert source(graph, kind, "transform0.nii.gz") == "sub-01/displacement/displacement.nii.gz"


def test_the_brain_mask_comes_by_the_registration_of_the_head_without_its_field() -> None:
    graph = graph_of(Method())
    assert source(graph, "head_registration", "fixed.nii.gz") == "sub-01/tissue_bias_correction/corrected.nii.gz"
    assert source(graph, "head_registration", "affine.mat") == "sub-01/brain_registration/xfm_0GenericAffine.mat"
    assert source(graph, "coarse_brain_mask", "transform0.mat") == "sub-01/head_registration/xfm_0GenericAffine.mat"


@pytest.mark.parametrize("voxel_mm", [0.7, 1.0, 4.0])
def test_standard_registers_scan_model_and_tissues_on_2_mm_whatever_the_voxels_are(voxel_mm: float) -> None:
    graph = graph_of(Method(preset=PRESETS["standard"]), voxel_mm=voxel_mm)

    def option(name: str, word: str) -> str:
        arguments = graph.steps[name].arguments
        return arguments[arguments.index(word) + 1]

    for name in ("sub-01/brain", "model-Main/model_brain", "sub-01/tissue_maps"):
        assert option(name, "--grid_mm") == "2"
    for kind in ("linear_registration", "nonlinear_registration"):
        assert option(f"sub-01/{kind}", "--shrink-factors") == "4x2x1"
    assert option("sub-01/tissue_registration", "--shrink-factors") == "4x2"


def test_the_published_presets_register_the_scans_own_voxels() -> None:
    graph = graph_of(Method(preset=PRESETS["reference"]))
    for name in ("sub-01/brain", "model-Main/model_brain"):
        assert "--grid_mm" not in graph.steps[name].arguments


def test_points_come_by_the_inverse_of_what_images_come_by() -> None:
    graph = graph_of(Method())
    assert source(graph, "tag_transform", "inverse.nii.gz") == "sub-01/inverse_displacement/displacement.nii.gz"
    without = graph_of(Method(), priors=False)
    assert source(without, "tag_transform", "inverse.nii.gz") == "sub-01/inverse_displacement/displacement.nii.gz"
    assert source(graph, "nonlinear_registration", "fixed.nii.gz") == "sub-01/brain/brain.nii.gz"
    assert source(graph, "nonlinear_registration", "moving.nii.gz") == "model-Main/model_brain/masked.nii.gz"


def test_the_way_there_goes_through_the_tissues_first_and_the_way_back_last() -> None:
    graph = graph_of(Method())
    syn, tissue = "sub-01/nonlinear_registration/xfm_", "sub-01/tissue_registration/xfm_"
    there = [str(item.source) for item in graph.steps["sub-01/displacement"].inputs[2:]]
    assert there == [f"{tissue}0Warp.nii.gz", f"{syn}1Warp.nii.gz", f"{syn}0GenericAffine.mat"]
    back = graph.steps["sub-01/inverse_displacement"]
    sources = [str(item.source) for item in back.inputs[2:]]
    assert sources == [f"{syn}0GenericAffine.mat", f"{syn}1InverseWarp.nii.gz", f"{tissue}0InverseWarp.nii.gz"]
    assert back.arguments[back.arguments.index("--transform") + 1] == "[in/transform0.mat,1]"


@pytest.mark.parametrize(("extraction", "program"), [(BrainExtraction.BET, "bet"), (BrainExtraction.GIVEN, "imaging")])
def test_another_way_to_the_brain_mask_saves_the_templates(extraction: BrainExtraction, program: str) -> None:
    for priors, saved in (
        (True, {"head_registration", "coarse_brain_mask"}),
        (False, {"brain_registration", "coarse_brain_mask"}),
    ):
        graph = graph_of(Method(brain_extraction=extraction), priors=priors)
        assert kinds(graph_of(Method(), priors=priors)) - kinds(graph) == saved
        assert graph.steps["sub-01/brain_mask"].program == program
        if extraction is BrainExtraction.GIVEN:
            assert source(graph, "brain_mask", "mask.nii.gz") == "/masks/sub-01.nii.gz"


@pytest.mark.parametrize("extraction", BrainExtraction)
@pytest.mark.parametrize("priors", [False, True])
def test_one_brain_mask_is_published_and_it_is_the_users_where_there_is_one(
    extraction: BrainExtraction, priors: bool
) -> None:
    graph = graph_of(Method(brain_extraction=extraction), priors=priors)
    makers = [step.kind for step in graph for export in step.exports if "_desc-brain_mask" in export.path]
    by_segmentation = priors and extraction is BrainExtraction.TEMPLATE
    assert makers == ["segmentation" if by_segmentation else "brain_mask"]


def test_bets_settings_redo_the_mask_and_nothing_before_it() -> None:
    method = Method(brain_extraction=BrainExtraction.BET)
    graphs = [graph_of(m) for m in (method, replace(method, bet_frac=0.3, bet_vertical_gradient=-0.1))]
    changed = [name for name in graphs[0].steps if graphs[0].steps[name].arguments != graphs[1].steps[name].arguments]
    assert changed == ["sub-01/brain_mask"]


@pytest.mark.parametrize("case", GRAPHS, ids=name_of)
def test_no_two_derivatives_of_two_scans_have_one_name(case: tuple[Method, Model | None]) -> None:
    method, second = case
    graph = graph_of(method, FIRST, SECOND, subcortical_model=second)
    names = exports(graph)
    assert len(names) == len(set(names)) == 2 * len(exports(graph_of(method, subcortical_model=second)))
    assert {Path(name).name.split(".")[0].rpartition("_")[0] for name in names if "ses-2" in name}
    assert all(name.startswith(("sub-01/anat/sub-01_", "sub-01/ses-2/anat/sub-01_ses-2_run-1_")) for name in names)


@pytest.mark.parametrize("case", GRAPHS, ids=name_of)
def test_every_variant_of_a_kind_with_measured_figures_was_measured(case: tuple[Method, Model | None]) -> None:
    """A new kind is guessed until it is measured, and a run says so."""
    method, second = case
    measured = shipped_measurements()["kinds"]
    graphs = [graph_of(method, subcortical_model=second, priors=priors) for priors in (True, False)]
    steps = [step for graph in graphs for step in graph]
    missing = {(s.kind, s.variant) for s in steps if s.variant not in measured.get(s.kind, {s.variant})}
    assert not missing, "each step takes its own figures, not the largest of its kind"


def test_all_kinds_are_found_without_a_list_and_what_is_measured_is_among_them() -> None:
    graphs = [graph_of(method, subcortical_model=second, priors=p) for method, second in GRAPHS for p in (True, False)]
    assert step_kinds() == {step.kind for graph in graphs for step in graph}
    assert set(shipped_measurements()["kinds"]) <= step_kinds()


def test_two_scans_share_the_models_steps() -> None:
    graph = graph_of(Method(), FIRST, SECOND)
    assert len([step for step in graph if not step.scan]) == len([step for step in graph_of(Method()) if not step.scan])


def test_a_dry_run_lists_each_step_and_each_derivative_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = ["bids", str(tmp_path / "out"), "participant", "--subcortical", "--intracranial_volume", "--n_proc", "2"]
    settings = settings_of(options_of([*options, "--memory_gb", "8", "--ants_n_proc", "2"])).settings
    graph = graph_of(settings.method, FIRST, SECOND)
    programs = Programs(ants=Ants("native", "v9", "/opt", {}), commands={}, versions={})
    plan = Plan(
        settings=settings,
        estimates=Estimates(),
        warned=(),
        graph=graph,
        programs=programs,
        dataset=Dataset(),
        scans=(FIRST.key, SECOND.key),
        refusals=(),
        notices=(),
    )
    two_cpus, memory = Limit(amount=2, source="user", claim=""), Limit(amount=8 * GIB, source="user", claim="")
    work = WorkFolder(settings.folders.work, {}, makes=False)
    found = survey(graph, work, Derivatives(settings.folders.output, work), forgets=True)
    print_plan(plan, Budget(cpus=two_cpus, mem=memory), found)
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line.strip() for line in lines if line.startswith("      sub-")) == sorted(exports(graph))
    listed = [line.split() for line in lines if " CPU " in line]
    assert sorted(words[0] for words in listed) == sorted(step.kind for step in graph)
    cpus = {words[0]: words[1] for words in listed}
    assert (cpus["nonlinear_registration"], cpus["linear_registration"], cpus["tag_transform"]) == ("1-2", "1", "1")
    assert lines[-1] == f"2 scans, {len(graph)} steps, 0 refused; nothing was run."


def test_jobs_follow_only_what_is_not_done() -> None:
    graph = graph_of(Method())
    done = {name for name, step in graph.steps.items() if not step.scan} | {"sub-01/clean_header"}
    jobs = {job.name: job for job in jobs_of(graph, Estimates(), done, 3)}
    assert set(jobs) == set(graph.steps) - done
    assert jobs["sub-01/positive_range"].follows == ()
    assert jobs["sub-01/linear_registration"].follows == ("sub-01/brain",)
    syn, linear = jobs["sub-01/nonlinear_registration"], jobs["sub-01/linear_registration"]
    assert (syn.request.cpus, syn.max_cpus, linear.max_cpus) == (1, 3, 1)
    assert all(set(job.follows) <= set(jobs) for job in jobs.values())


def test_no_word_of_a_command_holds_a_path_of_the_users() -> None:
    for method, second in GRAPHS:
        for step in graph_of(method, SECOND, subcortical_model=second):
            assert not [word for word in step.arguments if word_names_a_path(word)], step.name


def word_names_a_path(word: str) -> bool:
    return any(place in word for place in ("/data", "/models", "/masks", "sub-01"))


def test_an_input_keeps_the_ending_by_which_its_format_is_known() -> None:
    step: Step = graph_of(Method(), SECOND).steps[f"{SECOND.key}/clean_header"]
    assert [item.name for item in step.inputs] == ["image.nii"]
