"""The model that scans are compared with: a template with its masks, labels and tags.

A model is a folder of files named as TemplateFlow names them::

    tpl-<space>_T1w.nii.gz                      whole head
    tpl-<space>_desc-brain_mask.nii.gz
    tpl-<space>_seg-lobes_dseg.nii.gz           and _labels.tsv
    tpl-<space>_seg-tissue_tags.tsv             and _labels.tsv: points x y z index, world mm, RAS
    tpl-<space>_label-ICV_mask.nii.gz           for intracranial volume
    tpl-<space>_seg-subcortex_dseg.nii.gz       and _labels.tsv, for subcortical structures
    tpl-<space>_seg-structures_probseg.nii.gz   and _labels.tsv: probabilities of structures, on a grid of its own

The built-in model is such a folder; options of the command line replace single files. Images are in one space, and the
masks and label maps are on the template's grid. With probabilities, tissues and structures are found from them and the
scan's intensities together; without, tissues are trained at the tags, and labels come by registration alone. Whether a
file can be read is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from tntpipe.errors import InputMissingError, UsageError

LONGEST_SPACE = 64
"""Letters of a space's name: a file name has 255 bytes for it, the scan's own name and what the file is."""

BUILT_IN_SPACE = "MNI152NLin2009cAsym"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A label map or tag table with the table that names its labels."""

    path: Path
    labels: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A template and what is drawn on it; what is None was not given."""

    space: str
    t1w: Path
    brain_mask: Path
    lobes: Labelled | None = None
    tags: Labelled | None = None
    intracranial_mask: Path | None = None
    subcortex: Labelled | None = None
    priors: Labelled | None = None

    @property
    def nuclei_by_priors(self) -> bool:
        """Whether the subcortical labels are those of the model's own probabilities, and no others put in place."""
        return bool(self.priors and self.subcortex and self.priors.path.parent == self.subcortex.path.parent)


def built_in_model() -> Model:
    """The model that ships with the package."""
    return read_model_folder(Path(str(resources.files("tntpipe"))) / "data" / "models" / BUILT_IN_SPACE)


def read_model_folder(folder: Path) -> Model:
    """The model in a folder laid out as above.

    Raises
    ------
    InputMissingError
        The folder, its template or its brain mask is not there.
    UsageError
        The folder holds several templates.
    """
    folder = folder.absolute()
    templates = sorted(folder.glob("tpl-*_T1w.nii*"))
    if len(templates) != 1:
        found = ", ".join(path.name for path in templates) or "none"
        error = UsageError if templates else InputMissingError
        raise error(
            f"The model folder {folder} should hold one template tpl-<space>_T1w.nii.gz; found: {found}.",
            remedy="See the model folder's layout in docs/models.md.",
        )
    space = templates[0].name.removeprefix("tpl-").split("_")[0]
    stem = f"tpl-{space}"
    return Model(
        space=checked_space(space),
        t1w=templates[0],
        brain_mask=existing(folder / f"{stem}_desc-brain_mask.nii.gz"),
        lobes=_labelled(folder / f"{stem}_seg-lobes_dseg.nii.gz"),
        tags=_labelled(folder / f"{stem}_seg-tissue_tags.tsv"),
        intracranial_mask=_optional(folder / f"{stem}_label-ICV_mask.nii.gz"),
        subcortex=_labelled(folder / f"{stem}_seg-subcortex_dseg.nii.gz"),
        priors=_labelled(folder / f"{stem}_seg-structures_probseg.nii.gz"),
    )


def labelled(path: Path, labels: Path | None = None) -> Labelled:
    """A file with its label table, by default the file's name with ``_labels.tsv`` (or, as BIDS has it, ``.tsv``).

    Raises
    ------
    InputMissingError
        Either is not there.
    """
    path = existing(path)
    if labels is not None:
        return Labelled(path=path, labels=existing(labels))
    stem = re.sub(r"(\.nii)?(\.gz)?$|\.tsv$", "", path.name)
    candidates = [path.with_name(f"{stem}_labels.tsv"), path.with_name(f"{stem}.tsv")]
    for candidate in candidates:
        if candidate != path and candidate.is_file():
            return Labelled(path=path, labels=candidate)
    raise InputMissingError(
        f"The labels of {path} are not named: there is no {candidates[0].name} beside it.",
        remedy="Make that table (columns index and name), or name another one.",
    )


def with_files(model: Model, **files: object) -> Model:
    """The model with some of its files replaced; those that are None stay."""
    return replace(model, **{name: value for name, value in files.items() if value is not None})  # type: ignore[arg-type]


def checked_space(space: str) -> str:
    """A space's name, which becomes part of file names.

    Raises
    ------
    UsageError
        It holds anything but letters and digits, or it is ``T1w``, which is how transforms name the scan.
    """
    if space == "T1w":
        raise UsageError("A space cannot be called T1w: that is the scan.", remedy="Give the template's name.")
    if not re.fullmatch(r"[0-9A-Za-z]+", space):
        raise UsageError(
            f"The space name {space!r} cannot be part of a BIDS file name.",
            remedy="Use letters and digits only, for example MyTemplate1mm.",
        )
    if len(space) > LONGEST_SPACE:
        raise UsageError(
            f"The space name {space!r} has {len(space)} letters, more than {LONGEST_SPACE}.",
            remedy="Use a shorter one: it becomes part of file names.",
        )
    return space


def existing(path: Path) -> Path:
    """The path of a file that is there, made absolute."""
    if not path.is_file():
        raise InputMissingError(f"The file {path} is not there.", remedy="Check the name that was given for it.")
    return path.absolute()


def _optional(path: Path) -> Path | None:
    return path if path.is_file() else None


def _labelled(path: Path) -> Labelled | None:
    return labelled(path) if path.is_file() else None
