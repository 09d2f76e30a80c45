from dataclasses import replace

import numpy as np
import pytest
from fakes import ColourModel, DiskModel

from napari_clickseg import Box, Click, Segmenter, ZoomIn
from napari_clickseg.data.session_file import (
    ImageSignature,
    SavedModel,
    SavedObject,
    SavedSession,
    read_session,
    write_session,
)
from napari_clickseg.engine.profiles import PROFILES
from napari_clickseg.engine.replay import profile_of, replay, saved_object, settings_of

SMALL = {"network_size": 64, "zoom_in": {"target_size": 64}}


def session_of(image, *objects):
    signature = ImageSignature.of(image, "scene.tif")
    return SavedSession(signature, SavedModel("tiny"), objects)


def through_file(session, folder):
    path = folder / "scene.clickseg.json"
    write_session(path, session)
    return read_session(path)


def test_what_was_clicked_is_saved_loaded_and_replayed_to_the_same_masks(
    tiny_model, scene, tmp_path
):
    seg = Segmenter(tiny_model, threshold=0.47, **SMALL)
    seg.set_image(scene)
    expected, objects = np.zeros(scene.shape[:2], np.uint16), []
    for label, clicks in ((1, [(40, 50, True), (95, 80, False)]), (5, [(30, 120, True)])):
        seg.reset()
        for row, col, positive in clicks:
            seg.click(row, col, positive)
        objects.append(saved_object(seg.history.present, seg.profile, label, class_name="shape"))
        assert objects[-1].area == seg.mask.sum() > 0
        expected[seg.mask & (expected == 0)] = label
    session = through_file(session_of(scene, *objects), tmp_path)
    told = []
    labels = replay(session, scene, Segmenter(tiny_model), progress=told.append)
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == np.uint16 and told == [0.0, 0.5, 1.0]


def test_limits_boxes_start_masks_and_undone_steps_are_replayed(tiny_model, scene, tmp_path):
    grey = scene[..., 0].astype(np.uint16) * 100
    seg = Segmenter(tiny_model, **SMALL)
    seg.set_image(grey, contrast_limits=(5000, 21000))
    seg.confine(Box(10, 20, 110, 130))
    start = np.zeros(grey.shape)
    start[30:50, 40:60] = 1
    seg.set_mask(start)
    seg.click(40, 50)
    seg.click(60, 70, positive=False)
    seg.undo()
    seg.click(35, 45)
    item = saved_object(seg.history.present, seg.profile, 70_000)
    assert item.start_mask.box == Box(30, 40, 50, 60) and item.confined == Box(10, 20, 110, 130)
    session = through_file(session_of(grey, item), tmp_path)
    labels = replay(session, grey, Segmenter(tiny_model))
    assert labels.dtype == np.uint32
    np.testing.assert_array_equal(labels == 70_000, seg.mask)


def test_clicks_that_were_answered_together_are_so_again(tiny_model, scene):
    seg = Segmenter(tiny_model, **SMALL)
    seg.set_image(scene)
    seg.click(40, 50)
    first = seg.history
    both = first.present.add(Click(95, 80)).add(Click(30, 120, False))
    together = first.do(seg.predictor.run(both))
    item = saved_object(together.present, seg.profile, 1)
    assert item.predicted == (1, 3)
    again = together.do(seg.predictor.run(both.replace_interactions(both.interactions[1:])))
    assert saved_object(again.present, seg.profile, 1).predicted == (2,)
    labels = replay(session_of(scene, item), scene, Segmenter(tiny_model))
    mask = together.present.mask(seg.profile.threshold)
    np.testing.assert_array_equal(labels == 1, mask)


def test_a_mask_painted_by_hand_is_kept_with_the_clicks_it_knows_of(tiny_model, scene):
    seg = Segmenter(tiny_model, **SMALL)
    seg.set_image(scene)
    seg.click(40, 50)
    brush = Box(20, 30, 60, 70)
    whole = np.zeros(scene.shape[:2])
    whole[brush.slices] = 1
    clicked = seg.history.present
    painted = replace(
        clicked.with_mask(whole), interactions=clicked.interactions, predicted=1, known=1
    )
    history = seg.history.do(painted)
    item = saved_object(history.present, seg.profile, 3)
    assert item.start_mask.after == 1 and item.predicted == ()
    labels = replay(session_of(scene, item), scene, Segmenter(tiny_model))
    assert (labels == 3).sum() == brush.area and (labels[brush.slices] == 3).all()
    history = history.do(seg.predictor.run(history.present.add(Click(95, 80, False))))
    item = saved_object(history.present, seg.profile, 3)
    assert item.start_mask.after == 1
    labels = replay(session_of(scene, item), scene, Segmenter(tiny_model))
    np.testing.assert_array_equal(labels == 3, history.present.mask(seg.profile.threshold))


def test_later_objects_take_pixels_only_if_they_overwrote(scene):
    clicks = (Click(40, 50),)
    first = SavedObject(1, interactions=clicks, settings={"profile": "clickseg"})
    for overwrites in (False, True):
        second = SavedObject(2, interactions=clicks, overwrites=overwrites)
        labels = replay(session_of(scene, first, second), scene, Segmenter(ColourModel()))
        assert set(np.unique(labels)) == {0, 2 if overwrites else 1}


def test_objects_of_a_stack_are_on_their_planes(scene):
    stack = np.stack([scene, scene[::-1], scene], axis=1)  # rows, time, columns, colours
    clicks = (Click(40, 50),)
    items = [SavedObject(n, plane=(None, n - 1, None), interactions=clicks) for n in (1, 3)]
    labels = replay(session_of(stack, *items), stack, Segmenter(DiskModel()))
    assert labels.shape == (120, 3, 160) and not labels[:, 1].any()
    assert labels[40, 0, 50] == 1 and labels[40, 2, 50] == 3


def test_another_image_or_setting_is_refused(scene):
    item = SavedObject(1, interactions=(Click(40, 50),))
    seg = Segmenter(ColourModel())
    with pytest.raises(ValueError, match="scene.tif.*other pixels"):
        replay(session_of(scene, item), scene + np.uint8(1), seg)
    with pytest.raises(ValueError, match=r"this image has \(120, 160\) of uint8"):
        replay(session_of(scene, item), scene[..., 0], seg)
    outside = SavedObject(1, interactions=(Click(400, 50),))
    with pytest.raises(ValueError, match="outside the image"):
        replay(session_of(scene, outside), scene, seg)
    odd = SavedObject(1, settings={"profile": "clickseg", "colour": "red"})
    with pytest.raises(ValueError, match="no option 'colour'"):
        replay(session_of(scene, odd), scene, seg)


def test_settings_hold_every_profile():
    for profile in PROFILES.values():
        for changed in (
            profile,
            profile.override(threshold=0.3, zoom_in=None, flip=False),
            profile.override(name="mine", zoom_in=ZoomIn(target_size=(320, 400))),
            profile.override(zoom_in={"expansion_ratio": 1.9}),
        ):
            assert profile_of(settings_of(changed)) == changed
        assert settings_of(profile) == {"profile": profile.name}
