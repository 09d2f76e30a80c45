"""Several networks that take turns: by the number of interactions, or by the kind of the latest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..interactions import Interaction
from .base import ClickModel, Inputs, ModelSpec, Split
from .click_input import kind_of

__all__ = ["SeveralModels", "StagedModel", "TypedModel"]


class SeveralModels(ClickModel):
    """Several networks; `choose` says whose turn it is.

    Whatever is asked of this object itself is answered by the first. None of the kinds of BRS is
    offered, because what it learns belongs to one network.

    Parameters
    ----------
    architecture : str
        Name in the registry.
    stages : sequence of ClickModel
        Their weights are kept under ``stage0.``, ``stage1.`` and so on.

    Raises
    ------
    ValueError
        If there is no network.
    """

    def __init__(self, architecture: str, stages: Sequence[ClickModel]) -> None:
        super().__init__()
        if not stages:
            raise ValueError("A list of networks needs at least one. Use an unchanged file.")
        self.count = len(stages)
        for i, stage in enumerate(stages):
            self.add_module(f"stage{i}", stage)
        described = [{"architecture": s.spec.architecture, "config": s.config} for s in stages]
        self.config = {"stages": described}
        self.spec: ModelSpec = replace(stages[0].spec, architecture=architecture, brs={})

    @property
    def stages(self) -> list[ClickModel]:
        """The networks in their order."""
        return [self.get_submodule(f"stage{i}") for i in range(self.count)]

    @property
    def splits(self) -> Mapping[str, Split]:
        """See `ClickModel.splits`; of the first network."""
        return self.stages[0].splits

    def encode(
        self, interactions: Sequence[Interaction], shape: tuple[int, int], offset: int = 0
    ) -> Tensor:
        """See `ClickModel.encode`; by the first network."""
        return self.stages[0].encode(interactions, shape, offset)

    def maps_from_points(self, points: Tensor, shape: tuple[int, int]) -> Tensor:
        """See `ClickModel.maps_from_points`; by the first network."""
        return self.stages[0].maps_from_points(points, shape)

    def before(self, split: str, inputs: Inputs) -> dict[str, Tensor]:
        """See `ClickModel.before`; of the first network."""
        return self.stages[0].before(split, inputs)

    def after(self, split: str, tensors: dict[str, Tensor], inputs: Inputs) -> Tensor:
        """See `ClickModel.after`; of the first network."""
        return self.stages[0].after(split, tensors, inputs)


class StagedModel(SeveralModels):
    """One network per number of interactions, the last for all later ones (RITM's lists)."""

    def __init__(self, stages: Sequence[ClickModel]) -> None:
        super().__init__("staged", stages)

    def choose(self, interactions: Sequence[Interaction], offset: int = 0) -> ClickModel:
        """The network for this many interactions; see `ClickModel.choose`."""
        return self.stages[self._turn(offset + len(interactions))]

    def _turn(self, count: int) -> int:
        return max(min(count, self.count) - 1, 0)

    def logits(
        self,
        image: Tensor,
        points: Tensor,
        prev_mask: Tensor | None = None,
        interaction_maps: Mapping[str, Tensor] | None = None,
        input_type: str | None = None,
    ) -> Tensor:
        """See `ClickModel.logits`; each image by the network for its number of points."""
        counts = (points[..., :2].amax(dim=-1) >= 0).sum(dim=1).tolist()
        rows: dict[int, list[int]] = {}
        for row, count in enumerate(counts):
            rows.setdefault(self._turn(count), []).append(row)
        answers = {
            row: answer
            for turn, of in rows.items()
            for row, answer in zip(
                of,
                self.stages[turn].logits(
                    image[of],
                    points[of],
                    None if prev_mask is None else prev_mask[of],
                    {kind: maps[of] for kind, maps in (interaction_maps or {}).items()},
                    input_type,
                ),
                strict=True,
            )
        }
        return torch.stack([answers[row] for row in range(len(counts))])


class TypedModel(SeveralModels):
    """One network per kind of the latest interaction (SAIC-IS's merged models).

    Parameters
    ----------
    stages : sequence of ClickModel
        A kind that several take is shown to the first of them.

    Raises
    ------
    ValueError
        If a network takes no kind that those before it do not take.
    """

    def __init__(self, stages: Sequence[ClickModel]) -> None:
        super().__init__("typed", stages)
        self.turns: dict[str, int] = {}
        for i, stage in enumerate(stages):
            new = sorted(stage.spec.interactions - self.turns.keys())
            if not new:
                raise ValueError(
                    f"Network {i + 1} takes no kind of interaction that those before it do not "
                    "take. Give one network per kind."
                )
            self.turns |= dict.fromkeys(new, i)
        self.spec = replace(self.spec, interactions=frozenset(self.turns))

    def choose(self, interactions: Sequence[Interaction], offset: int = 0) -> ClickModel:
        """The network for the latest interaction's kind; without one, the first.

        It is to be shown the interactions of its own kinds only; of the others it learns by the
        previous mask.

        Raises
        ------
        ValueError
            If no network takes that kind.
        """
        return self._of_kind(interactions[-1].kind) if interactions else self.stages[0]

    def _of_kind(self, kind: str) -> ClickModel:
        if kind not in self.turns:
            raise ValueError(
                f"This model takes {', '.join(sorted(self.turns))}, not a {kind}. "
                "Use those, or another model."
            )
        return self.stages[self.turns[kind]]

    def logits(
        self,
        image: Tensor,
        points: Tensor,
        prev_mask: Tensor | None = None,
        interaction_maps: Mapping[str, Tensor] | None = None,
        input_type: str | None = None,
    ) -> Tensor:
        """See `ClickModel.logits`; by the network for `input_type`.

        It is shown the maps of its own kinds only, and clicks are the latest if none is told.
        """
        given = {kind_of(name): maps for name, maps in (interaction_maps or {}).items()}
        for kind in given:
            self._of_kind(kind)
        if input_type is None and given:
            raise ValueError("Each kind has its own network: say which is the latest, input_type=.")
        network = self._of_kind("click" if input_type is None else kind_of(input_type))
        own = {kind: maps for kind, maps in given.items() if kind in network.spec.interactions}
        return network.logits(image, points, prev_mask, own, input_type)
