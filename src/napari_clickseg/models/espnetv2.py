"""The image encoder of ESPNetv2, up to stride 16.

S. Mehta, M. Rastegari, L. Shapiro, H. Hajishirzi, "ESPNetv2: A light-weight, power efficient, and
general purpose convolutional neural network", CVPR 2019. Module names follow the published
segmentation files (prefix ``base_net.``), so that those load as they are.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["ESPNetv2Encoder", "encoder_state"]

BRANCHES = 4


class ConvNorm(nn.Module):
    """Convolution without bias and batch norm, with a PReLU after them if `act`."""

    def __init__(
        self, cin: int, cout: int, size: int, stride: int = 1, groups: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            cin, cout, size, stride=stride, padding=size // 2, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(cout)
        self.act = nn.PReLU(cout) if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class NormAct(nn.Module):
    """Batch norm and PReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(x))


class Dilated(nn.Module):
    """A bare depth-wise 3x3 convolution."""

    def __init__(self, channels: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels,
            channels,
            3,
            stride=stride,
            padding=dilation,
            dilation=dilation,
            groups=channels,
            bias=False,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


def _dilations(limit: int) -> list[int]:
    """Dilations of the four branches when no kernel may be larger than `limit`."""
    kernels = sorted(3 + 2 * i if 3 + 2 * i <= limit else 3 for i in range(BRANCHES))
    return [(kernel - 1) // 2 for kernel in kernels]


class EESP(nn.Module):
    """Reduce, split into dilated branches summed in turn, merge; residual at stride 1."""

    def __init__(self, cin: int, cout: int, stride: int, limit: int) -> None:
        super().__init__()
        width = cout // BRANCHES
        self.stride = stride
        self.proj_1x1 = ConvNorm(cin, width, 1, groups=BRANCHES)
        self.spp_dw = nn.ModuleList(Dilated(width, stride, d) for d in _dilations(limit))
        self.br_after_cat = NormAct(cout)
        self.conv_1x1_exp = ConvNorm(cout, cout, 1, groups=BRANCHES, act=False)
        self.module_act = nn.PReLU(cout)  # in the files of strided units too, where it does nothing

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.proj_1x1(x)
        outs = [self.spp_dw[0](reduced)]
        for branch in self.spp_dw[1:]:
            outs.append(branch(reduced) + outs[-1])
        y = self.conv_1x1_exp(self.br_after_cat(torch.cat(outs, dim=1)))
        return y if self.stride == 2 else self.module_act(x + y)


class DownSampler(nn.Module):
    """Pooled input beside a strided EESP, plus the image itself at that scale."""

    def __init__(self, cin: int, cout: int, limit: int, pools: int) -> None:
        super().__init__()
        self.pools = pools
        self.eesp = EESP(cin, cout - cin, 2, limit)
        self.inp_reinf = nn.Sequential(ConvNorm(3, 3, 3), ConvNorm(3, cout, 1, act=False))
        self.act = nn.PReLU(cout)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        for _ in range(self.pools):
            image = F.avg_pool2d(image, 3, stride=2, padding=1)
        pooled = F.avg_pool2d(x, 3, stride=2, padding=1)
        return self.act(torch.cat([pooled, self.eesp(x)], dim=1) + self.inp_reinf(image))


class ESPNetv2Encoder(nn.Module):
    """Features at strides 4, 8 and 16 from a normalised image.

    Parameters
    ----------
    scale : {1.0, 1.5, 2.0}
        Width of the network as published (0.2, 0.4, 0.75 million parameters).
    """

    WIDTHS = {1.0: (32, 64, 128, 256), 1.5: (32, 96, 192, 384), 2.0: (32, 128, 256, 512)}

    def __init__(self, scale: float = 2.0) -> None:
        super().__init__()
        c1, c2, c3, c4 = self.WIDTHS[scale]
        self.channels = (c2, c3, c4)
        self.level1 = ConvNorm(3, c1, 3, stride=2)
        self.level2_0 = DownSampler(c1, c2, 13, pools=2)
        self.level3_0 = DownSampler(c2, c3, 11, pools=3)
        self.level3 = nn.ModuleList(EESP(c3, c3, 1, 9) for _ in range(3))
        self.level4_0 = DownSampler(c3, c4, 9, pools=4)
        self.level4 = nn.ModuleList(EESP(c4, c4, 1, 7) for _ in range(7))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(B, 3, H, W)`` normalised RGB to three maps of sizes H/4, H/8, H/16, rounded up."""
        f4 = self.level2_0(self.level1(image), image)
        f8 = self.level3_0(f4, image)
        for unit in self.level3:
            f8 = unit(f8)
        f16 = self.level4_0(f8, image)
        for unit in self.level4:
            f16 = unit(f16)
        return f4, f8, f16


def encoder_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's part of a published segmentation file's state dict, keys without prefix."""
    prefix = "base_net."
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}
