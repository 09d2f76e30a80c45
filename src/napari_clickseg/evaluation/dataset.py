"""A whole data set clicked through, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..data.scenes import Scene, SceneDataset
from .protocol import ObjectResult, Objects, ProtocolSegmenter, Watch, click_scene
from .terms import Terms
from .users import user_variants

__all__ = [
    "DatasetResult",
    "Progress",
    "check_any",
    "evaluate_dataset",
    "image_count",
    "read_ahead",
]

Progress = Callable[[int, int, ObjectResult], None]
"""Called after each object with the images begun so far, the images in all, and the result."""


@dataclass(frozen=True)
class DatasetResult:
    """What every object of a data set took from one simulated user, and on what terms.

    Attributes
    ----------
    name : str
    objects : tuple of ObjectResult
        Every variant of the user has one of each object.
    terms : Terms
    images_without_objects : tuple of str
        Names of the images that held nothing to click on.
    user : str
        Name of the simulated user.
    peak_memory : int or None
        Most bytes that a process held; on a GPU, of its memory. None if it is not known.
    """

    name: str
    objects: tuple[ObjectResult, ...]
    terms: Terms
    images_without_objects: tuple[str, ...] = ()
    user: str = "centre"
    peak_memory: int | None = None

    @property
    def n_images(self) -> int:
        """Images with at least one object."""
        return len({result.image for result in self.objects})

    @property
    def variants(self) -> dict[str, list[ObjectResult]]:
        """The results of each variant of the user."""
        sorted_out: dict[str, list[ObjectResult]] = {}
        for result in self.objects:
            sorted_out.setdefault(result.variant, []).append(result)
        return sorted_out


def evaluate_dataset(
    segmenter: ProtocolSegmenter,
    dataset: SceneDataset,
    objects: Objects = "all",
    terms: Terms | None = None,
    user: str = "centre",
    seeds: int = 3,
    limit: int | None = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> DatasetResult:
    """Click on the objects of a data set. One object is one sample, and begins without clicks.

    Parameters
    ----------
    segmenter : ProtocolSegmenter
    dataset : SceneDataset
    objects : "all", "largest" or int
        See `chosen_objects`.
    terms : Terms, optional
    user : str
        See `user_variants`.
    seeds : int
        How often a user with a random hand clicks through all.
    limit : int, optional
        Only the first so many images.
    progress, watch, cancelled : callable, optional

    Returns
    -------
    DatasetResult

    Raises
    ------
    ValueError
        If a number makes no sense, or none of the images has an object.
    Cancelled
        If `cancelled` answered yes.
    """
    terms, variants = terms or Terms(), user_variants(user, seeds)
    total = image_count(dataset, objects, limit)
    results: list[ObjectResult] = []
    empty: list[str] = []
    for index, scene, seconds in read_ahead(dataset, range(total)):
        before = len(results)
        for _, result in click_scene(
            segmenter,
            scene,
            terms,
            variants,
            objects,
            dataset.name,
            seconds,
            watch=watch,
            cancelled=cancelled,
        ):
            results.append(result)
            if progress is not None:
                progress(index + 1, total, result)
        if len(results) == before:
            empty.append(scene.id)
    check_any(dataset.name, total, results)
    return DatasetResult(dataset.name, tuple(results), terms, tuple(empty), user)


def image_count(dataset: SceneDataset, objects: Objects, limit: int | None) -> int:
    """How many images to click through; ValueError if there is nothing to measure."""
    if isinstance(objects, int) and objects < 1 or limit is not None and limit < 1:
        raise ValueError("At least one object and one image are needed to measure anything.")
    return len(dataset) if limit is None else min(limit, len(dataset))


def check_any(name: str, total: int, results: Sequence[ObjectResult]) -> None:
    """Raise ValueError if no object was found in any image."""
    if not results:
        raise ValueError(
            f"None of the {total} images of '{name}' has an object in its mask: every pixel is "
            "background or to be ignored. Check the masks."
        )


def read_ahead(dataset: SceneDataset, indices: Iterable[int]) -> Iterator[tuple[int, Scene, float]]:
    """Scenes with their index and the seconds that reading took; the next is read meanwhile."""

    def read(index: int) -> tuple[int, Scene, float]:
        start = time.perf_counter()
        scene = dataset[index]
        return index, scene, time.perf_counter() - start

    waiting = iter(indices)
    with ThreadPoolExecutor(1, thread_name_prefix="clickseg-read") as reader:
        ahead = [reader.submit(read, index) for index in [next(waiting, None)] if index is not None]
        while ahead:
            now = ahead.pop()
            found = now.result()
            for index in waiting:
                ahead.append(reader.submit(read, index))
                break
            yield found
