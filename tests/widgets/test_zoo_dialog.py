"""Published models that are not on this machine: shown with their terms, fetched, cancelled."""

import dataclasses

import pytest
from file_server import FileServer, checkpoint_bytes

from napari_clickseg.models import download as downloading
from napari_clickseg.models import store, zoo
from napari_clickseg.models.zoo import find_card
from napari_clickseg.widgets import zoo_dialog

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

    def make(way="whole"):
        _, dock = dock_of()
        monkeypatch.setattr("napari_clickseg.widgets.source.list_models", zoo.list_models)
        changed = dataclasses.replace(
            find_card(NAME),
            address=server.address(f"{way}/{NAME}.pth"),
            size=len(CONTENT),
            published_size=len(CONTENT),
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


def listed(dialog):
    return [card.name for card in dialog._cards]


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
    assert dialog.news.text().startswith("Saved as") and NAME not in listed(dialog)
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
    assert not list(store.models_folder().glob("*")) and NAME in listed(dialog)


def test_a_failed_download_is_told_in_a_sentence(dialog_of, qtbot):
    _, dialog = dialog_of("missing")
    dialog.get.click()
    finished(qtbot, dialog)
    assert "Could not download" in dialog.news.text() and "404" in dialog.news.text()
    assert dialog.get.isEnabled()


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
