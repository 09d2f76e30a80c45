"""The network of a recipe with the weights that its training begins from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from ..models.backbones import load_backbone
from ..models.base import ClickModel
from ..models.checkpoint import read_model
from ..models.registry import build_model
from ..models.zoo import find_verified
from .epoch_recipe import EpochRecipe
from .parameters import xavier

__all__ = ["begin_model"]


def begin_model(
    recipe: EpochRecipe,
    encoder: Path | None = None,
    weights: str | None = None,
    resuming: bool = False,
    say: Callable[[str], None] = print,
) -> ClickModel:
    """Build the network.

    Parameters
    ----------
    recipe : EpochRecipe
    encoder : Path, optional
        File of a pretrained image encoder; see `load_backbone`.
    weights : str, optional
        Name or file of a model whose weights to begin from.
    resuming : bool
        The weights come from a checkpoint later, so none are needed.
    say : callable
        Gets a line of text.

    Raises
    ------
    ValueError
        If what the recipe begins from is not given, or does not fit.
    """
    options = recipe.model
    torch.manual_seed(recipe.seed)
    if not options.architecture or (weights is None and options.start == "weights"):
        weights = weights or options.weights
    if options.architecture:
        try:
            model = build_model(options.architecture, options.config)
        except (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError) as error:
            raise ValueError(
                f"The recipe {recipe.name} describes a network '{options.architecture}' that "
                f"cannot be built: {str(error).rstrip('.')}. Correct its model.config."
            ) from error
        if options.init == "xavier":
            xavier(model)
    else:
        model = None
    if resuming and model is not None:
        return model
    if weights:
        return _with_weights(model, weights, recipe)
    if encoder is not None:
        say(load_backbone(model, encoder))
    elif options.start == "encoder":
        raise ValueError(
            f"The recipe {recipe.name} begins from an image encoder that was trained before, and "
            "none is given. Add --backbone FILE or --weights MODEL, or begin from random weights: "
            "--set model.start=nothing."
        )
    return model


def _with_weights(model: ClickModel | None, name: str, recipe: EpochRecipe) -> ClickModel:
    """Weights of another model in the network of a recipe, or that model itself."""
    path, card = find_verified(name)
    given = read_model(path, profile=None if card is None else card.profile)
    if "stages" in given.config:
        raise ValueError(f"{name} is made of several networks. Train one of them on its own.")
    if model is None:
        return given.requires_grad_(True)
    try:
        model.load_state_dict(given.state_dict())
    except RuntimeError as error:
        raise ValueError(
            f"{name} is a network '{given.spec.architecture}' that does not fit the recipe "
            f"{recipe.name} ('{model.spec.architecture}'): {str(error).splitlines()[-1].strip()} "
            "Choose the recipe or the weights of the same network."
        ) from error
    return model
