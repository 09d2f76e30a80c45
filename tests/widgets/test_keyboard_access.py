"""The docks without a mouse: Tab, the control that has the keyboard, names for screen readers."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QLabel,
    QMainWindow,
    QMessageBox,
    QScrollArea,
    QTabBar,
    QWidget,
)

from napari_clickseg.widgets.dock.keys import KEYS
from napari_clickseg.widgets.keyboard import FOCUS


def tab_stops(top):
    """Controls in the order in which Tab reaches them."""
    found, widget = [], top.nextInFocusChain()
    while widget is not top:
        inside = top.isAncestorOf(widget) and widget.focusProxy() is None
        if inside and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found


def spoken(widget, labels):
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName() or text or any(label.buddy() is widget for label in labels)


@pytest.fixture(
    params=["ClickDock", "BatchDock", "SegmentFolderDock", "ExportDock", "Train", "Eval"]
)
def any_dock(request, shared_viewer, qtbot):
    from napari_clickseg.widgets.batch import dock as batch
    from napari_clickseg.widgets.dock.click_dock import ClickDock
    from napari_clickseg.widgets.export.dock import ExportDock
    from napari_clickseg.widgets.runs.eval_dock import EvalDock
    from napari_clickseg.widgets.runs.train_dock import TrainDock

    kinds = {
        "ClickDock": ClickDock,
        "BatchDock": batch.BatchDock,
        "SegmentFolderDock": batch.SegmentFolderDock,
        "ExportDock": ExportDock,
        "Train": TrainDock,
        "Eval": EvalDock,
    }
    dock = kinds[request.param](shared_viewer)
    qtbot.addWidget(dock)
    yield dock
    dock.shut_down()


def test_each_control_has_a_name_and_shows_that_it_has_the_keyboard(any_dock):
    any_dock.show()
    labels = any_dock.findChildren(QLabel)
    stops = [w for w in tab_stops(any_dock) if not isinstance(w, QScrollArea | QTabBar)]
    nameless = [w.objectName() or type(w).__name__ for w in stops if not spoken(w, labels)]
    assert stops and not nameless
    assert any_dock.styleSheet() == FOCUS


def test_tab_goes_through_the_dock_as_it_is_seen(dock_of):
    _, dock = dock_of()
    stops = [widget.objectName() for widget in tab_stops(dock)]
    tools = list(dock.tools.panel.tools)
    wanted = ["device", "start", *(f"tool_{name}" for name in tools), "auto_run", "run", "positive"]
    found = [name for name in stops if name in wanted]
    assert found == wanted
    assert stops.index("objects_layer") + 1 == stops.index("objects_table")
    assert stops.index("outline") < stops.index("fill_holes") < stops.index("all_keys")


def test_tab_stops_once_at_a_slider(dock_of):
    _, dock = dock_of()
    stops = tab_stops(dock)
    for slider in (dock.controls.threshold, dock.tools.view.opacity):
        assert sum(slider is w or QWidget.isAncestorOf(slider, w) for w in stops) == 1


def test_the_keys_are_shown_also_while_clicking_is_off(dock_of, qtbot):
    from napari.utils.key_bindings import coerce_keybinding

    viewer, dock = dock_of()
    viewer.keymap[coerce_keybinding(KEYS["help"])](viewer)
    (box,) = dock.findChildren(QMessageBox)
    assert "accept the object" in box.text()
    box.close()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_enter_and_escape_in_a_field_are_not_the_keys_of_the_canvas(dock_of, qtbot, key):
    """A class was typed and ended with Enter: that accepted the object in work."""
    _, dock = dock_of()
    window = KeysThatArrive()
    qtbot.addWidget(window)
    window.setCentralWidget(dock)
    window.show()
    for field in (dock.objects.next_class, dock.controls.label, dock.folder.panel.pattern):
        field.setFocus()
        qtbot.keyClick(field, key)
    assert not window.arrived
    dock.tools.panel.auto_run.setFocus()
    qtbot.keyClick(dock.tools.panel.auto_run, key)
    assert window.arrived == [key]
    dock.setParent(None)  # before the window goes


class KeysThatArrive(QMainWindow):
    """A window, as that of the viewer, that is handed the keys that nothing in it takes."""

    def __init__(self):
        super().__init__()
        self.arrived = []

    def keyPressEvent(self, event):
        self.arrived.append(event.key())
