"""``clickseg-train`` for recipes with stages: our own network, from a pool of live samples."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..data.packs import Pack
    from ..models.compact import CompactModel
    from ..training.loop import Trainer
    from ..training.recipe import Recipe
    from ..training.samples import PackOptions

__all__ = ["train_stages"]


def train_stages(recipe: Recipe, args: argparse.Namespace, stop: Callable[[], bool]) -> Path | None:
    """Train as the options say; returns the model file, or None if it was stopped."""
    import torch

    from ..models.compact import CompactModel, widened
    from ..training.loop import Trainer
    from ..training.samples import SampleSource

    if args.out is None:
        raise ValueError("Say where checkpoint, log and model go: -o FOLDER.")
    given = args.encoder is not None or args.weights is not None or args.resume
    if not given and recipe.stages[0].encoder_factor == 0:
        raise ValueError(
            "The recipe keeps the image encoder as it starts, and no start is given. Add --encoder "
            "FILE or --weights FILE, or train the encoder too: --set stages.0.encoder_factor=1."
        )
    packs = _packs(_one_folder(args.data), recipe.packs)
    torch.manual_seed(recipe.seed)
    model = CompactModel(**recipe.model)
    if args.encoder is not None:
        _load_encoder(model, args.encoder)
    if args.weights is not None:
        from ..models.checkpoint import read_model

        model.load_state_dict(widened(read_model(Path(args.weights)).state_dict(), model))
    size = recipe.stages[0].size
    trainer = Trainer(
        recipe,
        model,
        SampleSource(packs, size, recipe.seed, False, recipe.procedural, recipe.parts),
        SampleSource(packs, size, recipe.seed, held_out_part=True),
        args.out,
        save_every=args.save_every,
        tensorboard=args.tensorboard,
        progress=not args.no_progress,
    )
    if args.resume:
        trainer.resume()
    elif trainer.path.exists():
        raise ValueError(
            f"{trainer.path} exists already. Add --resume to go on, or choose another folder."
        )
    print(f"{recipe.name}: {len(packs)} packs, {sum(map(len, packs))} images", flush=True)
    if not trainer.run(stop=stop):
        print(f"Stopped; {trainer.path} is saved. Add --resume to go on.", flush=True)
        return None
    return _export(trainer, args.out, packs)


def _one_folder(given: list[str]) -> Path | None:
    if len(given) > 1:
        raise ValueError("A recipe with stages takes one --data FOLDER, which holds all its packs.")
    return Path(given[0]) if given else None


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

    from ..models.efficientnet_lite import lite_encoder_state
    from ..models.espnetv2 import encoder_state

    name = model.config["encoder"]
    convert = {"espnetv2": encoder_state, "efficientnet_lite0": lite_encoder_state}[name]
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.encoder.load_state_dict(convert(state))
    except Exception as error:  # torch raises several unrelated kinds for broken files
        raise ValueError(
            f"{path} holds no encoder {name} that fits the recipe's network: {str(error)[:200]}"
        ) from error


def _export(trainer: Trainer, folder: Path, packs: Mapping[Pack, PackOptions]) -> Path:
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
    trainer.writer.model(trainer.average.model, path, card)
    return path
