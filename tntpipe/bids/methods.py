"""The paragraph on methods that a paper may quote, made from the settings of the run that it describes.

It says only what this run did: an option that was off leaves no sentence. References are numbered as they are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

BrainExtraction = Literal["template", "given", "bet"]
Registration = Literal["standard", "reference", "quick", "debug"]

REFERENCES = {
    "ants": "Tustison NJ, et al. The ANTsX ecosystem for quantitative biological and medical imaging. "
    "Sci Rep 2021;11:9068. doi:10.1038/s41598-021-87564-6",
    "n4": "Tustison NJ, et al. N4ITK: improved N3 bias correction. IEEE Trans Med Imaging 2010;29(6):1310-20. "
    "doi:10.1109/TMI.2010.2046908",
    "syn": "Avants BB, et al. Symmetric diffeomorphic image registration with cross-correlation. "
    "Med Image Anal 2008;12(1):26-41. doi:10.1016/j.media.2007.06.004",
    "atropos": "Avants BB, et al. An open source multivariate framework for n-tissue segmentation with evaluation on "
    "public data. Neuroinformatics 2011;9(4):381-400. doi:10.1007/s12021-011-9109-y",
    "mixture": "Ashburner J, Friston KJ. Unified segmentation. NeuroImage 2005;26(3):839-51. "
    "doi:10.1016/j.neuroimage.2005.02.018",
    "samseg": "Puonti O, et al. Fast and sequence-adaptive whole-brain segmentation using parametric Bayesian "
    "modeling. NeuroImage 2016;143:235-49. doi:10.1016/j.neuroimage.2016.09.011",
    "bet": "Smith SM. Fast robust automated brain extraction. Hum Brain Mapp 2002;17(3):143-55. doi:10.1002/hbm.10062",
    "bids": "Gorgolewski KJ, et al. The brain imaging data structure. Sci Data 2016;3:160044. "
    "doi:10.1038/sdata.2016.44",
}

_BRAIN = {
    "template": "The brain was found by an affine registration of a whole-head template, its mask refined by "
    "intensities.",
    "given": "The brain masks were provided by the user.",
    "bet": "The brain was extracted with FSL BET {bet}.",
}
_REGISTRATION = {
    "standard": "with cross-correlation (radius 2) on grids of 8, 4 and 2 mm",
    "reference": "with the parameters of `antsRegistrationSyN.sh`",
    "quick": "with the parameters of `antsRegistrationSyNQuick.sh`",
    "debug": "with one iteration at each level (a test of the software: not to be analysed)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a run's derivatives tell about how they were made."""

    tntpipe_version: str
    ants_flavour: str
    ants_version: str
    model: str
    registration: Registration
    brain_extraction: BrainExtraction
    subcortical_model: str | None = None
    intracranial_volume: bool = False
    atlas: bool = True
    """Whether the model's probabilities of structures were used, or its tags."""
    nuclei_by_atlas: bool = True
    """Whether the subcortical structures are those of these probabilities, or a label map's."""

    @property
    def debug(self) -> bool:
        """Whether the results only try the software."""
        return self.registration == "debug"


@dataclass(slots=True)
class _Bibliography:
    """References in the order in which they are first cited."""

    cited: list[str] = field(default_factory=list)

    def cite(self, key: str) -> str:
        if key not in self.cited:
            self.cited.append(key)
        return f"[{self.cited.index(key) + 1}]"


def methods_text(facts: RunFacts) -> str:
    """Markdown: the paragraph, and the list of its references."""
    paragraph, references = methods_parts(facts)
    numbered = [f"{number}. {reference}" for number, reference in enumerate(references, 1)]
    return "\n".join(("# Methods", "", paragraph, "", "## References", "", *numbered, ""))


NO_RECORD = "How these were made is not recorded: another version of tntpipe left them."


def methods_of_scans(lying: Mapping[str, RunFacts | None]) -> str:
    """Markdown on the scans whose results lie in a folder: one text where all were made alike, else one for each way.

    None stands for results of which it is not known.
    """
    ways = scans_by_method(lying)
    if len(ways) == 1 and None not in ways:
        (facts,) = ways
        assert facts is not None
        return methods_text(facts)
    lines = ["# Methods", "", f"The scans in this folder were made in {len(ways)} ways. Do not compare their volumes."]
    for facts, scans in ways.items():
        lines += ["", f"## {', '.join(scans)}", ""]
        if facts is None:
            lines.append(NO_RECORD)
            continue
        paragraph, references = methods_parts(facts)
        numbered = [f"{number}. {reference}" for number, reference in enumerate(references, 1)]
        lines += [paragraph, "", "References:", "", *numbered]
    return "\n".join((*lines, ""))


def scans_by_method(lying: Mapping[str, RunFacts | None]) -> dict[RunFacts | None, list[str]]:
    """Scans that were made alike, the largest group first."""
    ways: dict[RunFacts | None, list[str]] = {}
    for scan, facts in sorted(lying.items()):
        ways.setdefault(facts, []).append(scan)
    return dict(sorted(ways.items(), key=lambda way: (-len(way[1]), way[1])))


def methods_parts(facts: RunFacts) -> tuple[str, list[str]]:
    """The paragraph, in Markdown, and its references in the order of their numbers, from 1."""
    bibliography = _Bibliography()
    paragraph = " ".join(_sentences(facts, bibliography.cite("bids"), bibliography))
    return paragraph, [REFERENCES[key] for key in bibliography.cited]


def _sentences(facts: RunFacts, bids: str, bibliography: _Bibliography) -> list[str]:
    cite = bibliography.cite
    sentences = [
        f"T1-weighted images, organised in BIDS {bids}, were processed with tntpipe {facts.tntpipe_version}, "
        f"which runs ANTs ({facts.ants_flavour}, version {facts.ants_version}) {cite('ants')}.",
        f"Intensities were brought to one range, and their non-uniformity was corrected with N4 {cite('n4')}.",
        _BRAIN[facts.brain_extraction].format(bet=cite("bet") if facts.brain_extraction == "bet" else ""),
        f"The brain of the model {facts.model} was registered to each scan's by a linear and then a symmetric "
        f"diffeomorphic (SyN) transform {cite('syn')}, {_REGISTRATION[facts.registration]}.",
        *(_by_atlas(cite) if facts.atlas else _by_tags(cite)),
        "Lobes were carried from the model to the scan, and the volume and mean intensity of each tissue in each lobe "
        "were computed.",
    ]
    if facts.subcortical_model is not None:
        sentences.append(
            "Subcortical structures are those of the same segmentation."
            if facts.atlas and facts.nuclei_by_atlas
            else f"Subcortical structures were carried from the model {facts.subcortical_model}."
        )
    if facts.intracranial_volume:
        sentences.append("Intracranial volume is that of the model's intracranial mask carried to the scan.")
    return sentences


def _by_atlas(cite: Callable[[str], str]) -> list[str]:
    return [
        "Grey matter, white matter and cerebrospinal fluid were found by expectation-maximisation of a Gaussian "
        "mixture with partial volume and a smooth field, a fixed number of rounds, the probabilities of structures of "
        f"an atlas carried to the scan as its prior {cite('mixture')}{cite('samseg')}.",
        "In between, the atlas's tissue probabilities were registered (SyN, mean squares) to those found in the scan.",
    ]


def _by_tags(cite: Callable[[str], str]) -> list[str]:
    return [
        "Grey matter, white matter and cerebrospinal fluid were separated with Atropos "
        f"{cite('atropos')}, started from the intensities at tags of the model carried to the scan."
    ]
