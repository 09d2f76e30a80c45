"""SegFormer of SAIC-IS: published outputs and keys, splits, sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from parity import call_inputs, fill, load_case

from napari_clickseg.models.base import Inputs
from napari_clickseg.models.click_input import ClickInput
from napari_clickseg.models.segformer import SegFormerModel

INPUTS = ClickInput(stride=1, radius=3, kinds=("click", "contour", "stroke"))
SPLITS = ("image", "maps", "c4", "levels", "fused")


def build(backbone: str, accumulate: bool = True) -> SegFormerModel:
    inputs = {**INPUTS.as_dict(), "accumulate": accumulate}
    return SegFormerModel(inputs, backbone=backbone).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def published():
    """A published-size network with the weights and the case of the parity file."""
    case, meta = load_case("saicis_segformer_b1_accum")
    return fill(build("mit_b1"), meta), case


def assert_published(model: SegFormerModel, case) -> None:
    maps = {
        kind: torch.from_numpy(case[f"{kind}_maps"])[None].float() for kind in ("contour", "stroke")
    }
    given = call_inputs(case)
    for kind in ("point", "contour", "stroke"):
        logits = model.logits(**given, interaction_maps=maps, input_type=f"IType.{kind}")
        assert np.abs(logits[0, 0].numpy() - case[f"logits_{kind}"]).max() <= 2e-3


def test_accumulated_logits_are_the_published_ones(published) -> None:
    assert_published(*published)


def test_logits_of_the_latest_kind_are_the_published_ones(monkeypatch) -> None:
    for layer in (torch.nn.Linear, torch.nn.Conv2d):  # 64 million numbers that are replaced anyway
        monkeypatch.setattr(layer, "reset_parameters", lambda self: None)
    case, meta = load_case("saicis_segformer_b4_last")
    assert_published(fill(build("mit_b4", accumulate=False), meta), case)


def random_inputs(model: SegFormerModel, height: int, width: int) -> Inputs:
    rng = torch.Generator().manual_seed(3)
    image = torch.rand(1, 3, height, width, generator=rng)
    maps = (torch.rand(1, 6, height, width, generator=rng) > 0.9).float()
    return Inputs(image, maps, torch.rand(1, 1, height, width, generator=rng))


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_gives_the_same_logits_twice(published, split: str) -> None:
    model, _ = published
    inputs = random_inputs(model, 64, 96)
    whole = model(inputs)
    tensors = model.before(split, inputs)
    for name, channels in model.splits[split].channels.items():
        assert tensors[name].shape[1] == channels
    first = model.after(split, tensors, inputs)
    torch.testing.assert_close(first, whole, rtol=0, atol=1e-5)
    assert torch.equal(model.after(split, tensors, inputs), first)


@pytest.mark.parametrize("shape", [(1, 1), (5, 130), (33, 47), (67, 100)])
def test_any_size_gives_logits_of_that_size(published, shape: tuple[int, int]) -> None:
    model, _ = published
    logits = model(random_inputs(model, *shape))
    assert logits.shape == (1, 1, *shape)
    assert torch.isfinite(logits).all()


def test_f_brs_modulates_each_inner_split_and_reaches_its_gradient(published) -> None:
    model, _ = published
    inputs = random_inputs(model, 32, 32)
    assert {model.spec.brs[f"f-BRS-{kind}"] for kind in "ABC"} == {"c4", "levels", "fused"}
    for split in ("c4", "levels", "fused"):
        tensors = model.before(split, inputs)
        (name,) = model.splits[split].channels
        scale = torch.ones(1, tensors[name].shape[1], 1, 1, requires_grad=True)
        model.after(split, {**tensors, name: tensors[name] * scale}, inputs).sum().backward()
        assert scale.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("backbone", "depths", "width"),
    [("mit_b2", (3, 4, 6, 3), 768), ("mit_b3", (3, 4, 18, 3), 768), ("mit_b5", (3, 6, 40, 3), 768)],
)
def test_other_sizes_have_the_published_keys(backbone, depths, width) -> None:
    _, meta = load_case("saicis_segformer_b4_last")
    with torch.device("meta"):
        state = build(backbone).state_dict()
    shapes = {key: list(value.shape) for key, value in state.items()}
    for key, shape in meta["state_dict_keys"]:
        if ".block" not in key:
            assert shapes.pop(key) == shape
    blocks = {tuple(key.split(".")[2:4]) for key in shapes}
    assert blocks == {(f"block{n + 1}", str(i)) for n in range(4) for i in range(depths[n])}
    in_block = {key: shape for key, shape in meta["state_dict_keys"] if ".block" in key}
    for key, shape in shapes.items():
        parts = key.split(".")
        assert shape == in_block[".".join([*parts[:3], "0", *parts[4:]])]
    assert shapes.keys() >= {k for k in in_block if f".{k.split('.')[3]}." == ".0."}


def test_what_cannot_be_built_is_refused() -> None:
    with torch.device("meta"):
        with pytest.raises(ValueError, match="head does not fit mit_b0"):
            build("mit_b0")
        with pytest.raises(ValueError, match="cannot be built on 'mit_b6'"):
            build("mit_b6")
        with pytest.raises(ValueError, match="stride 1"):
            SegFormerModel(ClickInput(stride=2))
