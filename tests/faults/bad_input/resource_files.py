"""Resource files of which a key, a figure or the whole makes no sense, and profiles that none can be made from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence

from bad_input.case import Arrange, Case, accepted, refused
from bad_input.place import Place
from bad_input.running import Command

NAME = "res.json"
KIND = "bias_field"
MEND = "Fix it there"
BAD_DATA = 65

FIGURES: dict[str, tuple[tuple[object, ...], tuple[object, ...]]] = {
    "ncpu": ((1, 4096, None), (0, -1, 4097, 1.5, 10**30, "2", True, [], float("nan"))),
    "cpumax": ((0, 409600, None), (-1, 409601, "100", True, {}, float("inf"))),
    "mem": ((0.5, None), (0, -1, 2**21, 1e308, "8", True, [1], float("nan"), float("inf"))),
    "time": ((0, 3.2e7, None), (-1, 1e9, "5 s", False, {}, float("nan"))),
    "variant": (("reference", "anything", None), (1, True, [])),
    "voxels": ((1, 2**53, None), (0, -5, 1.5, 2**60, "1", True)),
    "mem_bytes_per_voxel": ((0, 1e12, None), (-1, 1e13, "x", True, float("nan"))),
    "mem_least": ((0, 0.1, None), (-1, 2**21, "x", True)),
    "thread_overhead": ((0, 1, None), (-0.1, 1.1, "x", True)),
    "n": ((0, None), (-1, 1.5, "x", True)),
    "n_time": ((0, None), (-1, 1.5, "x")),
    "n_speed_up": ((0, None), (-1, 1.5, "x")),
    "peak": ((0, None), (-1, 2**21, "x")),
    "padding": ((1, 10, None), (0.9, 11, "x")),
    "correlation": ((-1, 1, None), (-1.1, 1.1, "x")),
}
"""For each figure of a step: its edges and what may stand for nothing; and what lies beyond, or is of another kind."""


def cases() -> Iterator[Case]:
    yield from _figures()
    yield from _whole_files()
    yield from _profiles()


def _figures() -> Iterator[Case]:
    for key, (edges, beyond) in FIGURES.items():
        for value in edges:
            yield accepted(f"resources: {key} {value}", _resources({KIND: {key: value}}), "an edge, or left open")
        for value in beyond:
            shown = json.dumps(value)[:30]
            arrange = _resources({KIND: {key: value}})
            yield refused(f"resources: {key} {shown}", arrange, NAME, f"'{key}' of '{KIND}'", MEND, status=BAD_DATA)
    for key, nearest in (("memory", "mem"), ("cpu", "ncpu"), ("walltime", "time"), ("", "")):
        arrange = _resources({KIND: {key: 1}})
        yield refused(f"resources: key {key!r}", arrange, f"'{KIND}' has '{key}'", nearest, MEND, status=BAD_DATA)
    least = _resources({KIND: {"mem": 1, "mem_least": 2}})
    yield refused("resources: least above all", least, NAME, "more than its 'mem'", MEND, status=BAD_DATA)


def _whole_files() -> Iterator[Case]:
    no_json = "is not JSON"
    for what, content, fact in (
        ("empty", b"", no_json),
        ("broken", b'{"lobes": {"ncpu": 1,}}', no_json),
        ("no text", b"\xff\xfe{", no_json),
        ("nested deeply", b'{"lobes": ' + b"[" * 99_999, no_json),
        ("5000 digits", b'{"lobes": {"ncpu": ' + b"9" * 5000 + b"}}", no_json),
        ("a step twice", b'{"lobes": {"ncpu": 1}, "lobes": {"ncpu": 2}}', "'lobes' stands there twice"),
        ("a figure twice", b'{"lobes": {"ncpu": 1, "ncpu": 2}}', "'ncpu' stands there twice"),
        ("a step that is a number", b'{"lobes": 3}', "'lobes' is 3"),
        ("an unknown step", b'{"lobe": {"ncpu": 1}}', "the nearest is 'lobes'"),
        ("another version", b'{"tntpipe": {"schema_version": 99}}', "schema version 99"),
        ("about no object", b'{"tntpipe": 3}', "not an object"),
    ):
        arrange = _file("--resource_input_file", content)
        yield refused(f"resources: {what}", arrange, NAME, fact, MEND, status=BAD_DATA)
    for what, content in (("a list", b"[]"), ("a number", b"3"), ("null", b"null"), ("text", b'"x"')):
        arrange = _file("--resource_input_file", content)
        yield refused(f"resources: {what}", arrange, NAME, "holds no steps by name", "It looks like", status=BAD_DATA)
    yield refused("resources: not there", _absent, NAME, "cannot be read", "Check its name", status=66)
    yield refused(
        "resources: a pipe", _pipe("--resource_input_file"), NAME, "it is no file", "Check its name", status=66
    )
    yield refused("resources: a folder", lambda place: ("--resource_input_file", place.bids), "bids", "it is no file",
                  "Check its name", status=66)  # fmt: skip
    good = b"\xef\xbb\xbf" + b'{"lobes":\r\n {"ncpu": 1, "mem": 1.5, "time": 3}}\r\n'
    yield accepted("resources: BOM and CRLF", _file("--resource_input_file", good), "editors on Windows write them")
    yield accepted("resources: none", _file("--resource_input_file", b"{}"), "every step has shipped figures")
    large = _resources({"nonlinear_registration": {"mem": 100}})
    yield refused("resources: more than the budget", large, "nonlinear_registration", "100", "--memory_gb", status=64)


def _profiles() -> Iterator[Case]:
    none = "is not a profile"
    arrays = '"name": ["a.b"], "time": [1], "rss_GiB": [1]'
    step = '"schema_version": 1, "host": {}, "run": {}, "vms_GiB": [1], "cpus": [1]'
    for what, text in (
        ("empty", ""),
        ("a list", "[]"),
        ("arrays missing", "{}"),
        ("nested deeply", "[" * 99_999),
        ("lengths differ", '{"name": ["a"], "time": [1, 2], "rss_GiB": [1]}'),
        ("times that are text", '{"name": ["a"], "time": ["x"], "rss_GiB": [1]}'),
        ("memory that is no number", '{"name": ["a"], "time": [1], "rss_GiB": [NaN]}'),
        ("memory that is an object", '{"name": ["a"], "time": [1], "rss_GiB": [{}]}'),
        ("a time too large", '{"name": ["a"], "time": [1' + "0" * 400 + '], "rss_GiB": [1]}'),
        ("another version", "{" + arrays + ', "schema_version": 99}'),
        ("ours without its steps", "{" + arrays + "," + step + "}"),
        ("ours with steps that are none", "{" + arrays + "," + step + ', "steps": [3]}'),
        (
            "ours with a host that is none",
            "{" + arrays + "," + step.replace('"host": {}', '"host": 3') + ', "steps": []}',
        ),
    ):
        yield refused(
            f"profile: {what}", _profile(text.encode()), "prof.json", none, "Name the profile", status=BAD_DATA
        )
    yield refused("profile: no text", _profile(b"\xff\xfe"), "prof.json", none, "Name the profile", status=BAD_DATA)
    journal = b'{"event": "RunStarted"}\n'
    yield refused(
        "profile: a journal without version", _profile(journal), "prof.json", "journal", "Name the", status=65
    )
    yield refused("profile: nothing ended", _profile(b'{"name": [], "time": [], "rss_GiB": []}'), "profiles",
                  "No step ended well", "Profile a run", status=BAD_DATA)  # fmt: skip


def _resources(content: object) -> Arrange:
    return _file("--resource_input_file", json.dumps(content).encode())


def _file(option: str, content: bytes) -> Arrange:
    return lambda place: (option, place.file(NAME, content))


def _absent(place: Place) -> Sequence[object]:
    return ("--resource_input_file", place.root / NAME)


def _pipe(option: str) -> Arrange:
    def arrange(place: Place) -> Sequence[object]:
        os.mkfifo(place.root / NAME)
        return (option, place.root / NAME)

    return arrange


def _profile(content: bytes) -> Arrange:
    def arrange(place: Place) -> Command:
        words = ("--profiling_input_file", place.file("prof.json", content))
        words += ("--resource_output_file", place.out / "res.json")
        place.out.mkdir()
        return Command(levels=("create_resource_file",), usual=(), extra=words)

    return arrange
