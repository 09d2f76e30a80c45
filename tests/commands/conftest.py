"""What the tests of the commands share."""

import pytest
import torch

from napari_clickseg.models.checkpoint import write_model
from napari_clickseg.models.compact import CompactModel


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file with the weights of a tiny network."""
    torch.manual_seed(0)
    model = CompactModel(encoder_scale=1.0, widths=(8, 8, 8, 8, 8), decoder=(8, 8, 8)).eval()
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    write_model(model, path, {"name": "tiny", "licence": "none", "trained_on": []})
    return path
