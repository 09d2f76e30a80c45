"""Recipes that train by epochs on whole data sets, as all published networks were trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .examples import ExampleOptions
from .losses import LOSSES
from .parameters import OptimizerOptions
from .points import PointOptions
from .rounds import RoundOptions
from .schedules import Schedule
from .targets import ObjectOptions
from .transforms import make_transforms

__all__ = ["DataOptions", "EpochRecipe", "ModelOptions"]

STARTS = ("encoder", "weights", "nothing")


@dataclass(frozen=True)
class DataOptions:
    """One data set.

    Attributes
    ----------
    reader : str
        Name of its kind, such as ``folder``, ``pack`` or ``coco_lvis``.
    path : str
        Its folder, usually given on the command line; without, its name in ``$CLICKSEG_DATA``.
    split : str
        The reader's own default if empty.
    weight : float or None
        Relative share of the examples; by the number of images if None.
    scores : str
        File of the images' scores, as published for SBD: those of low score are drawn more often,
        in proportion to ``(1 - score) ** scores_gamma``; see `read_sample_scores`.
    scores_gamma : float
    options : mapping
        More arguments of the reader.
    """

    reader: str = "folder"
    path: str = ""
    split: str = ""
    weight: float | None = None
    scores: str = ""
    scores_gamma: float = 1.25
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelOptions:
    """The network and its start.

    Attributes
    ----------
    architecture : str
        Name in the registry; empty takes that of the weights to start from.
    config : mapping
        Its arguments.
    start : {"encoder", "weights", "nothing"}
        What the training begins from: an image encoder trained for something else, all weights of
        another model, or random weights.
    weights : str
        Name or file of the model to start from, if none is given.
    init : {"default", "xavier"}
        How other weights begin; ``xavier`` draws them from a normal distribution scaled by the
        average of inputs and outputs, as published.
    fixed_norms : bool
        Batch norms keep the statistics they came with, for small batches.
    """

    architecture: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    start: str = "nothing"
    weights: str = ""
    init: str = "default"
    fixed_norms: bool = False

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise ValueError(f"the start is one of {', '.join(STARTS)}, not '{self.start}'")
        if self.init not in ("default", "xavier"):
            raise ValueError(f"init is default or xavier, not '{self.init}'")
        if not self.architecture and self.start != "weights":
            raise ValueError("a model without architecture has to start from weights")


@dataclass(frozen=True)
class EpochRecipe:
    """A training run by epochs.

    Attributes
    ----------
    name : str
    data : mapping of str to DataOptions
        Sets to train on.
    validation : mapping of str to DataOptions
        Sets to watch the run with; if empty, `held_out` of the training images are.
    held_out : float
        Part of the images, one at least; 0 trains without validation.
    model : ModelOptions
    examples, objects, points, rounds : options
        See there.
    augment, validation_augment : tuple of mapping
        See `make_transforms`.
    crop : (int, int)
        Height and width of the examples in pixels.
    epochs : int
    epoch_length, validation_length : int
        Examples of an epoch; all images if not positive.
    batch : int
        Examples of one gradient step, on all devices together.
    accumulate : int
        Parts into which a device's share of the batch is cut to save memory.
    losses : mapping of str to mapping
        See `combined_loss`.
    aux, force : float
        See `Objective`.
    optimizer : OptimizerOptions
    schedule : Schedule
    bfloat16 : bool
        Run the network in bfloat16 (automatic mixed precision).
    ema : float
        Decay of averaged weights, which are then the result; 0 for none.
    seed : int
    checkpoints : tuple of (int, int)
        ``(start, period)``: from epoch `start` on, weights are kept every `period` epochs.
    pictures : int
        Gradient steps between pictures of what the network does; 0 for none.
    card : mapping of str to str
        What the model file's header is to say besides: ``name``, ``licence``, ``start``.
    about : str
        A line for the list of recipes.
    """

    name: str
    data: Mapping[str, DataOptions]
    model: ModelOptions
    epochs: int
    batch: int
    crop: tuple[int, int]
    losses: Mapping[str, Mapping[str, Any]]
    validation: Mapping[str, DataOptions] = field(default_factory=dict)
    held_out: float = 0.0
    examples: ExampleOptions = field(default_factory=ExampleOptions)
    objects: ObjectOptions = field(default_factory=ObjectOptions)
    points: PointOptions = field(default_factory=PointOptions)
    rounds: RoundOptions = field(default_factory=RoundOptions)
    augment: tuple[Mapping[str, Any], ...] = ()
    validation_augment: tuple[Mapping[str, Any], ...] = ()
    epoch_length: int = -1
    validation_length: int = -1
    accumulate: int = 1
    aux: float = 0.0
    force: float = 0.0
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
    schedule: Schedule = field(default_factory=Schedule)
    bfloat16: bool = False
    ema: float = 0.0
    seed: int = 1
    checkpoints: tuple[tuple[int, int], ...] = ((0, 5),)
    pictures: int = 0
    card: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} has to be 1 or more, not {getattr(self, name)}")
        if len(self.crop) != 2 or min(self.crop) < 8:
            raise ValueError(f"crop is a height and a width of 8 pixels or more: {self.crop}")
        if unknown := [name for name in self.losses if name not in LOSSES]:
            raise ValueError(f"there is no loss '{unknown[0]}'; there are {', '.join(LOSSES)}")
        if not self.losses:
            raise ValueError("a recipe needs a loss")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is a decay from 0 to below 1, not {self.ema}")
        make_transforms(self.augment, self.crop)
        make_transforms(self.validation_augment, self.crop)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as kept in checkpoints."""
        return dataclasses.asdict(self)

    def keeps(self, epoch: int) -> bool:
        """Whether the weights after epoch `epoch`, from 0, are kept."""
        periods = [period for start, period in self.checkpoints if start <= epoch]
        return bool(periods) and periods[-1] > 0 and epoch % periods[-1] == 0
