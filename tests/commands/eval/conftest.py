"""Images with stripes, a tiny model, and a segmenter whose masks are known."""

import sys

import pytest
from commands.eval.stripes import write_pack
from evaluation.colour_segmenter import ColourSegmenter, striped


@pytest.fixture
def pack(tmp_path):
    pairs = {"one": striped((10, 6, 4)), "two": striped((19, 1))}
    return write_pack(tmp_path / "dev" / "Stripes", pairs)


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
