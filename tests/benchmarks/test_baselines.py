"""Methods without a network, clicked by the simulated user, and the table of them."""

import sys
from pathlib import Path

import numpy as np
import pytest
from miniature_sets import coins

FOLDER = Path(__file__).parents[2] / "benchmarks"
if not FOLDER.is_dir():
    pytest.skip("the package alone is tested, without the repository", allow_module_level=True)
sys.path.insert(0, str(FOLDER))

import baselines  # noqa: E402
import classical  # noqa: E402
import kinds  # noqa: E402

METHODS = {name: kind for name, kind in classical.CLASSICAL.items() if name != "GrabCut"}


def disk(row=30, col=40, radius=15, shape=(64, 80)):
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    return (rows - row) ** 2 + (cols - col) ** 2 <= radius**2


def photograph(mask):
    """A reddish object on a bluish ground, noisy."""
    noise = np.random.default_rng(1).normal(0, 4, (*mask.shape, 3))
    return np.clip(np.where(mask[..., None], (180, 90, 60), (50, 70, 120)) + noise, 0, 255).astype(
        np.uint8
    )


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def methods():
    found = [pytest.param(kind, id=name) for name, kind in METHODS.items()]
    flood = pytest.param(lambda: classical.Flood(40), id="flood")
    return [*found, flood, pytest.param(classical.GrabCut, id="GrabCut")]


@pytest.fixture(params=methods())
def method(request):
    if request.param is classical.GrabCut:
        pytest.importorskip("cv2")
    return request.param()


def test_one_click_gives_a_plain_object(method):
    mask = disk()
    method.set_image(photograph(mask))
    assert not method.mask.any()
    method.click(30, 40)
    assert method.mask.dtype == bool and method.mask.shape == mask.shape
    assert iou(method.mask, mask) > 0.9


def test_a_negative_click_takes_away_and_a_new_image_begins_anew(method):
    first, second = disk(30, 20, 12), disk(30, 60, 12)
    image = photograph(first | second)
    method.set_image(image)
    method.click(30, 20)
    method.click(30, 60)
    assert iou(method.mask, first | second) > 0.85
    method.click(30, 60, positive=False)
    assert not method.mask[30, 60] and method.mask[30, 20]
    method.set_image(image)
    assert not method.mask.any()
    method.click(30, 60, positive=False)
    assert not method.mask.any()


def test_objects_are_averaged_by_image_and_kind():
    values = [("dsb_1", 1.0), ("dsb_1", 3.0), ("dsb_2", 4.0), ("wbc_1", 9.0)]
    assert baselines.averaged("SciMix", values) == ((2.0 + 4.0) / 2 + 9.0) / 2
    assert baselines.averaged("GrabCut", values) == pytest.approx((2.0 + 4.0 + 9.0) / 3)


@pytest.fixture
def folder(tmp_path):
    from miniature_sets import save

    for number, (image, labels) in enumerate(coins()):
        save(image, tmp_path / "coins/images" / f"{number}.png")
        save(labels.astype(np.uint8), tmp_path / "coins/masks" / f"{number}.png")
    return tmp_path / "coins"


def run(capsys, module, *arguments):
    code = module.run("benchmark", module.benchmark, list(map(str, arguments)))
    return code, capsys.readouterr()


def test_the_table_has_a_line_for_each_and_goes_on(folder, tmp_path, capsys):
    arguments = ("--sets", folder, "--images", 2, "--no-models", "-o", tmp_path / "out")
    some = ("--methods", "watershed", "magic wand")
    code, told = run(capsys, baselines, *arguments, *some)
    assert code == 0, told.err
    lines = [line for line in told.out.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in lines[1:2]] == ["| watershed"]
    assert "the best of 10, 20, 30, 45" in lines[2] and "256 px" in lines[2]
    assert len({line.count("|") for line in told.out.splitlines() if line.startswith("|")}) == 1
    code, again = run(capsys, baselines, *arguments, *some)
    assert again.out == told.out  # seconds too: nothing was clicked anew


def test_what_does_not_exist_is_told_before_the_work(folder, capsys):
    code, told = run(
        capsys, baselines, "--sets", folder, "--methods", "watershed", "--checkpoint", "nothing.pth"
    )
    assert code == 2 and "nothing.pth" in told.err
    code, told = run(capsys, baselines, "--sets", folder, "--methods", "watershed", "--images", 0)
    assert code == 2 and "measure nothing" in told.err


def test_drawn_kinds_are_the_same_for_every_model_and_lie_on_the_object():
    target = disk().astype(np.int8)

    class Recorder:
        def __getattr__(self, name):
            return lambda what: setattr(self, f"_{name}", what)

    seen = []
    for _ in range(2):
        recorder, says = Recorder(), kinds.drawn_on(target, ("set", "image", 1))
        for say in says.values():
            say(recorder)
        seen.append(vars(recorder))
    assert seen[0] == seen[1]
    box = seen[0]["_box"]
    assert box.top <= 15 and box.bottom >= 46 and box.left <= 25 and box.right >= 56
    rows, cols = np.round(np.array(seen[0]["_stroke"])).astype(int).T
    assert target[rows, cols].mean() > 0.8
    assert (
        kinds.drawn_on(np.eye(3, dtype=np.int8) * 0 + (np.arange(9) == 4).reshape(3, 3), ()) is None
    )
