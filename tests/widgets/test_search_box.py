"""The list of models: what is typed finds entries, and never leaves the list without one."""

import sys
from types import SimpleNamespace

import pytest

from napari_clickseg.widgets.dock.search_box import SearchBox
from napari_clickseg.widgets.model.device_memory import memory_in_use


@pytest.fixture
def box(qtbot):
    made = SearchBox()
    qtbot.addWidget(made)
    made.addItems(["clickseg-compact", "ritm-hrnet18", "ritm-hrnet32", "simpleclick-vit-b"])
    return made


def type_in(box, qtbot, text):
    box.lineEdit().selectAll()
    qtbot.keyClicks(box.lineEdit(), text)
    box.lineEdit().editingFinished.emit()


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("VIT", "simpleclick-vit-b"),
        ("hrnet32", "ritm-hrnet32"),
        ("hrnet", "clickseg-compact"),
        ("nothing like it", "clickseg-compact"),
    ],
)
def test_one_entry_that_fits_is_chosen(box, qtbot, typed, chosen):
    type_in(box, qtbot, typed)
    assert box.chosen == box.currentText() == chosen and box.count() == 4


def test_entries_are_offered_by_any_part_of_their_names(box):
    box.completer().setCompletionPrefix("18")
    assert box.completer().completionCount() == 1


def test_the_memory_of_a_gpu_is_told_and_that_of_a_processor_is_not(monkeypatch):
    cuda = SimpleNamespace(mem_get_info=lambda device: (22e9, 24e9))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert memory_in_use("cuda:0") == "cuda:0: 2.0 of 24.0 GB in use"
    assert memory_in_use("cpu") == memory_in_use("mps") == ""
