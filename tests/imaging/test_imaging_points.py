"""Points reach the place in the scan that the image around them reaches."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from tntpipe.errors import TableError
from tntpipe.imaging.points import points_to_ras, write_points
from tntpipe.imaging.tables import Tags

# From scan to model (the direction in which images are pulled), in ANTs' frame: 20° about z through a centre, a shift.
ANGLE = np.deg2rad(20)
MATRIX = np.array([[np.cos(ANGLE), -np.sin(ANGLE), 0], [np.sin(ANGLE), np.cos(ANGLE), 0], [0, 0, 1.1]])
SHIFT, CENTRE = np.array([6.0, -4.0, 3.0]), np.array([2.0, 1.0, -3.0])
LPS = np.array([-1.0, -1.0, 1.0])


def model_to_scan(ras: np.ndarray) -> np.ndarray:
    """The inverse of the transform, worked out by hand: RAS to LPS, undo, LPS to RAS."""
    return LPS * (np.linalg.solve(MATRIX, LPS * ras - CENTRE - SHIFT) + CENTRE)


@pytest.fixture
def transform(tmp_path):
    lines = (
        "#Insight Transform File V1.0",
        "Transform: AffineTransform_double_3_3",
        "Parameters: " + " ".join(map(repr, map(float, (*MATRIX.ravel(), *SHIFT)))),
        "FixedParameters: " + " ".join(map(repr, map(float, CENTRE))),
    )
    (tmp_path / "affine.txt").write_text("\n".join(lines) + "\n")
    return "affine.txt"


@pytest.fixture
def carried(run, tmp_path, transform):
    """Carry RAS points through the real ANTs, with the transform or its inverse."""

    def carry(points: list[tuple[float, float, float]], *, inverse: bool) -> np.ndarray:
        rows = "".join("\t".join(map(str, point)) + "\t1\n" for point in points * 20)
        (tmp_path / "tags.tsv").write_text("x\ty\tz\tindex\n" + rows)
        assert run("tags-to-points", "--tags", "tags.tsv", "--output", "in.csv").returncode == 0
        words = ("antsApplyTransformsToPoints", "-d", "3", "--precision", "1", "-i", "in.csv", "-o", "out.csv")
        ended = run(*words, "-t", f"[{transform},{int(inverse)}]", module="tntpipe.programs.ants")
        assert ended.returncode == 0, ended.stderr
        return np.array(points_to_ras(tmp_path / "out.csv")[: len(points)])

    return carry


def test_points_go_where_the_transform_worked_by_hand_puts_them(carried):
    points = [(10.0, 20.0, 30.0), (-35.5, 4.25, -12.125), (0.0, 0.0, 0.0)]
    expected = [model_to_scan(np.array(point)) for point in points]
    np.testing.assert_allclose(carried(points, inverse=True), expected, atol=1e-6)


def test_an_image_and_its_points_meet_when_points_take_the_inverse_and_only_then(
    run, write, carried, transform, tmp_path
):
    spot = np.array([14.0, -8.0, 6.0])
    grid = np.array([[-2.0, 0, 0, 40], [0, 2, 0, -40], [0, 0, 2, -40], [0, 0, 0, 1]])
    indices = np.stack(np.meshgrid(*[np.arange(41)] * 3, indexing="ij"), -1)
    world = indices @ grid[:3, :3].T + grid[:3, 3]
    blob = np.exp(-((world - spot) ** 2).sum(-1) / (2 * 4.0**2)).astype(np.float32)
    write("model.nii.gz", blob, qform=grid)
    words = ("antsApplyTransforms", "-d", "3", "-i", "model.nii.gz", "-r", "model.nii.gz", "-o", "warped.nii.gz")
    ended = run(*words, "-t", transform, module="tntpipe.programs.ants")
    assert ended.returncode == 0, ended.stderr
    warped = nib.load(tmp_path / "warped.nii.gz").get_fdata()
    centre = (world * warped[..., None]).sum((0, 1, 2)) / warped.sum()
    np.testing.assert_allclose(centre, model_to_scan(spot), atol=0.1)
    np.testing.assert_allclose(carried([tuple(spot)], inverse=True)[0], centre, atol=0.1)
    assert np.linalg.norm(carried([tuple(spot)], inverse=False)[0] - centre) > 10


def test_points_are_written_in_lps_and_read_back_exactly(tmp_path):
    points = ((0.1, -1 / 3, 1e-7), (12345.678901234, 0.0, -5.0))
    write_points(tmp_path / "points.csv", Tags(points, (1, 3)))
    lines = (tmp_path / "points.csv").read_text().splitlines()
    assert lines[:2] == ["x,y,z,t,label", "-0.1,0.3333333333333333,1e-07,0,1"]
    assert points_to_ras(tmp_path / "points.csv") == points


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1: has no columns"),
        ("x,y\n1,2\n", "line 1: has no columns"),
        ("x,y,z\n1,2\n", "line 2: does not hold"),
        ("x,y,z\n1,2,3\n1,2,nan\n", "line 3: does not hold"),
    ],
)
def test_a_csv_that_holds_no_points_is_refused_by_line(tmp_path, content, words):
    (tmp_path / "points.csv").write_text(content)
    with pytest.raises(TableError, match=words):
        points_to_ras(tmp_path / "points.csv")
