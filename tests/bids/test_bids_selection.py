"""Selection of scans, on trees of empty files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tntpipe.bids.entities import KEY_ORDER, raw_entities
from tntpipe.bids.scan import Scan, scan_of
from tntpipe.bids.selection import Selection, SelectionResult, select_scans
from tntpipe.errors import DatasetError, InputMissingError, SelectionError, UsageError

# The anatomical part of pybids' own ``7t_trt`` and ``synthetic`` examples, and of datasets with several T1w.
TREES = {
    "7t_trt": ("sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz", "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii.gz"),
    "many": (
        "sub-01/anat/sub-01_acq-mprage_rec-norm_run-1_T1w.nii.gz",
        "sub-01/anat/sub-01_acq-mprage_run-02_T1w.nii.gz",
        "sub-02/ses-01/anat/sub-02_ses-01_T1w.nii",
        "sub-02/ses-02/anat/sub-02_ses-02_T1w.nii.gz",
        "sub-02/ses-02/anat/sub-02_ses-02_T2w.nii.gz",
        "sub-02/ses-02/func/sub-02_ses-02_task-rest_bold.nii.gz",
    ),
}
MANY = ["sub-01_acq-mprage_rec-norm_run-1", "sub-01_acq-mprage_run-02", "sub-02_ses-01", "sub-02_ses-02"]


def plant(root: Path, *files: str) -> Path:
    """Make a dataset of empty files."""
    root.mkdir(exist_ok=True)
    (root / "dataset_description.json").write_text('{"Name": "trees", "BIDSVersion": "1.10.0"}')
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


@pytest.fixture
def many(tmp_path: Path) -> Path:
    return plant(tmp_path, *TREES["many"])


def keys(result: SelectionResult) -> list[str]:
    return [scan.key for scan in result.scans]


def test_every_t1w_is_a_scan_of_its_own(many: Path) -> None:
    result = select_scans(many, Selection())
    assert keys(result) == MANY
    assert (result.refused, result.notices) == ((), ())
    assert result.dataset.name == "trees"


def test_a_scan_has_all_entities_in_order_and_its_folder(many: Path) -> None:
    first, *_, last = select_scans(many, Selection()).scans
    assert first.entities == (("subject", "01"), ("acquisition", "mprage"), ("reconstruction", "norm"), ("run", "1"))
    assert str(first.folder) == "sub-01/anat"
    assert str(last.dataset_path) == "sub-02/ses-02/anat/sub-02_ses-02_T1w.nii.gz"
    assert last.path == many / "sub-02/ses-02/anat/sub-02_ses-02_T1w.nii.gz"


def test_pybids_example_is_read(tmp_path: Path) -> None:
    assert keys(select_scans(plant(tmp_path, *TREES["7t_trt"]), Selection())) == ["sub-01_ses-1", "sub-02_ses-1"]


def test_entities_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    root = plant(tmp_path, "sub-01/anat/sub-01_run-1_acq-a_T1w.nii")
    assert keys(select_scans(root, Selection())) == ["sub-01_acq-a_run-1"]


def test_a_relative_dataset_gives_absolute_paths(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(many)
    assert all(scan.path.is_absolute() for scan in select_scans(Path(), Selection()).scans)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"participant_labels": ["sub-02"]}, MANY[2:]),
        ({"participant_labels": ["02", "sub-02"]}, MANY[2:]),
        ({"exclude_participant_labels": ["02"]}, MANY[:2]),
        ({"entities": {"session": None}}, MANY),
        ({"entities": {"session": ["ses-02"]}}, MANY[3:]),
        ({"entities": {"session": ["01", "02"]}}, MANY[2:]),
        ({"entities": {"session": []}}, MANY[:2]),
        ({"entities": {"acquisition": ["acq-mprage"], "reconstruction": []}}, MANY[1:2]),
        ({"entities": {"run": ["01"]}}, MANY[:1]),
        ({"entities": {"run": ["2"]}}, MANY[1:2]),
        ({"filter_file": {"t1w": {"session": "01", "acquisition": None}}}, MANY[2:3]),
        ({"filter_file": {"t1w": {"run": 2}, "bold": {"task": "rest"}}}, MANY[1:2]),
        ({"filter_file": {"t1w": {"run": [1, None]}}}, [MANY[0], *MANY[2:]]),
        ({"filter_file": {"t1w": {"session": "*"}}}, MANY[2:]),
        ({"filter_file": {"t1w": {"session": "Query.NONE", "suffix": "T1w", "datatype": "anat"}}}, MANY[:2]),
        ({"filter_file": {"t1w": {"session": "Query.OPTIONAL", "extension": "nii"}}}, MANY[2:3]),
    ],
)
def test_filters_admit(many: Path, asked: dict[str, object], expected: list[str]) -> None:
    assert keys(select_scans(many, Selection.of(**asked))) == expected  # type: ignore[arg-type]


def test_participants_without_a_scan_left_are_named_in_one_notice(many: Path) -> None:
    (notice,) = select_scans(many, Selection.of(entities={"session": ["01"]})).notices
    assert "1 participant(s): 01" in str(notice)


def test_filters_that_leave_nothing_say_what_there_is(many: Path) -> None:
    with pytest.raises(SelectionError, match=r"has session 99\. There is: session \(none\), 01, 02\.") as caught:
        select_scans(many, Selection.of(entities={"session": ["99"]}))
    assert caught.value.exit_status == 18


@pytest.mark.parametrize(
    ("label", "complaint"),
    [
        ("sub–01", r"en dash, U\+2013"),
        ("sub—01", r"em dash, U\+2014"),
        ("sub−01", r"minus sign, U\+2212"),
        ("sub‐01", r"hyphen, U\+2010"),
        ("../01", "not a BIDS label"),
        ("sub-01/", "not a BIDS label"),
        ("01\0", "not a BIDS label"),
        ("01,02", "spaces between"),
        ("", "not a BIDS label"),
        ("é", "not a BIDS label"),
        ("٣", "not a BIDS label"),
    ],
)
def test_labels_that_cannot_stand_in_a_name_are_refused(label: str, complaint: str) -> None:
    for asked in ({"participant_labels": [label]}, {"exclude_participant_labels": [label]}):
        with pytest.raises(UsageError, match=complaint):
            Selection.of(**asked)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=complaint):
        Selection.of(entities={"session": [label]})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ([], "no 't1w' entry"),
        ({"bold": {}}, "no 't1w' entry"),
        ({"t1w": {"colour": "red"}}, "'colour'"),
        ({"t1w": {"suffix": "T2w"}}, "Only T1w"),
        ({"t1w": {"extension": ".mgz"}}, r"\.mgz"),
        ({"t1w": {"run": True}}, "text, a list, or null"),
        ({"t1w": {"run": {"a": 1}}}, "text, a list, or null"),
        ({"t1w": {"run": "first"}}, "not a number"),
    ],
)
def test_filter_files_that_make_no_sense_are_refused(content: object, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Selection.of(filter_file=content)


def test_a_participant_who_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    root = plant(tmp_path, "sub-001/anat/sub-001_T1w.nii", "sub-pilot/anat/sub-pilot_T1w.nii")
    with pytest.raises(SelectionError, match=r"1 \(there is 001\), pilto \(there is pilot\), zz\."):
        select_scans(root, Selection.of(participant_labels=["1", "pilto", "zz", "001"]))


def test_excluding_somebody_who_is_not_there_is_a_notice(many: Path) -> None:
    (notice,) = select_scans(many, Selection.of(exclude_participant_labels=["77"])).notices
    assert notice.path == many / "sub-77"


def test_excluding_everybody_is_an_error(many: Path) -> None:
    with pytest.raises(SelectionError, match="also excluded"):
        select_scans(many, Selection.of(participant_labels=["01"], exclude_participant_labels=["01"]))


@pytest.mark.parametrize(("asked", "failed"), [((), False), (("01", "03"), True)])
def test_a_participant_without_t1w_fails_only_if_asked_for(
    tmp_path: Path, asked: tuple[str, ...], failed: bool
) -> None:
    root = plant(tmp_path, "sub-01/anat/sub-01_T1w.nii", "sub-03/anat/sub-03_T2w.nii")
    result = select_scans(root, Selection.of(participant_labels=asked))
    assert keys(result) == ["sub-01"]
    (finding,) = result.refused if failed else result.notices
    assert finding.path == root / "sub-03"
    assert "has no T1w image" in str(finding)


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        (["sub-02/anat/sub-02_T1w.nii", "sub-02/anat/sub-02_T1w.nii.gz"], "sub-02_T1w.nii and sub-02_T1w.nii.gz"),
        (["sub-02/anat/sub-02_acq-a_run-1_T1w.nii", "sub-02/anat/sub-02_run-1_acq-a_T1w.nii"], "are both"),
        (["sub-02/anat/sub-03_T1w.nii"], "disagree"),
        (["sub-02/ses-1/anat/sub-02_T1w.nii"], "disagree"),
        (["sub-02/anat/sub-02_ses-1_T1w.nii"], "disagree"),
        (["sub-02/anat/sub-02_acq-a_acq-b_T1w.nii"], "twice"),
        (["sub-02/anat/sub-02_colour-red_T1w.nii"], "'colour-red'"),
        (["sub-02/anat/sub-02_run-a_T1w.nii"], "'run-a'"),
        (["sub-02/anat/sub-02_acq-a–b_T1w.nii"], "no BIDS entity"),
        (["sub-02/anat/sub-02_acq-é_T1w.nii"], "no BIDS entity"),
        (["sub-02/anat/sub-02_acq-\n_T1w.nii"], r"\\n"),
        (["sub-02/anat/sub-02_T1w.nii/file"], "is a folder, not an image"),
    ],
)
def test_one_bad_file_is_refused_and_the_others_are_run(tmp_path: Path, files: list[str], refused: str) -> None:
    result = select_scans(plant(tmp_path, "sub-01/anat/sub-01_T1w.nii", *files), Selection())
    assert keys(result) == ["sub-01"]
    (finding,) = result.refused
    assert refused in str(finding)
    assert str(finding).isprintable()


def test_twins_are_one_scan_if_a_filter_admits_one(tmp_path: Path) -> None:
    root = plant(tmp_path, "sub-01/anat/sub-01_T1w.nii", "sub-01/anat/sub-01_T1w.nii.gz")
    result = select_scans(root, Selection.of(filter_file={"t1w": {"extension": ".nii.gz"}}))
    assert (keys(result), result.refused) == (["sub-01"], ())


@pytest.mark.parametrize("part", ["desc-preproc", "space-MNI", "res-2", "part-phase"])
def test_a_derivative_or_phase_image_is_skipped_with_a_notice(tmp_path: Path, part: str) -> None:
    root = plant(tmp_path, "sub-01/anat/sub-01_T1w.nii", f"sub-01/anat/sub-01_{part}_T1w.nii")
    result = select_scans(root, Selection())
    assert (keys(result), result.refused) == (["sub-01"], ())
    assert part.partition("-")[2] in str(result.notices[0])


@pytest.mark.parametrize("folder", ["sub-0_1", "sub-", "sub-01–2", "sub-01/ses-a_b"])
def test_a_folder_whose_name_is_no_label_is_skipped_with_a_notice(tmp_path: Path, folder: str) -> None:
    root = plant(tmp_path, "sub-01/anat/sub-01_T1w.nii", f"{folder}/anat/x_T1w.nii")
    result = select_scans(root, Selection())
    assert (keys(result), result.refused) == (["sub-01"], ())
    assert result.notices[0].path == root / folder


def test_shadow_files_and_sidecars_are_no_scans(tmp_path: Path) -> None:
    root = plant(
        tmp_path, *(f"sub-01/anat/{name}" for name in ("sub-01_T1w.nii", "._sub-01_T1w.nii", "sub-01_T1w.json"))
    )
    (root / "sub-01.html").touch()
    result = select_scans(root, Selection())
    assert (keys(result), result.refused, result.notices) == (["sub-01"], (), ())


@pytest.mark.parametrize(
    ("link", "target", "fact"),
    [
        ("sub-02/anat/sub-02_T1w.nii", "sub-02_T1w.nii", "leads to itself"),
        ("sub-02/anat/sub-02_T1w.nii", "../../.git/annex/objects/x", "datalad get"),
        ("sub-02/anat/sub-02_T1w.nii", "/dev/null", "special file"),
        ("sub-02/anat", "nowhere", "symbolic link to nowhere"),
        ("sub-02/anat", "anat", "leads to itself"),
        ("sub-02/ses-1", "ses-1", "leads to itself"),
        ("sub-02", "nowhere", "symbolic link to nowhere"),
        ("sub-02", "sub-02", "leads to itself"),
    ],
)
def test_links_that_lead_nowhere_are_refused_by_name(tmp_path: Path, link: str, target: str, fact: str) -> None:
    root = plant(tmp_path, "sub-01/anat/sub-01_T1w.nii")
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(target)
    result = select_scans(root, Selection())
    assert keys(result) == ["sub-01"]
    (finding,) = result.refused
    assert finding.path == root / link
    assert fact in str(finding)


def test_a_filtered_out_broken_file_is_no_failure(tmp_path: Path) -> None:
    root = plant(tmp_path, "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii", "sub-01/ses-2/anat/x")
    (root / "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii").symlink_to("nowhere")
    assert select_scans(root, Selection.of(entities={"session": ["1"]})).refused == ()


def test_if_all_is_refused_the_error_says_why(tmp_path: Path) -> None:
    root = plant(tmp_path, "sub-01/anat/sub-02_T1w.nii")
    with pytest.raises(SelectionError, match="disagree"):
        select_scans(root, Selection())


def test_a_missing_folder_and_a_file_are_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match="does not exist"):
        select_scans(tmp_path / "none", Selection())
    (tmp_path / "file").touch()
    with pytest.raises(InputMissingError, match="is a file"):
        select_scans(tmp_path / "file", Selection())


@pytest.mark.parametrize(
    ("description", "complaint"),
    [
        (None, "does not exist"),
        ("{", "not valid JSON"),
        ("[]", "JSON object"),
        ('{"Name": "x"}', "lacks BIDSVersion"),
        ('{"BIDSVersion": "1.0", "Name": ""}', "json has an empty Name"),
        ('{"BIDSVersion": "1.0", "Name": 3}', "json has 3 as Name, where text is needed"),
        ('{"BIDSVersion": 1.8, "Name": "x"}', "json has 1.8 as BIDSVersion, where text is needed. Write text there"),
        ('{"BIDSVersion": null}', "json lacks Name and has null as BIDSVersion"),
        ("\udcff", "not valid JSON"),
    ],
)
def test_a_broken_description_is_refused_unless_validation_is_skipped(
    many: Path, description: str | None, complaint: str
) -> None:
    (many / "dataset_description.json").unlink()
    if description is not None:
        (many / "dataset_description.json").write_bytes(os.fsencode(description))
    with pytest.raises(DatasetError, match=complaint):
        select_scans(many, Selection())
    assert keys(select_scans(many, Selection(skip_validation=True))) == MANY


def test_a_dataset_without_participants_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match="no sub-"):
        select_scans(plant(tmp_path), Selection())


def test_a_derivative_dataset_is_read_with_a_notice(many: Path) -> None:
    content = {"Name": "x", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
    (many / "dataset_description.json").write_text(json.dumps(content))
    assert "derivative dataset" in str(select_scans(many, Selection()).notices[0])


LABELS = st.text("abcXYZ019+", min_size=1, max_size=4)
INDICES = st.integers(0, 999).map(str)
ENTITIES = st.fixed_dictionaries(
    {"sub": LABELS},
    optional={"ses": LABELS, "acq": LABELS, "ce": LABELS, "rec": LABELS, "run": INDICES, "echo": INDICES},
)


@settings(deadline=None)  # the first example imports pybids
@given(pairs=ENTITIES)
def test_entities_are_those_that_pybids_reads(pairs: dict[str, str]) -> None:
    from bids.layout import parse_file_entities

    name = "_".join(f"{key}-{pairs[key]}" for key in sorted(pairs, key=KEY_ORDER.index)) + "_T1w.nii.gz"
    folder = f"/data/sub-{pairs['sub']}" + (f"/ses-{pairs['ses']}" if "ses" in pairs else "") + "/anat"
    scan = scan_of(Path(folder, name), pairs["sub"], pairs.get("ses"))
    assert isinstance(scan, Scan)
    theirs = parse_file_entities(f"{folder}/{name}", config="bids")
    assert dict(scan.entities) == {
        entity: str(value) for entity, value in theirs.items() if entity not in ("suffix", "datatype", "extension")
    }
    assert f"{scan.key}_T1w.nii.gz" == name


@given(name=st.text(st.characters(exclude_characters="/\0"), max_size=30))
def test_no_name_on_the_disk_leaves_the_output_folder_or_crashes(name: str) -> None:
    scan = scan_of(Path(f"/data/sub-01_{name}_T1w.nii"), "01", None)
    if isinstance(scan, Scan):
        assert all(value.isascii() and value.replace("+", "0").isalnum() for _, value in scan.entities)
    else:
        assert str(scan).isprintable()


def test_the_order_of_entities_is_that_of_the_bids_schema() -> None:
    from bidsschematools.schema import load_schema

    schema = load_schema()
    order = [schema.objects.entities[name]["name"] for name in schema.rules.entities]
    assert [key for key in KEY_ORDER if key not in ("from", "to", "mode")] == order
    assert {"sub", "ses", "acq", "ce", "rec", "run", "echo", "part", "chunk", "task"} <= set(raw_entities())


def test_selection_does_not_import_pybids() -> None:
    program = "import sys, tntpipe.bids.selection as s; s.clean_labels(['01']); print('bids' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
