"""Models: shown with their terms, fetched, cancelled, deleted."""

import dataclasses
import hashlib
import re

import pytest
from file_server import FileServer, checkpoint_bytes
from qtpy.QtCore import QUrl
from qtpy.QtGui import QTextDocument
from qtpy.QtWidgets import QMessageBox

from napari_clickseg.models import download as downloading
from napari_clickseg.models import store, zoo
from napari_clickseg.models.card import ModelCard
from napari_clickseg.models.zoo import find_card
from napari_clickseg.widgets.model import zoo_dialog
from napari_clickseg.widgets.model.card_dialog import CardDialog
from napari_clickseg.widgets.model.messages import deleting

CONTENT = checkpoint_bytes()
NAME = "coco_lvis_h18s_itermask"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloading, "READ_SECONDS", 1.0)
    server = FileServer(CONTENT)
    yield server
    server.stop()


@pytest.fixture
def dialog_of(server, monkeypatch, tmp_path, dock_of):
    """``dialog_of(way)``: dock and dialog; one small model is served in this way."""
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "models"))

    def make(way="whole", **published):
        _, dock = dock_of()
        monkeypatch.setattr("napari_clickseg.widgets.dock.source.list_models", zoo.list_models)
        changed = dataclasses.replace(
            find_card(NAME),
            address=server.address(f"{way}/{NAME}.pth"),
            size=len(CONTENT),
            published_size=len(CONTENT),
            **published,
        )
        cards = tuple(changed if card.name == NAME else card for card in zoo._catalogue())
        monkeypatch.setattr(zoo, "_catalogue", lambda: cards)
        monkeypatch.setattr(dock.controller, "load", lambda: None)
        dock.source._add_models()
        dock.source.more.click()
        dialog = dock.source._zoo
        dialog.select(NAME)
        return dock, dialog

    return make


def missing(dialog):
    return [card.name for card in dialog._cards if not card.available]


def finished(qtbot, dialog):
    qtbot.waitUntil(lambda: dialog._getting is None and not dialog.runner.busy, timeout=10_000)


def test_licence_size_and_command_are_shown_before_anything_is_fetched(dialog_of, server):
    _, dialog = dialog_of()
    text = dialog.details.toPlainText()
    assert "MIT License: free to use" in text and f"clickseg-models download {NAME}" in text
    assert str(store.models_folder() / f"{NAME}.pth") in text
    assert "0.2" in dialog.get.text() and dialog.get.isEnabled() and not server.asked


def test_models_without_an_address_come_with_the_steps(dialog_of):
    _, dialog = dialog_of()
    card = next(card for card in dialog._cards if card.system == "CFR-ICL")
    dialog.select(card.name)
    text = dialog.details.toPlainText()
    assert "non-commercial" in text and "7-Zip" in text and not dialog.get.isEnabled()
    assert dialog.place.isEnabled()


def test_a_downloaded_model_is_offered_and_chosen(dialog_of, qtbot):
    dock, dialog = dialog_of()
    dialog.get.click()
    assert dialog.cancel.isEnabled() and not dialog.get.isEnabled()
    finished(qtbot, dialog)
    assert dialog.news.text().startswith("Saved as") and NAME not in missing(dialog)
    assert dock.source.model_box.currentText() == NAME
    assert dock.source.card.licence == "MIT" and "profile: ritm" in dock.source.about.text()
    assert store.pinned_hash(f"{NAME}.pth")


def test_a_download_goes_on_behind_a_closed_dialog(dialog_of, qtbot):
    dock, dialog = dialog_of()
    before = dock.source.model
    dialog.get.click()
    dialog.leave.click()
    finished(qtbot, dialog)
    assert dock.source.model == before and "Choose it under Model" in dock.status.text()
    assert dock.source.model_box.findText(NAME) >= 0


def test_a_cancelled_download_leaves_nothing(dialog_of, qtbot):
    dock, dialog = dialog_of("stalled")
    dialog.get.click()
    qtbot.waitUntil(lambda: "MB" in dialog.news.text(), timeout=10_000)
    dialog.cancel.click()
    finished(qtbot, dialog)
    assert not list(store.models_folder().glob("*")) and NAME in missing(dialog)


def test_a_failed_download_is_told_in_a_sentence(dialog_of, qtbot):
    _, dialog = dialog_of("missing")
    dialog.get.click()
    finished(qtbot, dialog)
    assert "Could not download" in dialog.news.text() and "404" in dialog.news.text()
    assert dialog.get.isEnabled()


def test_a_file_with_another_hash_is_removed_and_told(dialog_of, qtbot):
    _, dialog = dialog_of(sha256="0" * 64)
    dialog.get.click()
    finished(qtbot, dialog)
    for part in ("Could not download", "0" * 64, hashlib.sha256(CONTENT).hexdigest()):
        assert part in dialog.news.text()
    assert not list(store.models_folder().glob(f"{NAME}*")) and dialog.get.isEnabled()


def test_a_file_got_by_hand_is_taken(dialog_of, qtbot, tmp_path, monkeypatch):
    dock, dialog = dialog_of("missing")
    path = tmp_path / "got.pth"
    path.write_bytes(CONTENT)
    monkeypatch.setattr(
        zoo_dialog.QFileDialog, "getOpenFileName", lambda *_: (str(path), "All files (*)")
    )
    dialog.place.click()
    finished(qtbot, dialog)
    assert dock.source.model_box.currentText() == NAME and path.exists()


@pytest.fixture
def here(dialog_of, qtbot, monkeypatch):
    """``here(answer)``: dock and dialog with a downloaded model, and the questions asked."""

    def make(answer):
        dock, dialog = dialog_of()
        dialog.get.click()
        finished(qtbot, dialog)
        asked = []

        def question(parent, title, text, *buttons):
            asked.append(text)
            return answer

        monkeypatch.setattr(QMessageBox, "question", question)
        return dock, dialog, asked

    return make


def test_a_downloaded_model_is_deleted_after_a_question(here, server):
    dock, dialog, asked = here(QMessageBox.StandardButton.Yes)
    dock.source.choose_model(str(find_card(zoo.DEFAULT).path))
    path = store.models_folder() / f"{NAME}.pth"
    assert dialog.card.name == NAME and path.is_file() and not dialog.get.isEnabled()
    dialog.remove.click()
    assert asked == [
        f"Delete '{NAME}' ({len(CONTENT) / 1e6:.4g} MB) from this machine? It can be downloaded "
        "again."
    ]
    assert not path.exists() and "was deleted" in dialog.news.text() and NAME in missing(dialog)
    assert dock.source.model_box.findText(NAME) < 0
    assert dialog.get.isEnabled() and not dialog.remove.isEnabled()
    assert "not on this machine" in dialog.remove.toolTip()


def test_nothing_is_deleted_without_a_yes(here):
    dock, dialog, asked = here(QMessageBox.StandardButton.No)
    dock.source.choose_model(str(find_card(zoo.DEFAULT).path))
    dialog.remove.click()
    assert asked and (store.models_folder() / f"{NAME}.pth").is_file()
    assert dock.source.model_box.findText(NAME) >= 0


def test_a_model_in_use_is_not_deleted_in_any_viewer(here, dock_of):
    dock, dialog, asked = here(QMessageBox.StandardButton.Yes)
    path = store.models_folder() / f"{NAME}.pth"
    assert dock.source.model == str(path)
    dialog.remove.click()
    assert "in use" in dialog.news.text() and not asked
    _, other = dock_of()
    other.source.choose_model(str(path))
    dock.source.choose_model(str(find_card(zoo.DEFAULT).path))
    dialog.remove.click()
    assert path.is_file() and not asked
    other.source.choose_model(str(find_card(zoo.DEFAULT).path))
    dialog.remove.click()
    assert not path.exists() and other.source.model_box.findText(NAME) < 0


def test_the_model_of_the_package_stays(dialog_of):
    _, dialog = dialog_of()
    dialog.select(zoo.DEFAULT)
    assert "in the package" in dialog.list.currentItem().text(4)
    assert not dialog.remove.isEnabled() and "came with the plugin" in dialog.remove.toolTip()
    assert not dialog.get.isEnabled() and not dialog.place.isEnabled()


def test_a_model_that_cannot_be_had_again_by_a_click_is_told_so():
    card = next(card for card in zoo._catalogue() if card.by_hand)
    assert "no direct address" in deleting(card) and "downloaded again" not in deleting(card)


def test_the_card_in_the_package_has_data_terms_limits_and_its_pictures(qtbot):
    dialog, card = CardDialog(), find_card(zoo.DEFAULT)
    qtbot.addWidget(dialog)
    dialog.show_card(card)
    text = dialog.text.toPlainText()
    assert dialog.isVisible() and card.name in dialog.windowTitle()
    assert "Training sets" in text and "for research use" in text and "Limits" in text
    names = re.findall(r"!\[[^]]*\]\(([^)]+)\)", card.document.read_text("utf-8"))
    assert names
    for name in names:
        loaded = dialog.text.loadResource(QTextDocument.ResourceType.ImageResource, QUrl(name))
        assert loaded is not None and loaded.size() > 1000


def test_models_without_a_document_show_what_is_known(qtbot):
    dialog = CardDialog()
    qtbot.addWidget(dialog)
    dialog.show_card(find_card(NAME))
    text = dialog.text.toPlainText()
    assert "MIT License" in text and "COCO" in text and "clicks to 90 % IoU" in text
    plain = ModelCard("<mine>", None, "compact", "not stated", (), None)
    dialog.show_card(plain)
    assert "<mine>" in dialog.text.toPlainText() and "not stated" in dialog.text.toPlainText()


def test_the_dock_shows_the_card_beside_the_chosen_file_or_tells_why_not(dock_of):
    _, dock = dock_of()
    document = dock.source.card.path.with_suffix(".md")
    document.parent.mkdir(exist_ok=True)
    dock.source.card.path.touch()
    document.write_text("# Disks\n\nGood at disks.\n", encoding="utf-8")
    dock.source.read_card.click()
    dialog = dock.source._card_dialog
    assert dialog.isVisible() and "Good at disks." in dialog.text.toPlainText()
    document.write_bytes(b"\xff\xfe\xff")
    told = []
    dock.source.said.connect(lambda text, level: told.append(level))
    dock.source.read_card.click()
    assert told == ["error"]


def test_the_command_opens_the_window_of_the_clicking_dock(make_napari_viewer):
    from napari_clickseg.widgets.dock.models_command import show_models
    from napari_clickseg.widgets.dock.opening import clicking_dock

    viewer = make_napari_viewer()
    show_models()
    show_models()
    assert len(viewer.window.dock_widgets) == 1
    zoo = clicking_dock(viewer).source._zoo
    assert zoo is not None and zoo.isVisible()
    zoo.close()
