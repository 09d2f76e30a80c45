"""`clickseg-models` from the command line to its files."""

import dataclasses
import hashlib
import io
import sys

import pytest
from file_server import FileServer, checkpoint_bytes

from napari_clickseg.commands import models
from napari_clickseg.commands.models import main
from napari_clickseg.models import store, zoo

CONTENT = checkpoint_bytes()
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = "sbd_h18_itermask"


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    folder = tmp_path / "models"
    monkeypatch.setenv(store.VARIABLE, str(folder))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return folder


@pytest.fixture
def server(monkeypatch):
    """Serves the small file of one checkpoint of the zoo; the others keep their addresses."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = FileServer(CONTENT)
    cards = []
    for card in zoo._catalogue():
        if card.name == NAME:
            address = server.address(f"whole/{card.file}")
            size = len(CONTENT)
            card = dataclasses.replace(card, address=address, published_size=size, size=size)
        cards.append(card)
    monkeypatch.setattr(zoo, "_catalogue", lambda: tuple(cards))
    yield server
    server.stop()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def answer(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", Terminal(text))


def sentence(capsys):
    """The one line of an error."""
    err = capsys.readouterr().err
    assert err.startswith("clickseg-models: ")
    assert err.count("\n") == 1
    return err


def test_list_shows_what_is_here_and_how_much_more_there_is(capsys, folder):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "clickseg-compact" in out
    assert "in the package" in out
    assert "25 more" in out
    assert NAME not in out
    assert main(["list", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 1 + 25
    row = next(line for line in lines if line.startswith("cocolvis_icl_vit_huge"))
    assert "non-commercial" in row
    assert row.endswith("by hand")
    assert next(line for line in lines if line.startswith(NAME)).endswith("to download")
    folder.mkdir()
    (folder / f"{NAME}.pth").write_bytes(CONTENT)
    assert main(["list"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(NAME))
    assert row.endswith("on this machine")


def test_show_tells_licence_terms_address_place_and_clicks(capsys, folder):
    assert main(["show", "resnet34_dh128_sbd"]) == 0
    out = capsys.readouterr().out
    for words in (
        "MPL-2.0",
        "Mozilla Public License",
        "89 MB",
        "releases/download/v1.0/resnet34_dh128_sbd.pth",
        str(folder / "resnet34_dh128_sbd.pth"),
        "ResNet-34",
    ):
        assert words in out
    table = [line.split() for line in out.splitlines() if line.startswith("  ")]
    assert table[0] == ["GrabCut", "Berkeley", "DAVIS", "SBD", "COCO_MVal"]
    assert [row[0] for row in table[1:]] == ["RGB-BRS", "f-BRS-B"]
    assert table[2][1:4] == ["2.06", "/", "2.48"]


def test_show_tells_the_steps_where_there_is_no_address(capsys):
    assert main(["show", "cocolvis_icl_vit_huge"]) == 0
    out = capsys.readouterr().out
    assert "non-commercial use only" in out
    steps = [line.strip()[:2] for line in out.splitlines() if line.startswith("  ")]
    assert steps == ["1.", "2.", "3."]
    assert "clickseg-models add cocolvis_icl_vit_huge.pth" in out


def test_show_the_model_of_the_package(capsys):
    assert main(["show", "clickseg-compact"]) == 0
    out = capsys.readouterr().out
    assert store.file_hash(zoo.find_model("clickseg-compact")) in out
    assert str(zoo.find_model("clickseg-compact").with_suffix(".md")) in out


def test_licence_and_size_are_shown_before_anything_is_asked_of_the_server(
    server, monkeypatch, capsys, folder
):
    shown = []

    def ask(question):
        shown.append(capsys.readouterr().out)
        assert server.asked == []
        return "no"

    answer(monkeypatch, "")
    monkeypatch.setattr("builtins.input", ask)
    assert main(["download", NAME]) == 1
    assert "MIT License" in shown[0]
    assert "0.2002 MB" in shown[0]
    assert server.asked == []
    assert not folder.exists()


def test_download_after_a_yes_and_what_is_said_of_the_file_then(
    server, monkeypatch, capsys, folder
):
    answer(monkeypatch, "y\n")
    assert main(["download", NAME]) == 0
    assert (folder / f"{NAME}.pth").read_bytes() == CONTENT
    out = capsys.readouterr().out
    assert str(folder / f"{NAME}.pth") in out
    assert DIGEST in out
    assert main(["show", NAME]) == 0
    assert f"{DIGEST} (pinned" in capsys.readouterr().out
    assert main(["download", NAME]) == 0
    assert "Already here" in capsys.readouterr().out
    assert len(server.asked) == 1


def test_where_nobody_can_be_asked_yes_must_be_given(server, capsys, folder):
    assert main(["download", NAME]) == 2
    assert "--yes" in sentence(capsys)
    assert server.asked == []
    assert main(["download", NAME, "--yes"]) == 0
    assert "MIT License" in capsys.readouterr().out
    assert (folder / f"{NAME}.pth").is_file()


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(server, monkeypatch, capsys):
    monkeypatch.setattr(models, "SECONDS_BETWEEN_LINES", 0.0)
    assert main(["download", NAME, "--yes"]) == 0
    err = capsys.readouterr().err
    assert f"{NAME}: 0.2 of 0.2 MB\n" in err
    assert "\r" not in err
    assert main(["remove", NAME]) == 0
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["download", NAME, "--yes"]) == 0
    assert terminal.getvalue().startswith(f"\r{NAME} [")
    assert terminal.getvalue().endswith(f"[{'#' * models.BAR}] 0.2 of 0.2 MB \n")


def test_a_failed_download_is_one_sentence(server, capsys, folder):
    server.content = CONTENT[:1000]
    assert main(["download", NAME, "--yes"]) == 2
    err = sentence(capsys)
    assert server.address("whole") in err
    assert str(folder / f"{NAME}.pth") in err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "arguments are required: COMMAND"),
        (["fetch"], "invalid choice"),
        (["show", "nothing"], "There is no model 'nothing'"),
        (["download", "nothing", "--yes"], "There is no model 'nothing'"),
        (["download", "clickseg-compact", "--yes"], "no published checkpoint"),
        (["download", "cocolvis_vit_base", "--yes"], "show cocolvis_vit_base"),
        (["remove", "clickseg-compact"], "no published checkpoint"),
        (["remove", NAME], "not on this machine"),
        (["add", "nothing.pth"], "No published checkpoint has the file name nothing.pth"),
        (["add", "a.pth", "--name", "nothing"], "no published checkpoint 'nothing'"),
        (["add", f"nowhere/{NAME}.pth"], "There is no model file"),
        (["show", NAME, "--al"], "clickseg-models --help"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(argv, words, capsys):
    assert main(argv) == 2
    assert words in sentence(capsys)


def test_path_prints_the_folder(capsys, folder):
    assert main(["path"]) == 0
    assert capsys.readouterr().out == f"{folder}\n"


def test_add_show_and_remove_a_file_got_by_hand(server, capsys, folder, tmp_path):
    source = tmp_path / "download (3).pth"
    source.write_bytes(CONTENT)
    assert main(["add", str(source), "--name", NAME]) == 0
    out = capsys.readouterr().out
    assert "MIT License" in out
    assert DIGEST in out
    assert (folder / f"{NAME}.pth").read_bytes() == CONTENT
    assert main(["remove", NAME]) == 0
    assert not (folder / f"{NAME}.pth").exists()
    assert main(["show", NAME]) == 0
    assert f"{DIGEST} (required" in capsys.readouterr().out
    other = tmp_path / f"{NAME}.pth"
    other.write_bytes(checkpoint_bytes(seed=1))
    assert main(["add", str(other)]) == 2
    assert DIGEST in sentence(capsys)
    assert main(["remove", NAME, "--forget-hash"]) == 0
    assert main(["add", str(other)]) == 0
    assert server.asked == []


def test_show_tells_of_a_file_that_is_not_pinned_or_has_changed(server, capsys, folder):
    folder.mkdir()
    path = folder / f"{NAME}.pth"
    path.write_bytes(CONTENT)
    assert main(["show", NAME]) == 0
    assert f"{DIGEST} (not pinned" in capsys.readouterr().out
    store.pin(path.name, "0" * 64)
    assert main(["show", NAME]) == 0
    assert f"{DIGEST}, but {'0' * 64} is expected" in capsys.readouterr().out
