"""The zoo: every published checkpoint has a complete card, and files placed by hand are found."""

import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch

from napari_clickseg.engine.profiles import PROFILES
from napari_clickseg.models import checkpoint, store, zoo
from napari_clickseg.models.checkpoint import write_model
from napari_clickseg.models.click_input import ClickInput
from napari_clickseg.models.header import CheckpointError
from napari_clickseg.models.plain_vit import PlainViTModel
from napari_clickseg.models.unpickle import load_pickle
from napari_clickseg.models.zoo import (
    ModelCard,
    NoC,
    find_card,
    find_model,
    list_models,
    load_model,
)

NAMES = {
    "f-BRS": "resnet34_dh128_sbd resnet50_dh128_sbd resnet101_dh256_sbd hrnet18_ocr64_sbd "
    "hrnet32_ocr128_sbd resnet50_dh128_lvis hrnet32_ocr128_lvis",
    "RITM": "sbd_h18_itermask coco_lvis_h18_baseline coco_lvis_h18s_itermask "
    "coco_lvis_h18_itermask coco_lvis_h32_itermask",
    "SAIC-IS": "hrnet18_multi segformer_multi",
    "avalanche": "082_epo090 116_epo090 115_epo095",
    "SimpleClick": "cocolvis_vit_base cocolvis_vit_large cocolvis_vit_huge "
    "sbd_vit_base sbd_vit_large sbd_vit_huge sbd_vit_xtiny",
    "CFR-ICL": "cocolvis_icl_vit_huge",
}
TEST_SETS = {"GrabCut", "Berkeley", "DAVIS", "SBD", "COCO_MVal", "PascalVOC"}
CARDS = zoo._catalogue()


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    folder = tmp_path / "models"
    monkeypatch.setenv(store.VARIABLE, str(folder))
    return folder


@pytest.fixture
def small_vit():
    torch.manual_seed(0)
    sizes = {"image_size": (64, 64), "embed_dim": 16, "depth": 4, "heads": 2, "head_channels": 8}
    return PlainViTModel(ClickInput(fusion="patches"), neck_dims=(4, 8, 12, 16), **sizes).eval()


def test_every_published_checkpoint_has_a_name():
    found = {system: {c.name for c in CARDS if c.system == system} for system in NAMES}
    assert found == {system: set(names.split()) for system, names in NAMES.items()}
    assert len({card.file for card in CARDS}) == len(CARDS) == 25


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_card_is_complete(card):
    assert card.path is None
    assert card.architecture
    assert card.trained_on
    assert all(card.trained_on)
    assert card.licence
    assert card.terms.endswith(".")
    assert card.profile in PROFILES
    assert urlsplit(card.page).scheme == "https"
    assert Path(card.file).name == card.file
    assert Path(card.file).suffix == ".pth"
    if card.address:
        assert not card.by_hand
        assert urlsplit(card.address).scheme == "https"
        assert card.address.endswith(f"/{card.file}")
    else:
        assert card.by_hand
        assert "{" not in "".join(card.by_hand)
        assert card.file in "".join(card.by_hand)
    if card.published_size is not None:
        assert 10e6 < card.published_size < 3e9
    assert {row.dataset for row in card.noc} <= TEST_SETS
    for row in card.noc:
        clicks = [value for value in (row.at_85, row.at_90) if value is not None]
        assert clicks
        assert clicks == sorted(clicks)
        assert all(1 <= value <= 20 and not math.isnan(value) for value in clicks)
    assert hash(card) == hash(dataclasses.replace(card))


def test_published_clicks_are_there_for_f_brs_and_ritm():
    for card in CARDS:
        modes = {row.mode for row in card.noc}
        if card.system == "f-BRS":
            assert modes == {"RGB-BRS", "f-BRS-B"}
            assert len(card.noc) == 10
        else:
            assert modes == ({"NoBRS"} if card.system == "RITM" else set())
    assert NoC("NoBRS", "GrabCut", 1.42, 1.54) in find_card("coco_lvis_h18_itermask").noc
    assert NoC("NoBRS", "Berkeley", None, 2.26) in find_card("coco_lvis_h18_itermask").noc
    assert NoC("f-BRS-B", "COCO_MVal", 2.34, 3.43) in find_card("resnet50_dh128_lvis").noc


@pytest.mark.parametrize(
    "name", ["cocolvis_icl_vit_huge", "segformer_multi", "cocolvis_vit_base", "sbd_vit_huge"]
)
def test_terms_that_forbid_commercial_use_say_so(name):
    card = find_card(name)
    assert "non-commercial" in card.licence
    assert "non-commercial use only" in card.terms


def test_the_archive_in_three_parts_has_its_steps():
    steps = " ".join(find_card("cocolvis_icl_vit_huge").by_hand)
    for words in ("cocolvis_icl_vit_huge.pth.7z.001", ".002", ".003", "7z x "):
        assert words in steps


def test_only_what_is_here_is_listed_unless_all_are_asked_for(folder):
    assert [card.name for card in list_models()] == ["clickseg-compact"]
    everything = list_models(available_only=False)
    assert everything[0].name == "clickseg-compact"
    assert everything[0].available
    assert not any(card.available for card in everything[1:])
    systems = [card.system for card in everything]
    assert all(systems.index(s) + systems.count(s) - 1 == _last(systems, s) for s in systems)
    folder.mkdir()
    (folder / "hrnet18_multi.pth").write_bytes(b"x" * 1234)
    (folder / "other.pth").write_bytes(b"x")
    (folder / "segformer_multi.pth").mkdir()
    bundled, found = list_models()
    assert bundled.name == "clickseg-compact"
    assert (found.name, found.path, found.size) == (
        "hrnet18_multi",
        folder / "hrnet18_multi.pth",
        1234,
    )


def _last(values, value):
    return len(values) - 1 - values[::-1].index(value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("coco_lvis_h32_itermask", ("clickseg-models download coco_lvis_h32", "119 MB", "MIT")),
        ("cocolvis_icl_vit_huge", ("clickseg-models show cocolvis_icl", "2.5 GB", "non-comm")),
    ],
)
def test_what_is_not_here_says_how_to_get_it_and_is_not_downloaded(
    folder, monkeypatch, name, words
):
    monkeypatch.setattr("socket.socket.connect", None)  # any connection would fail differently
    with pytest.raises(CheckpointError) as refused:
        load_model(name)
    for part in (*words, str(folder / f"{name}.pth")):
        assert part in str(refused.value)
    assert not folder.exists()


def test_unknown_names_and_missing_files_say_what_there_is():
    with pytest.raises(CheckpointError, match=r"clickseg-compact \('clickseg-models list --all'"):
        find_card("no-such-model")


@pytest.mark.parametrize(
    ("name", "profile"),
    [("cocolvis_icl_vit_huge", "cfr_icl"), ("cocolvis_vit_base", "simpleclick")],
)
@pytest.mark.parametrize("way", ["name", "path"])
def test_a_file_placed_by_hand_is_used_with_its_system_s_profile(
    folder, small_vit, monkeypatch, name, profile, way
):
    monkeypatch.setattr("socket.socket.connect", None)
    folder.mkdir()
    path = folder / f"{name}.pth"
    write_model(small_vit, path, {"name": "small"}, half=False)
    model = load_model(name if way == "name" else path, device="cpu")
    assert model.spec.profile == profile
    assert not any(p.requires_grad for p in model.parameters())
    assert find_model(name) == path
    assert find_card(path) == find_card(name)
    image, points = torch.rand(1, 3, 64, 64), torch.tensor([[[9.0, 9.0, 0], [-1, -1, -1]]])
    with torch.inference_mode():
        torch.testing.assert_close(model.logits(image, points), small_vit.logits(image, points))
    assert list(folder.iterdir()) == [path]  # nothing is pinned by use alone


def test_a_file_elsewhere_is_an_own_one_whatever_its_name(tmp_path, small_vit):
    path = tmp_path / "cocolvis_icl_vit_huge.pth"
    write_model(small_vit, path, {"name": "small", "licence": "mine"}, half=False)
    assert load_model(path, device="cpu").spec.profile == "simpleclick"
    card = find_card(path)
    assert (card.name, card.licence, card.file) == ("small", "mine", None)


def test_a_file_that_changed_after_it_was_pinned_is_not_loaded(folder, small_vit, monkeypatch):
    folder.mkdir()
    path = folder / "cocolvis_vit_base.pth"
    write_model(small_vit, path, {"name": "small"}, half=False)
    store.pin(path.name, store.file_hash(path))
    assert load_model("cocolvis_vit_base", device="cpu").spec.profile == "simpleclick"
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    monkeypatch.setattr(checkpoint, "read_model", None)  # refused before it is opened
    with pytest.raises(CheckpointError, match="is not the file that was first downloaded"):
        load_model("cocolvis_vit_base", device="cpu")


def test_loading_says_how_much_of_a_file_was_read(folder, small_vit):
    folder.mkdir()
    path = folder / "cocolvis_vit_base.pth"
    write_model(small_vit, path, {"name": "small"}, half=False)
    own, torch_file = folder / "own.safetensors", folder / "state.pth"
    own.write_bytes(path.read_bytes())
    torch.save({"weights": torch.zeros(2**20)}, torch_file)
    store.pin(path.name, store.file_hash(path))
    for name in (path, own):
        told = []
        load_model(name, "cpu", told.append)
        assert told == sorted(told) and 0 < told[0] <= 0.5 and told[-1] == 1
    told = []
    assert load_pickle(torch_file, told.append)["weights"].shape == (2**20,)
    assert told == sorted(told) and told[0] < 0.1 and told[-1] > 0.95
    told = []
    store.file_hash(torch_file, told.append)
    assert len(told) > 2 and told == sorted(told) and told[-1] == 1


def test_a_pinned_hash_stays_until_it_is_forgotten(folder):
    folder.mkdir()
    store.pin("a.pth", "1" * 64)
    store.pin("b.pth", "2" * 64)
    store.pin("a.pth", "3" * 64)
    assert (store.pinned_hash("a.pth"), store.pinned_hash("b.pth")) == ("1" * 64, "2" * 64)
    store.forget("a.pth")
    store.forget("c.pth")
    assert (store.pinned_hash("a.pth"), store.pinned_hash("b.pth")) == (None, "2" * 64)
    assert [path.name for path in folder.iterdir()] == [store.PINS]


def test_a_checkpoint_without_a_header_has_a_card_of_what_is_known(tmp_path):
    path = tmp_path / "mine.pth"
    path.write_bytes(b"PK\x03\x04" + bytes(96))
    card = ModelCard.of_file(path)
    assert (card.name, card.path, card.size) == ("mine", path, 100)
    assert card.licence == card.system == "not stated"
    page = tmp_path / "page.pth"
    page.write_text("<!doctype html>")
    with pytest.raises(CheckpointError, match="web page"):
        ModelCard.of_file(page)


def test_the_folder_is_the_one_of_the_environment_or_in_the_cache(monkeypatch, tmp_path):
    assert store.models_folder() == tmp_path / "models"
    monkeypatch.setenv(store.VARIABLE, "~/checkpoints")
    assert store.models_folder() == Path.home() / "checkpoints"
    monkeypatch.delenv(store.VARIABLE)
    default = store.models_folder()
    assert default.is_absolute()
    assert default.name == "models"
    assert "napari-clickseg" in default.parts[-2] or "napari-clickseg" in default.parts


def test_the_zoo_works_without_torch_and_without_a_network():
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from napari_clickseg.models import zoo, store, download\n"
        "from napari_clickseg.commands import models\n"
        "zoo.list_models(available_only=False)\n"
        "assert models.main(['list', '--all']) == models.main(['show', 'segformer_multi']) == 0\n"
        "assert models.main(['download', 'segformer_multi']) == 2\n"
        "assert 'requests' not in sys.modules\n"
    )
    source = str(Path(zoo.__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
