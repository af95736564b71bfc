"""ARRANGE_STILLS: grabbed frames become the thumbnail and the contact sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from renderer.executors.context import Context, Made, read_path
from renderer.media import Size
from renderer.steps import Step

THUMBNAIL = "thumbnail.jpg"
CONTACT_SHEET = "contact-sheet.jpg"

_QUALITY = 90
_GAP = 8  # pixels around the cells of the contact sheet
_PAPER = (18, 18, 20)
_GREY = (96, 98, 104, 255)


def arrange_stills(step: Step, context: Context) -> Made:
    """Save the thumbnail and the sheet from pictures that are read.

    `params`: `thumbnail` is the number of a read; `contact_sheet` has `columns`, `cell`
    `[width, height]` and `cells`, the numbers of reads in reading order.
    """
    files = {name: context.workdir / name for name in step.outputs}
    with Image.open(read_path(step, int(step.params["thumbnail"]), context)) as picture:
        _save(_on_paper(picture), files[THUMBNAIL])
    sheet = step.params["contact_sheet"]
    paper = _Sheet.empty(sheet)
    for cell, read in enumerate(sheet["cells"]):
        with Image.open(read_path(step, int(read), context)) as picture:
            paper.place(cell, _on_paper(picture))
    _save(paper.image, files[CONTACT_SHEET])
    return Made(files=files)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A sheet of paper with room for one cell per frame."""

    image: Image.Image
    columns: int
    cell: Size

    @classmethod
    def empty(cls, params: Mapping[str, Any]) -> _Sheet:
        count, columns = len(params["cells"]), max(1, int(params["columns"]))
        columns = min(columns, max(1, count))
        width, height = (int(side) for side in params["cell"])
        rows = max(1, -(-count // columns))
        size = (_GAP + columns * (width + _GAP), _GAP + rows * (height + _GAP))
        return cls(
            image=Image.new("RGB", size, _PAPER),
            columns=columns,
            cell=(width, height),
        )

    def place(self, index: int, picture: Image.Image) -> None:
        """Put a picture into cell `index`, as large as it fits."""
        row, column = divmod(index, self.columns)
        width, height = self.cell
        left, top = _GAP + column * (width + _GAP), _GAP + row * (height + _GAP)
        small = picture.resize(_fitted(picture.size, self.cell), Image.Resampling.LANCZOS)
        middle = ((width - small.width) // 2, (height - small.height) // 2)
        self.image.paste(small, (left + middle[0], top + middle[1]))


def _on_paper(picture: Image.Image) -> Image.Image:
    """The picture without its clear parts: through them grey paper is seen."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, _GREY)
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def _fitted(size: Size, room: Size) -> Size:
    """The largest size of the same shape inside `room`, in whole pixels."""
    width, height = size
    if width * room[1] >= height * room[0]:
        return (room[0], max(1, (2 * height * room[0] + width) // (2 * width)))
    return (max(1, (2 * width * room[1] + height) // (2 * height)), room[1])


def _save(picture: Image.Image, path: Path) -> None:
    picture.save(path, "JPEG", quality=_QUALITY, subsampling=0)
