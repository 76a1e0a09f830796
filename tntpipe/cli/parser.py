"""The options: their names, spellings that fingers know from other BIDS Apps, and what ``--help`` says of them.

Each option can be typed with underscores or with hyphens. What the values mean together is for ``settings``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from tntpipe import __version__
from tntpipe.cli import hints
from tntpipe.cli.values import LARGEST_GIB, LARGEST_INTENSITY, SMALLEST_GIB, Gather, count, number, path, several
from tntpipe.errors import UsageError
from tntpipe.steps.registration import PRESETS

LEVELS: Mapping[str, str] = {
    "participant": "compute the volumes of every scan that is chosen; what is finished is kept",
    "group": "gather all scans into one table (also: tntpipe group OUTPUT_DIR)",
    "create_resource_file": "turn profiles of runs into requests; BIDS_DIR and OUTPUT_DIR are not read",
    "status": "say how a run stands, from any terminal (also: tntpipe status OUTPUT_DIR)",
    "report": "make a run's report again, from its journal (also: tntpipe report OUTPUT_DIR)",
    "verify": "compare all that was published with its checksums (also: tntpipe verify OUTPUT_DIR)",
}
"""What can be done, and what it is for."""

RUNS = ("participant",)
"""The levels that compute."""

CONVERTS = ("create_resource_file",)

BARE = """\
tntpipe BIDS_DIR OUTPUT_DIR LEVEL [options]

  tntpipe bids out participant            compute the volumes of every scan; resumes what was stopped
  tntpipe bids out participant --dry-run  what would run and be written; runs nothing
  tntpipe status out                      how a run stands

tntpipe --help shows the options that most people need, tntpipe --help all every one.
"""
"""What is said to somebody who types the command alone."""

COMMON = (
    *("participant_labels", "filter_session", "skip_validation", "subcortical", "intracranial_volume"),
    *("registration", "brain_extraction", "brain_mask_dir", "n_proc", "memory_gb", "working_directory"),
    *("dry_run", "plan", "no_dashboard", "version", "help"),
)
"""The options of the short help, by the names of their values."""

DESCRIPTION = (
    "Volumes of tissue by lobe, of subcortical structures and of the intracranial cavity from the T1w images of a BIDS "
    "dataset.",
    "Each scan goes through some three dozen steps (bias correction, brain extraction, registration of a model, tissue "
    "classification, statistics). tntpipe packs the steps of all scans into the CPUs and the memory that it may use. A "
    "run that was stopped, however it was stopped, resumes where it was when the same command is given again.",
)

EXAMPLES = """\
examples:
  tntpipe bids out participant                     lobes by tissue, every scan
  tntpipe bids out participant --subcortical --intracranial_volume
  tntpipe bids out participant --dry-run           what would run; runs nothing
  tntpipe bids out participant --plan              how long; runs nothing
  tntpipe status out                               what runs, what failed, why
"""

MORE_EXAMPLES = """\
  tntpipe bids out participant --registration quick
                                                   less CPU time; less sure on
                                                   raw scans
  tntpipe status out --follow                      the run's screen
  tntpipe report out                               the newest run as a page
  tntpipe group out                                all scans in one table
  tntpipe verify out                               is everything still as it
                                                   was published?
  tntpipe bids out create_resource_file --profiling_input_file prof.json \\
      --resource_output_file res.json              requests from what a run
                                                   used; few need them
"""

STATUSES = (
    "exit status: 0 all well; 1 some scan failed; 16 not a BIDS dataset; 17 unknown level; 18 nothing selected; 64 "
    "wrong usage; 65 bad data; 66 input missing; 69 program missing; 70 an error in tntpipe; 73 cannot write the "
    "output; 74 input or output failed; 75 the work folder is in use, or (status) the run is unfinished and is not "
    "being resumed; 129, 130, 143 stopped by SIGHUP, Ctrl-C, SIGTERM."
)


NEGATIVE_NUMBER = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|-inf|-nan")


class Parser(argparse.ArgumentParser):
    """argparse with our exit status, and without guessing at abbreviated options.

    ``levels_of`` tells, by the name of an option's value, the levels that the option is for; none for those of all.
    """

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.levels_of: dict[str, tuple[str, ...]] = {}
        self.words: Sequence[str] = ()
        self._negative_number_matcher = NEGATIVE_NUMBER  # its own takes -1e3 for an option

    def show_help(self, *, everything: bool) -> None:
        """Print the help; the short one leaves out what few need."""
        shown = {}
        if not everything:
            for action in self._actions:
                if action.option_strings and action.dest not in COMMON:
                    shown[action], action.help = action.help, argparse.SUPPRESS
        try:
            self.description = "\n\n".join(textwrap.fill(text, help_width()) for text in DESCRIPTION)
            self.epilog = _epilog(everything=everything)
            text = self.format_help()
        finally:
            for action, said in shown.items():
                action.help = said
        n_more = f"{len(shown)} more options: tntpipe --help all\n" if shown else ""
        print(text + ("\n" + n_more if n_more else ""), end="")

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument (-[^/: ]+)(/[^: ]+)+", r"argument \1", message)  # one of its spellings is enough
        unknown = re.fullmatch("unrecognized arguments: (.+)", message, re.DOTALL)
        remedy = hints.HELP
        if unknown:
            found = (hints.of_option(word, self._option_string_actions) for word in unknown[1].split(" "))
            remedy = next(filter(None, found), hints.HELP)
        elif message.startswith("the following arguments are required"):
            greedy = {s.lstrip("-") for a in self._actions if a.nargs in ("+", "*") for s in a.option_strings}
            remedy = hints.of_missing(self.words, LEVELS, greedy)
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", remedy=remedy)


class _Group:
    """A titled group of options for some levels, or for all; adds the other spelling of each."""

    def __init__(self, parser: Parser, title: str, levels: tuple[str, ...] = ()) -> None:
        self._group = parser.add_argument_group(title)
        self._parser, self._levels = parser, levels

    def add(self, *names: str, also_for: tuple[str, ...] = (), **keywords: Any) -> None:
        spellings = dict.fromkeys(names)
        for name in names:
            stem = name.lstrip("-")
            if len(name) - len(stem) == 2:
                spellings |= dict.fromkeys((f"--{stem.replace('_', '-')}", f"--{stem.replace('-', '_')}"))
        action = self._group.add_argument(*spellings, **keywords)
        action.option_strings = list(names[:1]) + [s for s in spellings if s != names[0]]
        self._parser.levels_of[action.dest] = self._levels + also_for


WIDEST = 100


def help_width() -> int:
    """The terminal's, within reason."""
    return min(max(shutil.get_terminal_size().columns, 60), WIDEST)


def _epilog(*, everything: bool) -> str:
    """The levels, examples and, where everything is told, the exit statuses."""
    width, named = help_width(), max(map(len, LEVELS))
    levels = ["levels (several may be named; they are done in turn):"]
    for name, text in LEVELS.items():
        first, later = f"  {name:{named}}  ", " " * (named + 4)
        levels.append(textwrap.fill(text, width, initial_indent=first, subsequent_indent=later))
    parts = ["\n".join(levels), EXAMPLES.rstrip()]
    if everything:
        parts = [parts[0], EXAMPLES + MORE_EXAMPLES.rstrip(), textwrap.fill(STATUSES, width)]
    return "\n\n".join(parts)


class _ShowHelp(argparse.Action):
    """Shows the help: the options that most people need, or with the word ``all`` every one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if values not in (None, "all"):
            parser.error(f"argument {option_string}: {values!r} is not 'all'")
        parser.show_help(everything=values == "all")
        parser.exit()


class _Help(argparse.RawDescriptionHelpFormatter):
    """Shows the first spelling of an option only."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=help_width())

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return super()._format_action_invocation(action)
        shown = [s for s in action.option_strings if not s.startswith("--")] + [self._first(action)]
        value = (
            "" if action.nargs == 0 else f" {self._format_args(action, self._get_default_metavar_for_optional(action))}"
        )
        return ", ".join(shown) + value

    @staticmethod
    def _first(action: argparse.Action) -> str:
        return next(s for s in action.option_strings if s.startswith("--"))


def make_parser() -> Parser:
    """The parser of the command ``tntpipe``."""
    parser = Parser(
        prog="tntpipe",
        formatter_class=_Help,
        allow_abbrev=False,
        add_help=False,
        usage="tntpipe BIDS_DIR OUTPUT_DIR LEVEL [options]",
    )
    parser.add_argument("bids_dir", metavar="BIDS_DIR", type=path, help="the raw BIDS dataset")
    parser.add_argument("output_dir", metavar="OUTPUT_DIR", type=path, help="where the derivative dataset goes")
    parser.add_argument("levels", metavar="LEVEL", nargs="+", help="what to do: " + ", ".join(LEVELS))
    _add_selection(_Group(parser, "which scans", RUNS))
    _add_outputs(_Group(parser, "what to compute", RUNS))
    _add_method(_Group(parser, "how to compute it", RUNS))
    _add_model(_Group(parser, "another model than the built-in MNI152NLin2009cAsym", RUNS))
    _add_resources(_Group(parser, "resources", RUNS))
    _add_converting(_Group(parser, "from profiles to a resource file", CONVERTS))
    _add_planning(_Group(parser, "planning (nothing is run)", RUNS))
    _add_running(_Group(parser, "running", RUNS))
    _add_recorded(_Group(parser, "status and report", ("status", "report")))
    _add_status(_Group(parser, "status", ("status",)))
    _add_group(_Group(parser, "group", ("group",)))
    _add_general(_Group(parser, "in general"))
    return parser


def _add_selection(group: _Group) -> None:
    group.add(
        *("--participant_labels", "--participant_label"),
        also_for=("verify",),
        action=Gather,
        nargs="+",
        metavar="L",
        help="only these participants (with or without sub-), or files with one label a line",
    )
    group.add(
        *("--exclude_participant_labels", "--exclude_participant_label"),
        action=Gather,
        nargs="+",
        metavar="L",
        help="not these",
    )
    for entity, aliases in (
        ("session", ("--session_label", "--session_id")),
        ("acquisition", ()),
        ("reconstruction", ()),
        ("run", ()),
    ):
        text = f"only scans with this {entity}; without a value: only scans that name none"
        group.add(f"--filter_{entity}", *aliases, action=Gather, nargs="*", metavar="V", help=text)
    group.add("--bids_filter_file", type=path, metavar="JSON", help="a filter file as fMRIPrep reads it (its t1w part)")
    group.add(
        "--skip_validation",
        "--skip_bids_validation",
        action="store_true",
        help="accept a dataset without a description",
    )


def _add_outputs(group: _Group) -> None:
    group.add("--subcortical", action="store_true", help="volumes of subcortical structures too")
    group.add("--intracranial_volume", action="store_true", help="intracranial volume too")


def _add_method(group: _Group) -> None:
    presets = "; ".join(f"{p.name}: {p.source}" for p in PRESETS.values() if p.name != "debug")
    choices = [name for name in PRESETS if name != "debug"]
    group.add(
        "--registration", choices=choices, default="standard", help=f"parameters of the registrations ({presets})"
    )
    group.add(
        "--brain_extraction", choices=["template", "bet"], default=None, help="by the template (default) or by FSL bet"
    )
    group.add(
        "--brain_mask_dir",
        type=path,
        metavar="DIR",
        help="a derivative dataset with your own brain masks, one for every scan: "
        "sub-*/[ses-*/]anat/<scan>_desc-brain_mask.nii.gz; OUTPUT_DIR itself where you have corrected masks there",
    )
    group.add("--bet_frac", type=number(0, 1), metavar="F", help="bet -f, 0 to 1 (default 0.5)")
    group.add("--bet_vertical_gradient", type=number(-1, 1), metavar="G", help="bet -g, -1 to 1 (default 0)")
    group.add(
        "--inormalize_const2",
        type=number(-LARGEST_INTENSITY, LARGEST_INTENSITY),
        nargs=2,
        default=[0.0, 5000.0],
        metavar=("MIN", "MAX"),
        help="range of the rescaled intensities (default 0 5000)",
    )
    group.add(
        "--inormalize_range",
        type=number(0, 49),
        default=1.0,
        metavar="PERCENT",
        help="per cent of the intensities clipped at each end when they are rescaled (default 1.0)",
    )
    group.add(
        "--max_shear_angle",
        type=number(0, 1.5),
        default=1e-4,
        metavar="RAD",
        help="largest shear accepted when a header has an sform only (default 1e-4: coordinates of five decimals)",
    )
    group.add("--random_seed", type=count(0), default=1, metavar="N", help="seed of the registrations (default 1)")
    group.add("--debug", "--sloppy", action="store_true", help="one iteration per level; for testing only")


def _add_model(group: _Group) -> None:
    group.add("--model", type=path, metavar="F", help="template T1w, whole head; or a model folder (docs/models.md)")
    group.add("--model_space", metavar="NAME", help="its name in file names, letters and digits")
    group.add("--model_brain_mask", type=path, metavar="F", help="its brain mask")
    group.add("--atlas", type=path, metavar="F", help="label map of lobes in its space")
    group.add(
        "--atlas_labels",
        type=path,
        metavar="F",
        help="TSV of index and name (default: the atlas's name with _labels.tsv)",
    )
    group.add(
        "--tags",
        type=path,
        metavar="F",
        help="TSV of points x y z index (world mm, RAS) in CSF 1, GM 2, WM 3, to train the tissues on",
    )
    group.add("--tag_labels", type=path, metavar="F", help="TSV of index and name of the tissues")
    group.add("--intracranial_mask", type=path, metavar="F", help="intracranial mask in its space")
    group.add(
        "--subcortical_model",
        type=path,
        metavar="F",
        help="a template of its own for the subcortical labels, or a model folder",
    )
    group.add("--subcortical_model_space", metavar="NAME", help="its name")
    group.add("--subcortical_model_brain_mask", type=path, metavar="F", help="its brain mask")
    group.add("--subcortical_atlas", type=path, metavar="F", help="label map of subcortical structures")
    group.add("--subcortical_labels", type=path, metavar="F", help="TSV of index and name")


def _add_resources(group: _Group) -> None:
    cpus = ("--n_proc", "--nprocs", "--nthreads", "--n_cpus", "--ncpus")
    group.add(
        *cpus,
        type=several(count(1)),
        metavar="N",
        help="CPUs that the run uses, even more than there are (default: the least of machine, affinity, cgroup quota "
        "and batch grant)",
    )
    memory = ("--memory_gb", "--mem_gb")
    group.add(
        *memory,
        type=several(number(SMALLEST_GIB, LARGEST_GIB)),
        metavar="G",
        help="memory in GiB that the run uses, even more than there is (default: the least of what is available, what "
        "the cgroup leaves and batch grant)",
    )
    group.add("--mem", metavar="M", help="the same with a unit: 16G, 16000M")
    group.add("--mem_mb", metavar="M", help="the same; a number without a unit is MiB")
    threads = ("--ants_n_proc", "--omp_nthreads", "--ants_nthreads")
    group.add(
        *threads,
        type=count(1),
        metavar="K",
        help="most threads of an ANTs process (default 8); how many is chosen for each step when it starts, and only "
        "steps that give the same bytes with any number get several",
    )
    group.add(
        "--profiling_output_file",
        also_for=CONVERTS,
        type=path,
        metavar="JSON",
        help="write there what each step used, over time, whatever comes of the run",
    )
    group.add(
        "--resource_input_file",
        type=path,
        metavar="JSON",
        help="what each step should be given, from create_resource_file or by hand (docs/resources.md)",
    )


def _add_converting(group: _Group) -> None:
    group.add(
        "--profiling_input_file",
        action=Gather,
        nargs="+",
        type=path,
        metavar="JSON",
        help="profiles of runs; also OUTPUT_DIR/logs/run-*/journal.jsonl and nipype's resource_monitor.json",
    )
    group.add("--resource_output_file", type=path, metavar="JSON", help="the resource file to write")
    group.add(
        "--resource_rule",
        choices=["padded", "reference"],
        default="padded",
        help="padded: with margins, and by the size of the scan where that shows (default); reference: the largest "
        "that was seen",
    )
    group.add(
        "--mixed_profiles",
        action="store_true",
        help="put profiles of several machines, or of runs with different parameters, together",
    )


def _add_planning(group: _Group) -> None:
    group.add(
        "--plan",
        action="store_true",
        help="predict when a run would end, what would run when and what it would use, on this or another machine; "
        "--n_proc 8,16,40 --memory_gb 16,64,188 compares budgets",
    )
    group.add(
        "--plan_picture", type=path, metavar="F", help="--plan, and draw it (.png, .svg or .pdf), the first budget only"
    )
    group.add(
        "--dry_run", "--debug_io", action="store_true", help="list scans, steps, requests and output names; run nothing"
    )
    group.add(
        "--graph_output",
        "--write_graph",
        type=path,
        metavar="F",
        help="write the graph of steps (.dot, or .svg/.png by Graphviz) and stop",
    )


def _add_running(group: _Group) -> None:
    group.add(
        "--working_directory",
        "--work_dir",
        "-w",
        also_for=("verify",),
        type=path,
        metavar="DIR",
        help="intermediate files (default: OUTPUT_DIR/work)",
    )
    group.add(
        "--clean_workdir",
        "--clean_work_dir",
        action="store_true",
        help="first remove the finished steps of earlier runs from it: everything is computed again",
    )
    group.add("--stop_on_first_crash", action="store_true", help="end the run when a step fails")


def _add_recorded(group: _Group) -> None:
    group.add(
        "--run",
        metavar="RUN",
        help="the run, as its folder in OUTPUT_DIR/logs is called (default: the newest)",
    )


def _add_status(group: _Group) -> None:
    group.add("--follow", action="store_true", help="show the run's screen, or lines, or --json lines, until it ends")
    group.add("--json", action="store_true", help="as JSON: what OUTPUT_DIR/logs/status.json holds")
    group.add("--replay", action="store_true", help="play a run again on the screen that it had")
    group.add("--speed", type=number(0.001, 1e9), metavar="X", help="times the run's own (default: all in 30 s)")


def _add_group(group: _Group) -> None:
    group.add("--group_output", type=path, metavar="DIR", help="write the tables there (default: OUTPUT_DIR)")


def _add_general(group: _Group) -> None:
    group.add(
        "--config_file",
        type=path,
        metavar="TOML",
        help="options by name, as n_proc = 4 or subcortical = true; what is typed wins over the file",
    )
    group.add("--no_dashboard", action="store_true", help="plain lines instead of the display")
    group.add(
        "--loglevel",
        choices=["DEBUG", "INFO", "WARNING", "ERROR"],
        default="INFO",
        help="the least important lines that are shown (default INFO); the run's log has them all",
    )
    group.add(
        "-v",
        "--verbose",
        action="count",
        default=0,
        help="the same as --loglevel DEBUG; -vv shows where in the code an error was, too",
    )
    group.add("--notrack", action="store_true", help="accepted for habit's sake: tntpipe never phones home")
    group.add("--version", action="version", version=f"tntpipe {__version__}", help="say the version")
    group.add("-h", "--help", action=_ShowHelp, nargs="?", metavar="all", help="this text; with all every option")


WITHOUT_A_DATASET = ("group", "status", "report", "verify")
"""The levels that look at the output alone."""


def in_full(arguments: Sequence[str]) -> list[str]:
    """The words with the level where it belongs, where it was typed first and needs no dataset.

    >>> in_full(["group", "out", "-v"]), in_full(["group", "out", "participant"])
    (['out', 'out', 'group', '-v'], ['group', 'out', 'participant'])
    """
    words = list(arguments)
    is_short = words[:1] and words[0] in WITHOUT_A_DATASET and len(words) > 1 and LEVELS.keys().isdisjoint(words[2:])
    if not is_short or not all(word.startswith("-") for word in words[2:3]):
        return words
    return [words[1], words[1], words[0], *words[2:]]


DASHES = "‐‑‒–—―−"


def parse(arguments: Sequence[str], defaults: Mapping[str, Any] | None = None) -> argparse.Namespace:
    """The options that were typed; UsageError where they are not ours."""
    for word in arguments:
        typed = next((character for character in word.partition("=")[0] if character in DASHES), "")
        if typed and word.startswith((typed, "-")):
            raise UsageError(
                f"The word {word!r} holds {typed!r} (U+{ord(typed):04X}), which is not a hyphen.",
                remedy="A text editor may have replaced it: type - instead.",
            )
    parser = make_parser()
    parser.set_defaults(**(defaults or {}))
    parser.words = arguments
    return parser.parse_args(arguments)


def typed_options(arguments: Sequence[str]) -> list[str]:
    """The names of the options that were typed with another value than they have anyway."""
    typed, unset = vars(parse(arguments)), vars(parse(("bids", "out", "participant")))
    levels_of = make_parser().levels_of
    return [name for name, value in typed.items() if name in levels_of and value != unset[name]]
