"""Descriptions of the derivative dataset, and the validator's opinion of a whole one."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tntpipe.bids import outputs, sidecars
from tntpipe.bids.dataset import Dataset
from tntpipe.bids.description import (
    BIDSIGNORE,
    DESCRIPTIONS,
    container_of,
    dataset_description,
    dataset_files,
    json_text,
    link_to_raw,
    write_dataset_files,
)
from tntpipe.bids.methods import RunFacts, methods_of_scans, methods_text
from tntpipe.bids.scan import Scan
from tntpipe.errors import OutputError

FACTS = RunFacts(
    tntpipe_version="0.1.0",
    ants_flavour="antspyx",
    ants_version="2.6.2",
    model="MNI152NLin2009cAsym",
    registration="reference",
    brain_extraction="template",
)
SOURCE = Dataset(name="Heads", bids_version="1.8.0", doi="doi:10.18112/openneuro.ds000001.v1.0.0")
SCANS = (
    Scan(Path("/bids/sub-01/anat/sub-01_T1w.nii.gz"), (("subject", "01"),)),
    Scan(
        Path("/bids/sub-02/ses-1/anat/sub-02_ses-1_acq-a_run-1_T1w.nii"),
        (("subject", "02"), ("session", "1"), ("acquisition", "a"), ("run", "1")),
    ),
)


def test_the_description_names_versions_source_and_link() -> None:
    content = dataset_description(FACTS, SOURCE, "../..", {"Type": "docker", "Tag": "tntpipe:0.1.0"})
    assert content["DatasetType"] == "derivative"
    assert content["GeneratedBy"] == [
        {"Name": "tntpipe", "Version": "0.1.0", "Container": {"Type": "docker", "Tag": "tntpipe:0.1.0"}},
        {"Name": "ANTs", "Version": "2.6.2", "Description": "antspyx"},
    ]
    assert content["SourceDatasets"] == [{"URL": "../..", "DOI": SOURCE.doi}]
    assert content["DatasetLinks"] == {"raw": "../.."}


@pytest.mark.parametrize(
    ("environ", "container"),
    [
        ({}, None),
        ({"TNTPIPE_DOCKER_TAG": "tntpipe:1", "container": "oci"}, {"Type": "docker", "Tag": "tntpipe:1"}),
        ({"APPTAINER_CONTAINER": "/images/tnt.sif"}, {"Type": "apptainer", "Tag": "tnt.sif"}),
        ({"SINGULARITY_CONTAINER": "/images/tnt.sif"}, {"Type": "singularity", "Tag": "tnt.sif"}),
        ({"container": "podman"}, {"Type": "podman"}),
    ],
)
def test_the_container_is_what_the_environment_says(environ: dict[str, str], container: object) -> None:
    assert container_of(environ) == container


@pytest.mark.parametrize(
    ("bids", "out", "link"),
    [
        ("/data/bids", "/data/bids/derivatives/tntpipe", "../.."),
        ("/data/bids", "/data/out", "../bids"),
        ("/data/my bids", "/data/out", "../my%20bids"),
        ("/data/my bids", "/scratch/out", "file:///data/my%20bids"),
    ],
)
def test_the_link_is_relative_where_both_folders_move_together(bids: str, out: str, link: str) -> None:
    assert link_to_raw(Path(bids), Path(out)) == link


@pytest.mark.parametrize(
    ("settings", "said", "unsaid"),
    [
        ({}, "antsRegistrationSyN.sh", "Subcortical"),
        ({"registration": "quick"}, "antsRegistrationSyNQuick.sh", "antsRegistrationSyN.sh"),
        ({"registration": "debug"}, "not to be analysed", "antsRegistrationSyN"),
        ({"brain_extraction": "bet"}, "FSL BET [4]", "whole-head template"),
        ({"brain_extraction": "given"}, "provided by the user", "Smith SM"),
        (
            {"subcortical_model": "Colin27", "nuclei_by_atlas": False},
            "Subcortical structures were carried from the model Colin27",
            "Intracranial",
        ),
        (
            {"subcortical_model": FACTS.model},
            "structures are those of the same segmentation",
            "structures were carried",
        ),
        (
            {"subcortical_model": FACTS.model, "nuclei_by_atlas": False},
            "were carried from the model MNI",
            "the same seg",
        ),
        ({}, "Gaussian mixture with partial volume", "Atropos"),
        ({"atlas": False}, "separated with Atropos", "mixture"),
        ({"intracranial_volume": True}, "Intracranial volume", "Subcortical"),
    ],
)
def test_the_methods_say_what_the_run_did_and_nothing_else(settings: dict[str, object], said: str, unsaid: str) -> None:
    text = methods_text(replace(FACTS, **settings))  # type: ignore[arg-type]
    assert said in text
    assert unsaid not in text


def test_references_are_numbered_as_they_are_cited() -> None:
    paragraph, _, references = methods_text(replace(FACTS, brain_extraction="bet")).partition("## References")
    assert [paragraph.index(f"[{number}]") for number in range(1, 8)] == sorted(
        paragraph.index(f"[{number}]") for number in range(1, 8)
    )
    assert references.count("doi:") == 7
    assert "1. Gorgolewski" in references


def test_dataset_files_are_written_once_and_again_only_where_they_differ(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert len(write_dataset_files(out, FACTS, SOURCE, "../bids")) == 5
    assert write_dataset_files(out, FACTS, SOURCE, "../bids") == ()
    other = replace(FACTS, registration="quick")
    assert write_dataset_files(out, other, SOURCE, "../bids") == (out / "logs/CITATION.md",)
    assert not list(out.rglob("*.tmp"))
    for name, text in dataset_files(other, SOURCE, "../bids").items():
        assert (out / name).read_text() == text


def test_scans_that_were_made_in_other_ways_have_a_text_of_their_own() -> None:
    quick = replace(FACTS, registration="quick")
    text = methods_of_scans({"sub-01": quick, "sub-02": FACTS, "sub-03": FACTS, "sub-04": None})
    assert "made in 3 ways. Do not compare their volumes" in text
    first, second, third = text.split("\n## ")[1:]
    assert first.startswith("sub-02, sub-03\n") and "`antsRegistrationSyN.sh`" in first
    assert second.startswith("sub-01\n") and "`antsRegistrationSyNQuick.sh`" in second
    assert third.startswith("sub-04\n") and "another version of tntpipe" in third
    assert methods_of_scans({"sub-01": FACTS, "sub-02": FACTS}) == methods_text(FACTS)


def test_the_dataset_marks_the_scans_of_debug_alone() -> None:
    lying = {"sub-01": FACTS, "sub-02": replace(FACTS, registration="debug")}
    files = dataset_files(FACTS, SOURCE, "../bids", lying=lying)
    assert "**Not for analysis.** sub-02: --debug" in files["README"]
    description = json.loads(files["dataset_description.json"])
    assert description["GeneratedBy"][0]["Description"].startswith("sub-02: --debug")
    files = dataset_files(FACTS, SOURCE, "../bids", lying={"sub-01": FACTS})
    assert "debug" not in files["README"] + files["dataset_description.json"]


def test_every_derivative_is_known_by_its_name_and_nothing_else_is(tmp_path: Path) -> None:
    for scan in SCANS:
        _write_derivatives(tmp_path, scan)
        names = [path.name.removeprefix(scan.key) for path in (tmp_path / scan.folder).iterdir()]
        assert len(names) > 30 and [name for name in names if not outputs.is_derivative(name.removeprefix("_"))] == []
    for name in ("desc-mine_mask.nii.gz", "run-2_desc-brain_mask.nii.gz", "T1w.nii.gz", "notes.txt"):
        assert not outputs.is_derivative(name)


@pytest.mark.parametrize("content", ['{"Name": "raw"}', '{"GeneratedBy": [{"Name": "fMRIPrep"}]}', "{", "[]"])
def test_a_dataset_of_somebody_else_is_never_overwritten(tmp_path: Path, content: str) -> None:
    (tmp_path / "dataset_description.json").write_text(content)
    with pytest.raises(OutputError, match="not written by tntpipe"):
        write_dataset_files(tmp_path, FACTS, SOURCE, "../bids")
    assert [path.name for path in tmp_path.iterdir()] == ["dataset_description.json"]


def test_an_output_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_dataset_files(tmp_path / "file" / "out", FACTS, SOURCE, "../bids")


def _write_derivatives(out: Path, scan: Scan) -> None:
    """All derivatives of a scan as tiny real files, with the sidecars that go with them."""
    clean = sidecars.derivative_uri(outputs.CLEAN_T1W.path(scan))
    nucor = [sidecars.derivative_uri(outputs.NUCOR_T1W.path(scan))]
    contents = {
        outputs.CLEAN_T1W: sidecars.t1w_sidecar(DESCRIPTIONS["qform"], [sidecars.raw_uri(scan)]),
        outputs.NUCOR_T1W: sidecars.t1w_sidecar(DESCRIPTIONS["nucor"], [clean]),
        outputs.PREPROC_T1W: sidecars.t1w_sidecar(DESCRIPTIONS["preproc"], nucor),
        outputs.WARPED_MODEL: sidecars.t1w_sidecar(DESCRIPTIONS["warpedmodel"], nucor),
        outputs.warped_subcortical_model("Colin27"): sidecars.t1w_sidecar("Second model.", nucor, skull_stripped=True),
        outputs.BRAIN_MASK: sidecars.brain_mask_sidecar(scan, nucor),
        outputs.WARPED_MODEL_BRAIN_MASK: sidecars.brain_mask_sidecar(scan, nucor),
        outputs.INTRACRANIAL_MASK: sidecars.intracranial_mask_sidecar(scan, nucor),
        outputs.TISSUE_DSEG: sidecars.dseg_sidecar(scan, "Tissue classes.", nucor),
        outputs.LOBES_DSEG: sidecars.dseg_sidecar(scan, "Lobes.", nucor),
        outputs.TISSUELOBES_DSEG: sidecars.dseg_sidecar(scan, "Tissue classes of each lobe.", nucor),
        outputs.subcortex_dseg("CIT168"): sidecars.dseg_sidecar(scan, "Nuclei.", nucor),
        outputs.probseg("GM"): sidecars.probseg_sidecar(scan, "GM", nucor),
        outputs.probseg("WM"): sidecars.probseg_sidecar(scan, "WM", nucor),
        outputs.probseg("CSF"): sidecars.probseg_sidecar(scan, "CSF", nucor),
        outputs.TISSUELOBES_STATS: sidecars.stats_sidecar(),
        outputs.BRAIN_STATS: sidecars.stats_sidecar(),
        outputs.INTRACRANIAL_STATS: sidecars.stats_sidecar(),
        outputs.subcortex_stats("CIT168"): sidecars.stats_sidecar(),
        outputs.TISSUE_FEATURES: sidecars.features_sidecar(),
        outputs.transform("MNI152NLin2009cAsym", "T1w"): None,
        outputs.transform("T1w", "MNI152NLin2009cAsym", linear=True): None,
    }
    for derivative, sidecar in contents.items():
        path = out / derivative.path(scan)
        path.parent.mkdir(parents=True, exist_ok=True)
        if derivative.extension == ".nii.gz":
            _write_image(path)
        else:
            path.write_text("index\tname\tnumber_voxels\tvolume\tmean\n1\tBrain\t8\t8.0\t100.0\n")
        if derivative.suffix == "dseg":
            (out / derivative.label_table(scan)).write_text("index\tname\tmapping\n1\tCSF\t3\n2\tGM\t1\n3\tWM\t2\n")
        if sidecar is not None:
            (out / derivative.sidecar(scan)).write_text(json_text({**sidecar, **sidecars.made_by(FACTS, 1)}))


def _write_image(path: Path) -> None:
    image = nibabel.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    image.set_qform(np.eye(4), 1)
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)


def _validator_issues(out: Path) -> list[dict[str, str]]:
    validator = Path(sysconfig.get_path("scripts"), "bids-validator-deno")
    done = subprocess.run([validator, "--format", "json", out], capture_output=True, text=True, check=False)
    return list(json.loads(done.stdout)["issues"]["issues"])


@pytest.fixture
def derivatives(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    write_dataset_files(out, replace(FACTS, subcortical_model="Colin27"), SOURCE, "../bids")
    for scan in SCANS:
        _write_derivatives(out, scan)
    (out / "figures").mkdir()
    (out / "figures/mask.png").touch()
    (out / "sub-01.html").touch()
    (out / "work/steps").mkdir(parents=True)
    (out / "work/contents.json").write_text("{}")
    (out / "manifest").mkdir()
    (out / "manifest/sub-01.json").write_text("{}")
    (out / "group_T1w.tsv").write_text("subject\n01\n")
    return out


def test_the_validator_finds_no_error_in_the_whole_output(derivatives: Path) -> None:
    errors = [issue for issue in _validator_issues(derivatives) if issue["severity"] == "error"]
    assert errors == []


def test_every_desc_in_a_name_is_described(derivatives: Path) -> None:
    described = {line.partition("\t")[0] for line in (derivatives / "descriptions.tsv").read_text().splitlines()}
    used = {pair for path in derivatives.rglob("*_*") for pair in path.name.split("_") if pair.startswith("desc-")}
    assert described == used | {"desc_id"}


def test_the_validator_needs_each_line_of_bidsignore(derivatives: Path) -> None:
    (derivatives / ".bidsignore").unlink()
    found = {issue["location"] for issue in _validator_issues(derivatives) if issue["severity"] == "error"}
    for pattern in BIDSIGNORE:
        assert any(Path(part).match(pattern) for location in found for part in Path(location).parts), pattern


def test_a_dataset_whose_path_is_in_another_encoding_is_described_once(tmp_path: Path) -> None:
    from tntpipe.bids.description import _write_if_changed

    assert _write_if_changed(tmp_path / "README", "made from d\udce9")
    assert not _write_if_changed(tmp_path / "README", "made from d\udce9")
