"""What the header of a NIfTI image says, read without its voxels and without nibabel's repairs.

Decides whether a file is a 3-D NIfTI image at all. Whether it is a good scan is for ``check`` to say.
"""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from tntpipe.errors import ImageError
from tntpipe.imaging.foreign import GZIP_MAGIC, RECONVERT, SNIFFED_BYTES, what_it_is
from tntpipe.imaging.orientation import one_form, warnings_of_forms
from tntpipe.imaging.volumes import spatial_shape

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

NIFTI1_BYTES = 348
NIFTI2_BYTES = 540
EXTENSION_FLAG_BYTES = 4
LARGEST_EXTENSION_BYTES = 2**20
"""So much of what follows a header is looked at."""
UNITS = {1: "metres", 3: "micrometres"}  # nifti1.h, NIFTI_UNITS_*; 2 is mm, 0 not said


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """One 3-D image as its header describes it.

    ``affine`` maps voxel indices to world mm (RAS) and is the one that the image will be processed with, that of the
    header ``form``; ``slope`` and ``intercept`` make values of the stored numbers; ``data_offset_bytes`` is counted in
    the decompressed file; ``warnings`` tell what in the header is odd and does not stand in the way. A series has
    several volumes of that shape.
    """

    path: Path
    shape: tuple[int, int, int]
    voxel_mm: tuple[float, float, float]
    affine: tuple[tuple[float, float, float, float], ...]
    dtype: str
    slope: float
    intercept: float
    data_offset_bytes: int
    form: Nifti1Header = field(compare=False, repr=False)
    warnings: tuple[str, ...] = ()
    n_volumes: int = 1

    @property
    def n_voxels(self) -> int:
        """Number of voxels of one volume."""
        return math.prod(self.shape)

    @property
    def data_bytes(self) -> int:
        """Size of the stored voxels, decompressed."""
        return self.n_volumes * self.n_voxels * np.dtype(self.dtype).itemsize

    @property
    def slice_bytes(self) -> int:
        """Size of one slice along the last axis of a volume."""
        return self.data_bytes // (self.n_volumes * self.shape[2])

    @property
    def size_text(self) -> str:
        """The shape for people: ``181×217×181``."""
        return "×".join(map(str, self.shape))


def open_image(path: Path) -> BinaryIO:
    """Open the image's decompressed bytes; ImageError where the file's name and content disagree, or it has none."""
    if not path.name.endswith((".nii", ".nii.gz")):
        raise ImageError(f"{path}: is not named as a NIfTI image.", remedy="Its name must end in .nii or .nii.gz.")
    start = _first_bytes(path)
    named_gzip, is_gzip = path.name.endswith(".gz"), start.startswith(GZIP_MAGIC)
    if named_gzip == is_gzip:
        return cast("BinaryIO", gzip.open(path)) if is_gzip else path.open("rb")
    if is_gzip:
        raise ImageError(f"{path}: is compressed but named .nii.", remedy="Rename it to .nii.gz.")
    if _is_nifti(start):
        raise ImageError(f"{path}: is named .nii.gz but is not compressed.", remedy="Rename it to .nii.")
    fact, remedy = what_it_is(start) if len(start) >= len(GZIP_MAGIC) else ("the file ends early", RECONVERT)
    raise ImageError(f"{path}: {fact}.", remedy=remedy)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(SNIFFED_BYTES)
    except FileNotFoundError:
        kind = "is a link to a file that is not there" if path.is_symlink() else "there is no such file"
        raise ImageError(f"{path}: {kind}.", remedy="Fetch it (git annex get, datalad get) or copy it.") from None
    except IsADirectoryError:
        raise ImageError(f"{path}: is a folder, not an image.", remedy="Name the image itself.") from None
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror}).", remedy="Check its permissions.") from error
    if not start:
        raise ImageError(f"{path}: the file is empty.", remedy=RECONVERT)
    return start


def read_facts(path: str | Path, max_shear_angle: float, *, series: bool = False) -> ImageFacts:
    """Read the facts of any 3-D NIfTI image, or with ``series`` of a 4-D one; ImageError where it is none or has no
    usable orientation."""
    path = Path(path)
    header, extension = _read_header(path)
    dtype = _dtype(header, path)
    unit = UNITS.get(int(header["xyzt_units"]) & 7)
    if unit:
        raise ImageError(f"{path}: its header gives lengths in {unit}.", remedy="Rewrite it in mm.")
    shape, n_volumes = _shape(header, path, series=series)
    form = one_form(header, path, max_shear_angle)
    affine = np.asarray(form.get_qform(), dtype=np.float64)
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    slope, intercept = _scaling(header, path)
    facts = ImageFacts(
        path=path,
        shape=shape,
        voxel_mm=(float(zooms[0]), float(zooms[1]), float(zooms[2])),
        affine=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in affine),
        dtype=dtype.str,
        slope=slope,
        intercept=intercept,
        data_offset_bytes=_data_offset(header, path),
        form=form,
        warnings=warnings_of_forms(header, shape, affine) + _warnings_of_extension(extension),
        n_volumes=n_volumes,
    )
    if not path.name.endswith(".gz"):
        require_size(facts, path.stat().st_size - facts.data_offset_bytes)
    return facts


def require_size(facts: ImageFacts, found_bytes: int) -> None:
    """Raise ImageError where the file holds fewer bytes of voxels than its header promises, or a slice more."""
    if found_bytes >= facts.data_bytes + facts.slice_bytes:
        raise ImageError(
            f"{facts.path}: the file holds more voxels than its header promises ({facts.size_text} of {facts.dtype}).",
            remedy=RECONVERT,
        )
    if found_bytes < facts.data_bytes:
        share = min(max(round(100 * found_bytes / facts.data_bytes), 0), 99)
        raise ImageError(
            f"{facts.path}: the file ends early, with {share} % of the voxels that its header promises.",
            remedy=RECONVERT,
        )


def _read_header(path: Path) -> tuple[Nifti1Header, bytes]:
    """The header as it stands, and the bytes between it and the voxels."""
    try:
        with open_image(path) as file:
            block = file.read(SNIFFED_BYTES)
            if _is_nifti(block):
                return _header_and_extension(block, file, path)
    except EOFError:
        raise ImageError(f"{path}: the compressed file ends early.", remedy=RECONVERT) from None
    except (OSError, zlib.error) as error:
        raise ImageError(f"{path}: is corrupt ({error}).", remedy=RECONVERT) from error
    fact, remedy = what_it_is(block)
    raise ImageError(f"{path}: {fact}.", remedy=remedy)


def _header_and_extension(block: bytes, file: BinaryIO, path: Path) -> tuple[Nifti1Header, bytes]:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    endianness = "<" if int.from_bytes(block[:4], "little") in (NIFTI1_BYTES, NIFTI2_BYTES) else ">"
    if block[344:347] == b"n+1":
        header, n_bytes = Nifti1Header(block[:NIFTI1_BYTES], endianness, check=False), NIFTI1_BYTES
    else:
        header, n_bytes = Nifti2Header(block[:NIFTI2_BYTES], endianness, check=False), NIFTI2_BYTES
    until = min(_data_offset(header, path), n_bytes + LARGEST_EXTENSION_BYTES)
    return header, (block + file.read(max(until - len(block), 0)))[n_bytes:until]


def _warnings_of_extension(block: bytes) -> tuple[str, ...]:
    """What to know of a header extension that is not put together as NIfTI has it; ours reads none of them.

    Parameters
    ----------
    block
        What lies between header and voxels: a flag of 4 bytes, then extensions, each of which begins with its size.
    """
    if not block[:1].strip(b"\0"):
        return ()
    position = EXTENSION_FLAG_BYTES
    while position < len(block):
        sizes = [int.from_bytes(block[position : position + 4], order) for order in ("little", "big")]
        fitting = [size for size in sizes if size >= 16 and size % 16 == 0 and position + size <= len(block)]
        if not fitting:
            return ("its header extension is damaged and is ignored",)
        position += fitting[0]
    return ()


def _is_nifti(block: bytes) -> bool:
    """Whether a file that begins so is a NIfTI image in one file, of version 1 or 2 and either byte order."""
    sizes = (int.from_bytes(block[:4], "little"), int.from_bytes(block[:4], "big"))
    if NIFTI1_BYTES in sizes:
        return len(block) >= NIFTI1_BYTES and block[344:347] == b"n+1"
    return NIFTI2_BYTES in sizes and len(block) >= NIFTI2_BYTES and block[4:7] == b"n+2"


def _data_offset(header: Nifti1Header, path: Path) -> int:
    first = int(header["sizeof_hdr"]) + EXTENSION_FLAG_BYTES
    offset = float(header["vox_offset"])
    if offset == 0:  # not said: the voxels follow the header, which nibabel would take for voxels
        return first
    if not (offset.is_integer() and offset >= first):
        raise ImageError(f"{path}: its header says that the voxels begin at byte {offset:g}.", remedy=RECONVERT)
    return int(offset)


def _scaling(header: Nifti1Header, path: Path) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or NaN says that there is none."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or math.isnan(slope):
        return 1.0, 0.0
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise ImageError(f"{path}: its slope and intercept are {slope:g} and {intercept:g}.", remedy=RECONVERT)
    return slope, intercept


def _dtype(header: Nifti1Header, path: Path) -> np.dtype[Any]:
    from nibabel.spatialimages import HeaderDataError

    try:
        dtype: np.dtype[Any] = header.get_data_dtype()
    except (HeaderDataError, KeyError):
        dtype = np.dtype("V")
    if dtype.kind not in "iuf":
        kinds = {"c": "complex numbers", "V": "colours or bits"}
        raise ImageError(
            f"{path}: its voxels are {kinds.get(dtype.kind, str(dtype))} (NIfTI type {int(header['datatype'])}).",
            remedy="One grey value per voxel is needed.",
        )
    stored: np.dtype[Any] = dtype.newbyteorder(header.endianness)
    return stored


def _shape(header: Nifti1Header, path: Path, *, series: bool) -> tuple[tuple[int, int, int], int]:
    """The three spatial lengths and the number of volumes."""
    n_axes = int(header["dim"][0])
    lengths = tuple(int(length) for length in header["dim"][1 : n_axes + 1])
    if not 1 <= n_axes <= 7 or min(lengths) < 1:
        raise ImageError(f"{path}: its header gives it the size {lengths}.", remedy=RECONVERT)
    shape = spatial_shape(lengths[:3] if series else lengths)
    if shape is not None and min(shape) > 1:
        return shape, math.prod(lengths[3:]) if series else 1
    size = "×".join(map(str, lengths))
    if shape is not None or n_axes < 3:
        raise ImageError(f"{path}: is a single slice ({size}).", remedy="A scan in three dimensions is needed.")
    raise ImageError(
        f"{path}: holds several volumes ({size}).", remedy="One 3-D T1w is needed: pick or average the volumes first."
    )
