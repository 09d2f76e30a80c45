"""Sections of the dock that fold, and what fits into a small window."""

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel

from napari_clickseg.widgets.dock.controls import labelled_button
from napari_clickseg.widgets.remembered import remembered_open


def test_sections_stay_as_they_were_left(dock_of, image):
    viewer, dock = dock_of()
    viewer.add_image(image, name="cells of a long name 2026-11-21.tif")
    assert dock.source.isExpanded() and not dock.advanced.isExpanded()
    assert dock.source.text() == "Image and model"
    dock.source.toggleButton().click()
    dock.advanced.toggleButton().click()
    assert dock.source.text() == "cells of a long name... · disks"
    assert remembered_open() == {"SourcePanel": False, "AdvancedPanel": True}
    viewer.layers[0].name = "other"
    assert dock.source.text() == "other · disks"
    dock.shut_down()
    _, dock = dock_of(viewer=viewer)
    assert not dock.source.isExpanded() and dock.advanced.isExpanded()
    assert dock.source.text() == "other · disks"
    dock.source.toggleButton().click()
    assert dock.source.text() == "Image and model"


@pytest.mark.parametrize("width", [216, 380])
def test_nothing_is_cut_off_in_height(dock_of, image, qtbot, width):
    viewer, dock = dock_of()
    viewer.add_image(np.moveaxis(image, -1, 0).copy())
    sections = dock.source, dock.channels, dock.tools.view, dock.advanced
    for section in sections:
        section.expand(animate=False)
    dock.resize(width, 535)
    dock.show()
    qtbot.waitExposed(dock)

    def cut():
        labels = (label for each in sections for label in each.findChildren(QLabel))
        shown = [label for label in labels if label.isVisibleTo(dock) and label.text()]
        boxes = (*dock.channels.boxes, dock.source.model_box, dock.advanced.profile)
        wrapped = [label for label in shown if label.wordWrap()]
        return [each for each in wrapped if each.height() < each.heightForWidth(each.width())] + [
            each for each in boxes if each.height() < each.minimumSizeHint().height()
        ]

    qtbot.waitUntil(lambda: not cut())
    assert dock._column.widget().width() <= width


def test_a_button_without_room_leaves_its_key_out(qtbot):
    """What is drawn differs, what it is called does not."""
    button = labelled_button("redo", "Redo (Ctrl+Shift+Z)")
    qtbot.addWidget(button)

    def drawn(text, width):
        button.setText(text)
        button.resize(width, 28)
        return button.grab().toImage()

    assert drawn("Redo (Ctrl+Shift+Z)", 300) != drawn("Redo", 300)
    assert drawn("Redo (Ctrl+Shift+Z)", 60) == drawn("Redo", 60)


def test_what_to_do_and_what_happened_stay_in_view(dock_of, image, qtbot):
    """In a low window the column scrolls; the hint and the status do not go with it."""
    viewer, dock = dock_of()
    viewer.add_image(image)
    dock.resize(300, 420)
    dock.show()
    qtbot.waitExposed(dock)
    dock.lines.say("Something happened.", "info")
    bar = dock._column.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    for end in (bar.minimum(), bar.maximum()):
        bar.setValue(end)
        for line in (dock.hint, dock.pill, dock.status):
            assert not line.visibleRegion().isEmpty()
    bar.setValue(bar.minimum())
    controls = dock.controls  # the rhythm: click, look, accept; everything else comes after it
    assert controls.accept.y() < min(controls.label.y(), controls.threshold.y())


def test_docks_are_tabs_and_there_is_one_for_clicking(make_napari_viewer, qtbot):
    """As napari opens them: from its menu, and under another name from the command line."""
    from qtpy.QtWidgets import QDockWidget

    from napari_clickseg.widgets.dock.click_dock import ClickDock
    from napari_clickseg.widgets.dock.opening import clicking_dock
    from napari_clickseg.widgets.export.dock import ExportDock

    viewer = make_napari_viewer(show=True)
    window = viewer.window._qt_window
    first, second = ClickDock(viewer), ExportDock(viewer)
    frame = viewer.window.add_dock_widget(first, name="Click segmentation (napari-clickseg)")
    other = viewer.window.add_dock_widget(second, name="Export objects (Click segmentation)")
    qtbot.waitUntil(lambda: other in window.tabifiedDockWidgets(frame))
    qtbot.waitUntil(lambda: first.visibleRegion().isEmpty())
    twin = ClickDock(viewer)
    viewer.window.add_dock_widget(twin, name="Click segmentation (Click segmentation)")
    qtbot.waitUntil(lambda: len(viewer.window.dock_widgets) == 2)
    qtbot.waitUntil(lambda: not first.visibleRegion().isEmpty())
    assert twin._closed and not first._closed and clicking_dock(viewer, make=True) is first
    assert sum(d.findChild(ClickDock) is not None for d in window.findChildren(QDockWidget)) == 1
