"""Files at the root of the derivative dataset: what it is, where it comes from, and how it was made.

Contents are pure functions of the run's facts; ``write_dataset_files`` alone touches the disk. A file whose content is
right is left alone, so that a repeated run changes nothing, and a dataset of another program is never overwritten.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tntpipe.bids.dataset import Dataset
from tntpipe.bids.methods import RunFacts, methods_of_scans
from tntpipe.bids.sidecars import RAW
from tntpipe.errors import OutputError
from tntpipe.files import encoded, leads_inside, parsed_json, write_text
from tntpipe.formatting import and_more

BIDS_VERSION = "1.10.0"

# Without a trailing slash: the validator takes ``figures/`` to ignore nothing.
BIDSIGNORE = ("work", "manifest", "figures", "*.html", "*_xfm.*", "*_stats.*", "*_features.*", "group_*")

DESCRIPTIONS = {
    "qform": "T1w as acquired, with one orientation in its header, the qform",
    "nucor": "T1w corrected for intensity non-uniformity",
    "preproc": "T1w corrected for intensity non-uniformity, with intensities rescaled to a common range",
    "brain": "the brain",
    "linear": "the linear part of a registration alone",
    "warpedmodel": "the model's image carried to the scan",
    "warpedmodelbrain": "the model's brain mask carried to the scan",
}

_README = """\
# tntpipe derivatives

{marked}Volumes of brain tissue, lobes, nuclei and head from T1-weighted MRI, one set for each T1w image of {source}.

Made by tntpipe {version} with ANTs {ants_version} ({ants_flavour}). `logs/CITATION.md` describes the method.
Every image is on the voxels of its T1w. `*_dseg.tsv` names the labels of a segmentation, `*_stats.tsv` holds the
volumes, and `descriptions.tsv` says what each `desc-` means. `manifest` lists every result with its checksum and the
method that made it.
"""

_DEBUG = "--debug: one iteration per level, for testing only, never to be analysed"
N_NAMED = 20


def dataset_description(
    facts: RunFacts, source: Dataset, raw_link: str, container: Mapping[str, str] | None = None, tests: str = ""
) -> dict[str, object]:
    """Content of ``dataset_description.json``; ``raw_link`` is where ``bids:raw:`` leads.

    ``tests`` names what only tries the software.
    """
    tntpipe: dict[str, object] = {"Name": "tntpipe", "Version": facts.tntpipe_version}
    if tests:
        tntpipe["Description"] = f"{tests}: {_DEBUG}"
    if container:
        tntpipe["Container"] = dict(container)
    ants = {"Name": "ANTs", "Version": facts.ants_version, "Description": facts.ants_flavour}
    origin = {"URL": raw_link} | ({"DOI": source.doi} if source.doi else {})
    name = f"tntpipe volumes of {source.name}" if source.name else "tntpipe volumes"
    return {
        "Name": f"{name} (with results of --debug)" if tests else name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [tntpipe, ants],
        "SourceDatasets": [origin],
        "DatasetLinks": {RAW: raw_link},
    }


def link_to_raw(bids_dir: Path, out_dir: Path) -> str:
    """How the derivatives point to their source: relative if the two are likely to move together, else a file URI.

    >>> link_to_raw(Path("/data/bids"), Path("/data/bids/derivatives/tntpipe"))
    '../..'
    >>> link_to_raw(Path("/data/bids"), Path("/scratch/out"))
    'file:///data/bids'
    """
    bids, out = (Path(os.path.abspath(path)) for path in (bids_dir, out_dir))  # noqa: PTH100  (links are kept)
    if bids in out.parents or bids.parent == out.parent:
        return quote(os.path.relpath(bids, out))
    return bids.as_uri()


def container_of(environ: Mapping[str, str]) -> dict[str, str] | None:
    """The container that the environment says this runs in, None outside one or where nothing says so."""
    if tag := environ.get("TNTPIPE_DOCKER_TAG"):
        return {"Type": "docker", "Tag": tag}
    for kind in ("APPTAINER", "SINGULARITY"):
        if image := environ.get(f"{kind}_CONTAINER"):
            return {"Type": kind.lower(), "Tag": Path(image).name}
    engine = environ.get("container")
    return {"Type": engine} if engine else None


def readme(facts: RunFacts, source: Dataset, tests: str = "") -> str:
    """Content of ``README``; ``tests`` names what only tries the software."""
    return _README.format(
        marked=f"**Not for analysis.** {tests}: {_DEBUG}.\n\n" if tests else "",
        source=source.name or "the source dataset",
        version=facts.tntpipe_version,
        ants_version=facts.ants_version,
        ants_flavour=facts.ants_flavour,
    )


def descriptions_table(*ways: RunFacts | None) -> str:
    """Content of ``descriptions.tsv``: each ``desc`` label that a file which was made in these ways may carry."""
    models = sorted({facts.subcortical_model for facts in ways if facts is not None and facts.subcortical_model})
    second = {f"warped{model}": "the subcortical model's image carried to the scan" for model in models}
    rows = (f"desc-{label}\t{description}\n" for label, description in (DESCRIPTIONS | second).items())
    return "".join(("desc_id\tdescription\n", *rows))


def json_text(content: Mapping[str, object]) -> str:
    """JSON as tntpipe writes it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def dataset_files(
    facts: RunFacts,
    source: Dataset,
    raw_link: str,
    container: Mapping[str, str] | None = None,
    lying: Mapping[str, RunFacts | None] | None = None,
) -> dict[str, str]:
    """Content of every file of the dataset itself, by its path in the output folder.

    ``lying`` has, of each scan with results in the folder, how they were made; where there are none, ``facts`` tells.
    """
    scans = lying or {"Everything": facts}
    tried = [scan for scan, way in scans.items() if way is not None and way.debug]
    tests = and_more(tried, N_NAMED) if tried else ""
    return {
        "dataset_description.json": json_text(dataset_description(facts, source, raw_link, container, tests)),
        "README": readme(facts, source, tests),
        ".bidsignore": "".join(f"{pattern}\n" for pattern in BIDSIGNORE),
        "descriptions.tsv": descriptions_table(facts, *scans.values()),
        "logs/CITATION.md": methods_of_scans(scans),
    }


def write_dataset_files(
    out_dir: Path,
    facts: RunFacts,
    source: Dataset,
    raw_link: str,
    container: Mapping[str, str] | None = None,
    lying: Mapping[str, RunFacts | None] | None = None,
) -> tuple[Path, ...]:
    """Write what is not there or differs, each file in one step; return what was written.

    Raises OutputError if the folder cannot be written, holds a dataset that tntpipe did not make, or a link out of it.
    """
    refuse_foreign_dataset(out_dir)
    if not leads_inside(out_dir / "logs", out_dir):
        raise OutputError(
            f"{out_dir / 'logs'} leads out of the output folder, to {os.path.realpath(out_dir / 'logs')}.",
            remedy="Remove the symbolic link, or give another output folder.",
        )
    written = []
    for name, text in dataset_files(facts, source, raw_link, container, lying).items():
        try:
            if _write_if_changed(out_dir / name, text):
                written.append(out_dir / name)
        except OSError as error:
            raise OutputError(
                f"{out_dir / name} cannot be written: {error.strerror}.", remedy="Choose another output folder."
            ) from error
    return tuple(written)


def refuse_foreign_dataset(out_dir: Path) -> None:
    """Raise OutputError where the folder already holds a dataset that tntpipe did not make."""
    path = out_dir / "dataset_description.json"
    try:
        content = parsed_json(path.read_bytes())
        makers = [maker["Name"] for maker in content.get("GeneratedBy", ())]
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror}.", remedy="Name another output folder.") from error
    except (ValueError, AttributeError, TypeError, KeyError):
        makers = []
    if "tntpipe" not in makers:
        raise OutputError(
            f"{path} is there and was not written by tntpipe.",
            remedy="Choose an output folder that holds no other dataset.",
        )


def _write_if_changed(path: Path, text: str) -> bool:
    if path.is_file() and path.read_bytes() == encoded(text):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    return True
