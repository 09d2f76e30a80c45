"""Images with stripes, a tiny model, and a segmenter whose masks are known."""

import sys

import pytest
import torch
from commands.eval.stripes import write_pack
from evaluation.colour_segmenter import ColourSegmenter, striped

from napari_clickseg.models.checkpoint import write_model
from napari_clickseg.models.compact import CompactModel


@pytest.fixture
def pack(tmp_path):
    pairs = {"one": striped((10, 6, 4)), "two": striped((19, 1))}
    return write_pack(tmp_path / "dev" / "Stripes", pairs)


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = CompactModel(encoder_scale=1.0, widths=(8, 8, 8, 8, 8), decoder=(8, 8, 8)).eval()
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    write_model(model, path, {"name": "tiny", "licence": "none", "trained_on": []})
    return path


@pytest.fixture
def colours(monkeypatch):
    """The command with a segmenter whose masks are known, without plots; gives the segmenters."""
    made = []
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    def make(*args, **overrides):
        made.append(ColourSegmenter(*args, **overrides))
        return made[-1]

    monkeypatch.setattr("napari_clickseg.engine.segmenter.Segmenter", make)
    return made


@pytest.fixture
def sentence(capsys):
    """Gives the one line of an error."""

    def said():
        err = capsys.readouterr().err
        assert err.startswith("clickseg-eval: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        return err

    return said
