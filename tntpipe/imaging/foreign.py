"""What a file is that is named as a NIfTI image and is none, told by its first bytes.

Decides only between kinds of which a person must do something else: fetch the content, convert, decompress.
"""

from __future__ import annotations

RECONVERT = "Convert the scan from DICOM again, or copy the file again from where it came."
GZIP_MAGIC = b"\x1f\x8b"
SNIFFED_BYTES = 544
"""Of the first bytes: a whole NIfTI-2 header and its flag of extensions."""

_ANNEX = (b"/annex/objects/", b"../.git/annex/objects/", b".git/annex/objects/")
_LFS = b"version https://git-lfs.github.com/spec/"


def what_it_is(start: bytes) -> tuple[str, str]:
    """A fact and a remedy for a file that begins with ``start`` and is no NIfTI image.

    >>> what_it_is(bytes(128) + b"DICM")[0]
    'is DICOM, not a NIfTI image'
    """
    if start.startswith(_ANNEX):
        return "is only a pointer of git-annex, its content is not here", "Fetch it: git annex get, or datalad get."
    if start.startswith(_LFS):
        return "is only a pointer of git-lfs, its content is not here", "Fetch it: git lfs pull."
    if start[128:132] == b"DICM":
        return "is DICOM, not a NIfTI image", "Convert it, for example with dcm2niix."
    if start.startswith(GZIP_MAGIC):
        return "is compressed twice", "Decompress it once with gunzip."
    if start[344:347] == b"ni1" or start[4:7] == b"ni2":
        return "is the header of a pair of files (.hdr, .img)", "Convert the pair to one file, .nii or .nii.gz."
    return "is not a NIfTI image, whatever its name says", RECONVERT
