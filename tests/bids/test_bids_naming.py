"""Names of derivatives."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tntpipe.bids import outputs
from tntpipe.bids.naming import derivative_name, derivative_path
from tntpipe.bids.scan import Scan
from tntpipe.errors import UsageError

PLAIN = Scan(Path("/bids/sub-01/anat/sub-01_T1w.nii.gz"), (("subject", "01"),))
FULL = Scan(
    Path("/bids/sub-01/ses-02/anat/sub-01_ses-02_acq-mprage_rec-norm_run-01_T1w.nii"),
    (("subject", "01"), ("session", "02"), ("acquisition", "mprage"), ("reconstruction", "norm"), ("run", "01")),
)


@pytest.mark.parametrize(
    ("derivative", "name"),
    [
        (outputs.CLEAN_T1W, "_desc-qform_T1w.nii.gz"),
        (outputs.NUCOR_T1W, "_desc-nucor_T1w.nii.gz"),
        (outputs.PREPROC_T1W, "_desc-preproc_T1w.nii.gz"),
        (outputs.WARPED_MODEL, "_desc-warpedmodel_T1w.nii.gz"),
        (outputs.BRAIN_MASK, "_desc-brain_mask.nii.gz"),
        (outputs.WARPED_MODEL_BRAIN_MASK, "_desc-warpedmodelbrain_mask.nii.gz"),
        (outputs.INTRACRANIAL_MASK, "_label-ICV_mask.nii.gz"),
        (outputs.TISSUE_DSEG, "_seg-tissue_dseg.nii.gz"),
        (outputs.LOBES_DSEG, "_seg-lobes_dseg.nii.gz"),
        (outputs.TISSUELOBES_DSEG, "_seg-tissuelobes_dseg.nii.gz"),
        (outputs.probseg("GM"), "_label-GM_probseg.nii.gz"),
        (outputs.probseg("WM"), "_label-WM_probseg.nii.gz"),
        (outputs.probseg("CSF"), "_label-CSF_probseg.nii.gz"),
        (outputs.TISSUE_FEATURES, "_seg-tissue_features.tsv"),
        (outputs.TISSUELOBES_STATS, "_seg-tissuelobes_stats.tsv"),
        (outputs.BRAIN_STATS, "_desc-brain_stats.tsv"),
        (outputs.INTRACRANIAL_STATS, "_label-ICV_stats.tsv"),
        (outputs.subcortex_dseg("CIT168"), "_atlas-CIT168_seg-subcortex_dseg.nii.gz"),
        (outputs.subcortex_stats("CIT168"), "_atlas-CIT168_seg-subcortex_stats.tsv"),
        (outputs.warped_subcortical_model("Colin27"), "_desc-warpedColin27_T1w.nii.gz"),
        (outputs.transform("MNI", "T1w"), "_from-MNI_to-T1w_mode-image_xfm.nii.gz"),
        (outputs.transform("T1w", "MNI"), "_from-T1w_to-MNI_mode-image_xfm.nii.gz"),
        (outputs.transform("MNI", "T1w", linear=True), "_from-MNI_to-T1w_mode-image_desc-linear_xfm.mat"),
    ],
)
def test_each_derivative_is_named_after_its_scan(derivative: outputs.Derivative, name: str) -> None:
    assert str(derivative.path(PLAIN)) == f"sub-01/anat/sub-01{name}"
    assert str(derivative.path(FULL)) == f"sub-01/ses-02/anat/{FULL.key}{name}"
    stem = name.partition(".")[0]
    assert str(derivative.sidecar(PLAIN)) == f"sub-01/anat/sub-01{stem}.json"
    assert str(derivative.label_table(PLAIN)) == f"sub-01/anat/sub-01{stem}.tsv"


def test_own_entities_are_put_in_the_order_of_bids_whatever_the_call() -> None:
    assert derivative_name(PLAIN, "dseg", ".tsv", desc="x", seg="tissue", atlas="A") == (
        "sub-01_atlas-A_seg-tissue_desc-x_dseg.tsv"
    )


def test_an_entity_of_the_scan_may_stand_behind_one_of_the_derivative() -> None:
    chunk = Scan(Path("x_T1w.nii"), (("subject", "01"), ("run", "1"), ("chunk", "2")))
    assert derivative_name(chunk, "T1w", ".nii", space="MNI") == "sub-01_run-1_space-MNI_chunk-2_T1w.nii"


@pytest.mark.parametrize("value", ["my_model", "../x", "a/b", "", "a b", "é", "x\n", "a-b"])
def test_a_value_that_cannot_stand_in_a_name_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a file name as 'to'"):
        outputs.transform("T1w", value).path(PLAIN)


@pytest.mark.parametrize(
    ("suffix", "extension", "entities"),
    [
        ("T1w", ".nii", {"colour": "red"}),
        ("T1w", ".nii", {"sub": "02"}),
        ("T1w", "nii", {}),
        ("T1w", "./../x", {}),
        ("a_b", ".nii", {}),
        ("", ".nii", {}),
    ],
)
def test_what_is_not_bids_is_a_fault_of_the_program(suffix: str, extension: str, entities: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"cannot be added|no BIDS"):
        derivative_name(PLAIN, suffix, extension, **entities)


@pytest.mark.parametrize(
    "entities",
    [(), (("session", "1"),), (("subject", ".."),), (("subject", "1"), ("run", "1"), ("session", "1"))],
)
def test_a_scan_that_exists_is_valid(entities: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match=r"scan has|BIDS order|BIDS label"):
        Scan(Path("x_T1w.nii"), entities)


@given(value=st.text())
def test_no_value_leads_out_of_the_output_folder(value: str) -> None:
    try:
        path = derivative_path(PLAIN, "T1w", ".nii.gz", desc=value)
    except UsageError:
        return
    assert path.parent == PurePosixPath("sub-01/anat")
    assert ".." not in path.parts
