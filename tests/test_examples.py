"""The examples run as they are."""

import runpy
from pathlib import Path

import pytest

from napari_clickseg.models.zoo import list_models

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_any_model(capsys):
    if "clickseg-compact" not in {card.name for card in list_models()}:
        pytest.skip("needs the weights that come with the plugin")
    cells = runpy.run_path(str(EXAMPLES / "any_model.py"))
    assert len(cells["result"].objects) == 2
    assert len(cells["strip"]) == len(cells["one"].ious) >= 1
    printed = capsys.readouterr().out
    assert "NoC@90" in printed
    assert "click 1: object, IoU" in printed
    assert "outside" in printed
