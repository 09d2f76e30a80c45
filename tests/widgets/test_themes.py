"""Docks follow napari's theme: what they say can be read on the background of each."""

from importlib import import_module
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QBuffer
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QWidget,
)

from napari_clickseg.widgets.section import Section

DOCKS = [
    "dock.click_dock:ClickDock",
    "batch.dock:BatchDock",
    "export.dock:ExportDock",
    "runs.train_dock:TrainDock",
    "runs.eval_dock:EvalDock",
]
READ = (QLabel, QAbstractButton, QComboBox, QAbstractSpinBox)
CONTRAST = 4.5
"""Least ratio of luminances of text and background (WCAG 2, level AA)."""


@pytest.fixture
def viewer(shared_viewer):
    """The viewer that tests share, in its own theme again afterwards."""
    before = shared_viewer.theme
    yield shared_viewer
    shared_viewer.theme = before


@pytest.fixture(params=DOCKS)
def dock(request, viewer, closing):
    """A dock in the window, all its sections open."""
    labels = np.zeros((40, 50), np.uint8)
    viewer.add_image(labels * 2.0, name="light")
    viewer.add_labels(labels, name="objects")
    module, name = request.param.split(":")
    dock = closing(getattr(import_module(f"napari_clickseg.widgets.{module}"), name)(viewer))
    viewer.window.add_dock_widget(dock)
    for section in dock.findChildren(Section):
        section.expand()
    return dock


def pixels_of(widget):
    """What is seen of a widget, ``(h, w, 3)`` from 0 to 1."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.ReadWrite)
    widget.grab().save(buffer, "PNG")
    return np.asarray(Image.open(BytesIO(bytes(buffer.data()))).convert("RGB")) / 255


def luminance(colour):
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def ground_of(pixels):
    colours, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    return luminance(colours[counts.argmax()])


def contrast(pixels):
    """Between the most frequent colour and the one that differs most from it."""
    ground, seen = ground_of(pixels), luminance(pixels.reshape(-1, 3))
    return max((max(ground, s) + 0.05) / (min(ground, s) + 0.05) for s in (seen.min(), seen.max()))


def text_of(widget):
    text = widget.currentText() if isinstance(widget, QComboBox) else widget.text()
    return "" if "<img" in text else text


def read(top):
    """Contrast of everything with a text in a dock that is neither hidden nor disabled."""
    return {
        f"{widget.objectName()} '{text_of(widget)}'": contrast(pixels_of(widget))
        for kind in READ
        for widget in top.findChildren(kind)
        if widget.isVisibleTo(top) and widget.isEnabled() and text_of(widget).strip()
    }


def test_a_dock_follows_the_theme_and_can_be_read_in_each(dock, viewer):
    grounds = []
    for theme in ("dark", "light", "dark"):
        viewer.theme = theme
        QApplication.processEvents()
        found = read(dock)
        assert len(found) >= 8
        faint = {name: round(ratio, 1) for name, ratio in found.items() if ratio < CONTRAST}
        assert not faint, f"{theme}: {faint}"
        grounds.append(ground_of(pixels_of(dock)))
    dark, light, again = grounds
    assert dark == again < 0.2 and light > 0.5


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_links_of_a_model_s_card_can_be_read(theme, viewer, tmp_path):
    from napari_clickseg.models.card import ModelCard
    from napari_clickseg.widgets.model.card_dialog import CardDialog

    viewer.theme = theme
    parent = QWidget()
    viewer.window.add_dock_widget(parent)
    dialog = CardDialog(parent)
    path = tmp_path / "mine.safetensors"
    for text in ("[mmmmmmmm](http://somewhere)", ""):
        path.with_suffix(".md").write_text(text) if text else path.with_suffix(".md").unlink()
        page = "" if text else "http://mmmmmmmm"
        dialog.show_card(ModelCard("mine", path, "", "none", (), 1000, page=page))
        QApplication.processEvents()
        seen = pixels_of(dialog.text)
        blue = seen[..., 2] - seen[..., 0] > 0.4
        assert blue.any()
        seen[~blue] = seen[0, 0]  # of the border's corner, which is the ground
        assert contrast(seen) > 2.9, page
    dialog.close()
