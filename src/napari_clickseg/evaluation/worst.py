"""The objects that went worst, as sessions that open in napari, click by click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from ..data.saved_session import ImageSignature, SavedModel, SavedObject, SavedSession
from ..data.scenes import Scene, SceneDataset
from ..data.session_file import SUFFIX, write_session
from ..interactions import Click, Interaction
from .dataset import DatasetResult
from .metrics import noc
from .protocol import ObjectResult
from .shown import as_file_name
from .sizes import at_size

__all__ = ["WorstCase", "as_markdown", "worst_cases", "write_worst_cases"]


class WorstCase(NamedTuple):
    """An object and the session file that shows it."""

    data: str
    result: ObjectResult
    clicks: int
    best_iou: float
    file: str


def worst_cases(result: DatasetResult, count: int) -> list[ObjectResult]:
    """The objects that took most clicks to the target, of equal ones those with the lowest IoU."""
    target, limit = min(result.terms.target_iou, 1.0), result.terms.n_clicks
    order = sorted(
        result.objects,
        key=lambda each: (-noc(each.ious, target, limit), max(each.ious), each.image, each.label),
    )
    return order[:count]


def write_worst_cases(
    folder: Path,
    result: DatasetResult,
    dataset: SceneDataset,
    model: str,
    settings: Mapping[str, Any],
    count: int = 10,
) -> list[WorstCase]:
    """Write a session and its image for each of the worst objects.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    result : DatasetResult
    dataset : SceneDataset
    model : str
        Name in the zoo or path.
    settings : mapping
        ``"profile"`` and the fields of it that were overridden.
    count : int

    Returns
    -------
    list of WorstCase
        Worst first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = {name: number for number, name in enumerate(dataset.ids)}
    cases = []
    for each in worst_cases(result, count):
        scene = dataset[index[each.image]]
        user = "" if result.user == "centre" else result.user
        parts = [result.name, each.image, str(each.label), user, each.variant]
        name = as_file_name("_".join(filter(None, parts)))
        picture = folder / f"{as_file_name(result.name)}_{as_file_name(each.image)}.png"
        if not picture.exists():
            Image.fromarray(scene.image).save(picture)
        saved = SavedObject(
            each.label,
            interactions=_in_image(each, scene, result),
            settings=settings,
            area=each.mask_area,
            seconds=sum(each.seconds),
        )
        session = SavedSession(
            ImageSignature.of(scene.image, str(picture.resolve())), SavedModel(model), (saved,)
        )
        write_session(folder / f"{name}{SUFFIX}", session)
        clicks = noc(each.ious, min(result.terms.target_iou, 1.0), result.terms.n_clicks)
        cases.append(WorstCase(result.name, each, clicks, max(each.ious), f"{name}{SUFFIX}"))
    return cases


def _in_image(each: ObjectResult, scene: Scene, result: DatasetResult) -> tuple[Interaction, ...]:
    """The interactions in pixels of the image as it was read."""
    shown = at_size(scene.image, scene.target(each.label), result.terms)
    (height, width), (full_height, full_width) = shown.target.shape, shown.full
    if (height, width) == shown.full:
        return each.interactions

    def place(row: float, col: float) -> tuple[float, float]:
        return (row + 0.5) * full_height / height - 0.5, (col + 0.5) * full_width / width - 0.5

    return tuple(
        Click(*place(item.row, item.col), item.positive)
        if isinstance(item, Click)
        else replace(item, points=tuple(place(*point) for point in item.points))
        for item in each.interactions
    )


def as_markdown(cases: Sequence[WorstCase]) -> str:
    """A list of the worst cases, worst first."""
    lines = ["| set | image | object | clicks | best IoU | session |", "|---|---|--:|--:|--:|---|"]
    for case in cases:
        each = case.result
        lines.append(
            f"| {case.data} | {each.image} | {each.label} | {case.clicks} | {case.best_iou:.3f} | "
            f"{case.file} |"
        )
    return "\n".join(lines) + "\n"
