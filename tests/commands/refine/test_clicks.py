"""What a user said about masks that are refined: sessions and corrected masks."""

import numpy as np
import pytest
from commands.refine.calls import call, truth
from PIL import Image

from napari_clickseg.data.session_file import (
    ImageSignature,
    SavedModel,
    SavedObject,
    SavedSession,
    write_session,
)
from napari_clickseg.interactions import Click


@pytest.fixture
def said(monkeypatch):
    """What the refiner was told about objects, by label."""
    seen = {}

    def spy(refiner, labels, said, *args):
        seen.update(said)
        return real(refiner, labels, said, *args)

    from napari_clickseg.engine import refine_labels

    real = refine_labels.refine_labels
    monkeypatch.setattr(refine_labels, "refine_labels", spy)
    return seen


def session_of(image, folder, label=1, name="a"):
    folder.mkdir(exist_ok=True)
    saved = SavedSession(
        ImageSignature.of(image, f"{name}.png"),
        SavedModel("colours"),
        (SavedObject(label, interactions=(Click(40, 50),)),),
    )
    write_session(folder / f"{name}.clickseg.json", saved)
    return folder


def test_clicks_of_a_session_and_corrected_masks(folders, weights, colours, scene, said):
    sessions = session_of(scene, folders[0].parent / "sessions")
    fixed = folders[0].parent / "fixed"
    fixed.mkdir()
    corrected = np.asarray(Image.open(folders[1] / "a.png")).copy()
    corrected[truth(scene) == 2] = 2
    Image.fromarray(corrected).save(fixed / "a.png")
    call(folders, "--model", weights, "--clicks", sessions, "--corrected", fixed)
    assert said[1] == (Click(40, 50),)
    assert said[2] and all(truth(scene)[click.pixel] == 2 for click in said[2] if click.positive)


def test_coloured_masks_are_corrected_by_their_colours(folders, weights, colours, scene, said):
    def coloured(labels):
        return np.array([(0, 0, 0), (9, 200, 0), (250, 3, 90), (1, 2, 3)], np.uint8)[labels]

    small = np.asarray(Image.open(folders[1] / "a.png"))
    Image.fromarray(coloured(small)).save(folders[1] / "a.png")
    fixed = folders[0].parent / "fixed"
    fixed.mkdir()
    labels = np.where(truth(scene) == 2, 2, small)
    labels[:5, :5] = 3  # a new object, whose colour comes before the others
    Image.fromarray(coloured(labels)).save(fixed / "a.png")
    assert call(folders, "--model", weights, "--corrected", fixed) == 0
    assert sorted(said) == [2, 3]
    assert all(truth(scene)[click.pixel] == 2 for click in said[2] if click.positive)
    refined = np.asarray(Image.open(folders[2] / "a.png"))
    for label in (1, 2):
        assert ((refined == label) != (truth(scene) == label)).mean() < 0.01


def test_a_session_of_other_objects_is_refused(folders, weights, colours, scene, capsys):
    sessions = session_of(scene, folders[0].parent / "sessions", label=77)
    assert call(folders, "--model", weights, "--clicks", sessions) == 2
    assert "(77) are not in the mask" in capsys.readouterr().err
    assert not (folders[2] / "a.png").exists() and (folders[2] / "b.tif").exists()


def test_a_session_of_another_image_is_refused(folders, weights, colours, scene, capsys):
    sessions = session_of(scene[:, ::-1], folders[0].parent / "sessions")
    assert call(folders, "--model", weights, "--clicks", sessions) == 2
    err = capsys.readouterr().err
    assert "The session was made on a.png" in err and "this image has other pixels" in err
    assert not (folders[2] / "a.png").exists() and (folders[2] / "b.tif").exists()
