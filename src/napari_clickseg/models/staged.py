"""Several networks that take turns: by the number of interactions, or by the kind of the latest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from ..interactions import Interaction
from .base import ClickModel, Inputs, ModelSpec, Split

__all__ = ["StagedModel", "TypedModel"]


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

    def encode(self, interactions: Sequence[Interaction], shape: tuple[int, int]) -> Tensor:
        """See `ClickModel.encode`; by the first network."""
        return self.stages[0].encode(interactions, shape)

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

    def choose(self, interactions: Sequence[Interaction]) -> ClickModel:
        """The network for this many interactions."""
        return self.stages[max(min(len(interactions), self.count) - 1, 0)]


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

    def choose(self, interactions: Sequence[Interaction]) -> ClickModel:
        """The network for the latest interaction's kind; without one, the first.

        It is to be shown the interactions of its own kinds only; of the others it learns by the
        previous mask.

        Raises
        ------
        ValueError
            If no network takes that kind.
        """
        if not interactions:
            return self.stages[0]
        latest = interactions[-1].kind
        if latest not in self.turns:
            raise ValueError(
                f"This model takes {', '.join(sorted(self.turns))}, not a {latest}. "
                "Use those, or another model."
            )
        return self.stages[self.turns[latest]]
