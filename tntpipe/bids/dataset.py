"""Whether a folder is a BIDS dataset: that it is there, and that ``dataset_description.json`` says so.

Nothing else of the dataset is judged: the validator's hundreds of rules concern files that are never read.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tntpipe.errors import DatasetError, InputMissingError
from tntpipe.files import parsed_json

_SKIP = "or add --skip_validation."
LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What the derivatives repeat of the dataset that they come from; empty text where it does not say."""

    name: str = ""
    bids_version: str = ""
    doi: str = ""
    is_derivative: bool = False


def read_dataset(bids_dir: Path, *, skip_validation: bool = False) -> Dataset:
    """Read ``dataset_description.json``.

    Raises InputMissingError if the folder is not there, and DatasetError if the description is missing, broken, or
    without Name or BIDSVersion; with ``skip_validation`` what cannot be read is left empty instead.
    """
    if not bids_dir.is_dir():
        raise _no_folder(bids_dir)
    try:
        content = _read_description(bids_dir / "dataset_description.json")
    except DatasetError:
        if not skip_validation:
            raise
        return Dataset()
    return Dataset(
        name=_text(content, "Name"),
        bids_version=_text(content, "BIDSVersion"),
        doi=_text(content, "DatasetDOI"),
        is_derivative=content.get("DatasetType") == "derivative",
    )


def _no_folder(path: Path) -> InputMissingError:
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return InputMissingError(
                f"The dataset folder {path} is a symbolic link that leads to itself.", remedy="Fix the link."
            )
        fact = "does not exist" if error.errno == errno.ENOENT else f"cannot be reached: {error.strerror}"
    else:
        fact = "is a file, not a folder"
    return InputMissingError(f"The dataset folder {path} {fact}.", remedy="Name the folder that holds sub-….")


def _read_description(path: Path) -> Mapping[str, object]:
    try:
        if not path.is_file() and path.exists():
            kind = "folder" if path.is_dir() else "special file"
            raise DatasetError(f"{path} is a {kind}, not a description.", remedy=f"Fix it, {_SKIP}")
        content = parsed_json(path.read_bytes())
    except FileNotFoundError as error:
        raise DatasetError(
            f"{path} does not exist, so {path.parent} is not a BIDS dataset.", remedy=f"Name another folder, {_SKIP}"
        ) from error
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read: {error.strerror}.", remedy=f"Ask for permission, {_SKIP}"
        ) from error
    except ValueError as error:
        raise DatasetError(f"{path} is not valid JSON: {error}.", remedy=f"Fix it, {_SKIP}") from error
    if not isinstance(content, dict):
        raise DatasetError(f"{path} does not hold a JSON object.", remedy=f"Fix it, {_SKIP}")
    wrong = [fact for field in ("Name", "BIDSVersion") if (fact := _why_no_text(content, field))]
    if wrong:
        raise DatasetError(f"{path} {' and '.join(wrong)}.", remedy=f"Write text there, in quotes, {_SKIP}")
    return content


def _why_no_text(content: Mapping[str, object], field: str) -> str:
    """What is wrong with a field that must be text and not empty; nothing where it is."""
    if field not in content:
        return f"lacks {field}"
    value = content[field]
    if not isinstance(value, str):
        written = json.dumps(value, ensure_ascii=False)
        shown = written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]}…"
        return f"has {shown} as {field}, where text is needed"
    return "" if value.strip() else f"has an empty {field}"


def _text(content: Mapping[str, object], field: str) -> str:
    value = content.get(field)
    return value.strip() if isinstance(value, str) else ""
