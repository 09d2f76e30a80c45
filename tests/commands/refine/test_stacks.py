"""`clickseg-refine` with stacks: masks of all planes in one file."""

import numpy as np
import pytest
from commands.refine.calls import call, contents, rows, truth
from scipy.ndimage import binary_erosion
from tifffile import TiffFile, imread, imwrite

from napari_clickseg.commands import refine_stacks
from napari_clickseg.data.datasets.label_stacks import LabelStack
from napari_clickseg.data.pixel_size import PixelSize
from napari_clickseg.data.plane_spacing import plane_spacing
from napari_clickseg.data.session_file import (
    ImageSignature,
    SavedModel,
    SavedObject,
    SavedSession,
    write_session,
)
from napari_clickseg.interactions import Click

NUMBERS = np.array([(0, 1, 0), (0, 0, 0), (0, 0, 300), (0, 1, 300)], np.uint16)
"""Of background, disk and square, on each plane; the second one has no object."""
SIZES = {
    "PhysicalSizeY": 0.5,
    "PhysicalSizeX": 0.25,
    "PhysicalSizeYUnit": "µm",
    "PhysicalSizeXUnit": "µm",
    "TimeIncrement": 30.0,
    "TimeIncrementUnit": "s",
}


@pytest.fixture
def wanted(scene):
    """Right masks of four planes, of which the second one is empty."""
    return np.stack([numbers[truth(scene)] for numbers in NUMBERS])


@pytest.fixture
def small(scene, wanted):
    """The same masks, too small."""
    return wanted * binary_erosion(truth(scene) != 0, np.ones((7, 7)))


@pytest.fixture
def images(scene):
    return np.stack([scene] * 4)


@pytest.fixture
def given(tmp_path, images, small):
    """A time-lapse and too small masks of it, as OME-TIFF."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    image, mask = tmp_path / "images" / "a.ome.tif", tmp_path / "masks" / "a.ome.tif"
    imwrite(image, images, photometric="rgb", metadata={"axes": "TYXS"})
    imwrite(mask, small, photometric="minisblack", metadata={"axes": "TYX", **SIZES})
    return image.parent, mask.parent, tmp_path / "out"


def test_each_plane_is_refined_and_written_with_axes_and_sizes(given, weights, colours, wanted):
    before = contents(given[0]) | contents(given[1])
    assert call(given, "--model", weights) == 0
    assert contents(given[0]) | contents(given[1]) == before
    out = given[2] / "a.tif"
    refined = imread(out)
    assert refined.shape == wanted.shape and refined.dtype == np.uint16
    assert (refined != wanted).mean(axis=(1, 2)).max() < 0.01
    assert [np.unique(plane).tolist() for plane in refined] == [[0, 1], [0], [0, 300], [0, 1, 300]]
    with TiffFile(out) as file:
        assert file.series[0].axes == "TYX"
    assert PixelSize.of_tiff(out) == PixelSize(0.5, 0.25, "µm")
    assert plane_spacing(out) == {"TimeIncrement": 30.0, "TimeIncrementUnit": "s"}


def test_the_tables_name_the_planes(given, weights, colours):
    call(given, "--model", weights)
    changes = rows(given[2] / "changes.csv")
    found = [(row["image"], row["plane"], row["object"]) for row in changes]
    assert found == [("a", "0", "1"), ("a", "2", "300"), ("a", "3", "1"), ("a", "3", "300")]
    refined = LabelStack.open(given[2] / "a.tif")
    for row in changes:
        labels = refined.read((int(row["plane"]),))
        assert labels[int(row["row"]), int(row["col"])] == int(row["object"])
    doubts = [float(row["doubt"]) for row in rows(given[2] / "review.csv")]
    assert doubts == sorted(doubts, reverse=True)


def test_planes_without_objects_are_not_looked_at(given, weights, colours, monkeypatch):
    opened = []
    real = refine_stacks.open_image

    def spy(path, plane=None, *args, **kwargs):
        opened.append(plane)
        return real(path, plane, *args, **kwargs)

    monkeypatch.setattr(refine_stacks, "open_image", spy)
    call(given, "--model", weights)
    assert opened[-3:] == [(0,), (2,), (3,)] and (1,) not in opened


def test_finished_stacks_are_skipped_and_keep_their_rows(given, weights, colours, capsys):
    call(given, "--model", weights)
    calls, kept = colours.calls, contents(given[2])
    assert call(given, "--model", weights) == 0
    assert colours.calls == calls and contents(given[2]) == kept
    assert "(1 of them finished before)" in capsys.readouterr().out


def test_stopped_in_the_middle_nothing_is_written(given, weights, colours, monkeypatch, capsys):
    real = refine_stacks.LabelStack.read
    started = []

    def interrupted(stack, index):
        started.append(index)
        if started.count((2,)) == 2:  # once to be checked, once to be refined
            raise KeyboardInterrupt
        return real(stack, index)

    monkeypatch.setattr(refine_stacks.LabelStack, "read", interrupted)
    assert call(given, "--model", weights) == 130
    assert colours.calls and not [p for p in given[2].rglob("*") if p.is_file()]
    monkeypatch.setattr(refine_stacks.LabelStack, "read", real)
    assert call(given, "--model", weights) == 0
    assert len(rows(given[2] / "changes.csv")) == 4


def test_axes_of_an_npy_stack_stay_as_they_are(tmp_path, weights, colours, images, small, wanted):
    np.save(tmp_path / "image.npy", images.reshape(1, 2, 2, *images.shape[1:]))
    np.save(tmp_path / "mask.npy", small.reshape(1, 2, 2, *small.shape[1:]).astype(np.int64))
    given = tmp_path / "image.npy", tmp_path / "mask.npy", tmp_path / "out"
    assert call(given, "--model", weights) == 0
    refined = np.load(tmp_path / "out" / "image.npy")
    assert refined.shape == (1, 2, 2, *wanted.shape[1:]) and refined.dtype == np.uint16
    assert (refined.reshape(wanted.shape) != wanted).mean() < 0.01
    planes = [row["plane"] for row in rows(tmp_path / "out" / "changes.csv")]
    assert planes == ["0, 0", "1, 0", "1, 1", "1, 1"]


def test_a_zarr_stack_names_the_axes_of_masks_that_do_not(
    tmp_path, weights, colours, images, small, wanted
):
    zarr = pytest.importorskip("zarr")
    group = zarr.create_group(str(tmp_path / "a.ome.zarr"), zarr_format=2)
    axes = [{"name": name} for name in "zyxc"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    group.create_array("0", data=images)
    imwrite(tmp_path / "a.tif", small, photometric="minisblack")
    given = tmp_path / "a.ome.zarr", tmp_path / "a.tif", tmp_path / "out"
    assert call(given, "--model", weights) == 0
    with TiffFile(tmp_path / "out" / "a.tif") as file:
        assert file.series[0].axes == "ZYX"
        assert (file.asarray() != wanted).mean() < 0.01


def test_numbers_of_masks_with_a_palette_are_kept(tmp_path, weights, colours, images, small):
    table = np.random.default_rng(1).integers(0, 2**16, (3, 256), np.uint16)
    masks = np.minimum(small, 7).astype(np.uint8)
    imwrite(tmp_path / "mask.tif", masks, photometric="palette", colormap=table)
    np.save(tmp_path / "image.npy", images)
    given = tmp_path / "image.npy", tmp_path / "mask.tif", tmp_path / "out"
    assert call(given, "--model", weights) == 0
    assert np.unique(imread(tmp_path / "out" / "image.tif")).tolist() == [0, 1, 7]


def test_corrected_masks_and_clicks_count_on_their_plane(
    given, tmp_path, weights, colours, images, small, wanted, monkeypatch
):
    from napari_clickseg.engine import refine_planes

    seen = []
    real = refine_planes.refine_labels

    def spy(refiner, labels, said, *args):
        seen.append(said)
        return real(refiner, labels, said, *args)

    monkeypatch.setattr(refine_planes, "refine_labels", spy)
    corrected = small.copy()
    corrected[2] = wanted[2]
    (tmp_path / "fixed").mkdir()
    np.save(tmp_path / "fixed" / "a.npy", corrected)
    session = SavedSession(
        ImageSignature.of(images, "a"),
        SavedModel("colours"),
        (SavedObject(1, plane=(3, None, None), interactions=(Click(40, 50),)),),
    )
    write_session(tmp_path / "a.clickseg.json", session)
    said = "--corrected", tmp_path / "fixed", "--clicks", tmp_path / "a.clickseg.json"
    assert call(given, "--model", weights, *said) == 0
    assert [sorted(each) for each in seen] == [[], [300], [1]]
    assert seen[2] == {1: (Click(40, 50),)}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda masks: masks[:3], "has the planes t of 4 and the mask"),
        (lambda masks: masks[0], "one plane. Give one mask for each plane of the image"),
        (lambda masks: masks[:, :50], "have 50 x 160 pixels and those of the image 120 x 160"),
        (lambda masks: masks * 0.5, "holds fractions"),
        (lambda masks: masks.astype(np.int32) - 1, "has labels below 0 on plane 0."),
    ],
)
def test_masks_of_other_planes_are_refused(given, weights, colours, small, capsys, make, words):
    (given[1] / "a.ome.tif").unlink()
    np.save(given[1] / "a.npy", make(small))
    assert call(given, "--model", weights) == 2
    err = capsys.readouterr().err
    assert words in err and "Traceback" not in err
    assert colours.calls == 0 and not (given[2] / "a.npy").exists()


def test_a_session_of_other_objects_is_refused(given, tmp_path, weights, colours, images, capsys):
    saved = SavedObject(1, plane=(1, None, None), interactions=(Click(40, 50),))
    session = SavedSession(ImageSignature.of(images, "a"), SavedModel("colours"), (saved,))
    write_session(tmp_path / "a.clickseg.json", session)
    assert call(given, "--model", weights, "--clicks", tmp_path / "a.clickseg.json") == 2
    assert "are not in the mask" in capsys.readouterr().err


@pytest.mark.parametrize("named", [True, False], ids=["OME-Zarr", "array"])
def test_masks_of_all_planes_in_zarr(given, weights, colours, small, wanted, named):
    zarr = pytest.importorskip("zarr")
    (given[1] / "a.ome.tif").unlink()
    if named:
        group = zarr.create_group(str(given[1] / "a.ome.zarr"), zarr_format=2)
        group.create_array("0", data=small[:, None])
        axes = [{"name": name} for name in "tzyx"]
        group.attrs["multiscales"] = [{"axes": axes, "datasets": [{"path": "0"}]}]
    else:
        zarr.save_array(str(given[1] / "a.zarr"), small)
    assert call(given, "--model", weights) == 0
    refined = imread(given[2] / "a.tif")
    assert refined.size == wanted.size
    assert (refined.reshape(wanted.shape) != wanted).mean(axis=(1, 2)).max() < 0.01
