"""What the command line of ``clickseg-eval`` asks for: models, data, terms, users, profile."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.profiles import BRS
from .cli import UsageError
from .eval_options import DEFAULT_TARGET

if TYPE_CHECKING:
    from ..evaluation.terms import Terms

__all__ = [
    "data_of",
    "from_anywhere",
    "models_of",
    "names_of",
    "overrides_of",
    "terms_of",
    "thresholds_of",
    "users_of",
]

ALL_CLICKS = 1.01  # a target that no mask reaches
WEIGHTS = (".safetensors", ".pth", ".pt")
TEST_SETS = ("GrabCut", "Berkeley", "DAVIS", "COCO_MVal", "PascalVOC", "SBD")
CONFIGURED = re.compile(r"^[ \t]*(\w+)_PATH[ \t]*:[ \t]*['\"]?([^'\"#\n]+)", re.MULTILINE)


def models_of(args: argparse.Namespace) -> list[str]:
    """The models to evaluate, without kinds of refinement.

    Raises
    ------
    UsageError
        If there is none.
    """
    words = [word for word in (*args.models, *args.checkpoint) if word not in BRS]
    models = [model for word in words for model in _checkpoints(word, args.exp_checkpoint_id)]
    if not models:
        raise UsageError("The following arguments are required: MODEL. See --help.")
    return models


def _checkpoints(word: str, prefix: str = "") -> list[str]:
    """The weights in a folder of an experiment, ``FOLDER`` or ``FOLDER:PREFIX``, newest name first.

    Anything else is a model by itself.
    """
    folder = Path(word)
    if not folder.is_dir():
        head, _, prefix = word.rpartition(":")
        folder = Path(head)
        if not head or not folder.is_dir():
            return [word]
    found = sorted(
        (
            file
            for place in (folder, folder / "checkpoints")
            for file in (place.iterdir() if place.is_dir() else ())
            if file.suffix in WEIGHTS and file.name.startswith(prefix)
        ),
        reverse=True,
    )
    if not found:
        raise UsageError(
            f"There are no weights ({', '.join(WEIGHTS)}) named {prefix}* in {folder}. Name a file."
        )
    return [str(file) for file in found]


def names_of(models: Sequence[str], given: str | None) -> list[str]:
    """What to call the models in reports: their files' names, longer where those are equal."""
    if given and len(models) > 1:
        raise UsageError(f"--name names one model, and there are {len(models)}. Leave it out.")
    if given:
        return [given]
    names = [Path(model).stem for model in models]
    if len(set(names)) < len(names):
        names = [f"{Path(m).parent.name}_{name}" for m, name in zip(models, names, strict=True)]
    if len(set(names)) < len(names):
        raise UsageError("Two models have the same name. Evaluate them one by one, with --name.")
    return names


def data_of(args: argparse.Namespace) -> list[str]:
    """The data sets one by one, those named in a published configuration with their paths.

    Where none is named, the configuration's test sets.

    Raises
    ------
    UsageError
        If the configuration cannot be read, or nothing is named anywhere.
    """
    paths: dict[str, str] = {}
    if args.config_path is not None:
        try:
            text = args.config_path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{args.config_path} cannot be read: {error}.") from error
        for name, path in CONFIGURED.findall(text):
            paths[name] = str(args.config_path.parent / path.strip())
    words = args.data or [name for name in TEST_SETS if name.upper() in paths]
    if not words:
        raise UsageError(
            "No data set is named. Give --data FOLDER, or a --config-path file with the paths of "
            f"{', '.join(TEST_SETS)}, such as GRABCUT_PATH."
        )
    names = []
    for word in words:
        whole = "@" in word or Path(word).exists()
        names += [word] if whole else [part for part in word.split(",") if part]
    return [f"{n}@{paths[n.upper()]}" if n.upper() in paths else n for n in names]


def from_anywhere(word: str) -> str:
    """A path, or ``READER@PATH``, as a process with another working directory finds it.

    Names of models and data sets stay as they are.
    """
    reader, at, path = ("", "", word) if Path(word).exists() else word.rpartition("@")
    return f"{reader}{at}{Path(path).absolute()}" if Path(path).exists() else word


def terms_of(args: argparse.Namespace) -> Terms:
    """On what terms objects are clicked."""
    from ..evaluation.terms import Terms

    target = args.target_iou
    if target is None:
        target = max([DEFAULT_TARGET, *(args.noc or ())])
    return Terms(
        n_clicks=args.clicks,
        target_iou=ALL_CLICKS if args.iou_analysis else target,
        min_clicks=max(1, min(args.min_clicks, args.clicks)) if args.min_clicks > 0 else 0,
        boundary=args.boundary_iou,
        max_size=args.max_size,
        resize=None if args.resize is None else tuple(args.resize),
    )


def thresholds_of(args: argparse.Namespace, terms: Terms) -> tuple[float, ...] | None:
    """The IoUs of NoC; None for the published ones.

    Raises
    ------
    UsageError
        If one lies above the target, where nobody clicks on.
    """
    if args.noc is None:
        return None
    if max(args.noc) > terms.target_iou:
        raise UsageError(
            f"Clicking stops at an IoU of {terms.target_iou:g}, so NoC@{max(args.noc):g} cannot be "
            "counted. Raise --target-iou."
        )
    return tuple(sorted(set(args.noc)))


def users_of(args: argparse.Namespace) -> list[str]:
    """Names of the simulated users, each once."""
    from ..evaluation.random_clicks import PLACES

    names: list[str] = []
    for name in args.users:
        names += ["centre", *PLACES] if name == "realistic" else [name]
    return list(dict.fromkeys(names))


def overrides_of(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of the profile that the command line sets; ``zoom_in.x`` go into one dict."""
    refinement = [word for word in (*args.models, *args.checkpoint) if word in BRS]
    limit = args.clicks if args.clicks_limit == -1 else args.clicks_limit
    size = args.fixed_size
    if (args.fixed_h is None) != (args.fixed_w is None):
        raise UsageError("--fixed-h and --fixed-w belong together. Give both, or --fixed-size.")
    given = {
        "brs": args.brs or (refinement[-1] if refinement else None),
        "flip": args.flip,
        "threshold": args.threshold,
        "max_clicks": limit,
        "fixed_size": (args.fixed_h, args.fixed_w) if args.fixed_h else size and tuple(size),
        "cascade_steps": args.cascade_steps,
        "cascade_clicks": args.cascade_clicks,
        "cascade_adaptive": args.cascade_adaptive,
    }
    overrides: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if args.zoom_in is not None:
        overrides["zoom_in"] = True if args.zoom_in else None
    for key, value in args.settings:
        group, dot, field = key.partition(".")
        if not dot:
            overrides[key] = value
            continue
        if args.zoom_in is False and group == "zoom_in":
            raise UsageError(f"--no-zoom-in leaves no use for --set {key}. Drop one of the two.")
        if not isinstance(overrides.get(group), dict):
            overrides[group] = {}
        overrides[group][field] = value
    return overrides
