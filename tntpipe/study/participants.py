"""Who the participants are, as far as the output folder knows or leads to it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from tntpipe.bids.sidecars import RAW
from tntpipe.errors import TableError
from tntpipe.files import parsed_json
from tntpipe.imaging.tables import MISSING, read_table


def sites_in(output_dir: Path) -> dict[str, str]:
    """The site of each participant; empty where no table can be found or none tells it."""
    path = participants_of(output_dir)
    try:
        rows = read_table(path, ("participant_id", "site")) if path else []
    except TableError:
        return {}
    return {row["participant_id"]: row["site"] for row in rows if row["site"] != MISSING}


def participants_of(output_dir: Path) -> Path | None:
    """The output folder's own table, or that of the dataset which it links to; None where neither can be found."""
    candidates = [output_dir]
    try:
        link = parsed_json((output_dir / "dataset_description.json").read_bytes())["DatasetLinks"][RAW]
        parts = urlsplit(link)
        if parts.scheme in ("", "file") and not parts.netloc:
            candidates.append(output_dir / unquote(parts.path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return next((path for folder in candidates if (path := folder / "participants.tsv").is_file()), None)
