"""What the atlas expects: probabilities between and beyond its voxels, tables that are refused, the built-in model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tntpipe.errors import ImageError, TableError
from tntpipe.imaging.check import check_priors
from tntpipe.imaging.mixture import BRAIN
from tntpipe.imaging.priors import CERTAIN, TISSUES, Priors, Structure, read_priors
from tntpipe.imaging.tables import Label, read_labels
from tntpipe.pipeline.model import built_in_model

MODEL = Path(__file__).parents[2] / "tntpipe/data/models/MNI152NLin2009cAsym"
STEM = "tpl-MNI152NLin2009cAsym_seg"
TABLE = "name\ttissue\tintensity\tsubcortex\nCortex\tGM\tGM\tn/a\nBackground\tn/a\tBackground\tn/a\n"


def two_structures(*more: tuple[int | slice, ...]) -> Priors:
    """Cortex in one voxel of 2 mm whose centre is at (-10, 4, 6) mm; background, stored as none, around it."""
    voxels = np.zeros((5, 5, 5, 2), np.uint8)
    for place in ((2, 2, 2, 0), *more):
        voxels[place] = CERTAIN
    affine = np.array([[-2.0, 0, 0, -6], [0, 2, 0, 0], [0, 0, 2, 2], [0, 0, 0, 1]])
    structures = (Structure("Cortex", "GM", "GM", None), Structure("Background", None, "Background", None))
    return Priors(structures, voxels, affine)


def column(*point: float) -> np.ndarray:
    return np.array(point, dtype=np.float64)[:, None]


@pytest.mark.parametrize(("away_mm", "probability"), [(0, 1), (0.5, 0.75), (1, 0.5), (-1.5, 0.25), (2, 0), (3, 0)])
@pytest.mark.parametrize("axis", range(3))
def test_probabilities_are_linear_between_the_atlass_voxels(axis, away_mm, probability):
    point = column(-10, 4, 6)
    point[axis] += away_mm
    assert two_structures().at(point).ravel().tolist() == pytest.approx([probability, 1 - probability], abs=1e-5)


def test_all_outside_the_atlas_is_background():
    found = two_structures().at(np.array([[500.0, -500, -6.1], [0, 0, -40], [0, 0, 6]]))
    assert found[0].tolist() == [0, 0, 0]
    assert found[1].tolist() == [1, 1, 1]


def test_a_structure_in_the_atlass_last_voxel_fades_within_a_voxel_beyond_it():
    priors = two_structures((4, slice(None), slice(None), 0))
    found = priors.at(np.array([[-14.0, -15, -16.5], [4, 4, 4], [6, 6, 6]]))[0]
    assert found[0] == 1
    assert found[2] == 0


def test_probabilities_that_exceed_1_together_are_scaled_down_to_it():
    assert two_structures((2, 2, 2, 1)).at(column(-10, 4, 6)).ravel().tolist() == pytest.approx([0.5, 0.5])


def test_what_is_within_the_skull_is_all_that_has_a_tissue():
    assert two_structures().intracranial().sum() == CERTAIN


@pytest.fixture
def write_priors(tmp_path):
    """The two files of a model with one structure and background, or what the test asks for in their place."""

    def write(*, table: str = TABLE, shape: tuple[int, ...] = (4, 4, 4, 2), voxel_type: type = np.uint8):
        (tmp_path / "priors.tsv").write_text(table)
        nib.Nifti1Image(np.ones(shape, voxel_type), np.eye(4)).to_filename(tmp_path / "priors.nii.gz")
        return tmp_path / "priors.nii.gz", tmp_path / "priors.tsv"

    return write


def test_a_model_is_read_with_its_structures_in_the_images_order(write_priors):
    priors = read_priors(*write_priors())
    assert [structure.name for structure in priors.structures] == ["Cortex", "Background"]
    assert [structure.tissue for structure in priors.structures] == ["GM", None]
    assert priors.groups == ("GM", "Background")


def test_a_tissue_of_another_name_is_refused_by_that_name(write_priors):
    with pytest.raises(TableError, match=r"priors\.tsv: 'Grey' is none of CSF, GM, WM"):
        read_priors(*write_priors(table=TABLE.replace("\tGM\tGM", "\tGrey\tGM")))


def test_a_table_without_background_is_refused(write_priors):
    with pytest.raises(TableError, match=r"priors\.tsv: no structure is called Background"):
        read_priors(*write_priors(table=TABLE.replace("Background\tn/a", "Air\tn/a")))


@pytest.mark.parametrize("column", ["name", "tissue", "intensity", "subcortex"])
def test_a_table_that_lacks_a_column_is_refused_by_its_name(write_priors, column):
    with pytest.raises(TableError, match=f"has no column {column}"):
        read_priors(*write_priors(table=TABLE.replace(column, "other", 1)))


@pytest.mark.parametrize(
    ("image", "fact"),
    [
        ({"voxel_type": np.float32}, "4×4×4×2 of float32"),
        ({"shape": (4, 4, 4, 3)}, "4×4×4×3 of uint8"),
        ({"shape": (4, 4, 4)}, "4×4×4 of uint8"),
    ],
    ids=["of floats", "a volume too many", "one volume"],
)
def test_an_image_other_than_bytes_with_a_volume_for_each_structure_is_refused(write_priors, image, fact):
    with pytest.raises(ImageError, match=rf"priors\.nii\.gz: is {fact}.* each of the 2 structures"):
        read_priors(*write_priors(**image))


@pytest.fixture(scope="module")
def built_in() -> Priors:
    return read_priors(MODEL / f"{STEM}-structures_probseg.nii.gz", MODEL / f"{STEM}-structures_probseg_labels.tsv")


def test_every_structure_of_the_built_in_model_has_a_tissue_or_none_and_a_name_of_its_own(built_in):
    assert {structure.tissue for structure in built_in.structures} == {*TISSUES, None}
    assert max(Counter(structure.name for structure in built_in.structures).values()) == 1
    assert set(BRAIN) | {"CSF", "Ventricle"} <= set(built_in.groups)


def test_the_nuclei_of_the_built_in_model_are_those_of_its_label_table(built_in):
    labels = {label.name for label in read_labels(MODEL / f"{STEM}-subcortex_dseg_labels.tsv")}
    assert {structure.subcortex for structure in built_in.structures} - {None} == labels


def test_every_structure_of_the_built_in_model_is_somewhere_more_likely_than_not(built_in):
    largest = dict(zip((s.name for s in built_in.structures), built_in.voxels.max(axis=(0, 1, 2)), strict=True))
    assert {name for name, value in largest.items() if value < CERTAIN / 2} <= {"WMHypointensity"}


def test_the_built_in_models_probabilities_add_up_to_no_more_than_1(built_in):
    total = built_in.voxels.sum(axis=-1, dtype=np.uint16)
    assert total.max() <= 1.03 * CERTAIN  # each of the structures is rounded


def test_probabilities_of_the_built_in_model_sum_to_1_inside_and_around_it(built_in):
    points = np.random.default_rng(0).uniform(-150, 150, (3, 4000))
    found = built_in.at(points)
    assert np.allclose(found.sum(axis=0), 1, atol=1e-5)
    assert found.min() >= 0


def test_the_left_of_the_built_in_model_is_at_negative_x(built_in):
    for row, structure in enumerate(built_in.structures):
        if structure.name.endswith(("-L", "-R")):
            weight = built_in.voxels[..., row].sum(axis=(1, 2), dtype=np.float64)
            x = built_in.affine[0, 0] * (weight @ np.arange(weight.size)) / weight.sum() + built_in.affine[0, 3]
            assert (x > 0) == structure.name.endswith("-R"), structure.name


def test_a_subcortical_label_that_no_structure_stands_for_is_named_before_anything_runs():
    model = built_in_model()
    labels = read_labels(model.subcortex.labels)
    check_priors(model.priors.path, model.priors.labels, labels)
    with pytest.raises(TableError, match="no structure is 'Claustrum-R' in its column subcortex"):
        check_priors(model.priors.path, model.priors.labels, (*labels, Label(99, "Claustrum-R")))


def test_probabilities_without_white_matters_intensities_are_refused_before_anything_runs(tmp_path):
    table = tmp_path / "priors.tsv"
    table.write_text(TABLE)
    nib.Nifti1Image(np.zeros((5, 5, 5, 2), np.uint8), np.eye(4)).to_filename(tmp_path / "priors.nii.gz")
    with pytest.raises(TableError, match=r"priors\.tsv: no structure has the intensities of Ventricle and WM"):
        check_priors(tmp_path / "priors.nii.gz", table, ())
