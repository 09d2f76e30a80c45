"""Inputs and outputs of the published systems, and the weights that they were computed with."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

FOLDER = Path(__file__).parent / "data" / "parity"


def load_case(name: str) -> tuple[Mapping[str, np.ndarray], dict[str, Any]]:
    """Arrays and description of a case; the test skips where the file is not kept."""
    path = FOLDER / f"{name}.npz"
    if not path.is_file() and "CLICKSEG_DATA" in os.environ:
        path = Path(os.environ["CLICKSEG_DATA"]).parent / "parity" / f"{name}.npz"
    if not path.is_file():
        pytest.skip(f"{name}.npz is not kept in the repository")
    case = np.load(path)
    return case, json.loads(bytes(case["meta"]))


def draw_weight(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The weight of a state-dict key, drawn from the key."""
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    x = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)
    if key.endswith("running_mean"):
        x = 0.1 * x
    elif key.endswith("running_var"):
        x = 1 + 0.2 * np.abs(x)
    elif len(shape) >= 2:
        x = 0.8 * x / np.sqrt(np.prod(shape[1:]))
    elif key.endswith("scale"):
        x = 6 + 0.1 * x
    elif key.endswith(".weight"):
        x = 1 + 0.1 * x
    else:
        x = 0.05 * x
    return np.asarray(x, np.float32)


def published_state(meta: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The state dict of a case, with its last layer adjusted."""
    state = {
        key: torch.from_numpy(np.array(draw_weight(key, tuple(shape))))
        for key, shape in meta["state_dict_keys"]
    }
    for layer, factor, offset in meta["adjust"]:
        state[f"{layer}.weight"] *= factor
        state[f"{layer}.bias"] *= factor
        state[f"{layer}.bias"] += offset
    return state


def fill(model: nn.Module, meta: Mapping[str, Any]) -> nn.Module:
    """Load a case's weights into a network with exactly the published keys; evaluation mode."""
    state = published_state(meta)
    own = {key: list(value.shape) for key, value in model.state_dict().items()}
    assert own == {key: list(value.shape) for key, value in state.items()}
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


def call_inputs(case: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Image, points and previous mask of a model case as `ClickModel.logits` takes them."""
    image = torch.from_numpy(case["image"]).permute(2, 0, 1)[None].float() / 255
    return {
        "image": image,
        "points": torch.from_numpy(case["points"])[None],
        "prev_mask": torch.from_numpy(case["prev_mask"])[None, None],
    }
