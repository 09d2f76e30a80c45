"""A dock is narrow in a small window and has its width again in a wide one."""

import pytest
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_clickseg.widgets.dock.fitted_width import FittedWidth


class Content(QWidget):
    def sizeHint(self):
        return QSize(340, 200)


@pytest.fixture
def window(qtbot):
    """A window 1300 pixels wide, its dock and the widget in it, which is followed."""
    main = QMainWindow()
    qtbot.addWidget(main)
    main.setCentralWidget(QWidget())
    frame, content = QDockWidget(main), Content()
    content.setMinimumWidth(216)
    frame.setWidget(content)
    main.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, frame)
    main.resize(1300, 600)
    main.show()
    width = FittedWidth(content)
    width.follow()
    qtbot.waitUntil(lambda: content.width() >= 300)
    return main, frame, content, width


def test_the_image_has_room_in_a_window_that_became_small(window, qtbot):
    main, frame, content, _ = window
    main.resizeDocks([frame], [360], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: content.width() > 350)
    wide = content.width()
    main.resize(800, 600)
    qtbot.waitUntil(lambda: content.width() == 216)
    main.resize(700, 600)
    main.resize(1200, 600)
    qtbot.waitUntil(lambda: content.width() == wide)


def test_a_width_that_the_user_gave_it_in_a_small_window_stays_there(window, qtbot):
    main, frame, content, _ = window
    main.resize(800, 600)
    qtbot.waitUntil(lambda: content.width() == 216)
    main.resizeDocks([frame], [300], Qt.Orientation.Horizontal)
    main.resize(820, 600)
    qtbot.wait(50)
    assert content.width() > 280


def test_a_dock_that_left_is_not_resized(window, qtbot):
    main, _, content, width = window
    before = content.width()
    width.leave()
    main.resize(800, 600)
    qtbot.wait(50)
    assert content.width() == before
