"""Two methods in one output folder, one after the other: what lies there is at any instant that of one of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from small_runs import World, script

from tntpipe.journal.events import Notice
from tntpipe.steps.step import Export, Step
from tntpipe.store.manifest import read_manifest
from tntpipe.store.survey import Survey

IMAGE, TABLE, MORE = "s/anat/s_image.txt", "s/anat/s_table.txt", "s/anat/s_more.txt"


def steps_of(method: str, *, fails: str = "", more: bool = False) -> list[Step]:
    """An image and a table made from it, and more where that is asked for."""
    words = {name: "exit 3" if name == fails else f"echo {method} {name} > out" for name in "abc"}
    steps = [script("s/a", words["a"], export=IMAGE), script("s/b", words["b"], "s/a/out", export=TABLE)]
    return [*steps, script("s/c", words["c"], "s/b/out", export=MORE)] if more else steps


def run(world: World, method: str, *, stop_after: str = "", fails: str = "", more: bool = False) -> dict[str, str]:
    steps = steps_of(method, fails=fails, more=more)
    return world.run(steps, begins=True, method=method, stop_after=stop_after, cpus=1)


def texts(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text().strip() for path in folder.glob("s/anat/*.txt")}


def withdrawn(world: World) -> Path:
    (folder,) = (world.root / "work/withdrawn").iterdir()
    return folder


def found(world: World) -> Survey:
    assert world.survey is not None
    return world.survey


def test_the_results_of_a_method_are_gone_before_the_first_of_another_is_published(world: World) -> None:
    run(world, "quick", more=True)
    assert run(world, "slow", fails="b") == {"s/a": "done", "s/b": "failed"}
    assert texts(world.root / "out") == {IMAGE: "slow a"}
    assert texts(withdrawn(world)) == {IMAGE: "quick a", TABLE: "quick b", MORE: "quick c"}
    manifest = read_manifest(world.root / "out/manifest/s.json")
    assert manifest is not None and manifest.method == {"name": "slow"}
    assert {name for name in manifest.files if name.endswith(".txt")} == {IMAGE}
    told = [event.text for event in world.events if isinstance(event, Notice)]
    assert f"s: 6 files of another method moved from the output to {withdrawn(world)}" in told


def test_until_a_step_of_another_method_was_computed_nothing_is_withdrawn(world: World) -> None:
    run(world, "quick")
    before = texts(world.root / "out")
    manifest = (world.root / "out/manifest/s.json").read_bytes()
    assert run(world, "slow", fails="a") == {"s/a": "failed"}
    assert texts(world.root / "out") == before and not (world.root / "work/withdrawn").exists()
    assert (world.root / "out/manifest/s.json").read_bytes() == manifest


def test_a_result_that_only_its_sidecar_tells_from_the_other_methods_waits_for_the_first_that_is_computed(
    world: World,
) -> None:
    """As the first steps of a scan, which no preset changes."""

    def steps(method: str, fails: bool) -> Sequence[Step]:
        shared = script("s/a", "echo shared > out", export=IMAGE)
        other = script("s/b", "exit 3" if fails else f"echo {method} > out", "s/a/out", export=TABLE)
        sidecar = {"Preset": method}
        return [replace(step, exports=(_with(step, sidecar),)) for step in (shared, other)]

    world.run(steps("quick", False), begins=True, method="quick", cpus=1)
    assert world.run(steps("slow", True), begins=True, method="slow", cpus=1) == {"s/a": "reused", "s/b": "failed"}
    assert presets(world) == {"s_image.json": "quick", "s_table.json": "quick"}
    assert world.run(steps("slow", False), begins=True, method="slow", cpus=1) == {"s/a": "reused", "s/b": "done"}
    assert presets(world) == {"s_image.json": "slow", "s_table.json": "slow"}


def _with(step: Step, sidecar: dict[str, object]) -> Export:
    (export,) = step.exports
    return replace(export, sidecar=sidecar)


def presets(world: World) -> dict[str, str]:
    return {path.name: json.loads(path.read_text())["Preset"] for path in (world.root / "out/s/anat").glob("*.json")}


def test_a_later_run_of_the_first_method_computes_nothing(world: World) -> None:
    run(world, "quick", more=True)
    before = texts(world.root / "out")
    run(world, "slow", more=True)
    assert run(world, "quick", more=True) == {"s/a": "reused", "s/b": "reused", "s/c": "reused"}
    assert texts(world.root / "out") == before
    assert found(world).computed == {"s/a", "s/b", "s/c"}
    assert run(world, "slow", more=True) == {"s/a": "reused", "s/b": "reused", "s/c": "reused"}


def test_what_is_no_longer_asked_for_stays_while_nothing_is_redone(world: World) -> None:
    run(world, "quick", more=True)
    run(world, "quick")
    assert MORE in texts(world.root / "out") and not found(world).due
    run(world, "slow")
    assert texts(world.root / "out") == {IMAGE: "slow a", TABLE: "slow b"}


def test_a_run_that_is_stopped_leaves_one_method_and_the_next_goes_on(world: World) -> None:
    run(world, "quick")
    steps = steps_of("slow")
    steps[1] = script("s/b", "sleep 60", "s/a/out", export=TABLE)
    world.run(steps, begins=True, method="slow", cpus=1, stop_after="s/b")
    assert texts(world.root / "out") == {IMAGE: "slow a"}
    assert run(world, "slow") == {"s/a": "reused", "s/b": "done"}
    assert found(world).done == {"s/a"}


def test_a_step_redone_to_the_same_bytes_leaves_all_that_follows(world: World) -> None:
    run(world, "quick")
    (world.root / "work/steps/s/a/record.json").unlink()
    assert run(world, "quick") == {"s/a": "done", "s/b": "reused"}
    assert texts(world.root / "out") == {IMAGE: "quick a", TABLE: "quick b"}
    assert run(world, "quick") == {"s/a": "reused", "s/b": "reused"} and found(world).done == {"s/a", "s/b"}


def test_a_shared_step_redone_to_the_same_bytes_withdraws_nothing(world: World) -> None:
    steps = [script("m/m", "echo model > out"), script("s/a", "cat in/0 > out", "m/m/out", export=IMAGE)]
    more = script("s/c", "echo more > out", export=MORE)
    world.run([*steps, more], begins=True, method="quick")
    shutil.rmtree(world.root / "work/steps/m")
    assert world.run(steps, begins=True, method="quick") == {"m/m": "done", "s/a": "reused"}
    assert texts(world.root / "out") == {IMAGE: "model", MORE: "more"}
    assert not (world.root / "work/withdrawn").exists()


def test_one_deleted_derivative_is_published_again_and_what_follows_is_done(world: World) -> None:
    run(world, "quick")
    (world.root / "out" / IMAGE).unlink()
    run(world, "quick")
    assert (found(world).computed, found(world).done) == ({"s/a"}, {"s/b"})
    assert texts(world.root / "out") == {IMAGE: "quick a", TABLE: "quick b"}


def test_a_deleted_derivative_comes_back_although_a_later_step_fails(world: World) -> None:
    run(world, "quick", fails="b")
    (world.root / "out" / IMAGE).unlink()
    run(world, "quick", fails="b")
    assert texts(world.root / "out") == {IMAGE: "quick a"}


@pytest.mark.parametrize("method", ["quick", "slow"])
def test_what_a_person_has_edited_is_neither_replaced_nor_moved(world: World, method: str) -> None:
    run(world, "quick")
    edited = world.root / "out" / TABLE
    edited.write_text("by hand\n")
    for _ in range(2):
        run(world, method)
        assert texts(world.root / "out") == {IMAGE: f"{method} a", TABLE: "by hand"}
        assert found(world).edited == {"s": (TABLE,)}


def test_the_sidecar_of_what_a_person_has_edited_stays_with_it(world: World) -> None:
    run(world, "quick")
    edited = world.root / "out" / TABLE
    edited.write_text("by hand\n")
    steps = steps_of("slow")
    steps[1] = replace(steps[1], exports=(_with(steps[1], {"Made": "otherwise"}),))
    for _ in range(2):
        world.run(steps, begins=True, method="slow")
        assert json.loads(edited.with_suffix(".json").read_text()) == {"Made": "by a test"}
    assert found(world).done == {"s/a", "s/b"}


@pytest.mark.parametrize("is_copied", [False, True])
def test_a_large_result_is_read_again_when_it_was_touched_and_after_a_copy_it_is_known_by_its_size(
    world: World, is_copied: bool
) -> None:
    steps = [script("s/a", "head -c 100000 /dev/zero | tr '\\0' a > out", export=IMAGE)]
    world.run(steps, begins=True)
    path = world.root / "out" / IMAGE
    if is_copied:
        (world.root / "work/contents.json").unlink()
        world.run(steps, begins=True)
        assert found(world).done == {"s/a"}
    path.write_text("b" * 100_000)
    world.run(steps, begins=True)
    assert found(world).edited == {"s": (IMAGE,)} and path.read_text() == "b" * 100_000


def test_a_file_that_was_cut_to_nothing_is_no_edit(world: World) -> None:
    run(world, "quick")
    (world.root / "out" / TABLE).write_text("")
    run(world, "quick")
    assert texts(world.root / "out")[TABLE] == "quick b" and not found(world).edited


def test_a_result_that_the_run_reads_is_kept_and_used(world: World) -> None:
    run(world, "quick")
    (world.root / "out" / IMAGE).write_text("by hand\n")
    sidecar = (world.root / "out" / IMAGE).with_suffix(".json")
    given = [
        script("s/a", "sed s/hand/foot/ in/0 > out", world.root / "out" / IMAGE, export=IMAGE),
        script("s/b", "cat in/0 > out", "s/a/out", export=TABLE),
    ]
    assert world.run(given, begins=True, method="given") == {"s/a": "done", "s/b": "done"}
    assert texts(world.root / "out") == {IMAGE: "by hand", TABLE: "by foot"}
    assert world.run(given, begins=True, method="given") == {"s/a": "reused", "s/b": "reused"}
    assert found(world).done == {"s/a", "s/b"} and not found(world).edited and sidecar.exists()
    run(world, "quick")
    assert texts(world.root / "out") == {IMAGE: "by hand", TABLE: "quick b"}
    assert found(world).edited == {"s": (IMAGE,)}


def test_what_an_older_version_left_is_moved_aside_and_what_is_a_persons_is_not(world: World) -> None:
    folder = world.root / "out/s/anat"
    folder.mkdir(parents=True)
    for name in ("s_old.txt", "s_table.txt", "s_mine.txt", "notes.txt"):
        (folder / name).write_text("old")
    run(world, "quick")
    assert found(world).unknown == {"s"}
    left = {"s/anat/s_mine.txt": "old", "s/anat/notes.txt": "old"}
    assert texts(world.root / "out") == {IMAGE: "quick a", TABLE: "quick b"} | left
    assert texts(withdrawn(world)) == {"s/anat/s_old.txt": "old", TABLE: "old"}


def test_what_was_withdrawn_has_its_manifest_beside_it(world: World) -> None:
    run(world, "quick")
    before = (world.root / "out/manifest/s.json").read_bytes()
    run(world, "slow")
    assert (withdrawn(world) / "manifest/s.json").read_bytes() == before


def test_a_link_out_of_the_output_is_not_followed_to_what_a_manifest_names(world: World) -> None:
    run(world, "quick")
    elsewhere = world.root / "elsewhere"
    (world.root / "out/s/anat").rename(elsewhere)
    (world.root / "out/s/anat").symlink_to(elsewhere)
    run(world, "slow")
    assert (elsewhere / "s_image.txt").read_text() == "quick a\n"
