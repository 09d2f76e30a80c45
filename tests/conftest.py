"""Fixtures for all rooms."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch comes: its threads only cost time here

# Models that the user downloaded do not belong in the tests.
os.environ["CLICKSEG_MODELS"] = str(Path(tempfile.gettempdir()) / "no-clickseg-models-here")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("quick")


@pytest.fixture
def tiny_model():
    """A compact model with few channels and random weights, always the same ones."""
    import torch

    from napari_clickseg.models.compact import CompactModel

    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = CompactModel(encoder_scale=1.0, widths=(8, 8, 8, 8, 8), decoder=(8, 8, 8))
    return model.eval()


@pytest.fixture
def colour_model():
    """A model that finds what has the clicked colour."""
    from fakes import ColourModel

    return ColourModel()


@pytest.fixture
def scene() -> np.ndarray:
    """A (120, 160, 3) uint8 image: a red disk, a green bar and a blue square on grey."""
    image = np.full((120, 160, 3), 90, np.uint8)
    row, col = np.mgrid[:120, :160]
    image[(row - 40) ** 2 + (col - 50) ** 2 <= 20**2] = (220, 30, 30)
    image[90:100, 10:150] = (30, 220, 30)
    image[20:50, 110:140] = (30, 30, 220)
    return image


@pytest.fixture
def clickseg_data() -> Path:
    """The folder of large data sets; the test is skipped where there is none."""
    folder = os.environ.get("CLICKSEG_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the data sets that CLICKSEG_DATA names")
    return Path(folder)
