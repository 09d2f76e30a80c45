"""``clickseg-train``: train a click network from a recipe."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from . import cli

if TYPE_CHECKING:
    from ..data.packs import Pack
    from ..models.compact import CompactModel
    from ..training.loop import Trainer
    from ..training.samples import PackOptions

__all__ = ["main"]


PROG = "clickseg-train"
STOPPED = 3
"""Exit code of a run that was stopped and can be resumed."""


def parser() -> cli.Parser:
    """Options of the command."""
    p = cli.Parser(PROG, "Train a click network from a recipe.")
    p.add_argument("recipe", help="name of a recipe of the package, or a TOML file")
    p.add_argument(
        "--data",
        type=Path,
        help="folder of packs, each with images/ and masks/ (default: $CLICKSEG_DATA/train)",
    )
    p.add_argument(
        "-o", "--out", type=Path, required=True, help="folder for checkpoint, log and model"
    )
    p.add_argument(
        "--encoder",
        type=Path,
        help="pretrained image encoder: an ESPNetv2 segmentation file (.pth)",
    )
    p.add_argument("--weights", type=Path, help="start from this clickseg model instead")
    p.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change an entry of the recipe, such as stages.0.steps=100",
    )
    p.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    p.add_argument("--threads", type=int, help="CPU threads of the network (default: all cores)")
    p.add_argument("--save-every", type=float, default=180, help="seconds between checkpoints")
    p.add_argument("--tensorboard", action="store_true", help="log for TensorBoard as well")
    return p


def train(args: argparse.Namespace) -> int:
    """Train as the options say; returns the exit code."""
    import torch

    from ..models.compact import CompactModel
    from ..training.loop import Trainer
    from ..training.recipe import load_recipe
    from ..training.samples import SampleSource

    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = load_recipe(args.recipe, args.set)
    given = args.encoder is not None or args.weights is not None or args.resume
    if not given and recipe.stages[0].encoder_factor == 0:
        raise ValueError(
            "The recipe keeps the image encoder as it starts, and no start is given. Add --encoder "
            "FILE or --weights FILE, or train the encoder too: --set stages.0.encoder_factor=1."
        )
    packs = _packs(args.data, recipe.packs)
    torch.manual_seed(recipe.seed)
    model = CompactModel(**recipe.model)
    if args.encoder is not None:
        _load_encoder(model, args.encoder)
    if args.weights is not None:
        from ..models.checkpoint import read_model

        model.load_state_dict(read_model(args.weights).state_dict())
    size = recipe.stages[0].size
    trainer = Trainer(
        recipe,
        model,
        SampleSource(packs, size, recipe.seed),
        SampleSource(packs, size, recipe.seed, held_out_part=True),
        args.out,
        save_every=args.save_every,
        tensorboard=args.tensorboard,
    )
    if args.resume:
        trainer.resume()
    elif trainer.path.exists():
        raise ValueError(
            f"{trainer.path} exists already. Add --resume to go on, or choose another folder."
        )
    print(f"{recipe.name}: {len(packs)} packs, {sum(map(len, packs))} images", flush=True)
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _frame: asked.append(n))
    if not trainer.run(stop=lambda: bool(asked)):
        print(f"Stopped; {trainer.path} is saved. Add --resume to go on.", flush=True)
        return STOPPED
    path = _export(trainer, args.out, packs)
    print(f"Wrote {path}", flush=True)
    return 0


def _packs(folder: Path | None, options: Mapping[str, PackOptions]) -> dict[Pack, PackOptions]:
    from ..data.packs import Pack

    if folder is None:
        base = os.environ.get("CLICKSEG_DATA")
        if not base:
            raise ValueError(
                "No data: give --data FOLDER, or set CLICKSEG_DATA to a folder with train/."
            )
        folder = Path(base) / "train"
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder}. Give the folder of the packs with --data.")
    found = {name: folder / name for name in options if (folder / name).is_dir()}
    if not found:
        raise ValueError(
            f"{folder} holds none of the recipe's packs ({', '.join(options)}). "
            "Name your own in the recipe's [packs]."
        )
    return {Pack(path): options[name] for name, path in found.items()}


def _load_encoder(model: CompactModel, path: Path) -> None:
    import torch

    from ..models.espnetv2 import encoder_state

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.encoder.load_state_dict(encoder_state(state))
    except Exception as error:  # torch raises several unrelated kinds for broken files
        raise ValueError(
            f"{path} is no ESPNetv2 file that fits the recipe's encoder: {str(error)[:200]}"
        ) from error


def _export(trainer: Trainer, folder: Path, packs: Mapping[Pack, PackOptions]) -> Path:
    from ..models.checkpoint import write_model

    card = {
        "name": trainer.recipe.name,
        "licence": "not stated",
        **trainer.recipe.card,
        "trained_on": sorted(pack.name for pack in packs),
        "gradient_steps": trainer.total,
        "batch": trainer.recipe.batch,
        "seconds": round(trainer.seconds),
    }
    path = folder / f"{card['name']}.safetensors"
    write_model(trainer.average.model, path, card)
    return path


def main(argv: list[str] | None = None) -> int:
    """Entry point of the console script."""
    return cli.run(PROG, lambda arguments: train(parser().parse_args(arguments)), argv)


if __name__ == "__main__":
    raise SystemExit(main())
