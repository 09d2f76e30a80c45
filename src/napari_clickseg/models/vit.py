"""The encoder of plain vision transformers: most blocks attend within windows, a few to all.

A. Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021; Y. Li, H. Mao, R. Girshick,
K. He, "Exploring plain vision transformer backbones for object detection", ECCV 2022 (windows).
Module names follow the published files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["PatchEmbedding", "WindowedViT", "resize_position"]

WINDOW = 224  # pixels, about: the image is cut into as many whole windows of this size as fit
CLASSES = 1000  # of the classifier that the published files carry


def resize_position(embedding: Tensor, grid: tuple[int, int], new_grid: tuple[int, int]) -> Tensor:
    """Position embedding for another grid of tokens, by bicubic interpolation.

    Parameters
    ----------
    embedding : (1, 1 + h * w, D) Tensor
        The first token is that of the class and is kept.
    grid, new_grid : (int, int)
        Rows and columns of tokens, ``(h, w)`` and those to come.

    Returns
    -------
    (1, 1 + new_h * new_w, D) Tensor
        `embedding` itself if the grids are the same.
    """
    if tuple(grid) == tuple(new_grid):
        return embedding
    first, rest = embedding[:, :1], embedding[:, 1:]
    planes = rest.transpose(1, 2).unflatten(2, grid)
    planes = F.interpolate(planes, size=new_grid, mode="bicubic", align_corners=False)
    return torch.cat([first, planes.flatten(2).transpose(1, 2)], dim=1)


class PatchEmbedding(nn.Module):
    """Image to tokens: each patch of `patch_size` pixels becomes a vector."""

    def __init__(self, channels: int, embed_dim: int, patch_size: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, embed_dim, patch_size, stride=patch_size)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, H / patch, W / patch, D)``."""
        return self.proj(x).permute(0, 2, 3, 1)


class Attention(nn.Module):
    """Self-attention with several heads."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, N, D)`` to the same."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Attention and MLP, each behind a norm and beside an identity."""

    def __init__(self, dim: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = MLP(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class WindowedViT(nn.Module):
    """Patches of an image to tokens that know of each other.

    The image is cut into windows of `window` x `window` tokens, about 224 pixels wide (the whole
    image if it is smaller). The last block of each of the quarters of the network (of each of the
    halves if it is 12 deep) attends to all tokens, the others within windows only.

    Parameters
    ----------
    image_size : (int, int)
        Height and width in pixels that the position embedding is made for; others are
        interpolated when called.
    patch_size : int
        In pixels.
    embed_dim, depth, heads : int
        Length of a token, number of blocks, attention heads of each.
    mlp_ratio : float
        Hidden width of the MLPs over `embed_dim`.

    Raises
    ------
    ValueError
        If these do not make a network.
    """

    def __init__(
        self,
        image_size: Sequence[int],
        patch_size: int,
        embed_dim: int,
        depth: int,
        heads: int,
        mlp_ratio: float,
    ) -> None:
        super().__init__()
        if len(image_size) != 2 or any(s % patch_size or s < 2 * patch_size for s in image_size):
            raise ValueError(
                f"An image size of {tuple(image_size)} is not a height and a width of two or more "
                f"patches of {patch_size} pixels."
            )
        if depth < 1 or (depth != 12 and depth % 4):
            raise ValueError(f"A depth of {depth} blocks does not divide into quarters.")
        if embed_dim % heads:
            raise ValueError(f"A width of {embed_dim} does not divide into {heads} heads.")
        self.grid = (image_size[0] // patch_size, image_size[1] // patch_size)
        side = min(self.grid)
        self.window = side // max(1, side // max(1, WINDOW // patch_size))
        if any(s % self.window for s in self.grid):
            raise ValueError(
                f"An image of {tuple(image_size)} pixels does not divide into windows of "
                f"{self.window * patch_size} pixels."
            )
        self.patch_size = patch_size
        self.period = 6 if depth == 12 else depth // 4  # of the blocks that see all tokens
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))  # in the files; without use
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + math.prod(self.grid), embed_dim))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.patch_embed = PatchEmbedding(3, embed_dim, patch_size)
        self.blocks = nn.ModuleList(Block(embed_dim, heads, mlp_ratio) for _ in range(depth))
        self.fc_norm = nn.LayerNorm(embed_dim, eps=1e-6)  # in the files; without use, as `head`
        self.head = nn.Linear(embed_dim, CLASSES)

    def forward(self, image: Tensor, added: Tensor) -> Tensor:
        """Features of an image.

        Parameters
        ----------
        image : (B, 3, H, W) Tensor
            Normalised; sides are multiples of the window.
        added : (B, h, w, D) Tensor
            Added to the tokens of the image, which are h x w patches.

        Returns
        -------
        (B, D, h, w) Tensor

        Raises
        ------
        ValueError
            If the image does not divide into windows.
        """
        height, width = image.shape[-2:]
        pixels = self.window * self.patch_size
        if height % pixels or width % pixels:
            raise ValueError(
                f"This network looks at windows of {pixels} x {pixels} pixels, and an image of "
                f"{height} x {width} does not divide into them. Resize it to multiples of {pixels}."
            )
        tokens = self.patch_embed(image) + added
        batch, rows, cols, dim = tokens.shape
        position = resize_position(self.pos_embed, self.grid, (rows, cols))[:, 1:]
        tokens = tokens + position.view(1, rows, cols, dim)

        side = self.window
        down, across = rows // side, cols // side
        x = tokens.view(batch, down, side, across, side, dim).transpose(2, 3)
        x = x.reshape(batch * down * across, side * side, dim)
        for i, block in enumerate(self.blocks, 1):
            if i % self.period:
                x = block(x)
            else:  # the order of tokens means nothing to attention, so windows stay together
                x = block(x.view(batch, -1, dim)).view(-1, side * side, dim)
        x = x.view(batch, down, across, side, side, dim).transpose(2, 3)
        return x.reshape(batch, rows, cols, dim).permute(0, 3, 1, 2)
