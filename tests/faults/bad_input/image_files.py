"""Files that are no whole NIfTI image, whatever their name says."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from bad_input.breaking import DATA_OFFSET_BYTES, with_bytes, with_fields, with_file
from bad_input.case import Case, accepted, refused

SCAN = "sub-bad_T1w.nii"
CONVERT = "Convert the scan from DICOM again"
OTHER = "is not a NIfTI image"

TRUNCATED_AT = (0, 1, 2, 3, 9, 10, 11, 17, 60, 150, 400, 1000, 4000, 0.1, 0.25, 0.5, 0.9, -12, -8, -1)
"""Bytes kept of a compressed image: so many, a share, or all but so many."""

ANNEXED = b"/annex/objects/MD5E-s577256--0123456789abcdef0123456789abcdef.nii.gz\n"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 577256\n"


def cases() -> Iterator[Case]:
    for at in TRUNCATED_AT:

        def cut(content: bytes, at: float = at) -> bytes:
            return content[: int(at * len(content)) if 0 < at < 1 else int(at)]

        yield refused(f"gzip cut at {at}", with_file(cut), SCAN, "empty" if at == 0 else "ends early", CONVERT)
    yield refused(
        "plain, named .nii.gz", with_file(gzip.decompress), SCAN, "but is not compressed", "Rename it to .nii"
    )
    yield refused("compressed, named .nii", with_file(bytes, ".nii"), SCAN, "is compressed but named", "Rename it to")
    yield refused("compressed twice", with_file(gzip.compress), SCAN, "is compressed twice", "gunzip")
    yield refused("a byte changed in the middle", with_file(_flipped), SCAN, "corrupt", CONVERT)
    yield refused("zeros named .nii.gz", with_file(bytes(5000)), SCAN, OTHER, CONVERT)
    yield refused("zeros named .nii", with_file(bytes(5000), ".nii"), SCAN, OTHER, CONVERT)
    yield refused("another magic", with_fields(magic=b"n+9"), SCAN, OTHER, CONVERT)
    yield refused("the magic of a pair of files", with_fields(magic=b"ni1"), SCAN, "header of a pair", "one file")
    yield refused("Analyze, without a magic", with_fields(magic=b""), SCAN, OTHER, CONVERT)
    yield refused("another size of the header", with_fields(sizeof_hdr=349), SCAN, OTHER, CONVERT)
    yield refused("a page to log in", with_file(b"<!DOCTYPE html><html>Sign in</html>" * 30), SCAN, OTHER, CONVERT)
    yield refused("DICOM", with_file(bytes(128) + b"DICM" + bytes(900), ".nii"), SCAN, "is DICOM", "dcm2niix")
    yield refused("MINC 2", with_file(b"\x89HDF\r\n\x1a\n" + bytes(900), ".nii"), SCAN, OTHER, CONVERT)
    yield refused("an unlocked file of git-annex", with_file(ANNEXED), SCAN, "pointer of git-annex", "git annex get")
    yield refused("a pointer of git-lfs", with_file(LFS), SCAN, "pointer of git-lfs", "git lfs pull")
    yield refused("a header alone", with_bytes(lambda b: b[:DATA_OFFSET_BYTES]), SCAN, "with 0 % of", CONVERT)
    yield refused("half a header", with_bytes(lambda b: b[:174]), SCAN, OTHER, CONVERT)
    yield refused("half the voxels", with_bytes(lambda b: b[: len(b) // 2]), SCAN, "ends early, with 50 %", CONVERT)
    yield refused("half the voxels, compressed", _half_compressed(), SCAN, "ends early, with 50 %", CONVERT)
    yield accepted(
        "junk after the voxels", with_bytes(lambda b: b + b"\n" * 100), "less than a slice: padding that tools leave"
    )
    yield accepted(
        "gzip in two members", with_file(_in_two_members), "gzip allows it (RFC 1952), parallel compressors write it"
    )


def _half_compressed():  # type: ignore[no-untyped-def]
    return with_bytes(lambda content: content[: len(content) // 2], ".nii.gz")


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def _in_two_members(content: bytes) -> bytes:
    plain = gzip.decompress(content)
    return gzip.compress(plain[:100_000]) + gzip.compress(plain[100_000:])
