"""Labelled images as every data set gives them: an image with its objects, in layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

__all__ = ["DatasetError", "Scene", "SceneDataset", "SceneObject"]


class DatasetError(ValueError):
    """A data set's folder or one of its files is not as expected."""


@dataclass(frozen=True)
class SceneObject:
    """Where one object of a scene is found, and what it belongs to.

    Attributes
    ----------
    id : int
        Above 0; no other object of the scene has it.
    layer, value : int
        The object's pixels are those of `layer` that have `value`.
    parent : int or None
        The id of the object that this one is a part of.
    children : tuple of int
        The ids of its own parts. Their pixels are a parent's pixels as well.
    """

    id: int
    layer: int = 0
    value: int = 1
    parent: int | None = None
    children: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Scene:
    """An image and its objects, which may overlap and be parts of each other.

    Attributes
    ----------
    id : str
        Name of the image within its data set.
    image : (H, W, 3) uint8 array
        RGB.
    layers : (H, W, L) int32 array
        0 background, above 0 the values of objects, -1 pixels to ignore. A pixel that one layer
        ignores is ignored for all objects. Values that no object names are background.
    objects : tuple of SceneObject
        In the order in which the data set lists them.

    Raises
    ------
    DatasetError
        If image and layers differ in size, or an object's id or layer makes no sense.
    """

    id: str
    image: np.ndarray
    layers: np.ndarray
    objects: tuple[SceneObject, ...] = ()

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise DatasetError(
                f"The image of '{self.id}' is {self.image.dtype} {self.image.shape}; a scene "
                "holds (H, W, 3) uint8."
            )
        if self.layers.ndim != 3 or self.layers.shape[:2] != self.image.shape[:2]:
            raise DatasetError(
                f"The mask of '{self.id}' is {_size(self.layers)} pixels but its image is "
                f"{_size(self.image)}. Both must have the same size."
            )
        ids = [item.id for item in self.objects]
        if len(set(ids)) < len(ids) or min(ids, default=1) < 1:
            raise DatasetError(
                f"The objects of '{self.id}' need different ids above 0, not {ids[:9]}."
            )
        layers = self.layers.shape[2]
        for item in self.objects:
            if not 0 <= item.layer < layers or item.value < 1:
                raise DatasetError(
                    f"Object {item.id} of '{self.id}' is value {item.value} of layer {item.layer}, "
                    f"but there are {layers} layers, and values of objects are above 0."
                )

    @classmethod
    def flat(
        cls, name: str, image: np.ndarray, labels: np.ndarray, values: Iterable[int] | None = None
    ) -> Scene:
        """A scene of objects that do not overlap.

        Parameters
        ----------
        name : str
            Its `id`.
        image : (H, W, 3) uint8 array
        labels : (H, W) int array
            0 background, 1..N objects, -1 ignore. A value is its object's id.
        values : iterable of int, optional
            The values that are objects, in this order; all above 0 by default.
        """
        if labels.max(initial=0) >= 2**31:
            raise DatasetError(
                f"The mask of '{name}' has values beyond {2**31 - 1}. Number its objects anew."
            )
        labels = np.asarray(labels, np.int32)
        if values is None:
            values = np.unique(labels[labels > 0])
        objects = tuple(SceneObject(int(value), 0, int(value)) for value in values)
        return cls(name, image, labels[..., None], objects)

    @cached_property
    def ignore(self) -> np.ndarray:
        """Pixels that count for nothing, ``(H, W)`` bool."""
        return (self.layers == -1).any(axis=2)

    def object(self, object_id: int) -> SceneObject:
        """The object of an id; KeyError if there is none."""
        return self._by_id[object_id]

    @cached_property
    def _by_id(self) -> dict[int, SceneObject]:
        return {item.id: item for item in self.objects}

    def mask(self, object_id: int) -> np.ndarray:
        """The pixels of one object, ``(H, W)`` bool, without those to ignore."""
        item = self.object(object_id)
        return (self.layers[..., item.layer] == item.value) & ~self.ignore

    def target(self, object_id: int) -> np.ndarray:
        """One object as a target, ``(H, W)`` int8: 1 object, 0 everything else, -1 ignore."""
        target = self.mask(object_id).astype(np.int8)
        target[self.ignore] = -1
        return target

    @property
    def roots(self) -> tuple[SceneObject, ...]:
        """The objects that are part of no other one."""
        return tuple(item for item in self.objects if item.parent is None)

    @cached_property
    def labels(self) -> np.ndarray:
        """All objects in one image, ``(H, W)`` int32: 0 background, ids of objects, -1 ignore.

        Raises
        ------
        DatasetError
            If the objects overlap, so that one image cannot hold them.
        """
        labels = np.zeros(self.layers.shape[:2], np.int32)
        for layer in sorted({item.layer for item in self.objects}):
            plane = self.layers[..., layer]
            ids = {item.value: item.id for item in self.objects if item.layer == layer}
            values, places = np.unique(plane, return_inverse=True)
            found = np.array([ids.get(value, 0) for value in values.tolist()], np.int32)
            found = found[places.reshape(plane.shape)]
            if np.any((labels > 0) & (found > 0) & ~self.ignore):
                raise DatasetError(
                    f"Objects of '{self.id}' overlap, so no single label image holds them. Take "
                    "their masks one by one."
                )
            labels = np.maximum(labels, found)
        labels[self.ignore] = -1
        return labels


class SceneDataset(Protocol):
    """A named sequence of scenes, such as `napari_clickseg.data.packs.Pack`.

    Attributes
    ----------
    name : str
    ids : sequence of str
        The names of the scenes, in order; the index of a name is the index of its scene.
    """

    name: str
    ids: Sequence[str]

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Scene: ...

    def scene(self, index: int, rng: np.random.Generator | None = None) -> Scene:
        """One scene, for training.

        Some published data sets show something else on each visit: one of several masks, or the
        background regions with some probability. With `rng` this is drawn; without, as by
        indexing, a scene holds all there is.
        """


def _size(array: np.ndarray) -> str:
    return " x ".join(str(n) for n in array.shape[:2])
