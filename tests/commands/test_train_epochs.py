"""clickseg-train with recipes by epochs, from the command line."""

import signal

import pytest
from training.discs import write_discs, write_recipe

from napari_clickseg.commands import train as command
from napari_clickseg.commands.train import main, parser
from napari_clickseg.training.recipe import list_recipes, load_recipe
from napari_clickseg.training.run_folder import RunFolder, find_run, next_run

QUIET = ["--workers", "0", "--threads", "1", "--no-progress", "--device", "cpu"]


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield write_recipe(tmp_path / "tiny.toml", write_discs(tmp_path / "discs"), epochs=1)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_the_list_shows_every_recipe_with_a_line(capsys):
    assert main(["--list"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == len(list_recipes()) >= 40
    for name in ("compact", "finetune", "ritm_hrnet18_cocolvis_itermask", "cfr_icl_vit_h_cocolvis"):
        assert any(line.startswith(name) and len(line) > 50 for line in out.splitlines())


def test_published_options_are_changes_of_the_recipe():
    args = parser().parse_args(
        ["r", "--batch-size", "8", "--epochs", "3", "--accumulate-grad", "2", "--amp"]
        + ["--layerwise-decay", "--upsample", "x2", "--set", "seed=9"]
    )
    changed = load_recipe("simpleclick_vit_b_sbd", command.changes(args))
    assert (changed.batch, changed.epochs, changed.accumulate, changed.seed) == (8, 3, 2, 9)
    assert changed.bfloat16
    assert (changed.optimizer.layer_decay, changed.optimizer.weight_decay) == (0.75, 0.02)
    assert changed.model.config["upsample"] == "x2"


def test_runs_get_numbers_and_go_on_by_their_beginning(recipe, tmp_path, capsys):
    assert main([str(recipe), *QUIET, "--exp-name", "first"]) == 0
    run = tmp_path / "experiments" / "tiny" / "000_first"
    assert RunFolder(run).last.is_file()
    assert next_run(run.parent, "second").name == "001_second"
    assert main([str(recipe), *QUIET, "--resume-exp", "000"]) == 0
    assert find_run(run.parent.relative_to(tmp_path), "000").name == run.name
    capsys.readouterr()
    assert main([str(recipe), *QUIET, "--resume-exp", "9"]) == 2
    assert "there are: none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--data", "other=/nowhere"], "no data set '/nowhere'"),
        (["--set", "optimizer.speed=1"], "'optimizer.speed' is an entry that no recipe takes"),
        (["--set", 'batch="many"'], "'batch' has to be a whole number"),
        (["--set", "crop=[32]"], "'crop' has to be a list of 2"),
        (["--set", "losses.hinge.weight=1"], "no loss 'hinge'"),
        (["--set", 'augment=[{kind="swirl"}]'], "no augmentation 'swirl'"),
        (["--set", "accumulate=3"], "does not divide"),
        (["--set", "examples.min_area=99999"], "No usable object was found"),
        (["--set", 'data.discs.reader="photos"'], "no reader 'photos'"),
        (["--device", "cuda:77"], "cannot be used"),
        (["--weights", "nothing.pth"], "nothing.pth"),
        (["--workers", "-1"], "no whole number of 0 or more"),
        (["--threads", "0"], "no whole number of 1 or more"),
        (["--save-every", "often"], "no number of seconds"),
        (["--resume"], "Say which run goes on"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(recipe, capsys, monkeypatch, more, words):
    monkeypatch.setattr("napari_clickseg.training.examples.MOST_DRAWS", 10)
    assert main([str(recipe), *QUIET, *more]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1


def test_a_recipe_without_data_says_how_to_give_it(recipe, capsys, monkeypatch):
    monkeypatch.delenv("CLICKSEG_DATA", raising=False)
    name = "ritm_hrnet18s_cocolvis_itermask"
    assert main([name, *QUIET, "--set", 'model.start="nothing"']) == 2
    said = capsys.readouterr().err
    assert "--data coco_lvis=FOLDER" in said
    assert main(["ritm_resnet34_vocsbd_baseline", "--data", "here", *QUIET]) == 2
    assert "sbd, pascal_voc" in capsys.readouterr().err


def test_a_recipe_builds_on_another(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'base = "ritm_hrnet18_sbd_itermask"\nname = "mine"\nlosses = { dice = {} }\n'
        "[optimizer]\nlr = 1e-4\n"
    )
    mine = load_recipe(tmp_path / "mine.toml")
    theirs = load_recipe("ritm_hrnet18_sbd_itermask")
    assert (mine.name, mine.optimizer.lr, set(mine.losses)) == ("mine", 1e-4, {"dice"})
    assert mine.optimizer.encoder_factor == theirs.optimizer.encoder_factor == 0.1
    assert mine.augment == theirs.augment
    (tmp_path / "both.toml").write_text('base = ["ritm_hrnet18_sbd_itermask", "mine"]\nname = "b"')
    both = load_recipe(tmp_path / "both.toml")
    assert (both.name, both.optimizer.lr, both.epochs) == ("b", 1e-4, theirs.epochs)
    (tmp_path / "loop.toml").write_text('base = "loop"\n')
    with pytest.raises(ValueError, match="its own base"):
        load_recipe(tmp_path / "loop.toml")
