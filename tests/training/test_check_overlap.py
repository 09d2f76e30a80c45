"""No training image may be in a test set, whatever it is called."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    path = ROOT / "training" / "check_overlap.py"
    if not path.is_file():
        pytest.skip("the package alone is tested, without the repository")
    return runpy.run_path(str(path))


def photographs():
    names = ("astronaut", "coffee", "chelsea", "rocket")
    return {name: Image.fromarray(getattr(data, name)()) for name in names}


def put(folder, images, **options):
    (folder / "images").mkdir(parents=True)
    for name, image in images.items():
        image.save(folder / "images" / name, **options)
    return folder


def checked(script, capsys, train, test, *more):
    code = script["run"](
        "check", script["check"], ["--train", str(train), "--test", str(test), *more]
    )
    return code, capsys.readouterr()


@pytest.fixture
def train(tmp_path):
    pictures = photographs()
    return put(
        tmp_path / "train", {f"{name}.jpg": pictures[name] for name in ("astronaut", "coffee")}
    )


def test_different_photographs_are_no_pair(script, train, tmp_path, capsys):
    pictures = photographs()
    test = put(tmp_path / "test", {f"{name}.jpg": pictures[name] for name in ("chelsea", "rocket")})
    code, told = checked(script, capsys, train, test)
    assert code == 0
    assert "2 training images, 2 test images" in told.out
    assert "0 pairs to leave out" in told.out


@pytest.mark.parametrize(
    "changed",
    [
        lambda image: image.resize((240, 200)),
        lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        lambda image: image.point(lambda value: round(value * 0.7 + 20)).convert("L"),
    ],
    ids=["smaller", "mirrored", "darker and grey"],
)
def test_a_copy_under_another_name_is_found_and_drawn(script, train, tmp_path, capsys, changed):
    copy = changed(photographs()["astronaut"])
    test = put(tmp_path / "test", {"other.jpg": copy}, quality=60)
    code, told = checked(script, capsys, train, test, "--pictures", str(tmp_path / "pairs"))
    assert code == 1
    assert "1 pairs to leave out" in told.out
    assert "test/other.jpg  train/astronaut.jpg" in told.out
    assert [path.name for path in (tmp_path / "pairs").iterdir()] == ["000_other_astronaut.jpg"]


def test_copies_on_a_bare_ground_are_found_and_others_are_not(script, tmp_path, capsys):
    rng = np.random.default_rng(0)

    def spots(row, col):
        ground = rng.normal(200, 2, (128, 128))
        ground[row : row + 40, col : col + 40] = 60
        return Image.fromarray(ground.astype(np.uint8))

    train = put(tmp_path / "train", {"a.png": spots(10, 20)})
    test = put(tmp_path / "test", {"b.png": spots(10, 20), "c.png": spots(70, 60)})
    code, told = checked(script, capsys, train, test)
    assert code == 1
    assert "test/b.png" in told.out.partition("the most alike")[0]
    assert "test/c.png" not in told.out.partition("the most alike")[0]


def test_ids_of_published_images_count_whatever_is_seen(script, tmp_path, capsys):
    pictures = photographs()
    names = {"000000103723.jpg": "astronaut", "37073.jpg": "coffee", "part_10268.jpg": "chelsea"}
    train = put(tmp_path / "train", {name: pictures[of] for name, of in names.items()})
    others = ("elephant07_000000103723.jpg", "37073.jpg", "glomeruli_10268.jpg")
    test = put(tmp_path / "test", dict.fromkeys(others, pictures["rocket"]))
    code, told = checked(script, capsys, train, test)
    assert code == 1
    assert "2 pairs to leave out" in told.out
    assert "both have the id 103723" in told.out and "both have the id 37073" in told.out


def test_folders_without_images_are_told(script, train, tmp_path, capsys):
    code, told = checked(script, capsys, train, tmp_path / "nothing")
    assert code == 2
    assert "no images/" in told.err and told.err.count("\n") == 1


def test_damaged_images_are_told(script, train, tmp_path, capsys):
    test = put(tmp_path / "test", {})
    (test / "images" / "broken.jpg").write_bytes(b"no image")
    code, told = checked(script, capsys, train, test)
    assert code == 2 and "broken.jpg cannot be read" in told.err
