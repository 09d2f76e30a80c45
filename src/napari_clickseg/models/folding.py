"""Batch norms folded into the convolutions beside them, for faster inference."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["fold_batch_norms"]


def fold_batch_norms(model: nn.Module) -> nn.Module:
    """Fold, in place, every batch norm that directly follows or precedes its convolution.

    Modules follow each other in a Sequential, also where one ends or begins inside an inner
    Sequential, and as children named ``conv`` and ``bn`` with the same ending (``conv1``, ``bn1``).

    Parameters
    ----------
    model : Module
        In evaluation mode; its outputs change by rounding only. It can not be trained or saved
        after this.

    Returns
    -------
    Module
        The same object.
    """
    for module in list(model.modules()):
        for first, second in _neighbours(module):
            before, after = _last_place(module, first), _first_place(module, second)
            left, right = _get(before), _get(after)
            if isinstance(left, nn.Conv2d) and isinstance(right, nn.BatchNorm2d):
                _put(before, fuse_conv_bn_eval(left, right))
                _put(after, nn.Identity())
            elif isinstance(left, nn.BatchNorm2d) and _pointwise(right):
                _put(before, nn.Identity())
                _put(after, _fold_before(left, right))
    return model


Place = tuple[nn.Module, str]
"""A module and the name of one of its children."""


def _get(place: Place) -> nn.Module:
    return getattr(*place)


def _put(place: Place, module: nn.Module) -> None:
    setattr(*place, module)


def _neighbours(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Names of children that are called one after the other."""
    names = [name for name, _ in module.named_children()]
    if isinstance(module, nn.Sequential):
        yield from zip(names, names[1:], strict=False)
        return
    for name in names:
        if name.startswith("conv") and (norm := "bn" + name.removeprefix("conv")) in names:
            yield name, norm


def _first_place(module: nn.Module, name: str) -> Place:
    """Where a child begins, through any Sequentials."""
    while isinstance(child := getattr(module, name), nn.Sequential) and len(child):
        module, name = child, next(iter(child._modules))
    return module, name


def _last_place(module: nn.Module, name: str) -> Place:
    """Where a child ends, through any Sequentials."""
    while isinstance(child := getattr(module, name), nn.Sequential) and len(child):
        module, name = child, next(reversed(child._modules))
    return module, name


def _pointwise(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (1, 1)
        and module.padding == (0, 0)
        and module.groups == 1
    )


@torch.no_grad()
def _fold_before(norm: nn.BatchNorm2d, conv: nn.Conv2d) -> nn.Conv2d:
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - norm.running_mean * scale
    folded = copy.deepcopy(conv)
    kernel = conv.weight[:, :, 0, 0]
    bias = kernel @ shift + (0 if conv.bias is None else conv.bias)
    folded.weight.copy_((kernel * scale)[:, :, None, None])
    folded.bias = nn.Parameter(bias, requires_grad=conv.weight.requires_grad)
    return folded
