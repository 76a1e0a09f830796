"""Commands of ``python -m tntpipe.imaging``: arithmetic on images, points and tables, in a child like every other
step."""

from __future__ import annotations

from tntpipe.steps.step import Input, Place, Step


def imaging(place: Place, kind: str, command: str, *words: str | Input, outputs: tuple[str, ...]) -> Step:
    """One command; an :class:`Input` among its words is read by the step and stands for its own path."""
    return Step(
        place=place,
        kind=kind,
        program="imaging",
        arguments=(command, *(word.word if isinstance(word, Input) else word for word in words)),
        inputs=tuple(word for word in words if isinstance(word, Input)),
        outputs=outputs,
    )


def image_input(role: str, source_name: str) -> str:
    """The plain name of an image input: the role, with the ending by which readers know the format."""
    return f"{role}.nii.gz" if source_name.lower().endswith(".gz") else f"{role}.nii"
