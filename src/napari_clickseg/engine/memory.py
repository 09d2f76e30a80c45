"""What can be computed again, kept for recent views of an image."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any, TypeVar

from torch import Tensor

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
    most_bytes : int
        What their tensors may take together; a value that takes more is not kept.
    """

    def __init__(self, length: int, most_bytes: int = 256 * 2**20) -> None:
        self.length, self.most_bytes = length, most_bytes
        self._values: OrderedDict[tuple, tuple[weakref.ref, Any]] = OrderedDict()
        self._lock = Lock()  # the two copies of a view are looked at together

    def __len__(self) -> int:
        return len(self._values)

    @property
    def nbytes(self) -> int:
        """What the tensors of all values take, in bytes."""
        return sum(_bytes_of(value) for _, value in self._values.values())

    def recall(self, reader: ImageReader, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for this image under this key before, or make it."""
        place = (id(reader), key)
        with self._lock:
            # Values of readers that are gone go first, so that their id does not stand for another.
            self._drop(lambda other: other is None)
            if place in self._values:
                self._values.move_to_end(place)
                return self._values[place][1]
        value = make()
        if _bytes_of(value) <= self.most_bytes:
            with self._lock:
                self._values[place] = (weakref.ref(reader), value)
                while len(self._values) > self.length or self.nbytes > self.most_bytes:
                    self._values.popitem(last=False)
        return value

    def forget(self, reader: ImageReader) -> None:
        """Drop all that is kept of an image."""
        with self._lock:
            self._drop(lambda other: other is None or other is reader)

    def _drop(self, unwanted: Callable[[ImageReader | None], bool]) -> None:
        """Drop the values of unwanted readers; None stands for one that is gone."""
        for place, (reader, _) in list(self._values.items()):
            if unwanted(reader()):
                del self._values[place]


def _bytes_of(value: Any) -> int:
    """Memory behind a tensor or a mapping of tensors; nothing for other values."""
    if isinstance(value, Tensor):
        return value.untyped_storage().nbytes()
    return sum(map(_bytes_of, value.values())) if isinstance(value, Mapping) else 0
