"""Holes, small parts and outlines: options of the dock that act on the answer that is there."""

import numpy as np
import pytest
import torch
from scipy.ndimage import label
from widgets.disks import DiskModel

from napari_clickseg.data.session_file import read_session
from napari_clickseg.engine.replay import replay
from napari_clickseg.engine.segmenter import Segmenter
from napari_clickseg.widgets.work import work


class Speckled(DiskModel):
    """Disks with a hole at their centre, and specks in corners of the view."""

    def after(self, split, tensors, inputs):
        logits = super().after(split, tensors, inputs).clone()
        maps = tensors["maps"] if split == "maps" else inputs.maps
        logits[(maps[:, :1] > 4) & (maps[:, :1] < 9)] = -9.0
        logits[..., :6, :6] = logits[..., :6, -6:] = 9.0  # the same in the mirrored view
        return logits


def shown(dock):
    return dock.clicking.layers.preview.data != 0


def test_options_are_seen_at_once_and_taken_back(clicked):
    model = Speckled()
    _, dock, _ = clicked(model)
    before, calls = shown(dock), model.calls
    advanced = dock.advanced
    advanced.fill_holes.setChecked(True)
    filled = shown(dock)
    assert (filled & ~before).any() and (filled | ~before).all()
    assert label(filled)[1] > 1  # the disk and specks
    advanced.keep_parts.setCurrentText("clicked")
    assert label(shown(dock))[1] == 1 and (filled | ~shown(dock)).all()
    advanced.keep_parts.setCurrentText("all")
    advanced.fill_holes.setChecked(False)
    assert np.array_equal(shown(dock), before) and model.calls == calls


def test_the_next_click_and_undo_are_cleaned_alike(clicked, settle):
    _, dock, _ = clicked(Speckled())
    dock.advanced.keep_parts.setCurrentText("largest")
    one = shown(dock)
    dock.click(100, 120)
    settle(dock)
    assert label(shown(dock))[1] < label(np.asarray(dock.controller.session.mask(0.5)))[1]
    dock.undo()
    assert np.array_equal(shown(dock), one)


def test_what_was_painted_is_not_cleaned_away(clicked, settle):
    _, dock, _ = clicked(Speckled())
    layer = dock.clicking.layers.preview
    grid = np.mgrid[slice(120, 123), slice(10, 13)]
    layer.data_setitem(tuple(axis.ravel() for axis in grid), 1)
    painted = shown(dock)
    dock.advanced.min_size.setValue(500)
    assert np.array_equal(shown(dock), painted)


def test_the_session_file_makes_the_cleaned_mask_again(clicked, image, tmp_path):
    model = Speckled()
    _, dock, _ = clicked(model)
    dock.advanced.fill_holes.setChecked(True)
    dock.advanced.keep_parts.setCurrentText("clicked")
    dock.advanced.smooth.setValue(1.5)
    mask = shown(dock)
    dock.accept()
    dock.sessions.save(tmp_path / "one.clickseg.json")
    saved = read_session(tmp_path / "one.clickseg.json")
    assert saved.objects[0].settings["keep_parts"] == "clicked"
    with torch.inference_mode():
        again = replay(saved, image, Segmenter(model))
    assert np.array_equal(again == 1, mask)


def test_an_object_opened_again_is_shown_as_it_was_accepted(clicked):
    _, dock, _ = clicked(Speckled())
    mask = shown(dock)
    dock.accept()
    dock.advanced.keep_parts.setCurrentText("clicked")
    dock.actions.open_again(next(iter(dock.clicking.objects.items)))
    assert np.array_equal(shown(dock), mask)


@pytest.fixture
def large(clicked, monkeypatch):
    """A dock to whom every mask is a large one, its model, and the mask with holes filled."""
    model = Speckled()
    _, dock, _ = clicked(model)
    dock.advanced.fill_holes.setChecked(True)
    filled = shown(dock)
    dock.advanced.fill_holes.setChecked(False)
    monkeypatch.setattr(work, "LARGE", 0)
    return dock, model, filled


def test_large_masks_are_cleaned_in_the_worker(large, settle):
    dock, model, filled = large
    before, calls = shown(dock), model.calls
    dock.advanced.fill_holes.setChecked(True)
    assert dock.pill.text() == "refining" and np.array_equal(shown(dock), before)
    dock.advanced.fill_holes.setChecked(False)
    dock.advanced.keep_parts.setCurrentText("largest")
    dock.advanced.keep_parts.setCurrentText("all")
    dock.advanced.fill_holes.setChecked(True)  # while the first one is made
    settle(dock)
    assert np.array_equal(shown(dock), filled) and model.calls == calls
    dock.controller.set_threshold(0.9)
    settle(dock)
    mask = np.asarray(dock.controller.rule.view(dock.controller.session))
    assert np.array_equal(shown(dock), mask) and mask.sum() < filled.sum()


def test_accept_waits_for_a_large_mask_that_is_cleaned(large, settle):
    dock, _, filled = large
    dock.advanced.fill_holes.setChecked(True)
    dock.accept()
    assert not dock.clicking.layers.objects.data.any() and "made anew" in dock.status.text()
    settle(dock)
    assert np.array_equal(dock.clicking.layers.objects.data != 0, filled)


def test_a_click_and_undo_while_a_large_mask_is_cleaned(large, settle):
    dock, _, filled = large
    dock.advanced.fill_holes.setChecked(True)
    dock.click(100, 120)
    settle(dock)
    mask = np.asarray(dock.controller.rule.view(dock.controller.session))
    assert np.array_equal(shown(dock), mask)
    dock.advanced.min_size.setValue(50)
    dock.advanced.min_size.setValue(0)
    dock.undo()
    settle(dock)
    assert np.array_equal(shown(dock), filled)


def test_clicks_that_wait_keep_waiting_while_a_large_mask_is_cleaned(large, settle):
    dock, model, filled = large
    calls = model.calls
    dock.tools.panel.auto_run.setChecked(False)
    dock.click(100, 120)
    dock.advanced.fill_holes.setChecked(True)
    settle(dock)
    assert np.array_equal(shown(dock), filled) and model.calls == calls
    assert dock.controller.waiting == 1


def test_the_rule_may_change_while_the_model_runs_on_a_large_object(large, settle):
    dock, _, _ = large
    dock.click(100, 120)
    dock.advanced.fill_holes.setChecked(True)
    settle(dock)
    mask = np.asarray(dock.controller.rule.view(dock.controller.session))
    assert len(dock.controller.clicks) == 2 and np.array_equal(shown(dock), mask)


def test_stop_leaves_no_large_mask_half_cleaned(large, settle):
    dock, _, filled = large
    dock.advanced.fill_holes.setChecked(True)
    dock.stop()
    settle(dock)
    dock.start()
    settle(dock)
    assert np.array_equal(shown(dock), filled)
