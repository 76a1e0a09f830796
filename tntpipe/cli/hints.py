"""What was perhaps meant by words that are not ours: slips of the finger, another order, options of other programs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

SIMILAR = 0.6
"""Of two words, by difflib's ratio; ``--subcort`` and ``--subcortical`` have 0.78."""

HELP = "tntpipe --help shows the options that most people need, --help all every one."

NOT_NEEDED: Mapping[str, str] = {
    "output_spaces": "volumes are measured in the scan's own space, and nothing is resampled into another",
    "fs_license_file": "there is no FreeSurfer in tntpipe, so it needs no licence",
    "fs_no_reconall": "there are no surfaces in tntpipe",
    "fs_subjects_dir": "there is no FreeSurfer in tntpipe",
    "no_submm_recon": "there are no surfaces in tntpipe",
    "anat_only": "nothing but T1w images is read",
    "ignore": "nothing but T1w images is read",
    "task_id": "nothing but T1w images is read",
    "use_syn_sdc": "nothing but T1w images is read",
    "dummy_scans": "nothing but T1w images is read",
    "longitudinal": "sessions are computed one by one",
    "bids_database_dir": "a dataset is read in seconds, without a database",
    "skull_strip_fixed_seed": "two runs give the same bytes; --random_seed is there for the registrations",
    "md_only_boilerplate": "the methods text is always logs/CITATION.md",
    "resource_monitor": "every step is always measured; tntpipe BIDS OUT report shows it",
    "use_plugin": "the scheduler is tntpipe's own: --n_proc and --memory_gb are its budget",
    "low_mem": "memory is a budget: --memory_gb",
}
"""Options of fMRIPrep, sMRIPrep and their kin that have no counterpart, and why."""

INSTEAD: Mapping[str, str] = {
    "skull_strip_t1w": "--brain_extraction, or --brain_mask_dir with masks of your own",
    "skull_strip_template": "--model and --model_brain_mask",
    "reports_only": "tntpipe BIDS OUT report",
    "boilerplate_only": "logs/CITATION.md in the output",
    "resource_file": "--resource_input_file",
    "n_jobs": "--n_proc",
    "num_threads": "--ants_n_proc",
    "threads": "--ants_n_proc",
    "force": "--clean_work_dir",
    "overwrite": "--clean_work_dir",
    "subject_label": "--participant_labels",
    "participants": "--participant_labels",
    "validate": "--skip_validation",
}


def of_option(word: str, ours: Collection[str]) -> str:
    """What to say of an option that there is none of; empty where nothing is like it.

    >>> of_option("--subcort", ["--subcortical", "--subcortical_model"])
    'Did you mean --subcortical?'
    >>> of_option("--output-spaces=T1w", [])
    "Leave it out: volumes are measured in the scan's own space, and nothing is resampled into another."
    >>> of_option("--colour", ["--subcortical"])
    ''
    """
    name = word.split("=")[0].lstrip("-").replace("-", "_").lower()
    if name in NOT_NEEDED:
        return f"Leave it out: {NOT_NEEDED[name]}."
    if name in INSTEAD:
        return f"tntpipe has {INSTEAD[name]}."
    by_name = {option.lstrip("-").replace("-", "_"): option for option in sorted(ours)}
    begun = [option for other, option in by_name.items() if name and other.startswith(name)]
    near = begun[:1] or [by_name[other] for other in get_close_matches(name, by_name, 1, SIMILAR)]
    return f"Did you mean {near[0]}?" if near else ""


def of_level(word: str, words: Sequence[str], levels: Collection[str]) -> str:
    """What to say of a level that there is none of, among the words of the command.

    >>> of_level("participan", ["bids", "out", "participan"], ["participant", "verify"])
    'Did you mean participant?'
    >>> of_level("out", ["participant", "bids", "out"], ["participant", "verify"])
    'The level comes last: tntpipe bids out participant.'
    """
    if words and words[0] in levels:
        folders = [other for other in words[1:] if not other.startswith("-")][:2]
        return f"The level comes last: tntpipe {' '.join([*folders, words[0]])}."
    near = get_close_matches(word, levels, 1, SIMILAR)
    return f"Did you mean {near[0]}?" if near else f"There are {', '.join(levels)}."


def of_missing(words: Sequence[str], levels: Collection[str], greedy: Collection[str]) -> str:
    """What to say where folders or the level are missing; ``greedy`` are the options that take several values.

    >>> of_missing(["--filter_run", "1", "bids", "out", "participant"], ["participant"], ["filter_run"])
    '--filter_run takes all words behind it: put BIDS_DIR OUTPUT_DIR LEVEL before it.'
    >>> of_missing(["bids", "out"], ["participant"], ["filter_run"])
    'Add the level, mostly participant: tntpipe bids out participant.'
    """
    named = {word: re.sub("-", "_", word.lstrip("-")) for word in words if word.startswith("--") and "=" not in word}
    taking = [word for word, name in named.items() if name in greedy and words.index(word) < 3]
    if taking:
        return f"{taking[0]} takes all words behind it: put BIDS_DIR OUTPUT_DIR LEVEL before it."
    folders = [word for word in words if not word.startswith("-")]
    if len(folders) == 2 and not set(folders) & set(levels):
        return f"Add the level, mostly participant: tntpipe {' '.join(folders)} participant."
    return f"The command is tntpipe BIDS_DIR OUTPUT_DIR LEVEL [options]. {HELP}"
