"""Mix Transformer (MiT), the hierarchical encoder of SegFormer.

Four stages at strides 4, 8, 16 and 32 with overlapping patches; attention looks at keys and values
of reduced resolution, and a depthwise convolution between the fully connected layers stands in for
a position embedding, so any input size works. Files of NVIDIA's pretrained encoders fit (their
classification ``head`` aside).

References
----------
Xie et al., "SegFormer: simple and efficient design for semantic segmentation with transformers",
NeurIPS 2021, section 3.1 and appendix A.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["BACKBONES", "MixTransformer", "PatchEmbed", "Size"]

HEADS = (1, 2, 5, 8)
REDUCTIONS = (8, 4, 2, 1)
EPS = 1e-6  # of the LayerNorms of blocks and stages; patches and reduced keys have the default 1e-5


@dataclass(frozen=True)
class Size:
    """Channels and number of blocks of the four stages."""

    channels: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]


BACKBONES = {
    "mit_b0": Size((32, 64, 160, 256), (2, 2, 2, 2)),
    "mit_b1": Size((64, 128, 320, 512), (2, 2, 2, 2)),
    "mit_b2": Size((64, 128, 320, 512), (3, 4, 6, 3)),
    "mit_b3": Size((64, 128, 320, 512), (3, 4, 18, 3)),
    "mit_b4": Size((64, 128, 320, 512), (3, 8, 27, 3)),
    "mit_b5": Size((64, 128, 320, 512), (3, 6, 40, 3)),
}


def _tokens(x: Tensor) -> Tensor:
    """``(B, C, h, w)`` as ``(B, h * w, C)``."""
    return x.flatten(2).transpose(1, 2)


def _grid(tokens: Tensor, height: int, width: int) -> Tensor:
    """``(B, h * w, C)`` as ``(B, C, h, w)``."""
    return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, height, width)


class PatchEmbed(nn.Module):
    """Overlapping patches as normalised tokens."""

    def __init__(self, inputs: int, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, channels, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> tuple[Tensor, int, int]:
        """Tokens ``(B, h * w, C)`` of ``(B, inputs, H, W)``, with h and w."""
        x = self.proj(x)
        return self.norm(_tokens(x)), x.shape[2], x.shape[3]


class Attention(nn.Module):
    """Self-attention of all tokens to those of a grid reduced `reduction` times."""

    def __init__(self, channels: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)
        self.proj = nn.Linear(channels, channels)
        self.reduction = reduction
        if reduction > 1:
            self.sr = nn.Conv2d(channels, channels, reduction, reduction)
            self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """``(B, height * width, C)`` to the same."""
        seen = x
        if self.reduction > 1:
            grid = _grid(x, height, width)
            # A side shorter than one cell still gives a key: the published code cannot run there.
            missing = (0, max(0, self.reduction - width), 0, max(0, self.reduction - height))
            seen = self.norm(_tokens(self.sr(F.pad(grid, missing) if any(missing) else grid)))
        query = self.q(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
        key, value = self.kv(seen).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class DepthwiseConv(nn.Module):
    """3x3 convolution of each channel of a token grid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """``(B, height * width, C)`` to the same."""
        return _tokens(self.dwconv(_grid(x, height, width)))


class MixFeedForward(nn.Module):
    """Fully connected, depthwise convolution, GELU, fully connected."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.dwconv = DepthwiseConv(4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """``(B, height * width, C)`` to the same."""
        return self.fc2(F.gelu(self.dwconv(self.fc1(x), height, width)))


class DropPath(nn.Module):
    """Leaves out the residual branch of some samples while training."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """``(B, N, C)`` to the same, zero for a share `rate` of the batch, scaled up else."""
        if not self.training or self.rate == 0:
            return x
        kept = x.new_empty(x.shape[0], 1, 1).bernoulli_(1 - self.rate)
        return x * kept / (1 - self.rate)


class Block(nn.Module):
    """Attention and feed-forward, each behind a LayerNorm and around a shortcut."""

    def __init__(self, channels: int, heads: int, reduction: int, drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=EPS)
        self.attn = Attention(channels, heads, reduction)
        self.norm2 = nn.LayerNorm(channels, eps=EPS)
        self.mlp = MixFeedForward(channels)
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """``(B, height * width, C)`` to the same."""
        x = x + self.drop_path(self.attn(self.norm1(x), height, width))
        return x + self.drop_path(self.mlp(self.norm2(x), height, width))


class MixTransformer(nn.Module):
    """The encoder; its layers carry the names of the published files.

    Parameters
    ----------
    size : Size
        One of `BACKBONES`.
    drop_path : float
        Share of residual branches left out in training, rising from 0 in the first block to this.
    """

    def __init__(self, size: Size, drop_path: float = 0.1) -> None:
        super().__init__()
        inputs, done, total = 3, 0, sum(size.depths)
        for stage, (channels, depth) in enumerate(zip(size.channels, size.depths, strict=True)):
            n = stage + 1
            kernel, stride = (7, 4) if stage == 0 else (3, 2)
            setattr(self, f"patch_embed{n}", PatchEmbed(inputs, channels, kernel, stride))
            blocks = [
                Block(channels, HEADS[stage], REDUCTIONS[stage], drop_path * i / (total - 1))
                for i in range(done, done + depth)
            ]
            setattr(self, f"block{n}", nn.ModuleList(blocks))
            setattr(self, f"norm{n}", nn.LayerNorm(channels, eps=EPS))
            inputs, done = channels, done + depth

    def forward(self, image: Tensor, added: Tensor | None = None) -> list[Tensor]:
        """Features of the four stages.

        Parameters
        ----------
        image : (B, 3, H, W) Tensor
            Normalised.
        added : (B, ceil(H / 4) * ceil(W / 4), C) Tensor, optional
            Tokens added to those of the image patches.

        Returns
        -------
        list of (B, C, H / 4, W / 4) ... (B, C, H / 32, W / 32) Tensor
            Sides are rounded up.
        """
        features = []
        x = image
        for n in range(1, 5):
            tokens, height, width = getattr(self, f"patch_embed{n}")(x)
            if n == 1 and added is not None:
                tokens = tokens + added
            for block in getattr(self, f"block{n}"):
                tokens = block(tokens, height, width)
            x = _grid(getattr(self, f"norm{n}")(tokens), height, width)
            features.append(x)
        return features
