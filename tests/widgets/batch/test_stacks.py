"""The dock that refines existing masks, with all planes of a stack."""

import numpy as np
import pytest
from fakes import ColourModel

pytest.importorskip("napari")

from widgets.batch.calls import select, session_file, wait  # noqa: E402

from napari_clickseg.commands import refine_files  # noqa: E402
from napari_clickseg.data.session_file import SavedObject  # noqa: E402
from napari_clickseg.engine.refine import MaskRefiner  # noqa: E402
from napari_clickseg.interactions import Click  # noqa: E402

RED, BLUE = (220, 30, 30), (30, 30, 220)


@pytest.fixture
def masks(labels):
    """Labels of four planes with different objects; the second one is empty."""
    masks = np.stack([labels] * 4)
    masks[1] = 0
    masks[2][masks[2] == 4] = 0
    masks[3][masks[3] == 9] = 7
    return masks


@pytest.fixture
def stack_of(dock_of, scene, masks):
    """A dock where all planes of a scaled stack are chosen, and its layers."""

    def make(model=None, **image):
        viewer, dock = dock_of(model)
        viewer.add_image(np.stack([scene] * 4), rgb=True, **image)
        place = {"scale": (3, 0.5, 0.5), "translate": (6, 0, 0), "units": "um"}
        viewer.layers[-1].scale, viewer.layers[-1].translate = place["scale"], place["translate"]
        viewer.add_labels(masks.copy(), name="mine", **place)
        dock.layer_page.planes.setCurrentIndex(1)
        return viewer, dock

    return make


def right(scene, first, second):
    """The labels of the disk and the square."""
    return first * (scene == RED).all(axis=2) + second * (scene == BLUE).all(axis=2)


def test_all_planes_are_refined_into_one_layer(stack_of, qtbot, scene, masks):
    viewer, dock = stack_of()
    parts = []
    dock.runner.progressed.connect(lambda _, part: parts.append(part))
    dock.start()
    wait(qtbot, dock)
    source, refined = viewer.layers["mine"], viewer.layers["mine refined"]
    assert np.array_equal(source.data, masks)
    assert refined.data.shape == masks.shape
    for numbers, plane in zip(((4, 9), (0, 0), (0, 9), (4, 7)), refined.data, strict=True):
        assert (plane != right(scene, *numbers)).sum() < 40
        assert set(np.unique(plane)) == {0, *numbers}
    for name in ("scale", "translate", "units"):
        assert str(getattr(refined, name)) == str(getattr(source, name))
    assert dock.status.text() == "5 objects on 3 planes refined in the new layer 'mine refined'."
    assert parts == sorted(parts) and parts[-1] == 1


def test_a_row_shows_the_plane_of_its_object(stack_of, qtbot):
    viewer, dock = stack_of()
    dock.start()
    wait(qtbot, dock)
    found = sorted((row[2], row[1]) for row in dock.table.rows)
    assert found == [(0, 4), (0, 9), (2, 9), (3, 4), (3, 7)]
    assert "plane" in [
        dock.view.model().headerData(i, dock.view.horizontalHeader().orientation())
        for i in range(dock.view.model().columnCount())
    ]
    for number, row in enumerate(dock.table.rows):
        select(dock, number)
        assert viewer.dims.current_step[0] == row[2]
        layer = viewer.layers["mine refined"]
        at = layer.world_to_data((viewer.dims.point[0], *viewer.scene.camera.center[-2:]))
        assert layer.data[tuple(np.rint(at).astype(int))] == row[1] == layer.selected_label


def test_empty_planes_are_not_looked_at(stack_of, qtbot, masks):
    model = ColourModel()
    viewer, dock = stack_of(model)
    viewer.layers["mine"].data = masks * (np.arange(4) == 2)[:, None, None].astype(np.uint8)
    dock.start()
    wait(qtbot, dock)
    alone = model.calls
    viewer.layers["mine"].data = masks[2][None] * np.ones((4, 1, 1), np.uint8)
    dock.start()
    wait(qtbot, dock)
    assert model.calls == 5 * alone


def test_only_the_selected_label_of_all_planes(stack_of, qtbot, masks):
    viewer, dock = stack_of()
    viewer.layers["mine"].selected_label = 9
    dock.layer_page.only.setChecked(True)
    dock.start()
    wait(qtbot, dock)
    assert [row[1] for row in dock.table.rows] == [9, 9]
    refined = viewer.layers["mine refined"].data
    assert np.array_equal(refined[[1, 3]], masks[[1, 3]])
    assert np.array_equal(refined[0] == 4, masks[0] == 4)


@pytest.mark.parametrize("place", ["between planes", "inside a plane"])
def test_cancelled_in_the_middle_nothing_comes(stack_of, qtbot, place):
    class Stopping(ColourModel):
        def after(self, *args):
            if self.calls == (before if place == "between planes" else before + 1):
                dock.runner.cancel()
            return super().after(*args)

    before = 2
    model = Stopping()
    viewer, dock = stack_of(model)
    dock.start()
    wait(qtbot, dock)
    assert dock.status.text() == "Cancelled." and len(viewer.layers) == 2
    assert before < model.calls < before + 3


def test_clicks_and_corrections_count_on_their_planes(
    stack_of, qtbot, scene, masks, tmp_path, monkeypatch
):
    from napari_clickseg.engine import refine_planes

    seen = []
    real = refine_planes.refine_labels

    def spy(refiner, labels, said, *args):
        seen.append(said)
        return real(refiner, labels, said, *args)

    monkeypatch.setattr(refine_planes, "refine_labels", spy)
    viewer, dock = stack_of()
    corrected = masks.copy().astype(np.uint16)
    corrected[2, 20:50, 110:140] = 9
    corrected[1, 80:95, 80:95] = 300
    fixed = viewer.add_labels(corrected, name="corrected")
    dock.layer_page.corrected_box.choose(fixed)
    dock.layer_page.labels_box.choose(viewer.layers["mine"])
    click = SavedObject(4, plane=(3, None, None), interactions=(Click(40, 50),))
    session = session_file(tmp_path / "a.clickseg.json", np.stack([scene] * 4), click)
    dock.layer_page.session.choose(session)
    dock.start()
    wait(qtbot, dock)
    assert [sorted(said) for said in seen] == [[], [300], [9], [4]]
    assert seen[3] == {4: (Click(40, 50),)}
    assert (viewer.layers["mine refined"].data[1] == 300).any()


def test_planes_are_offered_for_stacks_only(dock_of, scene, labels, masks):
    viewer, dock = dock_of()
    viewer.add_image(scene)
    flat = viewer.add_labels(labels)
    assert dock.layer_page.planes.isHidden()
    stack = viewer.add_labels(masks)
    dock.layer_page.labels_box.choose(stack)
    assert not dock.layer_page.planes.isHidden()
    assert dock.layer_page.planes.currentText() == "This plane"
    dock.layer_page.labels_box.choose(flat)
    assert dock.layer_page.planes.isHidden()


def test_an_image_of_fewer_planes_is_refused(dock_of, scene, masks):
    viewer, dock = dock_of()
    viewer.add_image(np.stack([scene] * 2), rgb=True, name="short")
    viewer.add_labels(masks, name="mine")
    dock.layer_page.planes.setCurrentIndex(1)
    dock.start()
    assert "'short' has no plane where plane 2 of 'mine' is." in dock.status.text()
    assert not dock.runner.busy


def test_the_planes_of_other_axes_belong_to_the_image(dock_of, qtbot, scene, masks):
    viewer, dock = dock_of()
    images = np.stack([np.zeros_like(scene), scene, np.zeros_like(scene)])
    viewer.add_image(np.stack([images] * 4, axis=1), rgb=True, name="channels and times")
    viewer.dims.set_point(0, 1)
    viewer.add_labels(masks, name="mine")
    dock.layer_page.planes.setCurrentIndex(1)
    dock.start()
    wait(qtbot, dock)
    assert (viewer.layers["mine refined"].data[3] != right(scene, 4, 7)).sum() < 40


def test_a_stack_of_a_folder_is_reviewed_at_its_plane(
    dock_of, qtbot, scene, masks, tmp_path, monkeypatch
):
    monkeypatch.setattr(refine_files, "_refiner", lambda options: MaskRefiner(ColourModel()))
    for part, array in (("images", np.stack([scene] * 4)), ("masks", masks)):
        (tmp_path / part).mkdir()
        np.save(tmp_path / part / "a.npy", array)
    viewer, dock = dock_of()
    dock.what.setCurrentIndex(1)
    for name in ("images", "masks", "out"):
        getattr(dock.folder_page, name).choose(tmp_path / name)
    dock.start()
    wait(qtbot, dock)
    assert dock.status.text().startswith("1 of 1 image refined, 5 objects.")
    row = next(i for i, row in enumerate(dock.table.rows) if row[1:3] == (7, 3))
    select(dock, row)
    assert [layer.name for layer in viewer.layers] == ["a 3", "a 3 refined"]
    assert viewer.layers[1].data.shape == scene.shape[:2] and (viewer.layers[1].data == 7).any()
