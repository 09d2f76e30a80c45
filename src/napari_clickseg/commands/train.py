"""``clickseg-train``: train a click network from a recipe."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from . import cli

__all__ = ["main"]


PROG = "clickseg-train"
STOPPED = 3
"""Exit code of a run that was stopped and can be resumed."""

CHANGES = {
    "batch_size": "batch",
    "epochs": "epochs",
    "accumulate_grad": "accumulate",
    "layerwise_decay": "optimizer.layer_decay",
    "upsample": "model.config.upsample",
}
"""Options that are short for an entry of a recipe by epochs."""
LAYERWISE_WEIGHT_DECAY = 0.02  # what SimpleClick and CFR-ICL train with where layers decay


def parser() -> cli.Parser:
    """Options of the command."""
    p = cli.Parser(
        PROG,
        "Train a click network from a recipe. For several devices use --ngpus, or start it by "
        "torchrun as -m napari_clickseg.commands.train.",
    )
    p.add_argument("recipe", nargs="?", help="name of a recipe of the package, or a TOML file")
    p.add_argument("--list", action="store_true", help="show the recipes")
    p.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[NAME=]FOLDER",
        help="where a data set of the recipe is; without NAME the only one, or the folder of all "
        "(default: $CLICKSEG_DATA)",
    )
    p.add_argument("-o", "--out", type=Path, help="folder for checkpoints, log and model")
    p.add_argument(
        "--exp-name", default="", help="without -o: name behind the run's number in experiments/"
    )
    p.add_argument(
        "--encoder",
        "--backbone",
        type=Path,
        metavar="FILE",
        help="pretrained image encoder, such as one trained on ImageNet",
    )
    p.add_argument("--weights", metavar="MODEL", help="start from this model, a name or a file")
    p.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change an entry of the recipe, such as stages.0.steps=100 or optimizer.lr=1e-4",
    )
    p.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    p.add_argument(
        "--resume-exp", metavar="PREFIX", help="go on with the run in experiments/ that begins so"
    )
    p.add_argument("--threads", type=_count, help="CPU threads of the network (default: all cores)")
    p.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    p.add_argument("--gpus", help="CUDA devices to use, such as 0,1")
    p.add_argument("--ngpus", type=_count, help="processes that train together, one per device")
    p.add_argument(
        "--workers",
        type=_count_or_none,
        default=min(4, os.cpu_count() or 1),
        help="processes that make examples; 0: the trainer makes them (%(default)s)",
    )
    p.add_argument(
        "--save-every", type=_seconds, default=180, help="seconds between checkpoints (%(default)s)"
    )
    p.add_argument("--tensorboard", action="store_true", help="log for TensorBoard as well")
    p.add_argument("--no-progress", action="store_true", help="show no progress bar")
    p.add_argument("--batch-size", type=int, help="short for --set batch=N")
    p.add_argument("--epochs", type=int, help="short for --set epochs=N")
    p.add_argument("--accumulate-grad", type=int, help="short for --set accumulate=N")
    p.add_argument("--amp", action="store_true", help="short for --set bfloat16=true")
    p.add_argument(
        "--layerwise-decay",
        type=float,
        nargs="?",
        const=0.75,
        help="short for --set optimizer.layer_decay=0.75 --set optimizer.weight_decay=0.02",
    )
    p.add_argument(
        "--upsample", choices=["x1", "x2", "x4"], help="short for --set model.config.upsample=..."
    )
    return p


def _count(text: str, least: int = 1) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of {least} or more")
    return int(text)


def _count_or_none(text: str) -> int:
    return _count(text, least=0)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds")
    return value


def changes(args: argparse.Namespace) -> list[str]:
    """All changes of the recipe that the options ask for."""
    found = list(args.set)
    for option, key in CHANGES.items():
        value = getattr(args, option)
        if value is not None:
            found.append(f'{key}="{value}"' if isinstance(value, str) else f"{key}={value}")
    if args.amp:
        found.append("bfloat16=true")
    if args.layerwise_decay is not None:
        found.insert(0, f"optimizer.weight_decay={LAYERWISE_WEIGHT_DECAY}")
    return found


def train(args: argparse.Namespace) -> int:
    """Train as the options say; returns the exit code."""
    from ..training.recipe import Recipe, list_recipes, load_recipe

    if args.list:
        lines = list_recipes()
        width = max(map(len, lines))
        print("\n".join(f"{name:{width}}  {about}" for name, about in lines.items()))
        return 0
    if args.recipe is None:
        raise ValueError(f"Name a recipe; '{PROG} --list' shows those there are.")
    if args.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = args.gpus
        args.ngpus = args.ngpus or len(args.gpus.split(","))
    if args.ngpus and args.ngpus > 1 and "WORLD_SIZE" not in os.environ:
        _start_processes(args.ngpus)

    import torch

    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = load_recipe(args.recipe, changes(args))
    stop = _stop_when_asked()
    if isinstance(recipe, Recipe):
        from .train_stages import train_stages

        path = train_stages(recipe, args, stop)
    else:
        from .train_epochs import train_epochs

        path = train_epochs(args, changes(args), stop)
    if path is None:
        return STOPPED
    if os.environ.get("RANK", "0") == "0":
        print(f"Wrote {path}", flush=True)
    return 0


def _start_processes(count: int) -> None:
    """Become torchrun, which starts this command in several processes."""
    run = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    arguments = [*run, "-m", "napari_clickseg.commands.train", *sys.argv[1:]]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *arguments])


def _stop_when_asked() -> Callable[[], bool]:
    """Whether the process was asked to end, by Ctrl-C or by another program."""
    asked: list[int] = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):  # the last one on Windows only
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda n, _frame: asked.append(n))
    return lambda: bool(asked)


def main(argv: list[str] | None = None) -> int:
    """Entry point of the console script."""
    return cli.run(PROG, lambda arguments: train(parser().parse_args(arguments)), argv)


if __name__ == "__main__":
    raise SystemExit(main())
