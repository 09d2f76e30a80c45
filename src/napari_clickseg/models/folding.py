"""Batch norms folded into the convolutions beside them, for faster inference."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .espnetv2 import ConvNorm

__all__ = ["fold_batch_norms"]


def fold_batch_norms(model: nn.Module) -> nn.Module:
    """Fold, in place, every batch norm that directly follows or precedes its convolution.

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
    for module in model.modules():
        if isinstance(module, ConvNorm):
            module.conv, module.bn = fuse_conv_bn_eval(module.conv, module.bn), nn.Identity()
        elif isinstance(module, nn.Sequential):
            for i in range(len(module) - 1):
                first, second = module[i], module[i + 1]
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
                elif isinstance(first, nn.BatchNorm2d) and _pointwise(second):
                    module[i], module[i + 1] = nn.Identity(), _fold_before(first, second)
    return model


def _pointwise(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and module.groups == 1


@torch.no_grad()
def _fold_before(norm: nn.BatchNorm2d, conv: nn.Conv2d) -> nn.Conv2d:
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - norm.running_mean * scale
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, 1, stride=conv.stride)
    kernel = conv.weight[:, :, 0, 0]
    folded.weight.copy_((kernel * scale)[:, :, None, None])
    folded.bias.copy_(kernel @ shift + (0 if conv.bias is None else conv.bias))
    return folded.eval()
