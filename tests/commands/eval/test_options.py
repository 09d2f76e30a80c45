"""What the options of `clickseg-eval` ask for, under their own and their published names."""

import json

import pytest

from napari_clickseg.commands.eval import main
from napari_clickseg.commands.eval_request import from_anywhere
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.evaluation.clicker import CentreClicker


def test_options_reach_the_protocol(pack, weights, colours, tmp_path):
    out = tmp_path / "out"
    options = ["--clicks", "2", "--min-clicks", "1", "--target-iou", "0.8"]
    options += ["--limit", "1", "--objects", "largest"]
    assert main([str(weights), "--data", str(pack), *options, "-o", str(out)]) == 0
    (entry,) = json.loads((out / "results.json").read_text())["sets"]
    terms = entry["terms"]
    assert (terms["n_clicks"], terms["target_iou"], terms["min_clicks"]) == (2, 0.8, 1)
    assert [each["ious"] for each in entry["objects"]] == [pytest.approx([0.5, 0.8])]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], {}),
        (["--no-zoom-in", "--flip"], {"zoom_in": None, "flip": True}),
        (["--zoom-in", "--threshold", "0.4"], {"zoom_in": True, "threshold": 0.4}),
        (
            ["--set", "zoom_in.target_size=600", "zoom_in.skip_clicks=-1", "--set", "brs=f-BRS-B"],
            {"zoom_in": {"target_size": 600, "skip_clicks": -1}, "brs": "f-BRS-B"},
        ),
        (["--set", "flip=off", "threshold=0.3"], {"flip": False, "threshold": 0.3}),
        (["--brs", "RGB-BRS"], {"brs": "RGB-BRS"}),
        (["--fixed-size", "96", "128"], {"fixed_size": (96, 128)}),
        (
            ["--cascade-steps", "4", "--cascade-clicks", "2", "--cascade-adaptive"],
            {"cascade_steps": 4, "cascade_clicks": 2, "cascade_adaptive": True},
        ),
        (["--clicks-limit", "7"], {"max_clicks": 7}),
    ],
)
def test_options_become_overrides(pack, weights, colours, options, wanted):
    assert main([str(weights), "--data", str(pack), "--limit", "1", *options]) == 0
    assert colours[0].profile == get_profile("clickseg").override(**wanted)


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        (["NoBRS", "--thresh", "0.4", "--cpu"], ["--brs", "NoBRS", "--threshold", "0.4"]),
        (["--n-clicks", "3", "--clicks-limit", "-1"], ["--clicks", "3", "--clicks-limit", "3"]),
        (
            ["--cf-n", "4", "--cf-click", "1", "--acf"],
            ["--set", "cascade_steps=4", "cascade_adaptive=on"],
        ),
        (["--n-interactions", "3", "--no-zoomin"], ["--clicks", "3", "--no-zoom-in"]),
        (["--fixed-h", "96", "--fixed-w", "64"], ["--fixed-size", "96", "64"]),
        (["--eval-ritm"], ["--eval-mode", "ritm"]),
        (["--print-ious", "--save-ious", "--separate-dirs"], ["--iou-analysis"]),
        (["--print", "--noi", "--with-spo"], ["--clicks", "20"]),
    ],
)
def test_published_names_mean_the_same(pack, weights, colours, published, ours, tmp_path):
    plain = []
    for options in (published, ours):
        out = tmp_path / str(len(plain))
        data = ["--datasets" if options is published else "--data", str(pack), "--limit", "1"]
        model = ["--checkpoint", str(weights)] if options is published else [str(weights)]
        words = options + model if options[0] == "NoBRS" else model + options
        assert main([*words, *data, "-o", str(out)]) == 0
        plain.append(json.loads((out / "results.json").read_text()))
    assert plain[0]["profile"] == plain[1]["profile"]
    assert plain[0]["terms"] == plain[1]["terms"]


def test_never_stopping_early_measures_every_click(pack, weights, colours, tmp_path):
    out = tmp_path / "out"
    assert main([str(weights), "--data", str(pack), "--iou-analysis", "-o", str(out)]) == 0
    (entry,) = json.loads((out / "results.json").read_text())["sets"]
    assert [len(each["ious"]) for each in entry["objects"]] == [3, 2]  # until nothing is wrong
    assert [each["threshold"] for each in entry["summary"]["noc"]] == [0.8, 0.85, 0.9, 0.95]


def test_noc_at_any_iou(pack, weights, colours, tmp_path, capsys):
    assert main([str(weights), "--data", str(pack), "--noc", "0.45", "0.97"]) == 0
    out = capsys.readouterr().out
    assert "NoC@45" in out
    assert "NoC@97" in out
    assert main([str(weights), "--data", str(pack), "--noc", "0.97", "--target-iou", "0.9"]) == 2
    assert "--target-iou" in capsys.readouterr().err.splitlines()[-1]


def test_all_checkpoints_of_an_experiment(pack, weights, colours, tmp_path, capsys, sentence):
    folder = tmp_path / "exp" / "checkpoints"
    folder.mkdir(parents=True)
    for name in ("last_1", "last_2", "best"):
        (folder / f"{name}.safetensors").write_bytes(weights.read_bytes())
    data = ["--data", str(pack), "--limit", "1"]
    assert main([f"{tmp_path / 'exp'}:last", *data]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "Stripes" in line]
    assert rows == ["last_2", "last_1"]
    assert main(["--exp-path", str(tmp_path / "exp"), "--exp-checkpoint-id", "best", *data]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "Stripes" in line]
    assert rows == ["Stripes"]
    assert main([f"{tmp_path / 'exp'}:other", *data]) == 2
    assert "other*" in sentence()


def test_the_rule_of_specks_comes_with_its_profile(pack, weights, colours, tmp_path, monkeypatch):
    monkeypatch.setattr(CentreClicker, "gives_up", lambda self, *_: self.stops_at_specks)
    for profile, wanted in (("avalanche", 1), ("ritm", 3)):
        out = tmp_path / profile
        command = [str(weights), "--data", str(pack), "--limit", "1", "--profile", profile]
        assert main([*command, "-o", str(out)]) == 0
        (entry,) = json.loads((out / "results.json").read_text())["sets"]
        assert [len(each["ious"]) for each in entry["objects"]] == [wanted]


def test_a_profile_by_name(pack, weights, colours):
    assert main([str(weights), "--data", str(pack), "--profile", "ritm"]) == 0
    assert colours[0].profile.name == "ritm"


def test_data_sets_of_a_published_configuration(pack, weights, colours, tmp_path, capsys):
    (tmp_path / "DAVIS").mkdir()
    (pack / "images").rename(tmp_path / "DAVIS" / "img")
    (pack / "masks").rename(tmp_path / "DAVIS" / "gt")
    config = tmp_path / "config.yml"
    config.write_text('EXPS_PATH: "./x"\nDAVIS_PATH: "./DAVIS" # here\n')
    options = ["--datasets", "DAVIS", "--config-path", str(config), "--profile", "ritm"]
    assert main([str(weights), *options]) == 0
    assert "DAVIS" in capsys.readouterr().out
    assert colours[0].profile.zoom_in.target_size == 600
    assert main([str(weights), *options[2:]]) == 0
    assert "DAVIS" in capsys.readouterr().out
    assert main([str(weights), "--data", "DAVIS", "--config-path", str(tmp_path / "no.yml")]) == 2
    assert "no.yml" in capsys.readouterr().err.splitlines()[-1]
    config.write_text("EXPS_PATH: x\n")
    for nothing in ([], ["--config-path", str(config)]):
        assert main([str(weights), *nothing]) == 2
        assert "No data set is named. Give --data" in capsys.readouterr().err


@pytest.mark.parametrize("root", [".", "dev"])
def test_names_are_looked_up_in_the_data_folder(
    pack, weights, colours, root, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path / "dev" / "Stripes")
    monkeypatch.setenv("CLICKSEG_DATA", str(tmp_path / root))
    assert main([str(weights), "--data", "Stripes", "--limit", "1"]) == 0
    assert "Stripes" in capsys.readouterr().out


def test_paths_hold_for_processes_that_run_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "SBD").mkdir()
    monkeypatch.chdir(tmp_path)
    assert from_anywhere("SBD") == str(tmp_path / "SBD")
    assert from_anywhere("SBD:val@SBD") == f"SBD:val@{tmp_path / 'SBD'}"
    assert from_anywhere("GrabCut") == "GrabCut"
    assert from_anywhere("SBD:val@GrabCut") == "SBD:val@GrabCut"
