"""Writes the study's tables, each file whole or not at all; one whose content is right is left alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tntpipe.bids.description import refuse_foreign_dataset
from tntpipe.errors import OutputError
from tntpipe.files import leads_inside, write_text
from tntpipe.study.derived import derived_table
from tntpipe.study.outcomes import DONE
from tntpipe.study.participants import sites_in
from tntpipe.study.scans import study_in
from tntpipe.study.tables import long_table, phenotype_table, wide_table

WIDE, LONG, DERIVED, PHENOTYPE = "group_volumes", "group_volumes_long", "group_derived", "phenotype/tntpipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The main table, how many scans and columns it has, and what to know before it is used."""

    table: Path
    n_scans: int
    n_done: int
    n_columns: int
    warnings: tuple[str, ...]


def write_study(output_dir: Path, destination: Path | None = None) -> Written:
    """Gather the scans of an output folder into tables there, or in another folder.

    Raises
    ------
    InputMissingError
        The output folder knows of no scan.
    TableError
        A name or table cannot be used; nothing was written.
    OutputError
        A table cannot be written.
    """
    folder = destination or output_dir
    refuse_foreign_dataset(folder)
    study = study_in(output_dir)
    wide = wide_table(study.scans)
    tables = {
        WIDE: wide,
        LONG: long_table(study.scans),
        DERIVED: derived_table(wide, sites_in(output_dir)),
        PHENOTYPE: phenotype_table(study.scans),
    }
    for name, table in tables.items():
        _write(folder, f"{name}.json", json.dumps(table.dictionary, indent=2, ensure_ascii=False) + "\n")
        _write(folder, f"{name}.tsv", table.text())
    return Written(
        table=folder / f"{WIDE}.tsv",
        n_scans=len(study.scans),
        n_done=sum(record.outcome.status == DONE for record in study.scans),
        n_columns=len(wide.columns),
        warnings=study.warnings,
    )


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    if not leads_inside(path.parent, folder):
        raise OutputError(f"{path.parent} leads out of {folder}.", remedy="Remove the symbolic link.")
    try:
        if path.is_file() and path.read_bytes() == text.encode(errors="backslashreplace"):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="See to it that you may write there, or have group write elsewhere: --group_output DIR.",
        ) from error
