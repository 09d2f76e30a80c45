"""1 x 1 convolutions give what torch's own give, and so do their gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from napari_clickseg.models.pointwise import PointwiseConv, pointwise, speed_up_pointwise

ORDERS = [torch.contiguous_format, torch.channels_last]


def example(outputs: int, order: torch.memory_format):
    torch.manual_seed(outputs)
    x = torch.randn(1, 9, 7, 6).contiguous(memory_format=order)
    return x, torch.randn(outputs, 9, 1, 1), torch.randn(outputs)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("outputs", [1, 5])
@pytest.mark.parametrize("with_bias", [True, False])
def test_values_and_gradient_are_those_of_torch(outputs, order, with_bias):
    x, weight, bias = example(outputs, order)
    bias = bias if with_bias else None
    slope = torch.randn(1, outputs, 7, 6)
    found = []
    for convolve in (pointwise, F.conv2d):
        leaf = x.clone(memory_format=torch.preserve_format).requires_grad_()
        y = convolve(leaf, weight, bias)
        found.append((y.detach(), torch.autograd.grad(y, leaf, slope)[0]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-5)


def test_weights_that_learn_get_their_gradient():
    x, weight, bias = example(5, torch.channels_last)
    weight.requires_grad_()
    pointwise(x, weight, bias).sum().backward()
    torch.testing.assert_close(weight.grad[0, :, 0, 0], x.sum(dim=(0, 2, 3)))


def test_autocast_still_chooses_the_precision():
    x, weight, bias = example(5, torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        assert pointwise(x, weight, bias).dtype == torch.bfloat16


def test_only_plain_convolutions_are_exchanged():
    plain = nn.Conv2d(4, 4, 1)
    others = [nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 1, stride=2), nn.Conv2d(4, 4, 1, groups=2)]
    model = nn.Sequential(plain, *others).requires_grad_(False)
    x = torch.randn(1, 4, 12, 12)
    before = model(x)
    speed_up_pointwise(model)
    assert [type(layer) for layer in model] == [PointwiseConv] + 3 * [nn.Conv2d]
    torch.testing.assert_close(model(x), before)
