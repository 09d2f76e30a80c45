"""The dock that refines existing masks, in a viewer."""

import threading

import numpy as np
import pytest
from fakes import ColourModel
from PIL import Image

pytest.importorskip("napari")

from widgets.batch.calls import select, session_file, wait  # noqa: E402
from widgets.disks import SlowModel, wait_inside  # noqa: E402

from napari_clickseg.commands import refine, refine_files  # noqa: E402
from napari_clickseg.data.datasets.reading import read_labels  # noqa: E402
from napari_clickseg.data.session_file import SavedObject  # noqa: E402
from napari_clickseg.engine.refine import MaskRefiner  # noqa: E402
from napari_clickseg.interactions import Click  # noqa: E402
from napari_clickseg.widgets.batch.dock import SegmentFolderDock  # noqa: E402


def test_a_layer_is_refined_into_a_new_one(dock_of, qtbot, scene, labels):
    viewer, dock = dock_of()
    viewer.add_image(scene, name="photograph")
    source = viewer.add_labels(labels.copy(), name="mine", scale=(2, 2))
    assert dock.refine.isEnabled()
    dock.start()
    assert not dock.refine.isEnabled() and dock.cancel.isEnabled()
    wait(qtbot, dock)
    assert np.array_equal(source.data, labels)
    refined = viewer.layers["mine refined"]
    assert tuple(refined.scale) == (2, 2)
    assert ((refined.data == 4) != (scene == (220, 30, 30)).all(axis=2)).sum() < 20
    assert dock.status.text() == "2 objects refined in the new layer 'mine refined'."
    assert [row[-1] for row in dock.table.rows] == sorted(
        (row[-1] for row in dock.table.rows), reverse=True
    )


def test_refined_masks_are_cleaned_as_set(dock_of, qtbot, scene, labels):
    viewer, dock = dock_of()
    image = scene.copy()
    image[30:36, 40:46] = 0
    viewer.add_image(image)
    viewer.add_labels(labels, name="mine")
    holes = []
    for filled in (False, True):
        dock.cleaning.fields["fill_holes"].setChecked(filled)
        dock.start()
        wait(qtbot, dock)
        holes.append((viewer.layers[-1].data[31:35, 41:45] != 4).mean())
    assert holes == [1, 0]


def test_a_row_brings_its_object_into_view(dock_of, qtbot, scene, labels):
    viewer, dock = dock_of()
    viewer.add_image(scene)
    viewer.add_labels(labels)
    dock.start()
    wait(qtbot, dock)
    for number, row in enumerate(dock.table.rows):
        select(dock, number)
        assert viewer.layers[-1].selected_label == row[1]
        centre = viewer.scene.camera.center[-2:]
        assert viewer.layers[-1].data[tuple(round(c) for c in centre)] == row[1]


def test_only_the_plane_shown_and_the_label_selected(dock_of, qtbot, scene, labels):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([scene, scene, scene]), rgb=True)
    stack = viewer.add_labels(np.stack([labels] * 3))
    viewer.dims.set_point(0, 1)
    stack.selected_label = 9
    dock.layer_page.only.setChecked(True)
    dock.start()
    wait(qtbot, dock)
    refined = viewer.layers[-1].data
    changed = refined != stack.data
    assert changed[1].any() and not changed[[0, 2]].any()
    assert np.array_equal(refined[1] == 4, labels == 4)
    viewer.dims.set_point(0, 2)
    select(dock, 0)
    assert viewer.dims.current_step[0] == 1


def test_an_image_of_another_shape_is_refused(dock_of, scene, labels):
    viewer, dock = dock_of()
    viewer.add_image(scene[:50])
    viewer.add_labels(labels)
    dock.start()
    assert "Choose the image that the objects are of" in dock.status.text()
    assert not dock.runner.busy


def test_cancelling_adds_no_layer(dock_of, qtbot, scene, labels):
    model = SlowModel()
    viewer, dock = dock_of(model)
    viewer.add_image(scene)
    viewer.add_labels(labels)
    dock.start()
    wait_inside(qtbot, model)
    dock.cancel.click()
    model.go_on.set()
    wait(qtbot, dock)
    assert dock.status.text() == "Cancelled."
    assert len(viewer.layers) == 2


def test_the_dock_closed_while_it_runs(dock_of, qtbot, scene, labels):
    model = SlowModel()
    viewer, dock = dock_of(model)
    viewer.add_image(scene)
    viewer.add_labels(labels)
    dock.start()
    wait_inside(qtbot, model)
    model.go_on.set()
    dock.shut_down()
    assert len(viewer.layers) == 2
    viewer.add_image(scene)


def test_folders_and_their_review(dock_of, qtbot, scene, labels, tmp_path, monkeypatch):
    monkeypatch.setattr(refine_files, "_refiner", lambda options: MaskRefiner(ColourModel()))
    for name in ("a", "b"):
        for part, array in (("images", scene), ("masks", labels)):
            (tmp_path / part).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / part / f"{name}.png")
    viewer, dock = dock_of()
    dock.what.setCurrentIndex(1)
    assert not dock.refine.isEnabled()
    dock.folder_page.images.choose(tmp_path / "images")
    dock.folder_page.masks.choose(tmp_path / "masks")
    dock.folder_page.out.choose(tmp_path / "out")
    dock.start()
    wait(qtbot, dock)
    assert dock.status.text().startswith("2 of 2 images refined, 4 objects.")
    assert (tmp_path / "out" / "b.png").exists() and (tmp_path / "out" / "review.csv").exists()
    row = next(i for i, row in enumerate(dock.table.rows) if row[:2] == ("b", 9))
    select(dock, row)
    assert [layer.name for layer in viewer.layers] == ["b", "b refined"]
    assert viewer.layers[1].selected_label == 9
    select(dock, next(i for i, row in enumerate(dock.table.rows) if row[0] == "a"))
    assert [layer.name for layer in viewer.layers] == ["a", "a refined"]
    dock.start()
    wait(qtbot, dock)
    assert "(2 of them finished before)" in dock.status.text()


@pytest.fixture
def folders(tmp_path, scene, labels):
    """Five images with masks, and one without."""
    for name in "abcdef":
        for part, array in (("images", scene), ("masks", labels)):
            (tmp_path / part).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / part / f"{name}.png")
    (tmp_path / "masks" / "f.png").unlink()
    return tmp_path


def choose(dock, folders, out="out"):
    """Choose the folders."""
    dock.what.setCurrentIndex(1)
    for name in ("images", "masks"):
        getattr(dock.folder_page, name).choose(folders / name)
    dock.folder_page.out.choose(folders / out)


def test_what_could_not_be_refined_leaves_room_for_the_table(dock_of, qtbot, folders, monkeypatch):
    monkeypatch.setattr(refine_files, "_refiner", lambda options: MaskRefiner(ColourModel()))
    for name in "bcde":
        (folders / "images" / f"{name}.png").write_bytes(b"")
    _, dock = dock_of()
    choose(dock, folders)
    dock.start()
    wait(qtbot, dock)
    first, alone, *reasons = dock.status.text().splitlines()
    assert first.startswith("1 of 5 images refined, 2 objects.")
    assert alone == "Without a partner of the same name, and left out: f."
    assert [line[:2] for line in reasons[1:4]] == ["b:", "c:", "d:"]
    assert reasons[4:] == ["... and 1 more."]
    told = (folders / "out" / "not_refined.csv").read_text(encoding="utf-8-sig")
    assert all(f"{name}.png is empty" in told for name in "bcde") and "\nf," in told


def test_an_output_folder_that_cannot_be_written(dock_of, qtbot, folders):
    (folders / "file").write_text("mine")
    _, dock = dock_of()
    choose(dock, folders, "file/out")
    dock.start()
    wait(qtbot, dock)
    assert dock.status.text().startswith("Nothing can be written into")
    assert len(dock.status.text().splitlines()) == 1


def test_after_a_cancel_what_is_finished_can_be_reviewed(dock_of, qtbot, folders, monkeypatch):
    monkeypatch.setattr(refine_files, "_refiner", lambda options: MaskRefiner(ColourModel()))
    entered, go_on, real = threading.Event(), threading.Event(), refine_files.refine_file

    def held(files, *more):
        if files.name == "b":
            entered.set()
            assert go_on.wait(20)
        return real(files, *more)

    monkeypatch.setattr(refine, "refine_file", held)
    viewer, dock = dock_of()
    choose(dock, folders)
    dock.start()
    qtbot.waitUntil(entered.is_set, timeout=20_000)
    dock.cancel.click()
    go_on.set()
    wait(qtbot, dock)
    assert dock.status.text().startswith("Cancelled: 1 of 5 images refined, 2 objects.")
    assert {row[0] for row in dock.table.rows} == {"a"}
    select(dock, 0)
    assert [layer.name for layer in viewer.layers] == ["a", "a refined"]
    dock.start()
    wait(qtbot, dock)
    assert "5 of 5 images refined (1 of them finished before)" in dock.status.text()


def test_output_in_the_input_is_refused(dock_of, qtbot, labels, scene, tmp_path):
    for name, array in (("images", scene), ("masks", labels)):
        (tmp_path / name).mkdir()
        Image.fromarray(array).save(tmp_path / name / "a.png")
    _, dock = dock_of()
    dock.what.setCurrentIndex(1)
    dock.folder_page.images.choose(tmp_path / "images")
    dock.folder_page.masks.choose(tmp_path / "masks")
    dock.folder_page.out.choose(tmp_path / "masks")
    dock.start()
    wait(qtbot, dock)
    assert "never overwritten" in dock.status.text()


def test_a_folder_is_segmented_from_sessions(dock_of, qtbot, scene, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_clickseg.models.zoo.load_model", lambda *a, **k: ColourModel())
    for part in ("images", "sessions"):
        (tmp_path / part).mkdir()
    Image.fromarray(scene).save(tmp_path / "images" / "a.png")
    saved = SavedObject(6, interactions=(Click(40, 50),))
    session_file(tmp_path / "sessions" / "a.clickseg.json", scene, saved)
    _, dock = dock_of(kind=SegmentFolderDock)
    dock.folder_page.images.choose(tmp_path / "images")
    dock.folder_page.out.choose(tmp_path / "out")
    assert dock.folders and not dock.refine.isEnabled()
    dock.folder_page.clicks.choose(tmp_path / "sessions")
    assert dock.refine.text() == "Segment"
    dock.start()
    wait(qtbot, dock)
    assert dock.status.text().startswith("1 image segmented, 1 object.")
    assert read_labels(tmp_path / "out" / "a.tif").max() == 6


def test_clicks_of_a_session_and_a_corrected_layer(dock_of, qtbot, scene, labels, tmp_path, said):
    viewer, dock = dock_of()
    viewer.add_image(scene)
    corrected = labels.copy()
    corrected[20:50, 110:140] = 9
    viewer.add_labels(corrected, name="corrected")
    mine = viewer.add_labels(labels.copy(), name="mine")
    dock.layer_page.labels_box.choose(mine)
    dock.layer_page.corrected_box.choose(viewer.layers["corrected"])
    click = SavedObject(4, interactions=(Click(40, 50),))
    dock.layer_page.session.choose(session_file(tmp_path / "a.clickseg.json", scene, click))
    dock.start()
    wait(qtbot, dock)
    assert said[4] == (Click(40, 50),)
    assert sorted(said) == [4, 9] and any(labels[click.pixel] == 0 for click in said[9])
    refined = viewer.layers["mine refined"].data
    assert ((refined == 9) != (scene == (30, 30, 220)).all(axis=2)).sum() < 20
    assert np.array_equal(mine.data, labels)
    assert np.array_equal(viewer.layers["corrected"].data, corrected)


def test_of_a_stack_the_clicks_on_the_plane_shown_count(
    dock_of, qtbot, scene, labels, tmp_path, said
):
    viewer, dock = dock_of()
    images = np.stack([scene, scene])
    viewer.add_image(images, rgb=True)
    viewer.add_labels(np.stack([labels] * 2))
    viewer.dims.set_point(0, 1)
    there, elsewhere = (
        SavedObject(label, plane=(step, None, None), interactions=(Click(40, 50 + step),))
        for label, step in ((4, 1), (9, 0))
    )
    dock.layer_page.session.choose(
        session_file(tmp_path / "a.clickseg.json", images, there, elsewhere)
    )
    dock.start()
    wait(qtbot, dock)
    assert said == {4: (Click(40, 51),)}


def test_a_session_of_another_image_is_refused(dock_of, qtbot, scene, labels, tmp_path):
    viewer, dock = dock_of()
    viewer.add_image(scene)
    viewer.add_labels(labels)
    path = tmp_path / "a.clickseg.json"
    dock.layer_page.session.choose(session_file(path, scene[::-1], SavedObject(4)))
    dock.start()
    wait(qtbot, dock)
    assert "this image has other pixels" in dock.status.text()
    assert len(viewer.layers) == 2


def test_a_corrected_layer_of_another_shape_is_refused(dock_of, scene, labels):
    viewer, dock = dock_of()
    viewer.add_image(scene)
    viewer.add_labels(labels[:40], name="other")
    mine = viewer.add_labels(labels, name="mine")
    dock.layer_page.labels_box.choose(mine)
    dock.layer_page.corrected_box.choose(viewer.layers["other"])
    dock.start()
    assert "Choose a corrected copy" in dock.status.text() and not dock.runner.busy


def test_a_folder_with_corrected_masks(dock_of, qtbot, scene, labels, tmp_path, monkeypatch, said):
    monkeypatch.setattr(refine_files, "_refiner", lambda options: MaskRefiner(ColourModel()))
    corrected = labels.copy()
    corrected[20:50, 110:140] = 9
    for part, array in (("images", scene), ("masks", labels), ("fixed", corrected)):
        (tmp_path / part).mkdir()
        Image.fromarray(array).save(tmp_path / part / "a.png")
    _, dock = dock_of()
    dock.what.setCurrentIndex(1)
    for line, part in (
        (dock.folder_page.images, "images"),
        (dock.folder_page.corrected, "fixed"),
        (dock.folder_page.out, "out"),
    ):
        line.choose(tmp_path / part)
    assert not dock.refine.isEnabled()
    dock.folder_page.masks.choose(tmp_path / "masks")
    dock.start()
    wait(qtbot, dock)
    assert sorted(said) == [9]
    assert dock.status.text().startswith("1 of 1 image refined, 2 objects.")
