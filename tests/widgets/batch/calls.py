"""What is done with the dock that refines masks."""

from napari_clickseg.data.session_file import (
    ImageSignature,
    SavedModel,
    SavedSession,
    write_session,
)


def wait(qtbot, dock):
    """Wait until nothing is refined any more."""
    qtbot.waitUntil(lambda: not dock.runner.busy, timeout=20_000)


def select(dock, row):
    """Select a row of the table."""
    dock.view.setCurrentIndex(dock.view.model().index(row, 0))


def session_file(path, image, *objects):
    """Write a session with objects of an image; gives its path."""
    write_session(path, SavedSession(ImageSignature.of(image, "a.png"), SavedModel("m"), objects))
    return path
