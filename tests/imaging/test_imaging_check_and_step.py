"""What a check lets through survives the step that reads it, and lies where the check found it: for every kind of file
that a user gives, over made-up variants of endings, types, scalings, orientations and extensions of the header."""

from __future__ import annotations

import gzip
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tntpipe.errors import ImageError, TableError
from tntpipe.imaging.brain import given_mask_file
from tntpipe.imaging.check import check_header, check_image, check_labels, check_mask, check_priors, check_tags
from tntpipe.imaging.clean_header import clean_header_file
from tntpipe.imaging.facts import ImageFacts, read_facts
from tntpipe.imaging.mixture import NEEDED
from tntpipe.imaging.orientation import MAX_SHEAR_ANGLE
from tntpipe.imaging.points import tags_to_points_file
from tntpipe.imaging.segmentation import prior_tissues_file
from tntpipe.imaging.statistics import statistics_file
from tntpipe.imaging.tables import MIN_TAGS, read_labels

SHAPE = (20, 18, 16)
RAMP = (np.arange(np.prod(SHAPE)) % 250 + 1).reshape(SHAPE)
BALL = np.linalg.norm(np.indices(SHAPE) - np.array([10, 9, 8])[:, None, None, None], axis=0) < 6
TURN = nib.eulerangles.euler2mat(0.2, -0.1, 0.3)

NAMES = ("x.nii", "x.nii.gz")
TYPES = ("uint8", "int16", "<i4", ">i2", "uint16", "float32", ">f4", "float64", "int64", "uint32")
SCALINGS = ((1.0, 0.0), (0.0, 0.0), (float("nan"), 0.0), (2.0, 0.0), (0.5, 10.0), (float("inf"), 0.0), (1.0, 5.0))
EXTENSIONS = ("none", "sound", "size 0", "size 7", "too large", "cut off", "flag alone")
OFFSETS = (0.0, 0.001, 3.0, 400.0)
FORMS = ("q", "s", "qs", "none", "q shifted", "q long", "q too long", "s nan", "s sheared", "s rounded", "turned")
SETTINGS = settings(max_examples=120, deadline=None)


@dataclass(frozen=True)
class Variant:
    """How the same voxels are put into a file."""

    name: str
    dtype: str
    scaling: tuple[float, float]
    extension: str
    form: str
    version: int
    trailing: int
    offset_0: bool


variants = st.builds(
    Variant,
    name=st.sampled_from(NAMES),
    dtype=st.sampled_from(TYPES),
    scaling=st.sampled_from(SCALINGS),
    extension=st.sampled_from(EXTENSIONS),
    form=st.sampled_from(FORMS),
    version=st.sampled_from((1, 2)),
    trailing=st.integers(0, 2),
    offset_0=st.booleans(),
)


def affines() -> tuple[np.ndarray, np.ndarray]:
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = TURN * 5.1, (-50, -40, -35)
    other = affine.copy()
    other[0, 3] += 8
    return affine, other


def write(folder: Path, variant: Variant, voxels: np.ndarray) -> Path:
    """The voxels in a file of that kind, whether or not it makes sense."""
    kind = nib.Nifti1Image if variant.version == 1 else nib.Nifti2Image
    dtype = np.dtype(variant.dtype)
    header = kind.header_class(endianness=">" if dtype.byteorder == ">" else "<")
    header.set_data_dtype(dtype)
    header.set_data_shape(voxels.shape + (1,) * variant.trailing)
    affine, other = affines()
    form = variant.form
    if "q" in form or form in ("turned", "s nan"):
        header.set_qform(affine, 1)
    if form in ("s", "qs"):
        header.set_sform(affine, 1)
    if form == "q shifted":
        header.set_sform(other, 2)
    if form in ("s sheared", "s rounded"):
        sform = np.round(TURN, 5) @ np.diag([5.1, 5.1, 5.1])
        if form == "s sheared":
            sform[0, 1] += 0.5
        other[:3, :3] = sform
        header.set_sform(other, 1)
    if form == "turned":
        header.set_sform(affine @ nib.affines.from_matvec(nib.eulerangles.euler2mat(x=np.pi / 2)), 1)
    if form.endswith("long"):
        parts = np.array([0.6, 0.0, 0.8]) * (1 + (1e-6 if form == "q long" else 0.1))
        for field, part in zip(("quatern_b", "quatern_c", "quatern_d"), parts, strict=True):
            header[field] = part
    if form == "s nan":
        header["sform_code"], header["srow_x"] = 1, np.nan
    header["scl_slope"], header["scl_inter"] = variant.scaling
    between = extension_bytes(variant.extension)
    header["magic"] = b"n+1" if variant.version == 1 else b"n+2"
    first = len(header.binaryblock) + 4
    header["vox_offset"] = 0 if variant.offset_0 and len(between) == 4 else first - 4 + len(between)
    content = header.binaryblock + between + voxels.astype(dtype).tobytes(order="F")
    path = folder / variant.name
    path.write_bytes(gzip.compress(content, 1) if path.name.endswith(".gz") else content)
    return path


def extension_bytes(kind: str) -> bytes:
    flag, body = b"\1\0\0\0", b"comment\0" + b"\0" * 16
    return {
        "none": b"\0\0\0\0",
        "sound": flag + struct.pack("<ii", 32, 6) + body,
        "size 0": flag + struct.pack("<ii", 0, 6) + body,
        "size 7": flag + struct.pack("<ii", 7, 6) + body,
        "too large": flag + struct.pack("<ii", 1_000_000_000, 6) + body,
        "cut off": flag + b"\x20" + b"\0" * 11,
        "flag alone": flag,
    }[kind]


def meant(variant: Variant, voxels: np.ndarray) -> np.ndarray:
    """The values that the file stands for."""
    slope, intercept = variant.scaling
    return voxels * slope + intercept if slope and not np.isnan(slope) else voxels


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def clean(path: Path) -> nib.Nifti1Image:
    """What the step makes of a file, under the name that it has in the step's folder."""
    folder = path.parent / "in"
    folder.mkdir(exist_ok=True)
    link = folder / ("image.nii.gz" if path.name.endswith(".gz") else "image.nii")
    link.unlink(missing_ok=True)
    link.symlink_to(path)
    clean_header_file(input=str(link), output=str(path.parent / "clean.nii.gz"), max_shear_angle=MAX_SHEAR_ANGLE)
    return nib.load(path.parent / "clean.nii.gz")


def agrees(made: nib.Nifti1Image, facts: ImageFacts, values: np.ndarray) -> None:
    np.testing.assert_array_equal(made.affine, np.array(facts.affine))
    np.testing.assert_allclose(np.asarray(made.dataobj, dtype=np.float64), values, rtol=1e-6)


@SETTINGS
@given(variant=variants)
def test_a_scan_that_passes_is_cleaned_with_the_same_voxels_where_the_check_placed_it(variant: Variant) -> None:
    with scratch() as folder:
        path = write(folder, variant, RAMP)
        try:
            facts = check_image(path)
        except ImageError:
            return
        agrees(clean(path), facts, meant(variant, RAMP))


REFUSED_FORMS = ("none", "q too long", "s sheared", "turned")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("name", NAMES)
def test_a_scan_is_refused_for_its_orientation_alone_and_never_for_an_extension(
    tmp_path: Path, form: str, extension: str, name: str
) -> None:
    path = write(tmp_path, Variant(name, "int16", (1.0, 0.0), extension, form, 1, 0, False), RAMP)
    if form in REFUSED_FORMS:
        with pytest.raises(ImageError):
            check_image(path)
        return
    facts = check_image(path)
    said = "its header extension is damaged and is ignored" in facts.warnings
    assert said == (extension in ("size 0", "size 7", "too large", "cut off"))
    agrees(clean(path), facts, RAMP)


@SETTINGS
@given(scan=variants, mask=variants)
def test_a_users_mask_that_passes_is_taken(scan: Variant, mask: Variant) -> None:
    with scratch() as folder:
        (folder / "mask").mkdir()
        image, drawn = write(folder, scan, RAMP), write(folder / "mask", mask, BALL)
        try:
            facts = check_image(image)
            check_mask(drawn, like=check_header(image))
        except ImageError:
            return
        clean(image)
        words = {"like_image": str(folder / "clean.nii.gz"), "output": str(folder / "taken.nii.gz")}
        given_mask_file(mask=str(drawn), max_shear_angle=MAX_SHEAR_ANGLE, **words)
        agrees(nib.load(folder / "taken.nii.gz"), facts, meant(mask, BALL) > 0)


def test_a_mask_that_has_the_scans_sform_alone_is_judged_against_its_qform_by_check_and_step(tmp_path: Path) -> None:
    plain = {"dtype": "uint8", "scaling": (1.0, 0.0), "extension": "none", "version": 1, "trailing": 0}
    for name in ("scan", "same", "other"):
        (tmp_path / name).mkdir()
    scan = write(tmp_path / "scan", Variant("x.nii", form="q shifted", offset_0=False, **plain), RAMP)  # type: ignore[arg-type]
    same = write(tmp_path / "same", Variant("x.nii", form="q shifted", offset_0=False, **plain), BALL)  # type: ignore[arg-type]
    like = check_header(scan)
    check_mask(same, like=like)
    clean(scan)
    taken = {"like_image": str(tmp_path / "scan/clean.nii.gz"), "output": str(tmp_path / "taken.nii.gz")}
    given_mask_file(mask=str(same), max_shear_angle=MAX_SHEAR_ANGLE, **taken)
    image = nib.Nifti1Image(BALL.astype(np.uint8), None)
    image.set_sform(affines()[1], 2)
    image.set_qform(None, 0)
    nib.save(image, tmp_path / "other/x.nii")
    with pytest.raises(ImageError, match="does not lie on the grid"):
        check_mask(tmp_path / "other/x.nii", like=like)
    with pytest.raises(ImageError, match="lie on different grids"):
        given_mask_file(mask=str(tmp_path / "other/x.nii"), max_shear_angle=MAX_SHEAR_ANGLE, **taken)


LABELS = "index\tname\n1\tone\n2\ttwo\n5\tfive\n"
MAP = np.select([RAMP % 3 == 1, RAMP % 3 == 2], [1, 5], 0)


@SETTINGS
@given(variant=variants)
def test_a_models_label_map_and_mask_that_pass_are_cleaned_and_counted(variant: Variant) -> None:
    with scratch() as folder:
        table = folder / "labels.tsv"
        table.write_text(LABELS)
        path = write(folder, variant, MAP)
        try:
            facts = check_labels(path, read_labels(table))
        except ImageError:
            return
        agrees(clean(path), facts, meant(variant, MAP))
        cleaned, words = str(folder / "clean.nii.gz"), {"output": str(folder / "stats.tsv")}
        statistics_file(labels=cleaned, labels_table=str(table), image=cleaned, **words)


STRUCTURES = "name\ttissue\tintensity\tsubcortex\n" + "".join(
    f"{name}\t{tissue}\t{group}\tn/a\n"
    for name, tissue, group in (
        ("Background", "n/a", "Background"),
        *((f"S{i}", "GM", group) for i, group in enumerate(NEEDED)),
    )
)


@settings(max_examples=60, deadline=None)
@given(variant=variants)
def test_probabilities_that_pass_are_read_where_the_check_placed_them(variant: Variant) -> None:
    n_structures = STRUCTURES.count("\n") - 1
    voxels = np.stack([np.roll(BALL * 100, number, 0) for number in range(n_structures)], -1)
    variant = Variant(**{**variant_fields(variant), "trailing": 0})
    with scratch() as folder:
        table = folder / "table.tsv"
        table.write_text(STRUCTURES)
        path = write(folder, variant, voxels)
        try:
            check_priors(path, table, ())
        except (ImageError, TableError):
            return
        prior_tissues_file(priors=str(path), priors_table=str(table), output=f"{folder}/tissue_")
        facts = read_facts(path, MAX_SHEAR_ANGLE, series=True)
        np.testing.assert_allclose(nib.load(f"{folder}/tissue_GM.nii.gz").affine, np.array(facts.affine), atol=1e-4)


def variant_fields(variant: Variant) -> dict[str, object]:
    return {name: getattr(variant, name) for name in Variant.__dataclass_fields__}


words = st.sampled_from(
    ["1", "2", "3", "1.5", "-4", "n/a", "", "CSF", "GM", "WM", "é", "1e3", "nan", "999999", "\u2028"]
)
lines = st.lists(st.lists(words, min_size=1, max_size=5).map("\t".join), max_size=6)
heads = st.sampled_from(["index\tname", "x\ty\tz\tindex", "name\tindex\tmapping", "index\tname\tgroup", "index", ""])


@SETTINGS
@given(head=heads, rows=lines, ending=st.sampled_from(["\n", "\r\n"]), bom=st.booleans())
def test_a_label_table_that_passes_is_read_by_the_step(head: str, rows: list[str], ending: str, bom: bool) -> None:
    with scratch() as folder:
        table = folder / "labels.tsv"
        table.write_bytes(("\ufeff" * bom + ending.join([head, *rows]) + ending).encode())
        path = write(folder, Variant("x.nii", "uint8", (1.0, 0.0), "none", "q", 1, 0, False), MAP)
        try:
            check_labels(path, read_labels(table))
        except (ImageError, TableError):
            return
        clean(path)
        cleaned = str(folder / "clean.nii.gz")
        output = folder / "stats.tsv"
        statistics_file(labels=cleaned, labels_table=str(table), image=cleaned, output=str(output))
        assert len(output.read_text().splitlines()) > 1


@SETTINGS
@given(
    points=st.lists(st.tuples(*[st.floats(-60, 60)] * 3), min_size=3, max_size=6),
    index=st.integers(0, 3),
    ending=st.sampled_from(["\n", "\r\n"]),
    variant=variants,
)
def test_a_tag_table_that_passes_is_written_as_points(
    points: list[tuple[float, float, float]], index: int, ending: str, variant: Variant
) -> None:
    centre = affines()[0] @ [10, 9, 8, 1]
    sound = [f"{centre[0]}\t{centre[1]}\t{centre[2]}\t{c}" for c in (1, 2, 3) for _ in range(MIN_TAGS)]
    rows = sound + ["\t".join(map(repr, (*point, index))) for point in points]
    with scratch() as folder:
        (folder / "labels.tsv").write_text("index\tname\n1\tCSF\n2\tGM\n3\tWM\n")
        tags = folder / "tags.tsv"
        tags.write_text(ending.join(["x\ty\tz\tindex", *rows]), newline="")
        mask = write(folder, variant, BALL)
        try:
            facts = read_facts(mask, MAX_SHEAR_ANGLE)
            check_mask(mask)
            check_tags(tags, read_labels(folder / "labels.tsv"), facts, mask)
        except (ImageError, TableError):
            return
        tags_to_points_file(tags=str(tags), output=str(folder / "points.csv"))
        assert len((folder / "points.csv").read_text().splitlines()) == len(rows) + 1
