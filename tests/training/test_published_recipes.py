"""Every recipe of the package: what it builds, and two real steps of it on miniature data."""

import dataclasses
import json
import math
from functools import cache, partial

import miniature_sets
import pytest
import torch

from napari_clickseg.models import hrnet
from napari_clickseg.models.checkpoint import read_model
from napari_clickseg.models.mix_transformer import BACKBONES
from napari_clickseg.models.registry import build_model
from napari_clickseg.models.resnet import DilatedResNet
from napari_clickseg.training import epoch_loop
from napari_clickseg.training.epoch_loop import EpochTrainer
from napari_clickseg.training.epoch_recipe import EpochRecipe
from napari_clickseg.training.recipe import list_recipes, load_recipe
from napari_clickseg.training.run_folder import RunFolder
from napari_clickseg.training.sources import make_sources
from napari_clickseg.training.start import begin_model

RECIPES = {name: load_recipe(name) for name in list_recipes()}
PUBLISHED = sorted(
    name for name, r in RECIPES.items() if isinstance(r, EpochRecipe) and r.model.architecture
)
NARROW = {
    "hrnet": [
        "model.config.width=4",
        "model.config.ocr_width=4",
        "model.config.small=true",
        "crop=[32, 32]",
    ],
    "deeplab": ['model.config.backbone="resnet34"', "model.config.channels=8", "crop=[32, 32]"],
    "segformer": ['model.config.backbone="mit_b1"'],
    "plain_vit": [
        "model.config.image_size=[48, 48]",
        "model.config.embed_dim=16",
        "model.config.depth=4",
        "model.config.heads=2",
        "model.config.patch_size=16",
        "model.config.neck_dims=[4, 4, 4, 4]",
        "model.config.head_channels=4",
    ],
}
SHORT = ["crop=[48, 48]", "batch=2", "epoch_length=4", "epochs=1", "examples.min_area=16"]
MILLIONS = {
    "fbrs_resnet101_sbd": (45, 60),
    "fbrs_hrnet48_sbd": (65, 80),
    "ritm_hrnet18_cocolvis_itermask": (10, 10.5),
    "ritm_hrnet32_cocolvis_itermask": (30, 32),
    "saic_is_segformer_b4_multi": (60, 72),
    "simpleclick_vit_b_cocolvis": (95, 105),
    "cfr_icl_vit_h_cocolvis": (640, 680),
}
SETS = {
    "sbd": "SBD",
    "coco_lvis": "COCO_LVIS",
    "ade20k": "ADE20k",
    "coco": "COCO",
    "lvis": "LVIS",
    "openimages": "OpenImages",
    "pascal_voc": "PascalVOC",
    "avalanche": "Avalanche",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """All data sets in miniature, in folders of the names that recipes use."""
    root = tmp_path_factory.mktemp("sets")
    for name, reader in SETS.items():
        miniature_sets.write_set(reader, root / name)
    for name, write in (
        ("coco_lvis", miniature_sets.write_coco_lvis),
        ("ade20k", miniature_sets.write_ade20k),
        ("openimages", miniature_sets.write_open_images),
        ("coco", miniature_sets.write_coco),
        ("lvis", miniature_sets.write_lvis),
    ):
        for split in ("train", "val"):
            write(root / name, split)
    return root


def one_block(layer, block, in_width, out_width, _blocks, *more, **options):
    """A layer of an HRNet with one block only."""
    return layer(block, in_width, out_width, 1, *more, **options)


@pytest.fixture
def small(monkeypatch):
    """Shallow encoders where a recipe cannot make them narrow; no checkpoints to go on from."""
    one = {name: (block, (1, 1, 1, 1)) for name, (block, _) in DilatedResNet.DEPTHS.items()}
    monkeypatch.setattr(DilatedResNet, "DEPTHS", one)
    monkeypatch.setattr(hrnet, "residual_layer", partial(one_block, hrnet.residual_layer))
    tiny = dataclasses.replace(BACKBONES["mit_b1"], channels=(64, 64, 80, 80), depths=(1, 1, 1, 1))
    monkeypatch.setitem(BACKBONES, "mit_b1", tiny)
    monkeypatch.setattr(epoch_loop, "write_checkpoint", lambda *_: None)


@pytest.mark.parametrize("name", PUBLISHED)
def test_two_steps_of_a_published_recipe(name, data, tmp_path, monkeypatch, small):
    monkeypatch.setenv("CLICKSEG_DATA", str(data))
    architecture = RECIPES[name].model.architecture
    changes = [*SHORT, *NARROW[architecture], 'model.start="nothing"', "validation_length=1"]
    recipe = load_recipe(name, changes)
    model = begin_model(recipe)
    before = [p.detach().clone() for p in model.parameters()]
    source, held_out = make_sources(recipe, sorted(model.spec.interactions))
    run = EpochTrainer(
        recipe, model, source, held_out, RunFolder(tmp_path), say=lambda _words: None
    )
    assert run.run()
    assert run.total == 2
    after = dict(model.named_parameters())
    moved = {
        n for (n, p), old in zip(after.items(), before, strict=True) if not torch.equal(p, old)
    }
    unused = ("backbone.cls_token", "backbone.fc_norm", "backbone.head", "head.up_conv")
    assert {n.split(".")[0] for n in after if not n.startswith(unused)} == {
        n.split(".")[0] for n in moved
    }
    entries = list(map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines()))
    assert math.isfinite(entries[0]["overall"])
    assert ("instance_aux_loss" in entries[0]) == bool(recipe.aux)
    assert ("force_loss" in entries[0]) == name.startswith("saic_is")
    assert ("validation_iou" in entries[1]) == bool(recipe.validation)
    exported = read_model(run.folder.best)
    assert exported.spec == model.spec


@cache
def in_full(architecture, config):
    """The network of a recipe, without memory for its weights; many recipes share one."""
    with torch.device("meta"):
        return build_model(architecture, json.loads(config))


@pytest.mark.parametrize("name", PUBLISHED)
def test_networks_are_built_in_full(name):
    options = RECIPES[name].model
    model = in_full(options.architecture, json.dumps(options.config, sort_keys=True))
    system = name.split("_")[0]
    profiles = {"saic": "saic_is", "cfr": "cfr_icl"}
    assert model.spec.profile == profiles.get(system, system)
    if name in MILLIONS:
        low, high = MILLIONS[name]
        assert low < sum(p.numel() for p in model.parameters()) / 1e6 < high


def test_facts_of_the_published_recipes():
    itermask = RECIPES["ritm_hrnet18_cocolvis_itermask"]
    assert (itermask.epochs, itermask.batch, itermask.rounds.most) == (230, 28, 3)
    assert itermask.schedule.at == (200, 220)
    assert itermask.model.config["inputs"]["prev_mask"]
    assert not RECIPES["ritm_hrnet18_cocolvis_baseline"].model.config["inputs"]["prev_mask"]
    assert set(RECIPES["ritm_hrnet18_cocolvis_bce"].losses) == {"bce"}
    assert set(RECIPES["ritm_resnet34_vocsbd_baseline"].data) == {"sbd", "pascal_voc"}
    fbrs = RECIPES["fbrs_resnet34_sbd"]
    assert fbrs.points.one_strategy
    assert (fbrs.objects.merge, fbrs.examples.keep_background) == (0.15, 0.0)
    assert RECIPES["fbrs_resnet101_sbd"].model.config["aspp_dropout"] == 0.5
    assert RECIPES["fbrs_hrnet48_sbd"].model.config["ocr_width"] == 128
    assert RECIPES["avalanche_hrnet18"].rounds.most == 10
    assert set(RECIPES["simpleclick_vit_b_sbd"].data) == {"sbd"}
    iterative = ("ritm_hrnet18_sbd_itermask", "simpleclick_vit_l_sbd", "cfr_icl_vit_b_sbd")
    for name in (*iterative, "fbrs_hrnet18_sbd", "ritm_resnet34_sbd_baseline"):
        recipe = RECIPES[name]
        kinds = [item["kind"] for item in recipe.augment]
        baseline = name.endswith("baseline")
        assert recipe.augment[0]["high"] == (1.4 if baseline else 1.25)
        assert ("turn" in kinds, recipe.augment[1].get("any_way", False)) == (not baseline,) * 2
    for network in ("resnet34", "hrnet18"):
        for name, epochs, area, background in (
            ("sbd", 120, 80, 0.0),
            ("vocsbd", 120, 80, 0.0),
            ("ade20k", 120, 80, 0.05),
            ("coco", 140, 1000, 0.05),
            ("openimages", 140, 1000, 0.05),
            ("lvis", 160, 1000, 0.05),
        ):
            recipe = RECIPES[f"ritm_{network}_{name}_baseline"]
            assert (recipe.epochs, recipe.schedule.at) == (epochs, (epochs - 20, epochs - 5))
            assert (recipe.examples.min_area, recipe.examples.keep_background) == (area, background)
            assert (recipe.aux > 0) == (network == "hrnet18")
    ablation = RECIPES["ritm_hrnet18_cocolvis_focal"]
    assert (ablation.epochs, ablation.examples.min_area, ablation.rounds.most) == (160, 80, 0)
    drawn = RECIPES["saic_is_segformer_b4_multi"]
    assert (drawn.model.init, drawn.optimizer.decay_all) == ("default", True)
    icl = RECIPES["cfr_icl_vit_h_cocolvis"]
    assert not icl.rounds.from_centre  # it begins with the sampled points
    assert (icl.rounds.kind, icl.epochs, icl.epoch_length) == ("click_loss", 1, 3000)
    assert icl.rounds.weights == (1.0, 2.0, 3.0)
    single = RECIPES["saic_is_segformer_b4_stroke"].model.config["inputs"]
    assert (single["kinds"], single["stride"]) == (["stroke"], 1)
