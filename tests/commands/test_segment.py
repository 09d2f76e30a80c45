"""`clickseg-segment`: from clicks on the command line to a mask file."""

import numpy as np
import pytest
from fakes import ColourModel
from PIL import Image
from tifffile import imread

from napari_clickseg.commands.segment import main


@pytest.fixture
def image(tmp_path, scene, monkeypatch):
    monkeypatch.setattr("napari_clickseg.models.zoo.load_model", lambda *a, **k: ColourModel())
    path = tmp_path / "scene.png"
    Image.fromarray(scene).save(path)
    return path


def test_clicks_make_a_mask(image, scene, capsys):
    out = image.with_name("mask.tif")
    clicks = ["--click", "40,50+", "--click", "95,20", "--click", "95.4,140-"]
    assert main([str(image), *clicks, "-o", str(out)]) == 0
    mask = imread(out)
    assert mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 1}
    assert mask[40, 50] == 1 and mask[95, 140] == 0
    assert f"{mask.sum()} pixels in rows" in capsys.readouterr().out


def test_a_stroke_and_a_box(image, scene):
    out = image.with_name("mask.npy")
    assert main([str(image), "--stroke", "95,20 95,60 95,90+", "-o", str(out)]) == 0
    assert (np.load(out) != (scene == (30, 220, 30)).all(axis=2)).sum() < 20
    assert main([str(image), "--box", "15,105,55,145", "-o", str(out), "--force"]) == 0
    assert (np.load(out) != (scene == (30, 30, 220)).all(axis=2)).sum() < 20


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Nothing says where the object is"),
        (["--click", "40,50-"], "Nothing says where the object is"),
        (["--click", "40;50"], "'40;50' is no ROW,COLUMN"),
        (["--click", "400,50"], "outside"),
        (["--box", "1,2,3"], "no TOP,LEFT,BOTTOM,RIGHT"),
        (["--stroke", "40,50+"], "at least 2 points"),
        (["--click", "40,50", "--plane", "x"], "'x' is no number of a plane"),
        (["--session", "a.clickseg.json", "--plane", "3"], "Leave out"),
        (["--session", "a.clickseg.json", "--fill-holes"], "how its masks are cleaned"),
        (["--click", "40,50", "--min-size", "-3"], "min_size (0 or more pixels)"),
    ],
)
def test_errors_are_one_sentence(image, options, words, capsys):
    assert main([str(image), *options, "-o", str(image.with_name("mask.png"))]) == 2
    err = capsys.readouterr().err
    assert err.startswith("clickseg-segment: ") and words in err and "Traceback" not in err
    assert not image.with_name("mask.png").exists()


def test_masks_are_cleaned(image, scene):
    """All red disks answer to a click on one; a hole is where the click is not on red."""
    whole, clean = image.with_name("whole.npy"), image.with_name("clean.npy")
    pixels = scene.copy()
    pixels[38:40, 48:50] = 128
    pixels[4:7, 4:7] = scene[40, 50]
    Image.fromarray(pixels).save(image)
    said = [str(image), "--click", "44,50"]
    assert main([*said, "-o", str(whole)]) == 0
    options = ["--fill-holes", "--keep-parts", "clicked"]
    assert main([*said, *options, "-o", str(clean)]) == 0
    before, after = np.load(whole), np.load(clean)
    assert not before[38, 48] and after[38, 48]
    assert before[5, 5] and not after[5, 5]


def test_an_older_mask_is_replaced_only_by_force(image, capsys):
    out = image.with_name("mask.png")
    out.write_bytes(b"older")
    assert main([str(image), "--click", "40,50", "-o", str(out)]) == 2
    assert "--force" in capsys.readouterr().err
    assert out.read_bytes() == b"older"


@pytest.fixture
def session(image, scene):
    """The session file of two clicked objects, in a folder with the image's name."""
    from napari_clickseg.data.session_file import (
        ImageSignature,
        SavedModel,
        SavedObject,
        SavedSession,
        write_session,
    )
    from napari_clickseg.interactions import Click

    objects = (
        SavedObject(2, interactions=(Click(40, 50),)),
        SavedObject(300, interactions=(Click(30, 120),)),
    )
    signature = ImageSignature.of(scene, "scene.png")
    path = image.parent / "sessions" / "scene.clickseg.json"
    path.parent.mkdir()
    write_session(path, SavedSession(signature, SavedModel("colours", "0" * 64), objects))
    return path


def test_a_session_makes_all_its_objects(image, session, scene):
    out = image.with_name("mask.png")
    assert main([str(image), "--session", str(session), "-o", str(out)]) == 0
    labels = np.asarray(Image.open(out))
    assert ((labels == 300) != (scene == (30, 30, 220)).all(axis=2)).sum() < 20
    assert ((labels == 2) != (scene == (220, 30, 30)).all(axis=2)).sum() < 60


def test_a_folder_of_sessions(image, session, scene, tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(scene).save(images / "scene.png")
    Image.fromarray(scene[::-1]).save(images / "other.png")
    (session.parent / "other.clickseg.json").write_bytes(session.read_bytes())
    call = [str(images), "--session", str(session.parent), "-o", str(tmp_path / "out")]
    assert main(call) == 2  # of one the session was made on another image
    assert "other: The session was made on scene.png" in capsys.readouterr().err
    assert set(np.unique(imread(tmp_path / "out" / "scene.tif"))) == {0, 2, 300}
    assert main(call) == 2
    assert "is not replaced" in capsys.readouterr().err
    (tmp_path / "out" / "scene.tif").write_bytes(b"older")
    assert main([*call, "--force"]) == 2
    assert set(np.unique(imread(tmp_path / "out" / "scene.tif"))) == {0, 2, 300}


def test_a_session_of_a_stack_is_refused(image, session, capsys):
    text = session.read_text().replace('"plane": null', '"plane": [0, null, null]')
    session.write_text(text)
    out = image.with_name("mask.tif")
    assert main([str(image), "--session", str(session), "-o", str(out)]) == 2
    assert "objects on planes of a stack" in capsys.readouterr().err
    assert not out.exists()
