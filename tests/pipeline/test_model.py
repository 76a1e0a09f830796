"""A model's files: a folder's layout, label tables, single files in the place of others, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tntpipe.cli.config import options_of
from tntpipe.cli.models import models_of
from tntpipe.errors import InputMissingError, UsageError
from tntpipe.pipeline.model import (
    BUILT_IN_SPACE,
    Model,
    built_in_model,
    checked_space,
    labelled,
    read_model_folder,
    with_files,
)

FILES = (
    *("T1w.nii.gz", "desc-brain_mask.nii.gz", "label-ICV_mask.nii.gz"),
    *("seg-lobes_dseg.nii.gz", "seg-lobes_dseg_labels.tsv", "seg-subcortex_dseg.nii.gz"),
    *("seg-subcortex_dseg_labels.tsv", "seg-tissue_tags.tsv", "seg-tissue_tags_labels.tsv"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder with everything, called Mine."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in FILES:
        (folder / f"tpl-Mine_{name}").touch()
    return folder


def models(*words: str | Path) -> tuple[Model, Model | None]:
    return models_of(options_of(["bids", "out", "participant", *map(str, words)]))


def paths(model: Model) -> list[Path]:
    tables = [item for item in (model.lobes, model.tags, model.subcortex) if item]
    found = [model.t1w, model.brain_mask, model.intracranial_mask]
    return [path for path in (*found, *(p for t in tables for p in (t.path, t.labels))) if path]


def test_the_built_in_model_has_everything() -> None:
    model = built_in_model()
    assert model.space == BUILT_IN_SPACE and len(paths(model)) == 9
    assert all(path.is_file() for path in paths(model))


def test_a_folder_says_everything_by_its_names(folder: Path) -> None:
    model = read_model_folder(folder)
    assert model.space == "Mine"
    assert {path.name.removeprefix("tpl-Mine_") for path in paths(model)} == set(FILES)


def test_the_paths_of_a_relative_folder_are_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    model, _ = models("--model", "mine")
    assert all(path.is_absolute() and path.is_file() for path in paths(model))
    model, _ = models("--atlas", "mine/tpl-Mine_seg-lobes_dseg.nii.gz")
    assert all(path.is_absolute() for path in paths(model))


@pytest.mark.parametrize("part", ["T1w.nii.gz", "desc-brain_mask.nii.gz"])
def test_a_folder_without_template_or_brain_mask_is_none(folder: Path, part: str) -> None:
    (folder / f"tpl-Mine_{part}").unlink()
    with pytest.raises(InputMissingError, match=part.split(".")[0]):
        read_model_folder(folder)


def test_a_folder_with_two_templates_is_refused(folder: Path) -> None:
    (folder / "tpl-Yours_T1w.nii").touch()
    with pytest.raises(UsageError, match=r"tpl-Mine_T1w\.nii\.gz, tpl-Yours_T1w\.nii"):
        read_model_folder(folder)


def test_a_label_map_without_its_table_is_refused(folder: Path) -> None:
    (folder / "tpl-Mine_seg-lobes_dseg_labels.tsv").unlink()
    with pytest.raises(InputMissingError, match=r"no tpl-Mine_seg-lobes_dseg_labels\.tsv beside it"):
        read_model_folder(folder)


@pytest.mark.parametrize("part", ["seg-lobes_dseg.nii.gz", "seg-tissue_tags.tsv"])
def test_a_folder_without_what_every_run_needs_is_refused_by_the_option_that_gives_it(folder: Path, part: str) -> None:
    (folder / f"tpl-Mine_{part}").unlink()
    option = {"seg-lobes_dseg.nii.gz": "--atlas", "seg-tissue_tags.tsv": "--tags"}[part]
    with pytest.raises(UsageError, match=f"Mine comes without what {option} give"):
        models("--model", folder)


def test_an_intracranial_mask_is_needed_only_where_its_volume_is_wanted(folder: Path) -> None:
    (folder / "tpl-Mine_label-ICV_mask.nii.gz").unlink()
    assert models("--model", folder)[0].intracranial_mask is None
    with pytest.raises(UsageError, match="--intracranial_mask"):
        models("--model", folder, "--intracranial_volume")


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("atlas.nii.gz", "atlas_labels.tsv"),
        ("atlas.nii", "atlas_labels.tsv"),
        ("atlas.nii.gz", "atlas.tsv"),
        ("a.b_dseg.nii.gz", "a.b_dseg.tsv"),
        ("tags.tsv", "tags_labels.tsv"),
    ],
)
def test_a_label_table_is_looked_for_beside_its_map(tmp_path: Path, name: str, table: str) -> None:
    for file in (name, table):
        (tmp_path / file).touch()
    assert labelled(tmp_path / name).labels == tmp_path / table


def test_a_tag_table_is_not_its_own_label_table(tmp_path: Path) -> None:
    (tmp_path / "tags.tsv").touch()
    with pytest.raises(InputMissingError, match=r"tags_labels\.tsv"):
        labelled(tmp_path / "tags.tsv")


def test_a_table_that_is_named_wins_and_must_be_there(tmp_path: Path) -> None:
    for file in ("atlas.nii", "atlas_labels.tsv", "named.tsv"):
        (tmp_path / file).touch()
    assert labelled(tmp_path / "atlas.nii", tmp_path / "named.tsv").labels == tmp_path / "named.tsv"
    with pytest.raises(InputMissingError, match=r"other\.tsv"):
        labelled(tmp_path / "atlas.nii", tmp_path / "other.tsv")


def test_a_single_file_takes_the_place_of_the_models(folder: Path) -> None:
    atlas = folder / "tpl-Mine_seg-lobes_dseg.nii.gz"
    model, second = models("--atlas", atlas)
    assert model.lobes is not None and model.lobes.path == atlas and second is None
    assert model == with_files(built_in_model(), lobes=model.lobes)


def test_a_template_of_ones_own_brings_nothing_of_the_built_in_models(folder: Path) -> None:
    words = ["--model", folder / "tpl-Mine_T1w.nii.gz", "--model_space", "Mine"]
    words += ["--model_brain_mask", folder / "tpl-Mine_desc-brain_mask.nii.gz"]
    words += ["--atlas", folder / "tpl-Mine_seg-lobes_dseg.nii.gz", "--tags", folder / "tpl-Mine_seg-tissue_tags.tsv"]
    model, _ = models(*words)
    assert model.intracranial_mask is None and model.subcortex is None
    with pytest.raises(UsageError, match="--atlas and --tags"):
        models(*words[:6])


def test_subcortical_labels_of_the_same_template_need_no_second_model(folder: Path) -> None:
    assert models("--subcortical")[1] is None
    assert models("--model", folder, "--subcortical", "--subcortical_model", folder)[1] is None
    atlas = folder / "tpl-Mine_seg-subcortex_dseg.nii.gz"
    model, second = models("--subcortical", "--subcortical_atlas", atlas)
    assert second is None and model.subcortex is not None and model.subcortex.path == atlas


def test_a_second_model_brings_its_subcortical_labels_and_nothing_else(folder: Path) -> None:
    model, second = models("--subcortical", "--subcortical_model", folder)
    assert second is not None and second.space == "Mine" and second.subcortex is not None
    assert (second.lobes, second.tags, second.intracranial_mask) == (None, None, None)
    assert model.space == BUILT_IN_SPACE and model.subcortex is None


def test_a_model_without_subcortical_labels_is_helped_out_by_the_built_in_one(folder: Path) -> None:
    (folder / "tpl-Mine_seg-subcortex_dseg.nii.gz").unlink()
    model, second = models("--model", folder, "--subcortical")
    assert (model.space, second and second.space) == ("Mine", BUILT_IN_SPACE)
    with pytest.raises(UsageError, match="--subcortical_atlas"):
        models("--subcortical", "--subcortical_model", folder)


@pytest.mark.parametrize("space", ["", "a-b", "a_b", "../x", "MNI 152", "ä", "T1w"])
def test_a_space_that_cannot_stand_in_a_file_name_is_refused(space: str) -> None:
    with pytest.raises(UsageError):
        checked_space(space)
