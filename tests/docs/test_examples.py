"""Every example of README and docs is run as it stands, on small files.

Python blocks of a file run in order in one namespace; console blocks call the commands themselves.
What needs a network, published data or hours carries ``<!-- not run: REASON -->`` on the line
before; its commands are parsed all the same.
"""

import importlib
import re
import shutil
import signal
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from docs.blocks import blocks
from docs.material import namespace, write_material

from napari_clickseg.commands.eval_options import eval_parser
from napari_clickseg.models.zoo import list_models

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNNABLE = [p for p in FILES if {block.language for block in blocks(p)} & {"python", "sh"}]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
SHORT = {
    "clickseg-train": [
        *("--set", "epochs=1", "--set", "epoch_length=4", "--set", "validation_length=2"),
        *("--set", "batch=2", "--set", "crop=[64,64]", "--workers", "0", "--threads", "1"),
        *("--set", "examples.min_area=20", "--no-progress"),
    ],
    "clickseg-eval": ["--limit", "1", "--clicks", "2", "--min-clicks", "1"],
}
"""Options that make commands end soon."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The material, made once."""
    folder = tmp_path_factory.mktemp("made")
    write_material(folder)
    return folder


@pytest.fixture
def workplace(made, tmp_path, monkeypatch):
    """A folder with the material, in which the examples of one file run."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLICKSEG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("CLICKSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CLICKSEG_DATA", raising=False)
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in handlers.items():
        signal.signal(number, handler)


def module_of(command):
    return importlib.import_module(SCRIPTS[command[0]].removesuffix(":main"))


def parse(command):
    """Check the options of a command that is not run."""
    module = module_of(command)
    if command[0] == "clickseg-eval":
        parser = eval_parser(command[0])
    else:
        parser = (getattr(module, "_parser", None) or module.parser)()
    parser.parse_args(command[1:])


def run(command, where):
    if command[0] == "clickseg-plot" and find_spec("matplotlib") is None:
        return parse(command)
    code = module_of(command).main([*command[1:], *SHORT.get(command[0], ())])
    assert code == 0, f"{where}: {' '.join(command)} ended with {code}"


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", RUNNABLE, ids=name_of)
def test_examples_run(path, workplace):
    found = blocks(path)
    if "clickseg-compact" not in {card.name for card in list_models()}:
        pytest.skip("needs the weights that come with the plugin")
    names = namespace(workplace)
    for block in found:
        where = f"{path.name}, line {block.line}"
        text = block.text.replace("/data/", f"{workplace.as_posix()}/data/")
        if block.language == "python" and not block.reason:
            exec(compile("\n" * (block.line - 1) + text, str(path), "exec"), names)
        elif block.language == "sh":
            for command in block.commands:
                if block.reason:
                    if command[0] in SCRIPTS:
                        parse(command)
                else:
                    assert command[0] in SCRIPTS, f"{where}: '{command[0]}' cannot be run"
                    run([w.replace("/data/", f"{workplace}/data/") for w in command], where)


def test_what_is_not_run_says_why(capsys):
    """The list is shown with ``pytest -s``."""
    left_out = [(path, block) for path in FILES for block in blocks(path) if block.reason]
    with capsys.disabled():
        for path, block in left_out:
            print(f"\nnot run: {name_of(path)}, line {block.line}: {block.reason}", end="")
    assert all(len(block.reason.split()) >= 2 for _, block in left_out)
    assert len(left_out) < sum(not block.reason for path in FILES for block in blocks(path))


def test_blocks_name_their_language():
    for path in FILES:
        for block in blocks(path):
            known = {"python", "sh", "toml", "text", "mermaid"}
            assert block.language in known, f"{name_of(path)}, line {block.line}"
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^ {4}(clickseg-|>>> )", text, re.M), f"{path.name}: not in a fence"


def test_links_lead_somewhere():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if not target.startswith(("http:", "https:")):
                assert (path.parent / target).exists(), f"{name_of(path)}: {target}"


def test_keys_are_those_of_the_code():
    from napari_clickseg.widgets.dock.keys import shortcuts

    text = (ROOT / "docs" / "reference" / "keys.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `?([^|`]+?)`? \| (.+?) \|$", text, re.M))
    for key, what in shortcuts():
        assert rows.get(key) == what, f"docs/reference/keys.md: {key}: {what}"
