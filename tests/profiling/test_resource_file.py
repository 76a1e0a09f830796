"""Resource files: what is written is read, the reference's are read, and what makes no sense is refused by name."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tntpipe.errors import InputMissingError, TableError
from tntpipe.formatting import GIB, MIB
from tntpipe.profiling.resource_file import (
    SCHEMA_VERSION,
    ResourceFile,
    StepResources,
    read_resource_file,
    write_resource_file,
)

KINDS = {"lobes", "subcortex", "linear_registration"}


def read(tmp_path: Path, content: Any) -> ResourceFile:
    path = tmp_path / "res.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_resource_file(path, KINDS)


def test_a_file_of_the_reference_is_read(tmp_path: Path) -> None:
    file = read(tmp_path, {"lobes": {"ncpu": 2, "cpumax": 154.3, "mem": 0.5, "time": 12.5}})
    assert file.steps == {"lobes": StepResources(ncpu=2, cpumax=154.3, mem=0.5, time=12.5)}
    assert file.steps["lobes"].mem_bytes(10**9) == GIB // 2


def test_a_figure_may_be_left_out_or_unknown(tmp_path: Path) -> None:
    file = read(tmp_path, {"lobes": {"mem": 6}, "subcortex": {"ncpu": 1, "time": None}})
    assert file.steps["lobes"] == StepResources(mem=6)
    assert file.steps["subcortex"].mem_bytes(1) is None


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    steps = {
        "lobes": StepResources(ncpu=1, cpumax=101.2, mem=1.5, time=None, variant="debug", n=2, voxels=10**6),
        "subcortex": StepResources(mem=2.0, mem_bytes_per_voxel=81.5, mem_least=0.5, voxels=10**6, correlation=0.97),
    }
    file = ResourceFile(path=tmp_path / "res.json", steps=steps, about={"schema_version": SCHEMA_VERSION, "by": "us"})
    write_resource_file(file)
    assert read_resource_file(file.path, KINDS) == file
    content = json.loads(file.path.read_text())
    assert content["tntpipe"]["schema_version"] == SCHEMA_VERSION == 1
    assert content["subcortex"] | {"ncpu": None, "cpumax": None, "time": None} == content["subcortex"]
    assert "padding" not in content["subcortex"]


def test_memory_follows_the_size_of_the_scan_within_its_bounds() -> None:
    step = StepResources(mem=2.0, mem_bytes_per_voxel=100.0, mem_least=1.0, voxels=10**7)
    assert step.mem_bytes(10**7) == 2 * GIB
    assert step.mem_bytes(10**7 + 1000) == 2 * GIB + 100_000
    assert step.mem_bytes(5 * 10**6) == 2 * GIB - 500_000_000
    assert replace(step, mem_least=1.9).mem_bytes(5 * 10**6) == math.ceil(1.9 * GIB)
    assert step.mem_bytes(10**9) == 3 * GIB


def test_a_request_that_is_changed_by_hand_moves_with_its_line() -> None:
    changed = StepResources(mem=4.0, mem_bytes_per_voxel=100.0, mem_least=1.0, voxels=10**7)
    assert changed.mem_bytes(10**7 - 1000) == 4 * GIB - 100_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"lobe": {"mem": 1}}, "No step is called 'lobe'; the nearest is 'lobes'."),
        ({"linear_registraton": {"mem": 1}}, "the nearest is 'linear_registration'"),
        ({"sub-01_ses-2/lobes": {"mem": 1}}, "the nearest is 'lobes'"),
        ({"tnt.sub-01.subcortex": {"mem": 1}}, "the nearest is 'subcortex'"),
        ({"lobes": {"memory": 1}}, "'lobes' has 'memory', which means nothing; 'mem' would."),
        ({"lobes": {"mem": "5G"}}, "'mem' of 'lobes' is \"5G\", not a number above 0 and up to"),
        ({"lobes": {"mem": 0}}, "'mem' of 'lobes' is 0, not"),
        ({"lobes": {"mem": -1}}, "'mem' of 'lobes' is -1, not"),
        ({"lobes": {"mem": True}}, "'mem' of 'lobes' is true, not"),
        ({"lobes": {"mem": 1e9}}, "'mem' of 'lobes' is 1000000000.0, not"),
        ({"lobes": {"ncpu": 1.5}}, "'ncpu' of 'lobes' is 1.5, not a whole number from 1"),
        ({"lobes": {"ncpu": 0}}, "'ncpu' of 'lobes' is 0, not"),
        ({"lobes": {"time": -0.5}}, "'time' of 'lobes' is -0.5, not a number from 0"),
        ({"lobes": {"time": [1]}}, "'time' of 'lobes' is [1], not"),
        ({"lobes": {"cpumax": "x" * 99}}, "'cpumax' of 'lobes' is \"xxxxxxx"),
        ({"lobes": {"thread_overhead": 1.1}}, "'thread_overhead' of 'lobes' is 1.1, not a number from 0 to 1"),
        ({"lobes": {"mem": 1, "mem_least": 2}}, "'mem_least' of 'lobes' is 2, more than its 'mem', 1."),
        ({"lobes": 5}, "'lobes' is 5, not an object of figures."),
        ({"tntpipe": {"schema_version": 7}}, "schema version 7, not 1"),
        ({"tntpipe": 3}, "'tntpipe' is 3, not an object"),
        ([1, 2], "holds no steps by name, but [1, 2]"),
        ("{", "is not JSON"),
        ('{"lobes": {"mem": 1}, "lobes": {"mem": 2}}', "'lobes' stands there twice"),
        ('{"lobes": {"mem": 1, "mem": 2}}', "'mem' stands there twice"),
        ('{"lobes": {"mem": NaN}}', "'mem' of 'lobes' is NaN, not"),
        ('{"lobes": {"time": Infinity}}', "'time' of 'lobes' is Infinity, not"),
    ],
)
def test_what_makes_no_sense_is_told_with_file_step_key_and_value(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(TableError) as raised:
        read(tmp_path, content)
    assert str(tmp_path / "res.json") in raised.value.fact and message in raised.value.fact
    assert raised.value.remedy and raised.value.exit_status == 65


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"'lobe'.*'mem' of 'subcortex' is \"x\""):
        read(tmp_path, {"lobe": {}, "subcortex": {"mem": "x"}})


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match=r"res\.json cannot be read"):
        read_resource_file(tmp_path / "res.json", KINDS)


ODD = st.sampled_from([None, True, 0, -1, 1, 2.5, 10**9, 1e300, -0.0, math.inf, math.nan, "", "5", [], {}])
KEYS = st.sampled_from(["ncpu", "cpumax", "mem", "time", "variant", "voxels", "mem_bytes_per_voxel", "mem_least", "n"])
STEPS = st.dictionaries(st.sampled_from(["lobes", "tntpipe", "x"]), ODD | st.dictionaries(KEYS, ODD))


@given(STEPS)
def test_any_json_is_read_as_something_sane_or_refused(content: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            file = read(Path(folder), content)
        except TableError:
            return
        for step in file.steps.values():
            mem_bytes = step.mem_bytes(7 * MIB)
            assert mem_bytes is None or 0 < mem_bytes <= 2**61
