"""What can be computed again, kept for recent views of an image."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from ..data.readers import ImageReader

__all__ = ["Memory"]

T = TypeVar("T")


class Memory:
    """Values by image and key; the least recent are forgotten.

    Only weak references to the images are kept, as they may be large: values end with their image.

    Parameters
    ----------
    length : int
        Values kept at most.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._values: OrderedDict[tuple, tuple[weakref.ref, Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def recall(self, reader: ImageReader, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for this image under this key before, or make it."""
        # Values of readers that are gone go first, so that their id does not stand for another.
        self._drop(lambda other: other is None)
        place = (id(reader), key)
        if place not in self._values:
            self._values[place] = (weakref.ref(reader), make())
            if len(self._values) > self.length:
                self._values.popitem(last=False)
        self._values.move_to_end(place)
        return self._values[place][1]

    def forget(self, reader: ImageReader) -> None:
        """Drop all that is kept of an image."""
        self._drop(lambda other: other is None or other is reader)

    def _drop(self, unwanted: Callable[[ImageReader | None], bool]) -> None:
        """Drop the values of unwanted readers; None stands for one that is gone."""
        for place, (reader, _) in list(self._values.items()):
            if unwanted(reader()):
                del self._values[place]
