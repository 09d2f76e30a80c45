"""The house: who may import whom, and what may not be imported at all."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import napari_clickseg

PACKAGE = Path(napari_clickseg.__file__).parent
SCREEN = ("napari", "qtpy", "PyQt5", "PyQt6", "PySide2", "PySide6", "magicgui", "vispy", "superqt")
ROOMS = ("widgets", "commands", "training", "evaluation", "engine", "data", "models")
MAY_IMPORT = {
    room: {*ROOMS[i + 1 :], room, "interactions", "geometry", "cancel"}
    for i, room in enumerate(ROOMS)
}
MAY_IMPORT["data"] = {"data", "interactions", "geometry", "cancel"}
MAY_IMPORT["interactions"] = {"geometry"}
MAY_IMPORT["geometry"] = set()
MAY_IMPORT["cancel"] = set()
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> set[str]:
    """Absolute names of all modules that a file imports, also inside functions."""
    package = _name(path).split(".") if path.name == "__init__.py" else _name(path).split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base += node.module.split(".") if node.module else []
            found |= {".".join([*base, alias.name]) for alias in node.names}
    return found


def _run(code: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_point_one_way(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "napari_clickseg":
            assert len(parts) > 1 and parts[1] in MAY_IMPORT[room], f"{_name(path)}: {name}"
        assert room == "widgets" or parts[0] not in SCREEN, f"{_name(path)} imports {name}"


def test_every_room_but_widgets_works_without_napari_and_qt():
    names = [_name(path) for path in MODULES if "widgets" not in path.parts]
    assert len(names) > 20
    _run(
        f"import sys, importlib\n"
        f"for name in {SCREEN!r}: sys.modules[name] = None\n"
        f"import napari_clickseg\n"
        f"for name in napari_clickseg.__all__: getattr(napari_clickseg, name)\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
    )


def test_importing_the_package_does_not_import_torch_or_napari():
    code = (
        "import sys, napari_clickseg as cs\n"
        "cs.Profile, cs.ZoomIn, cs.Click, cs.Stroke, cs.Contour, cs.Box, cs.ImageReader\n"
        "cs.list_models, cs.__version__\n"
        "from napari_clickseg.engine import session, tiles, contrast\n"
        "print(sorted({'torch', 'napari', 'scipy'} & set(sys.modules)))\n"
    )
    assert _run(code) == "[]"


def test_public_names_are_listed_and_unknown_ones_refused():
    assert set(napari_clickseg.__all__) <= set(dir(napari_clickseg))
    assert napari_clickseg.Box is __import__("napari_clickseg.geometry", fromlist=["Box"]).Box
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = napari_clickseg.no_such_name
