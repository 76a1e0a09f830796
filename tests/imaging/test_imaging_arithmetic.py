"""Intensities, tissue classes, combined labels and statistics, against cases worked by hand."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from tntpipe.errors import ImageError, TableError, UsageError
from tntpipe.imaging.intensity import rescale
from tntpipe.imaging.labels import combine, combine_names
from tntpipe.imaging.statistics import label_statistics
from tntpipe.imaging.tables import Label
from tntpipe.imaging.tissue import sample_points
from tntpipe.imaging.tissue_classes import TissueClass, classify, describe_classes

GREYS = np.arange(1.0, 102.0)  # percentiles p of 1..101 are p + 1


def test_rescaling_maps_the_two_percentiles_to_the_ends_and_clips_beyond():
    scaled = rescale(GREYS, range_min=100, range_max=500, clip_percent=10)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[:11], 100)  # 11 is the 10th percentile
    np.testing.assert_allclose(scaled[90:], 500)  # 91 is the 90th
    np.testing.assert_allclose(scaled[11:90], 100 + (GREYS[11:90] - 11) * 5, rtol=1e-6)


def test_rescaling_is_the_same_however_much_background_is_padded():
    alone = rescale(GREYS, range_min=0, range_max=5000, clip_percent=1)
    padded = rescale(np.concatenate([np.zeros(1000), GREYS]), range_min=0, range_max=5000, clip_percent=1)
    assert np.array_equal(padded[1000:], alone)
    assert not padded[:1000].any()


def test_rescaling_forgets_the_unit_of_the_input():
    one = rescale(GREYS, range_min=0, range_max=5000, clip_percent=1)
    np.testing.assert_allclose(rescale(GREYS * 1e-6, range_min=0, range_max=5000, clip_percent=1), one, rtol=1e-4)


def test_rescaling_refuses_an_image_without_contrast_and_a_range_that_is_none():
    with pytest.raises(ImageError, match="No voxel of the image is above 0"):
        rescale(-GREYS, range_min=0, range_max=1, clip_percent=1)
    with pytest.raises(ImageError, match="All but the clipped voxels"):
        rescale(np.full(9, 3.0), range_min=0, range_max=1, clip_percent=1)
    for bounds in ((5, 5, 1), (5, 4, 1), (0, 1, 50), (0, 1, -1)):
        with pytest.raises(UsageError):
            rescale(GREYS, range_min=bounds[0], range_max=bounds[1], clip_percent=bounds[2])


def test_the_nearest_voxel_is_sampled_inside_image_and_mask_only():
    affine = np.array([[-2.0, 0, 0, 10], [0, 2, 0, -10], [0, 0, 2, 0], [0, 0, 0, 1]])
    values = np.arange(125.0).reshape(5, 5, 5)
    mask = np.ones((5, 5, 5), dtype=bool)
    mask[1, 1, 1] = False
    points = [(10, -10, 0), (9.1, -9.1, 0.9), (8.9, -10, 0), (8, -8, 2), (11.1, -10, 0), (10, -10, 8.9), (10, -10, 9.1)]
    sampled = sample_points(points, values, mask, affine)
    np.testing.assert_array_equal(sampled, [0, 0, 25, np.nan, np.nan, 4, np.nan])


def test_classes_are_described_by_median_and_mad_whatever_strays():
    rng = np.random.default_rng(1)
    grey, white = rng.normal(100, 5, 1000), rng.normal(150, 5, 1000)
    grey[:150] = 1e6
    described = describe_classes({2: grey, 3: white})
    assert [tissue.index for tissue in described] == [2, 3]
    assert described[0].median == pytest.approx(100, abs=2)
    assert described[0].sd == pytest.approx(6, abs=0.5)  # a clean class would have 5
    assert described[1].sd == pytest.approx(5, abs=0.5)


def test_classes_that_samples_cannot_tell_apart_are_refused():
    with pytest.raises(TableError, match="class 2 has 19 samples"):
        describe_classes({1: np.arange(20.0), 2: np.arange(19.0)})
    with pytest.raises(TableError, match="the same median"):
        describe_classes({1: np.arange(20.0), 2: np.arange(20.0)})
    with pytest.raises(TableError, match="at least two are needed"):
        describe_classes({1: np.arange(20.0)})


def test_equal_widths_divide_half_way_and_unequal_ones_where_the_densities_cross():
    equal = (TissueClass(1, 99, 0.0, 1.0), TissueClass(2, 99, 10.0, 1.0))
    assert classify(np.array([4.99, 5.01]), equal).tolist() == [1, 2]
    # x²/2 = ln 2 + (x − 10)²/8, that is 3x² + 20x − 105.545 = 0, at x = 3.4705.
    wide = (TissueClass(1, 99, 0.0, 1.0), TissueClass(2, 99, 10.0, 2.0))
    assert classify(np.array([3.46, 3.48]), wide).tolist() == [1, 2]


def test_labels_grow_with_intensity_even_where_one_class_is_far_wider():
    for sds in ((50.0, 1.0, 1.0), (1.0, 50.0, 1.0), (1.0, 1.0, 50.0)):
        classes = tuple(TissueClass(i + 1, 99, 10.0 * (i + 1), sd) for i, sd in enumerate(sds))
        labels = classify(np.linspace(-100, 200, 3001), classes)
        assert (np.diff(labels.astype(int)) >= 0).all()
        assert (labels[0], labels[-1]) == (1, 3)
        assert classify(np.array([10.0, 30.0]), classes).tolist() == [1, 3]


def test_tissue_and_lobe_combine_by_the_largest_index_of_the_table():
    tissue = np.array([[0, 1, 2, 3], [3, 3, 1, 0]], dtype=np.uint8)
    lobes = np.array([[1, 1, 2, 12], [0, 1, 12, 0]], dtype=np.uint8)
    assert combine(tissue, lobes, 3).tolist() == [[0, 1, 5, 36], [0, 3, 34, 0]]
    assert combine(tissue, lobes, 100).dtype == np.uint16


def test_combined_names_are_in_the_order_of_their_indices_and_miss_background():
    tissues = (Label(0, "background"), Label(2, "GM", 1), Label(1, "CSF", 3))
    names = combine_names(tissues, (Label(12, "Cerebellum-L"), Label(1, "Frontal-R")))
    assert names == (
        Label(1, "CSF+Frontal-R", 3),
        Label(2, "GM+Frontal-R", 1),
        Label(23, "CSF+Cerebellum-L", 3),
        Label(24, "GM+Cerebellum-L", 1),
    )


def test_statistics_count_measure_and_average_each_label_of_the_table():
    labels = np.array([[[0, 1, 1, 3]]], dtype=np.uint8)
    values = np.array([[[100.0, 1.0, 2.0, -4.0]]])
    affine = np.array([[0, -1.5, 0, 0], [1.0, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])
    table = (Label(0, "background"), Label(3, "c"), Label(1, "a"), Label(2, "b"))
    assert label_statistics(labels, values, affine, table) == (
        (3, "c", 1, 3.0, -4.0),
        (1, "a", 2, 6.0, 1.5),
        (2, "b", 0, 0.0, None),
    )


def test_a_mean_is_exact_over_more_voxels_than_float32_can_add():
    labels = np.ones((200, 200, 200), dtype=np.uint8)
    values = np.full(labels.shape, 1000.1, dtype=np.float32)
    ((_, _, n_voxels, _, mean),) = label_statistics(labels, values, np.eye(4), [Label(1, "all")])
    assert (n_voxels, mean) == (8_000_000, pytest.approx(float(np.float32(1000.1)), rel=1e-9))


def test_multiplying_keeps_type_and_grid_and_refuses_another_grid(write, run, tmp_path):
    scan = write("scan.nii.gz")
    voxels = np.asarray(nib.load(scan).dataobj)
    write("mask.nii.gz", (voxels % 2).astype(np.float32) / 2)
    assert run("multiply", "--image", scan, "--mask", "mask.nii.gz", "--output", "brain.nii.gz").returncode == 0
    product = nib.load(tmp_path / "brain.nii.gz")
    assert product.get_data_dtype() == np.int16
    assert np.array_equal(product.dataobj, voxels * (voxels % 2))
    assert product.header["qform_code"] == 1
    np.testing.assert_array_equal(product.affine, nib.load(scan).affine)
    write("mask.nii.gz", voxels, qform=np.diag([2, 2, 2.5, 1]))
    ended = run("multiply", "--image", scan, "--mask", "mask.nii.gz", "--output", "none.nii.gz")
    assert (ended.returncode, (tmp_path / "none.nii.gz").exists()) == (65, False)
    assert "lie on different grids" in ended.stderr


def test_labels_of_floats_become_the_smallest_integers_and_fractions_are_refused(write, run, tmp_path):
    for top, dtype in ((255, np.uint8), (256, np.uint16), (70000, np.uint32)):
        voxels = np.zeros((16, 16, 16), np.float32)
        voxels[3, 4, 5] = top
        write("float.nii.gz", voxels)
        assert run("to-integer", "--input", "float.nii.gz", "--output", "int.nii.gz").returncode == 0
        image = nib.load(tmp_path / "int.nii.gz")
        assert image.get_data_dtype() == dtype
        assert np.array_equal(image.dataobj, voxels)
    write("float.nii.gz", voxels + 0.5)
    ended = run("to-integer", "--input", "float.nii.gz", "--output", "int.nii.gz")
    assert (ended.returncode, ended.stderr) == (
        65,
        "to-integer: float.nii.gz: holds fractions, where labels are integers. "
        "Make it again; when labels are resampled, by nearest neighbour.\n",
    )
