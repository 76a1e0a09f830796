"""What hostile names, links and files cannot do: leave the output folder, run anything, or loosen permissions."""

from __future__ import annotations

import ast
import configparser
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_ants import write_scans
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from small_runs import World, script

import tntpipe.cli.main as cli
from tntpipe.executors.children import THREAD_VARIABLES, environment
from tntpipe.processes.child_python import KEPT_VARIABLES

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for part in ("tntpipe", "tools", "benchmarks") for path in (ROOT / part).rglob("*.py"))
PICKLING = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
"""Modules whose reader runs what a file tells it to."""

EVALUATING = {"eval", "exec", "compile", "__import__"}
EXPORT = "sub-01/anat/sub-01_T1w.nii.gz"


def calls(path: Path) -> Iterator[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_unpickled_or_evaluated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not PICKLING & {name.split(".")[0] for name in names}
    for call in calls(path):
        assert not (isinstance(call.func, ast.Name) and call.func.id in EVALUATING), ast.unparse(call)
        assert all(keyword.arg != "allow_pickle" for keyword in call.keywords), ast.unparse(call)


@pytest.mark.parametrize("path", [p for p in SOURCES if p.is_relative_to(ROOT / "tntpipe")], ids=lambda path: path.name)
def test_nothing_sets_permissions_or_makes_files_that_only_their_owner_may_read(path: Path) -> None:
    """Named files of ``tempfile`` have mode 0600, which a rename keeps."""
    text = path.read_text(encoding="utf-8")
    for name in ("chmod", "copymode", "copystat", "copy2", "umask", "mkstemp", "mkdtemp", "NamedTemp", "TemporaryD"):
        assert name not in text


def test_children_inherit_what_is_documented_and_nothing_else() -> None:
    mine = {
        "AWS_SECRET_ACCESS_KEY": "x",
        "BASH_ENV": "x",
        "LD_PRELOAD": "x",
        "PYTHONSTARTUP": "x",
        "SSH_AUTH_SOCK": "x",
    }
    given = environment(2, mine | dict.fromkeys(KEPT_VARIABLES, "x"))
    fixed = {"TNTPIPE_PARENT_PID", "PYTHONSAFEPATH", "PYTHONUTF8", "FSLOUTPUTTYPE"}
    assert set(given) == {*KEPT_VARIABLES, *THREAD_VARIABLES, *fixed}
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    assert [name for name in (*given, "TNTPIPE_RUN") if f"`{name}`" not in page] == []


def test_the_page_of_others_software_has_every_requirement() -> None:
    """Made anew by ``python -m tools.third_party`` when a requirement is added."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    texts = (setup["options"]["install_requires"], setup["options.extras_require"]["test"])
    needed = [Requirement(line) for text in texts for line in text.strip().splitlines()]
    page = (ROOT / "docs/third_party.md").read_text(encoding="utf-8")
    listed = {canonicalize_name(line.split(" | ")[0].strip("| ")) for line in page.splitlines() if line[:2] == "| "}
    wanted = {canonicalize_name(r.name) for r in needed if r.marker is None or r.marker.evaluate()}
    assert len(wanted) > 10 and wanted <= listed


def write_a_scan_that_is_none(bids: Path) -> None:
    """A dataset that a run is done with at once."""
    scan = bids / "sub-01/anat/sub-01_T1w.nii"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"none")
    (bids / "dataset_description.json").write_text('{"Name": "none", "BIDSVersion": "1.10.0"}')


@pytest.mark.parametrize("mask", [0o027, 0o002, 0o077])
def test_files_and_folders_have_the_permissions_that_the_users_umask_leaves(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        world = World(tmp_path / "world")
        world.run([script("sub-01/step", "echo text > out", export=EXPORT), script("sub-01/bad", "exit 1")])
        write_a_scan_that_is_none(tmp_path / "bids")
        assert cli.main([str(tmp_path / "bids"), str(tmp_path / "out"), "participant", "--no_dashboard"]) == 1
    finally:
        os.umask(before)
    made = [path for folder in ("world", "out") for path in (tmp_path / folder).rglob("*")]
    assert len(made) > 15
    for path in made:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            assert stat.S_IMODE(mode) == (0o777 if stat.S_ISDIR(mode) else 0o666) & ~mask, path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder beside the output that holds a file and must not change."""
    folder = tmp_path / "elsewhere"
    (folder / "anat").mkdir(parents=True)
    (folder / "anat/precious").write_text("precious")
    before = sorted(folder.rglob("*"))
    yield folder
    assert sorted(folder.rglob("*")) == before
    assert (folder / "anat/precious").read_text() == "precious"


@pytest.mark.parametrize("link", ["sub-01", "sub-01/anat"])
@pytest.mark.parametrize("target", ["../elsewhere", "../elsewhere/anat", "../elsewhere/new", "/", ".."])
def test_no_derivative_goes_behind_a_linked_folder(tmp_path: Path, elsewhere: Path, link: str, target: str) -> None:
    place = tmp_path / "out" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(target if link == "sub-01" or target == "/" else f"../{target}")
    world = World(tmp_path)
    assert world.run([script("sub-01/step", "echo text > out", export=EXPORT)]) == {"sub-01/step": "failed"}
    assert not list(tmp_path.glob("anat")) and not Path("/anat").exists()


def test_a_linked_folder_within_the_output_is_used(tmp_path: Path) -> None:
    (tmp_path / "out/store").mkdir(parents=True)
    (tmp_path / "out/sub-01").symlink_to("store")
    assert World(tmp_path).run([script("sub-01/step", "echo text > out", export=EXPORT)]) == {"sub-01/step": "done"}
    assert (tmp_path / "out/store/anat/sub-01_T1w.nii.gz").read_text() == "text\n"


@pytest.mark.parametrize("name", ["sub-01_T1w.nii.gz", "sub-01_T1w.json"])
def test_a_link_in_the_place_of_a_derivative_is_replaced_and_not_followed(
    tmp_path: Path, elsewhere: Path, name: str
) -> None:
    link = tmp_path / "out/sub-01/anat" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere / "anat/precious")
    assert World(tmp_path).run([script("sub-01/step", "echo text > out", export=EXPORT)]) == {"sub-01/step": "done"}
    assert not link.is_symlink() and "precious" not in link.read_text()


ROOT_FILES = ("dataset_description.json", "README", ".bidsignore", "descriptions.tsv")


@pytest.mark.parametrize("name", ["work/lock", "work/steps", "work/scratch", "work/failed", "logs"])
def test_a_run_does_not_begin_where_a_link_leads_out(
    tmp_path: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write_scans(tmp_path / "bids", "01")
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere / "anat/precious" if name == "work/lock" else elsewhere)
    status = cli.main(
        [str(tmp_path / "bids"), str(tmp_path / "out"), "participant", "--no_dashboard", "--clean_workdir"]
    )
    said = capsys.readouterr().err
    assert status == 73 and str(link) in said and "Remove" in said


@pytest.mark.parametrize("name", ["work/checks.json", "work/contents.json", "logs/CITATION.md", *ROOT_FILES[1:]])
def test_a_link_in_the_place_of_a_file_of_the_run_is_replaced_and_not_followed(
    tmp_path: Path, elsewhere: Path, name: str
) -> None:
    write_a_scan_that_is_none(tmp_path / "bids")
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere / "anat/precious")
    assert cli.main([str(tmp_path / "bids"), str(tmp_path / "out"), "participant", "--no_dashboard"]) == 1
    assert not link.is_symlink()


def test_a_step_is_not_published_behind_a_linked_folder(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "work/steps").mkdir(parents=True)
    (tmp_path / "work/steps/sub-01").symlink_to(elsewhere)
    assert World(tmp_path).run([script("sub-01/step", "echo text > out")]) == {"sub-01/step": "failed"}


def test_cleaning_a_work_folder_removes_nothing_behind_a_link(tmp_path: Path, elsewhere: Path) -> None:
    from tntpipe.store.work_folder import remove_steps

    (elsewhere / "anat/record.json").write_text("{}")
    (tmp_path / "work/steps").mkdir(parents=True)
    (tmp_path / "work/steps/sub-01").symlink_to(elsewhere)
    remove_steps(tmp_path / "work")
    assert (elsewhere / "anat/record.json").exists()
    (elsewhere / "anat/record.json").unlink()
