"""Files as the published systems write them, of small networks."""

from __future__ import annotations

import enum
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from parity import draw_weight
from torch import Tensor, nn

from napari_clickseg.models.click_input import ClickInput
from napari_clickseg.models.hrnet import HRNetModel

TINY = {"width": 2, "ocr_width": 2, "small": True}
NAMES = {
    "IType": "isegm.data.interaction_type",
    "CrossEntropyLoss": "isegm.model.modeling.transformer_helper.cross_entropy_loss",
    "cross_entropy": "isegm.model.modeling.transformer_helper.cross_entropy_loss",
    "EasyDict": "easydict",
}


class IType(enum.Enum):
    contour = "contour"
    point = "point"
    stroke = "stroke"

    def __reduce_ex__(self, protocol):
        return self.__class__, (self._value_,)  # as all versions of Python up to 3.10 do


def cross_entropy(*args):
    raise AssertionError("never called")


class CrossEntropyLoss(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.loss_weight = 1.0
        self.cls_criterion = cross_entropy


class EasyDict(dict):
    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        super().__setitem__(name, value)

    __setitem__ = __setattr__


@contextmanager
def published_modules() -> Iterator[SimpleNamespace]:
    """Classes under their published names, importable in this block only."""
    kept = dict(sys.modules)
    made = SimpleNamespace()
    for name, module in NAMES.items():
        thing = globals()[name]
        thing.__module__, thing.__qualname__ = module, name
        parts = module.split(".")
        for i in range(len(parts)):
            sys.modules.setdefault(".".join(parts[: i + 1]), ModuleType(parts[i]))
        setattr(sys.modules[module], name, thing)
        setattr(made, name, thing)
    try:
        yield made
    finally:
        for name in set(sys.modules) - set(kept):
            if name.partition(".")[0] in ("isegm", "easydict"):
                del sys.modules[name]


def config(name: str = "is_hrnet_model.HRNetModel", **params: Any) -> dict[str, Any]:
    """A config as published checkpoints carry it; `params` were given to the constructor."""
    return {
        "class": f"isegm.model.{name}",
        "params": {
            key: {"type": "builtin", "value": value, "specified": True}
            for key, value in params.items()
        },
    }


def ritm_config(**params: Any) -> dict[str, Any]:
    """A RITM HRNet18s itermask, but with few channels."""
    more = {
        "use_rgb_conv": False,
        "use_disks": True,
        "norm_radius": 5,
        "with_prev_mask": True,
        "use_leaky_relu": True,
        "with_aux_output": True,
    }
    return config(**{**TINY, **more, **params})


@cache
def _ritm_shapes(given: ClickInput) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {k: tuple(v.shape) for k, v in HRNetModel(given, **TINY).state_dict().items()}


def ritm_state(seed: int = 0, **inputs: Any) -> OrderedDict[str, Tensor]:
    """Weights that fit `ritm_config`; `inputs` are fields of `ClickInput`."""
    shapes = _ritm_shapes(ClickInput(**inputs))
    return OrderedDict(
        (key, torch.from_numpy(np.array(draw_weight(f"{seed}.{key}", shape))))
        for key, shape in shapes.items()
    )


def logits_of(model: nn.Module) -> Tensor:
    """Answer to a small fixed image and two clicks."""
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    points = torch.tensor([[[10.0, 12.0, 0.0], [25.0, 5.0, 1.0]]])
    with torch.no_grad():
        return model.logits(image, points)


def retag(path: Path, old: bytes = b"X\x03\0\0\0cpu", new: bytes = b"X\x06\0\0\0cuda:0") -> int:
    """Rewrite where the tensors of a zip checkpoint were when it was saved; how many there are."""
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    count = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            if name.endswith("data.pkl"):
                count = content.count(old)
                content = content.replace(old, new)
            archive.writestr(name, content)
    return count
