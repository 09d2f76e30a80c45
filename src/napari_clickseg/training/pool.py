"""The pool of live samples: each in the middle of its chain of clicks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from ..evaluation.random_clicks import RandomClicker
from ..models.base import Inputs
from ..models.maps import draw_disk
from .clicks import error_click
from .hints import lasso, loose_box, part_at, rough_contour, rough_mask, scribble
from .samples import Sample, SampleSource

__all__ = ["Encode", "Pool", "Prefetch"]

AHEAD = 32
Encode = Callable[[Tensor], dict[str, Tensor]]
CLICKS = {"click": 1.0}
NO_SCATTER: Mapping[str, float] = {}
MORE_CLICKS = 0.5


class Prefetch:
    """Hands out samples in order of their numbers, made ahead in a thread."""

    def __init__(self, source: SampleSource, start: int) -> None:
        self.next = start
        self._source = source
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[Future[Sample]] = []
        self._asked = start

    def take(self) -> Sample:
        """The next sample."""
        while len(self._waiting) < AHEAD:
            self._waiting.append(self._thread.submit(self._source.__getitem__, self._asked))
            self._asked += 1
        self.next += 1
        return self._waiting.pop(0).result()

    def close(self) -> None:
        """Drop what is waiting."""
        self._thread.shutdown(wait=True, cancel_futures=True)


class Pool:
    """Live samples as tensors; a step trains on some of them, then clicks them once more.

    No forward pass is spent on making clicks: what the training step predicted is both the next
    previous mask and the place to find the next click.

    Parameters
    ----------
    count, size : int
        Number of samples and their side in pixels.
    radius : float
        Radius of the click disks in pixels.
    stop : float
        Probability to replace a sample after each click.
    longest : int
        Most clicks of a chain.
    kinds : mapping of str to float
        Probability of each kind of interaction to be the first; later ones are clicks more often.
    takes : collection of str
        The kinds that the network is shown as they are. Contours are drawn into the mask so far
        if they are not among them.
    starts : float
        Probability that a sample starts from a mask that is partly wrong, as parts always do.
    scatter : mapping of str to float
        Probability of a click to lie at each place of `RandomClicker`, not deep inside.
    cascade : float
        Probability that the network looks at its own answer once more before the next click.
    features : callable or None
        Gives the image features of a batch ``(B, 3, S, S)`` in 0..1, kept with the samples; None
        if the encoder is trained too.
    """

    def __init__(
        self,
        count: int,
        size: int,
        radius: float,
        stop: float,
        longest: int,
        features: Encode | None,
        kinds: Mapping[str, float] = CLICKS,
        starts: float = 0.0,
        takes: Collection[str] = ("click", "stroke", "contour", "box"),
        scatter: Mapping[str, float] = NO_SCATTER,
        cascade: float = 0.0,
    ) -> None:
        self.radius, self.stop, self.longest = radius, stop, longest
        self.scatter, self.cascade = dict(scatter), cascade
        self.kinds, self.starts, self.takes = dict(kinds), starts, takes
        self._encode = features
        channels = 5 if len(self.kinds) > 1 else 2
        self.tensors = {
            "image": torch.zeros(count, 3, size, size, dtype=torch.uint8),
            "target": torch.zeros(count, 1, size, size, dtype=torch.int8),
            "maps": torch.zeros(count, channels, size, size, dtype=torch.uint8),
            "prev_mask": torch.zeros(count, 1, size, size),
            "life": torch.zeros(count, dtype=torch.int64),
        }
        self.features: dict[str, Tensor] = {}

    def fill(self, places: list[int], samples: list[Sample], rng: np.random.Generator) -> None:
        """Put fresh samples, each with a first click, into these places."""
        if not places:
            return
        t = self.tensors
        for place, sample in zip(places, samples, strict=True):
            t["image"][place] = torch.from_numpy(sample.image).permute(2, 0, 1)
            t["target"][place, 0] = torch.from_numpy(sample.target)
            t["maps"][place] = 0
            t["prev_mask"][place] = 0
            t["life"][place] = min(int(rng.geometric(self.stop)), self.longest)
            before = np.zeros(sample.target.shape, bool)
            if sample.part or (self.starts and rng.random() < self.starts):
                before = rough_mask(sample.target == 1, rng)
                t["prev_mask"][place, 0] = torch.from_numpy(before)
            if not self._say(place, before, rng, first=not before.any()):
                self._say(place, np.zeros_like(before), rng, first=True)
        if self._encode is not None:
            fresh = self._encode(t["image"][places].float().div(255))
            for name, value in fresh.items():
                if name not in self.features:
                    room = (t["image"].shape[0], *value.shape[1:])
                    self.features[name] = value.new_zeros(room)
                self.features[name][places] = value

    def _say(
        self, place: int, prediction: np.ndarray, rng: np.random.Generator, first: bool = False
    ) -> bool:
        """Add an interaction where the prediction is wrong; False if it is right."""
        target = self.tensors["target"][place, 0].numpy()
        maps = self.tensors["maps"][place].numpy()
        click = error_click(prediction, target, rng)
        if click is None:
            return False
        row, col, positive = click
        sign = 0 if positive else 1
        kind = self._kind(first, rng)
        if kind == "click":
            row, col, positive = self._scattered(click, prediction, target, rng)
            draw_disk(maps[0 if positive else 1], row, col, self.radius)
            return True
        if kind == "box":
            maps[4][loose_box(target == 1, rng).slices] = 1
            return True
        wrong = (target == 1) & ~prediction if positive else (target == 0) & prediction
        part = part_at(wrong, row, col)
        if kind == "stroke":
            maps[sign][scribble(part, 2 * round(self.radius) + 1, rng)] = 1
        elif kind not in self.takes:
            inside, clicks = rough_contour(part, positive, rng)
            self.tensors["prev_mask"][place, 0][torch.from_numpy(inside)] = float(positive)
            for at in clicks:
                draw_disk(maps[sign], *at, self.radius)
        else:
            maps[2 + sign][lasso(part, rng)] = 1
        return True

    def _scattered(
        self,
        click: tuple[int, int, bool],
        prediction: np.ndarray,
        target: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[int, int, bool]:
        """The click, or one elsewhere in the region or just beside it."""
        chance = rng.random() if self.scatter else 1.0
        for place, share in self.scatter.items():
            chance -= share
            if chance < 0:
                other = RandomClicker(place).next(prediction, target, (), rng)
                return int(other.row), int(other.col), other.positive
        return click

    def _kind(self, first: bool, rng: np.random.Generator) -> str:
        if len(self.kinds) == 1:
            return next(iter(self.kinds))
        kind = str(rng.choice(list(self.kinds), p=list(self.kinds.values())))
        if not first and (kind == "box" or rng.random() < MORE_CLICKS):
            return "click"
        return kind

    def batch(self, places: Tensor) -> tuple[Inputs, Tensor, dict[str, Tensor]]:
        """Inputs, target and kept features of some places."""
        t = self.tensors

        def last(x: Tensor) -> Tensor:
            return x.contiguous(memory_format=torch.channels_last)

        inputs = Inputs(
            last(t["image"][places].float().div(255)),
            last(t["maps"][places].float()),
            t["prev_mask"][places],
        )
        features = {name: last(value[places]) for name, value in self.features.items()}
        return inputs, t["target"][places].float(), features

    def advance(self, places: Tensor, probabilities: Tensor, rng: np.random.Generator) -> list[int]:
        """Keep the predictions as previous masks, click again; returns the places to refill.

        Where the cascade goes on, nothing is clicked.
        """
        self.tensors["prev_mask"][places] = probabilities
        masks = (probabilities[:, 0] > 0.5).numpy()
        done = []
        for place, mask in zip(places.tolist(), masks, strict=True):
            if self.cascade and rng.random() < self.cascade:
                continue
            self.tensors["life"][place] -= 1
            if self.tensors["life"][place] <= 0 or not self._say(place, mask, rng):
                done.append(place)
        return done

    def state(self) -> dict[str, dict[str, Tensor]]:
        """Everything that a resumed run needs."""
        return {"tensors": self.tensors, "features": self.features}

    def restore(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Take back a `state`."""
        self.tensors, self.features = dict(state["tensors"]), dict(state["features"])
