"""Docks that refine masks, with a network that knows colours."""

import numpy as np
import pytest
from fakes import ColourModel

pytest.importorskip("napari")


@pytest.fixture
def labels(scene):
    """Too small labels of a disk and a square."""
    labels = np.zeros(scene.shape[:2], np.uint8)
    labels[26:55, 36:65] = 4
    labels[24:46, 114:136] = 9
    return labels


@pytest.fixture
def dock_of(shared_viewer, closing):
    """Makes a dock, with another network or of another kind if one is given."""
    from napari_clickseg.widgets.batch.dock import BatchDock

    def make(model=None, kind=None):
        if kind is not None:
            return shared_viewer, closing(kind(shared_viewer))
        dock = BatchDock(shared_viewer, load=lambda name, device: model or ColourModel())
        return shared_viewer, closing(dock)

    return make


@pytest.fixture
def said(monkeypatch):
    """What the refiner was told about objects, by label."""
    from napari_clickseg.engine import refine_labels, refine_planes

    seen = {}
    real = refine_labels.refine_labels

    def spy(refiner, labels, said, *args):
        seen.update(said)
        return real(refiner, labels, said, *args)

    for module in (refine_labels, refine_planes):
        monkeypatch.setattr(module, "refine_labels", spy)
    return seen
