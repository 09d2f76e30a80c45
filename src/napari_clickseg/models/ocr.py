"""Object-contextual representations for a single class.

Y. Yuan, X. Chen, J. Wang, "Object-contextual representations for semantic segmentation", ECCV 2020.
Module names follow the published files of HRNet.
"""

from __future__ import annotations

from torch import Tensor, nn

from .pointwise import pointwise

__all__ = ["ObjectContext"]


def _conv(cin: int, cout: int) -> list[nn.Module]:
    norm = nn.Sequential(nn.BatchNorm2d(cout), nn.ReLU(inplace=True))
    return [nn.Conv2d(cin, cout, 1, bias=False), norm]


class ObjectAttention(nn.Module):
    """What every pixel learns from the object's features.

    Each pixel's attention over the classes is a softmax over a single one, which is 1 whatever its
    query and key are. So `f_pixel` and `f_object`, which make these, are held for the files' sake
    and never run, and all pixels learn the same.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.f_pixel = nn.Sequential(*_conv(channels, width), *_conv(width, width))
        self.f_object = nn.Sequential(*_conv(channels, width), *_conv(width, width))
        self.f_down = nn.Sequential(*_conv(channels, width))
        self.f_up = nn.Sequential(*_conv(width, channels))

    def forward(self, region: Tensor) -> Tensor:
        """Features of the object ``(B, channels, 1, 1)`` to context of the same shape."""
        return self.f_up(self.f_down(region))


class ObjectContext(nn.Module):
    """Joins pixel features with those of the object that a coarse mask shows.

    Parameters
    ----------
    width : int
        Channels inside the attention; features have twice as many.
    dropout : float
        Probability 0..1 of a channel, in training.
    """

    def __init__(self, width: int, dropout: float = 0.05) -> None:
        super().__init__()
        self.object_context_block = ObjectAttention(2 * width, width)
        joined = _conv(4 * width, 2 * width)
        self.conv_bn_dropout = nn.Sequential(*joined, nn.Dropout2d(dropout))

    def forward(self, features: Tensor, coarse: Tensor) -> Tensor:
        """Features ``(B, 2 * width, h, w)``, logits ``(B, 1, h, w)`` to features of that shape."""
        weights = coarse.flatten(2).softmax(dim=2)  # over the pixels
        region = features.flatten(2) @ weights.transpose(1, 2)
        context = self.object_context_block(region[..., None])
        # All pixels have the same context, so its half of the convolution is done once, not at
        # every pixel.
        conv, *rest = self.conv_bn_dropout
        of_context, of_features = conv.weight.split(features.shape[1], dim=1)
        x = pointwise(features, of_features, conv.bias) + pointwise(context, of_context)
        for layer in rest:
            x = layer(x)
        return x
