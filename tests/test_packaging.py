"""What is built from the repository: wheel, source distribution and editable install."""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "src" / "napari_clickseg"
WEIGHTS = "napari_clickseg/models/weights/"
QT_BINDINGS = {"pyqt5", "pyqt6", "pyside2", "pyside6"}
MEGABYTE = 10**6

# Asks npe2 what it finds, and where that comes from.
QUESTION = """
import importlib.util, json
from npe2 import PluginManifest

found = [
    {
        "metadata": str(result.distribution.locate_file("")),
        "error": str(result.error or ""),
        "name": result.manifest and result.manifest.name,
        "widgets": [w.display_name for w in result.manifest.contributions.widgets or ()]
        if result.manifest else [],
    }
    for result in PluginManifest.discover()
    if result.distribution.metadata["Name"] == "napari-clickseg"
]
package = importlib.util.find_spec("napari_clickseg").submodule_search_locations[0]
print(json.dumps({"found": found, "package": package}))
"""


def run(*command: object, cwd: Path) -> str:
    """Run a command and return its standard output; its errors become the test's."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(kind: str, folder: Path) -> Path:
    """Build ``kind`` ("wheel" or "sdist") with the tools already installed."""
    run(
        *(sys.executable, "-m", "build", f"--{kind}", "--no-isolation"),
        *("--outdir", folder, REPOSITORY),
        cwd=folder,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    return build("sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(project: dict) -> list[Requirement]:
    """Everything pyproject.toml names: to build, to run, extras and test groups."""
    lines = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        lines += extra
    for group in project["dependency-groups"].values():
        lines += [line for line in group if isinstance(line, str)]
    return [Requirement(line) for line in lines]


@pytest.fixture
def environment(tmp_path):
    """A virtual environment that sees the packages of this one behind its own."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    # named to be read after the .pth file of an editable install
    (packages / "zz_outer.pth").write_text(
        "\n".join(dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]))
    )
    return Path(sysconfig.get_path("scripts", "venv", vars=scheme)) / "python", packages


@pytest.mark.parametrize("kind", ["wheel", "sdist", "editable"])
def test_npe2_finds_the_manifest_of_every_kind_of_install(kind, environment, request, tmp_path):
    python, packages = environment
    target = ["-e", REPOSITORY] if kind == "editable" else [request.getfixturevalue(kind)]
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet"),
        *("--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed", *target),
        cwd=tmp_path,
    )
    answer = json.loads(run(python, "-c", QUESTION, cwd=tmp_path).splitlines()[-1])

    own = [f for f in answer["found"] if Path(f["metadata"]).resolve() == packages.resolve()]
    assert len(own) == 1, answer
    assert own[0]["error"] == ""
    assert own[0]["name"] == "napari-clickseg"
    assert own[0]["widgets"]
    expected = SOURCE if kind == "editable" else packages / "napari_clickseg"
    assert Path(answer["package"]).resolve() == expected.resolve()


def test_npe2_validates_the_manifest_and_can_import_what_it_names():
    command = Path(sysconfig.get_path("scripts")) / "npe2"
    said = run(command, "validate", "--imports", SOURCE / "napari.yaml", cwd=REPOSITORY)
    assert "valid" in said.lower()


def test_the_manifest_at_the_top_is_the_package_s_own():
    shown = REPOSITORY / "napari.yaml"
    assert shown.read_bytes() == (SOURCE / "napari.yaml").read_bytes()


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != ".DS_Store"
    }
    assert {n for n in names if ".dist-info/" not in n} == wanted
    assert {"napari_clickseg/napari.yaml", "napari_clickseg/py.typed"} <= names
    assert WEIGHTS + "LICENSE-EfficientNet-Lite.txt" in names
    models = {n.removesuffix(".safetensors") for n in names if n.endswith(".safetensors")}
    assert WEIGHTS + "clickseg-compact" in models
    assert {model + ".md" for model in models} <= names


def test_the_wheel_s_metadata_is_what_napari_s_hub_and_installers_read(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
        licences = [n for n in archive.namelist() if ".dist-info/licenses/" in n]
    assert metadata["Name"] == "napari-clickseg"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert "Framework :: napari" in metadata.get_all("Classifier")
    assert {Path(n).name for n in licences} == {"LICENSE", "LICENSE-EfficientNet-Lite.txt"}
    assert {"all", "codecs", "tensorboard"} <= set(metadata.get_all("Provides-Extra"))


def test_no_file_of_the_repository_is_larger_than_10_mb(sdist, wheel):
    with tarfile.open(sdist) as archive:
        sizes = {member.name: member.size for member in archive.getmembers()}
    assert any(name.endswith("/.ci/run") for name in sizes)
    assert {n: s for n, s in sizes.items() if s > 10 * MEGABYTE} == {}
    with zipfile.ZipFile(wheel) as archive:
        weights = sum(i.file_size for i in archive.infolist() if i.filename.startswith(WEIGHTS))
    assert weights <= 10 * MEGABYTE


def test_base_dependencies_name_no_qt_binding_and_no_upper_limit_of_napari(project):
    base = {
        canonicalize_name(r.name): r for r in map(Requirement, project["project"]["dependencies"])
    }
    assert not QT_BINDINGS & set(base)
    assert {s.operator for s in base["napari"].specifier} == {">="}
    assert not base["napari"].extras


def imported_by_the_source() -> set[str]:
    """Top-level names of everything that the source imports, wherever in a module."""
    names = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"napari_clickseg"}


def test_base_dependencies_are_what_the_source_imports(project):
    distributions = packages_distributions()
    imported = {canonicalize_name(distributions.get(n, [n])[0]) for n in imported_by_the_source()}
    extras = project["project"]["optional-dependencies"].values()
    optional = {canonicalize_name(Requirement(r).name) for extra in extras for r in extra}
    named = {canonicalize_name(Requirement(r).name) for r in project["project"]["dependencies"]}
    assert named <= imported <= named | optional


def test_constraints_pin_everything_that_pyproject_names(project):
    pins = {}
    for line in (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            pins[canonicalize_name(name)] = version
    named = requirements(project)
    assert [r.name for r in named if canonicalize_name(r.name) not in pins] == []
    outside = [str(r) for r in named if pins[canonicalize_name(r.name)] not in r.specifier]
    assert outside == []


def test_files_that_the_readme_points_to_exist():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    links = {link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link}
    assert links
    assert sorted(link for link in links if not (REPOSITORY / link).exists()) == []
