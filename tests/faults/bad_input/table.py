"""All cases that show before anything is run."""

from __future__ import annotations

from bad_input import datasets, image_files, image_headers, image_voxels, names, options, resource_files, tables

CASES = tuple(
    case
    for part in (image_files, image_headers, image_voxels, datasets, names, tables, options, resource_files)
    for case in part.cases()
)
