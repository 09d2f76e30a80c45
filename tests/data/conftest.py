"""Fixtures for tests of reading and writing files."""

import contextlib
import re

import numpy as np
import pytest

from napari_clickseg.data.readers import ImageError, open_image
from napari_clickseg.geometry import Box


@pytest.fixture(autouse=True)
def cache_here(tmp_path, monkeypatch):
    """No test touches the user's cache."""
    monkeypatch.setenv("CLICKSEG_CACHE", str(tmp_path / "cache"))


def _boxes(shape, count=12):
    """Random boxes in and across the borders of an image, and the whole of it."""
    rng = np.random.default_rng(0)
    yield Box.of_shape(shape)
    for _ in range(count):
        top, left = rng.integers(-5, shape[0]), rng.integers(-5, shape[1])
        yield Box(top, left, top + rng.integers(1, 80), left + rng.integers(1, 80))


@pytest.fixture
def equal():
    """A check that every random box of every level equals the slice of an array."""

    def check(reader, *levels):
        assert reader.shape == levels[0].shape
        assert reader.levels == tuple(level.shape[:2] for level in levels)
        for number, level in enumerate(levels):
            for box in _boxes(level.shape):
                patch = reader.read(box, number)
                np.testing.assert_array_equal(patch, level[box.clip(level.shape).slices])
                assert patch.dtype.newbyteorder("=") == level.dtype
                assert reader.dtype.newbyteorder("=") == level.dtype

    return check


@pytest.fixture
def refused():
    """A check that opening a file, or reading all of it, ends in one sentence."""

    def check(path, words):
        with pytest.raises(ImageError) as caught:
            reader = open_image(path)
            reader.read(Box(0, 0, *reader.levels[0]))
        text = str(caught.value).replace(str(path.parent), "")  # which has the test's name
        assert re.search(words, text), text
        assert path.name in text and "\n" not in text and text.endswith(".")

    return check


@pytest.fixture
def file_size_limit():
    """A context in which the system refuses to let any file grow beyond some bytes."""
    resource = pytest.importorskip("resource")

    @contextlib.contextmanager
    def limit(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


@pytest.fixture
def rings():
    """(60, 80) labels: a ring with an island in its hole, a bar on the border, a diagonal pair."""
    labels = np.zeros((60, 80), np.uint16)
    row, col = np.mgrid[:60, :80]
    away = np.hypot(row - 25, col - 30)
    labels[(away < 20) & (away > 9)] = 3
    labels[away < 4] = 7
    labels[50:, 70:] = 300
    labels[2, 60] = labels[3, 61] = 301
    return labels
