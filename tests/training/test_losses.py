"""Losses, metrics and schedules: published values, and what they are by definition."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_clickseg.training.losses import (
    LOSSES,
    boundary_loss,
    combined_loss,
    dice_loss,
    focal_loss,
    focal_scale,
    lost_pixels_loss,
    map_force,
    normalized_focal_loss,
    point_force,
    sigmoid_bce,
)
from napari_clickseg.training.measures import AdaptiveIoU, accuracy
from napari_clickseg.training.schedules import Schedule

VALUES = Path(__file__).parents[1] / "data" / "training_values.npz"
PUBLISHED = {
    "normalized_focal_a05_g2": normalized_focal_loss,
    "normalized_focal_a025_g2_attached": partial(normalized_focal_loss, alpha=0.25, detached=False),
    "normalized_focal_a05_g15_max3": partial(normalized_focal_loss, gamma=1.5, max_mult=3.0),
    "focal_a025_g2": focal_loss,
    "sigmoid_bce": sigmoid_bce,
    "soft_iou": LOSSES["soft_iou"],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_values_and_gradients_are_the_published_ones(name):
    case = np.load(VALUES)
    logits = torch.from_numpy(case["logits"]).requires_grad_()
    values = PUBLISHED[name](logits, torch.from_numpy(case["labels"]).float())
    np.testing.assert_allclose(values.detach(), case[f"loss_{name}"], rtol=1e-5)
    values.sum().backward()
    expected = case[f"grad_{name}"]
    np.testing.assert_allclose(logits.grad, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", LOSSES)
def test_ignored_pixels_do_not_count_and_the_truth_costs_least(name):
    torch.manual_seed(0)
    logits, target = torch.randn(2, 1, 9, 8), torch.randint(-1, 2, (2, 1, 9, 8)).float()
    other = torch.where(target < 0, torch.randn_like(logits) * 5, logits)
    loss = LOSSES[name]
    assert loss(logits, target).shape == (2,)
    torch.testing.assert_close(loss(logits, target), loss(other, target))
    right = torch.where(target > 0.5, 9.0, -9.0)
    assert (loss(right, target) < loss(logits, target)).all()


def test_focal_scale_makes_the_weights_sum_to_the_pixels():
    logits, target = torch.randn(2, 1, 6, 7), torch.randint(0, 2, (2, 1, 6, 7)).float()
    scale, largest = focal_scale(logits, target)
    weights = (torch.sigmoid(logits) - target).square()
    torch.testing.assert_close(scale * weights.sum((1, 2, 3)), torch.full((2,), 42.0))
    torch.testing.assert_close(largest, scale * weights.amax((1, 2, 3)))


def test_dice_and_boundary_by_hand():
    target = torch.zeros(1, 1, 12, 12)
    target[..., 3:9, 3:9] = 1
    p = torch.rand(1, 1, 12, 12)
    expected = 1 - 2 * (p * target).sum() / (p.square().sum() + target.sum())
    torch.testing.assert_close(dice_loss(torch.logit(p), target)[0], expected, atol=1e-5, rtol=0)
    inner, outer = torch.zeros_like(target), torch.zeros_like(target)
    inner[..., 4:8, 4:8] = outer[..., 2:10, 2:10] = 1
    outer[..., 4:8, 4:8] = 0
    there = boundary_loss(torch.zeros_like(target) + 5 * outer, target, width=1)
    away = boundary_loss(torch.zeros_like(target) - 5 * inner, target, width=1)
    assert there > np.log(2) + 0.1
    torch.testing.assert_close(away[0], torch.tensor(np.log(2)).float())


def test_forces_pull_at_what_was_said():
    logits = torch.zeros(2, 1, 6, 6, requires_grad=True)
    points = torch.full((2, 4, 3), -1.0)
    points[0, 0], points[1, 2] = torch.tensor([1.0, 2, 0]), torch.tensor([4.0, 5, 0])
    force = point_force(logits, points)
    assert float(force.detach()) == pytest.approx(2 * np.log(2))
    force.backward()
    pulled = torch.nonzero(logits.grad)
    assert pulled.tolist() == [[0, 0, 1, 2], [1, 0, 4, 5]]
    assert logits.grad[0, 0, 1, 2] < 0 < logits.grad[1, 0, 4, 5]
    maps = torch.zeros(2, 2, 6, 6)
    maps[0, 0, :2] = 1
    expected = 12 * np.log(2) / 13
    assert float(map_force(logits.detach(), maps)) == pytest.approx(expected, rel=1e-5)
    assert float(point_force(logits.detach(), points * 0 - 1)) == 0


def test_losses_are_added_with_their_weights():
    logits, target = torch.randn(2, 1, 6, 6), torch.randint(0, 2, (2, 1, 6, 6)).float()
    both = combined_loss(logits, target, {"bce": {"weight": 2.0}, "focal": {"alpha": 0.5}})
    expected = 2 * sigmoid_bce(logits, target) + focal_loss(logits, target, alpha=0.5)
    torch.testing.assert_close(both, expected)


def test_adaptive_iou_follows_the_best_threshold():
    target = torch.zeros(1, 1, 10, 10)
    target[..., :5, :] = 1
    logits = torch.logit(torch.where(target > 0, 0.9, 0.6))  # apart only above 0.6
    iou = AdaptiveIoU(threshold=0.59)
    assert iou.add(logits, target) == 1.0
    assert iou.threshold == pytest.approx(0.59 + 0.01 * 0.025)
    assert iou.average == pytest.approx(0.1)
    assert iou.add(torch.full_like(logits, -9.0), target) == 0.0
    assert iou.mean == 0.5
    other = AdaptiveIoU()
    other.restore(iou.state())
    assert other.state() == iou.state()
    iou.restart()
    assert (iou.mean, iou.threshold) == (0.0, other.threshold)
    ignored = torch.where(target > 0, target, torch.tensor(-1.0))
    assert AdaptiveIoU().add(logits, ignored) == 1.0
    assert accuracy(logits, target) == 0.5


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(), {0: 1, 99: 1}),
        (Schedule("multi_step", at=(5, 8)), {0: 1, 49: 1, 50: 0.1, 79: 0.1, 80: 0.01}),
        (Schedule("step", every=3, factor=0.5), {29: 1, 30: 0.5, 60: 0.25}),
        (Schedule("cosine"), {0: 1, 9: 1, 50: 0.5, 99: 0.0244717}),
        (Schedule("poly", power=0.9), {0: 1, 50: 0.5**0.9, 99: 0.01**0.9}),
        (
            Schedule("poly", power=1.0, warmup=10, warmup_from=0.5),
            {0: 0.5, 5: 0.75, 10: 1, 55: 0.5},  # as published, it falls from the warm-up's end
        ),
        (Schedule("cosine", final=0.2), {50: 0.6}),
    ],
)
def test_schedules(schedule, expected):
    for step, value in expected.items():
        assert schedule.at_step(step, 10, 10) == pytest.approx(value, rel=1e-4), step


def test_schedules_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="no schedule"):
        Schedule("sawtooth")
    with pytest.raises(ValueError, match="go up"):
        Schedule("multi_step", at=(8, 5))


def test_pixels_that_were_right_and_are_wrong_now_cost_by_how_much():
    target = torch.tensor([[[[1.0, 1.0, 0.0, -1.0]]]])
    before = torch.tensor([[[[0.9, 0.1, 0.1, 0.1]]]])  # the second pixel was wrong already
    logits = torch.tensor([[[[-3.0, -5.0, 1.0, 9.0]]]], requires_grad=True)
    loss = lost_pixels_loss(logits, target, before)
    assert loss.tolist() == [(3 + 1) / 2]  # object of two pixels
    loss.sum().backward()
    assert logits.grad.tolist() == [[[[-0.5, 0.0, 0.5, 0.0]]]]
    assert lost_pixels_loss(logits, target, torch.zeros_like(before)).tolist() == [0.0]
