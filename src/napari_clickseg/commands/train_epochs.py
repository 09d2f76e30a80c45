"""``clickseg-train`` for recipes by epochs: any network, on data sets."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..training.epoch_recipe import EpochRecipe

__all__ = ["train_epochs"]

EXPERIMENTS = Path("experiments")


def train_epochs(
    args: argparse.Namespace, recipe_changes: list[str], stop: Callable[[], bool]
) -> Path | None:
    """Train as the options say.

    Parameters
    ----------
    args : Namespace
        See `napari_clickseg.commands.train.parser`.
    recipe_changes : list of str
        See `load_recipe`.
    stop : callable
        Whether to end between two gradient steps.

    Returns
    -------
    Path or None
        The model file; None if the run was stopped.

    Raises
    ------
    ValueError
        If recipe, data, start or folder are not as they should be.
    """
    import torch

    from ..training.epoch_loop import EpochTrainer
    from ..training.epoch_recipe import EpochRecipe
    from ..training.parallel import join_team
    from ..training.pictures import save_preview
    from ..training.recipe import load_recipe
    from ..training.run_folder import RunFolder
    from ..training.sources import check_source, make_sources
    from ..training.start import begin_model

    recipe = load_recipe(args.recipe, recipe_changes)
    assert isinstance(recipe, EpochRecipe)
    recipe = load_recipe(args.recipe, [*recipe_changes, *_data_changes(recipe, args.data)])
    assert isinstance(recipe, EpochRecipe)
    team = join_team(args.device)

    def say(words: str) -> None:
        if team.leads:
            print(words, flush=True)

    try:
        chosen, resuming = _folder(recipe, args)
        folder = Path(team.share(str(chosen)))
        model = begin_model(recipe, args.encoder, args.weights, resuming, say)
        kinds = sorted(model.spec.interactions)
        source, held_out = make_sources(recipe, kinds)
        examples = check_source(source)
        trainer = EpochTrainer(
            recipe,
            model,
            source,
            held_out,
            RunFolder(folder),
            team,
            workers=args.workers,
            save_every=args.save_every,
            tensorboard=args.tensorboard,
            say=say,
            progress=not args.no_progress,
        )
        trainer.writer.tell_broken(words for example in examples for words in example.broken)
        trainer.writer.picture(lambda: save_preview(examples, trainer.folder.preview))
        if resuming:
            trainer.resume()
        watched = "" if held_out is None else f", {held_out.images} held out"
        say(f"{recipe.name}: {source.images} images{watched}; run in {folder}")
        say(f"Look at {trainer.folder.preview}: this is what the network will be shown.")
        if not trainer.run(stop):
            say(f"Stopped; {trainer.folder.last} is saved. Add --resume -o {folder} to go on.")
            return None
        path = folder / f"{recipe.name}.safetensors"
        if team.leads:
            trainer.export(path)
        return path
    except torch.OutOfMemoryError as error:
        raise ValueError(
            f"The device {team.device} has too little memory for a batch of {recipe.batch}. Cut it "
            "in parts (--accumulate-grad 2 or more), or use a smaller crop, or --amp."
        ) from error
    finally:
        team.leave()


def _data_changes(recipe: EpochRecipe, given: list[str]) -> list[str]:
    """Where the data sets are, as changes of the recipe."""
    from ..training.resume import whole_path

    found = []
    for item in given:
        name, equals, path = item.partition("=")
        if not equals:
            if len(recipe.data) != 1:
                raise ValueError(
                    f"The recipe {recipe.name} has the data sets {', '.join(recipe.data)}. "
                    f"Say which this is: --data NAME={item}."
                )
            name, path = next(iter(recipe.data)), item
        path = whole_path(path)
        found.append(f"data.{name}.path={json.dumps(path)}")
        if name in recipe.validation and not recipe.validation[name].path:
            found.append(f"validation.{name}.path={json.dumps(path)}")
    return found


def _folder(recipe: EpochRecipe, args: argparse.Namespace) -> tuple[Path, bool]:
    """The folder of the run, and whether it goes on."""
    from ..training.run_folder import RunFolder, find_run, next_run

    parent = EXPERIMENTS / recipe.name
    if args.resume_exp is not None:
        return find_run(parent, args.resume_exp), True
    if args.out is None:
        if args.resume:
            raise ValueError("Say which run goes on: -o FOLDER --resume, or --resume-exp PREFIX.")
        return next_run(parent, args.exp_name), False
    if not args.resume and RunFolder(args.out).last.exists():
        raise ValueError(
            f"{RunFolder(args.out).last} exists already. Add --resume to go on, or choose another "
            "folder."
        )
    return args.out, bool(args.resume)
