"""The study as a pandas DataFrame, with the columns of ``participants.tsv``. pandas is imported when it is needed."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from tntpipe.errors import InputMissingError, ProgramMissingError, TableError
from tntpipe.files import regular
from tntpipe.imaging.tables import MISSING
from tntpipe.study.participants import participants_of
from tntpipe.study.scans import study_in
from tntpipe.study.tables import long_table, wide_table

if TYPE_CHECKING:
    import pandas

KEY = "participant_id"
_TEXT = (KEY, "session_id", "acq", "rec", "run", "reason", "warnings", "tntpipe", "ants", "method")
"""Columns that stay words, whatever they look like: a run 01 is not the number 1."""


def read(output_dir: Path | str, *, wide: bool = False, participants: Path | str | None = None) -> pandas.DataFrame:
    """What was measured of all scans, gathered anew from an output folder, with participants merged.

    Parameters
    ----------
    output_dir
        OUTPUT_DIR of the runs. It is only read.
    wide
        A row a scan, failed and refused ones too, instead of a row a structure of the scans that are done.
    participants
        A ``participants.tsv``; by default the output folder's own, or that of the raw dataset if it can be found.

    Returns
    -------
    DataFrame
        Columns as in ``group_volumes_long.tsv`` or ``group_volumes.tsv`` (volumes in mm³), then those of the
        participants; one that both have gets ``_participants`` behind its name.

    Raises
    ------
    ProgramMissingError
        pandas is not installed.
    InputMissingError
        The folder holds no results, or ``participants`` is not there.
    TableError
        A table cannot be used, or has a participant twice.
    """
    try:
        import pandas
    except ImportError as error:
        raise ProgramMissingError(
            "tntpipe.read needs pandas, which is not installed.", remedy="pip install 'tntpipe[pandas]' installs it."
        ) from error
    folder = Path(output_dir)
    scans = study_in(folder).scans
    text = (wide_table if wide else long_table)(scans).text()
    frame = pandas.read_csv(StringIO(text), dtype=dict.fromkeys(_TEXT, str), **_AS_BIDS)
    path = participants_of(folder) if participants is None else Path(participants)
    if path is None:
        return frame
    people = _people(path)
    return frame.merge(people, on=KEY, how="left", suffixes=("", "_participants"))


_AS_BIDS = {"sep": "\t", "na_values": [MISSING], "keep_default_na": False, "quoting": 3}
"""No quotes, and nothing missing but n/a: a participant called NA is there."""


def _people(path: Path) -> pandas.DataFrame:
    import pandas

    try:
        people = pandas.read_csv(regular(path), dtype={KEY: str}, encoding="utf-8-sig", **_AS_BIDS)
    except OSError as error:
        raise InputMissingError(f"{path} cannot be read: {error.strerror}.", remedy="Check its path.") from error
    except ValueError as error:
        raise TableError(f"{path} is not a table: {error}.", remedy="Columns are separated by tabs.") from error
    if KEY not in people:
        raise TableError(f"{path} has no column {KEY}.", remedy="BIDS asks for it, as the first one.")
    twice = people[KEY][people[KEY].duplicated()]
    if len(twice):
        raise TableError(f"{path} has {twice.iloc[0]} twice.", remedy="Leave one row for each participant.")
    return people
