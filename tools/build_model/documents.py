"""The words that go with the model: licences of every source, citations, a README and the template description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.build_model.sources import SourceFile

SPACE = "MNI152NLin2009cAsym"
SCHEMA_VERSION = 1

CITATIONS = """\
@article{fonov2011,
  author = {Fonov, V. and Evans, A. C. and Botteron, K. and Almli, C. R. and McKinstry, R. C. and Collins, D. L.},
  title = {Unbiased average age-appropriate atlases for pediatric studies},
  journal = {NeuroImage}, year = {2011}, volume = {54}, number = {1}, pages = {313--327},
  doi = {10.1016/j.neuroimage.2010.07.033}
}

@article{fonov2009,
  author = {Fonov, V. S. and Evans, A. C. and McKinstry, R. C. and Almli, C. R. and Collins, D. L.},
  title = {Unbiased nonlinear average age-appropriate brain templates from birth to adulthood},
  journal = {NeuroImage}, year = {2009}, volume = {47}, pages = {S102},
  doi = {10.1016/S1053-8119(09)70884-5}
}

@article{puonti2016,
  author = {Puonti, O. and Iglesias, J. E. and Van Leemput, K.},
  title = {Fast and sequence-adaptive whole-brain segmentation using parametric {Bayesian} modeling},
  journal = {NeuroImage}, year = {2016}, volume = {143}, pages = {235--249},
  doi = {10.1016/j.neuroimage.2016.09.011}
}

@article{desikan2006,
  author = {Desikan, R. S. and S{\\'e}gonne, F. and Fischl, B. and Quinn, B. T. and Dickerson, B. C. and others},
  title = {An automated labeling system for subdividing the human cerebral cortex on {MRI} scans
           into gyral based regions of interest},
  journal = {NeuroImage}, year = {2006}, volume = {31}, number = {3}, pages = {968--980},
  doi = {10.1016/j.neuroimage.2006.01.021}
}

@article{markello2021,
  author = {Markello, R. D. and Arnatkevi{\\v{c}}i{\\=u}t{\\.e}, A. and Poline, J.-B. and Fulcher, B. D. and
            Fornito, A. and Misic, B.},
  title = {Standardizing workflows in imaging transcriptomics with the abagen toolbox},
  journal = {eLife}, year = {2021}, volume = {10}, pages = {e72129}, doi = {10.7554/eLife.72129}
}

@article{avants2008,
  author = {Avants, B. B. and Epstein, C. L. and Grossman, M. and Gee, J. C.},
  title = {Symmetric diffeomorphic image registration with cross-correlation: evaluating automated labeling
           of elderly and neurodegenerative brain},
  journal = {Medical Image Analysis}, year = {2008}, volume = {12}, number = {1}, pages = {26--41},
  doi = {10.1016/j.media.2007.06.004}
}
"""

README = """\
# MNI152NLin2009cAsym, the built-in model

Made by `tools/build_model` of the tntpipe repository from published packages; every file but the last lies on the
template's grid (193 x 229 x 193, 1 mm) and carries its orientation in the qform. A model of your own is a folder of the
same layout.

| file (after `tpl-MNI152NLin2009cAsym_`) | what it is |
|---|---|
| `T1w.nii.gz` | the whole-head T1w template, 500 grey levels, the air taken off (Fonov 2009, 2011) |
| `desc-brain_mask.nii.gz` | brain: where the published brain-only template is not 0, without holes |
| `label-ICV_mask.nii.gz` | intracranial space: SAMSEG's atlas on the template (Puonti 2016), and the brain mask |
| `seg-lobes_dseg.nii.gz`, `_labels.tsv` | four cerebral lobes and the cerebellum, right and left |
| `seg-subcortex_dseg.nii.gz`, `_labels.tsv` | nuclei, right and left, and the brain stem |
| `seg-tissue_tags.tsv`, `_labels.tsv` | 1000 points each of CSF, GM, WM: `x y z` in world mm, RAS, and `index` |
| `seg-structures_probseg.nii.gz`, `_labels.tsv` | probabilities of 40 structures (SAMSEG), 2 mm, 255 for 1 |

**Lobes.** Desikan-Killiany regions (Desikan 2006, on this template in Markello 2021's abagen) gathered by the lobe
list of FreeSurfer's CorticalParcellation page: rostral and caudal anterior cingulate are frontal, posterior and isthmus
cingulate parietal. The list gives the insula no lobe; it and the white matter go to the nearest lobe of the same
hemisphere. Hippocampus and amygdala are temporal. Thalamus, striatum, pallidum, ventral diencephalon, ventricles and
brain stem are in no lobe; there is no midline label. CSF up to 5 mm away belongs to the nearest lobe.

**Nuclei.** The most probable structure given SAMSEG's atlas and the template's intensities, smoothed by 0.8 mm. The
column `group` of the label table says what to add up: Striatum is Caudate + Putamen + Accumbens.

**Tags.** Where the tissue's probability is over 0.9 both in the template and among the people of SAMSEG's atlas, at
least 3 mm inside the brain mask, evenly spaced at random with a fixed seed. GM includes cerebellar cortex, caudate,
putamen, accumbens, hippocampus and amygdala. The column `mapping` of the label table is the index that BIDS gives the
tissue.

MNI152 is larger than most heads: volumes measured on the template itself are no norm for a person.

Licences and notices of all sources: `LICENSE.txt`. Please cite what `CITATION.bib` lists.
"""


def template_description() -> dict[str, Any]:
    """Return what identifies the model to a program and to a reader."""
    return {
        "schema_version": SCHEMA_VERSION,
        "Name": "ICBM 152 nonlinear asymmetric 2009c, with masks, lobes, nuclei and tissue tags",
        "Identifier": SPACE,
        "Space": SPACE,
        "Authors": ["V. S. Fonov", "A. C. Evans", "R. C. McKinstry", "C. R. Almli", "D. L. Collins"],
        "License": "MNI/McGill, MIT and BSD-3-Clause sources: see LICENSE.txt",
        "ReferencesAndLinks": [
            "https://doi.org/10.1016/j.neuroimage.2010.07.033",
            "https://doi.org/10.1016/S1053-8119(09)70884-5",
            "https://doi.org/10.1016/j.neuroimage.2016.09.011",
            "https://doi.org/10.1016/j.neuroimage.2006.01.021",
            "https://doi.org/10.7554/eLife.72129",
            "https://doi.org/10.1016/j.media.2007.06.004",
        ],
        "GeneratedBy": [{"Name": "tools/build_model", "Description": "See README.md"}],
    }


MIT_TEXT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def notice_words(path: Path) -> str:
    """Return a notice; for a package without one, the header of its metadata (authors, licence) and MIT's text."""
    words = path.read_text(encoding="utf-8").strip()
    return f"{words.partition(chr(10) * 2)[0]}\n\n{MIT_TEXT}" if path.name == "METADATA" else f"{words}\n"


def licence_text(notices: list[tuple[str, SourceFile, Path]]) -> str:
    """Return the sources' notices one after the other: what each covers, the package, its own words."""
    parts = [
        f"{covers}\nfrom {source.package}, {source.path}:\n\n{notice_words(path)}" for covers, source, path in notices
    ]
    return f"\n{'=' * 80}\n\n".join(parts)


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows of equal keys as TSV."""
    lines = ["\t".join(rows[0]), *("\t".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_documents(folder: Path, licences: str) -> None:
    (folder / "README.md").write_text(README, encoding="utf-8")
    (folder / "CITATION.bib").write_text(CITATIONS, encoding="utf-8")
    (folder / "LICENSE.txt").write_text(licences, encoding="utf-8")
    description = json.dumps(template_description(), indent=2, ensure_ascii=False)
    (folder / "template_description.json").write_text(description + "\n", encoding="utf-8")
