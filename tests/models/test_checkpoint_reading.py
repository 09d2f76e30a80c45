"""Opening checkpoints: published ones as they are, broken and hostile ones with a sentence."""

import io
import os
import pickle
import struct
import sys
import zipfile

import pytest
import torch
from checkpoints import (
    logits_of,
    published_modules,
    retag,
    ritm_config,
    ritm_state,
)

import napari_clickseg
from napari_clickseg.models.checkpoint import read_model, write_model
from napari_clickseg.models.header import CheckpointError
from napari_clickseg.models.unpickle import InteractionKind, load_pickle


@pytest.fixture(scope="module")
def state():
    return ritm_state()


@pytest.fixture
def saved(tmp_path, state):
    """A RITM checkpoint file."""
    path = tmp_path / "ritm.pth"
    torch.save({"state_dict": state, "config": ritm_config()}, path)
    return path


def same(a, b):
    """Whether two state dicts are the same, bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


class Evil:
    """Would create a file if its pickle were loaded without care."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"echo > {self.path}",)


def test_a_published_file_is_the_network_of_its_state_dict(saved, state):
    model = read_model(saved)
    assert not model.training
    assert (model.spec.architecture, model.spec.profile) == ("hrnet", "ritm")
    assert model.config["width"] == 2 and model.spec.takes_prev_mask
    ours = napari_clickseg.model_from_state_dict(state, ritm_config())
    assert torch.equal(logits_of(model), logits_of(ours))
    assert same(model.state_dict(), state)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_the_content_decides_not_the_suffix(tmp_path, state, zipped, suffix):
    path = tmp_path / f"model{suffix}"
    torch.save(
        {"state_dict": state, "config": ritm_config()}, path, _use_new_zipfile_serialization=zipped
    )
    assert read_model(path).spec.architecture == "hrnet"


def test_tensors_saved_on_a_gpu_load_on_the_cpu(saved, state):
    assert retag(saved) >= 1
    content = load_pickle(saved)["state_dict"]
    assert {value.device.type for value in content.values()} == {"cpu"}
    assert same(content, state)


def test_legacy_tensors_saved_on_a_gpu_load_on_the_cpu(tmp_path):
    path = tmp_path / "legacy.pth"
    torch.save({"w": torch.arange(3.0)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert b"X\x03\0\0\0cpu" in content
    path.write_bytes(content.replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0"))
    assert same(load_pickle(path), {"w": torch.arange(3.0)})


def test_objects_of_the_published_code_are_replaced_by_inert_ones(tmp_path):
    path = tmp_path / "objects.pth"
    with published_modules() as isegm:
        settings = isegm.EasyDict()
        settings.img_size = (448, 448)
        given = {
            "types": [isegm.IType.point, isegm.IType.stroke],
            "loss": isegm.CrossEntropyLoss(),
            "settings": settings,
        }
        torch.save(given, path)
    assert "isegm" not in sys.modules and "easydict" not in sys.modules
    content = load_pickle(path)
    assert content["types"] == [InteractionKind.POINT, InteractionKind.STROKE]
    assert content["settings"] == {"img_size": (448, 448)}
    assert vars(content["loss"]) == {}
    assert "isegm" not in sys.modules and "easydict" not in sys.modules


def test_a_file_of_saic_is_with_its_enum_opens(tmp_path):
    kinds = ("click", "contour", "stroke")
    path = tmp_path / "hrnet18_multi.pth"
    with published_modules() as isegm:
        types = [isegm.IType.point, isegm.IType.contour, isegm.IType.stroke]
        params = {"input_type": types, "is_strided_maps_transform": True, "norm_radius": 3}
        torch.save({"state_dict": ritm_state(kinds=kinds), "config": ritm_config(**params)}, path)
    model = read_model(path)
    assert model.spec.profile == "saic_is"
    assert model.inputs.kinds == kinds and not model.inputs.accumulate


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_code_in_a_checkpoint_is_not_run(tmp_path, state, zipped):
    trace, path = tmp_path / "trace", tmp_path / "evil.pth"
    content = {"state_dict": state, "config": ritm_config(width=Evil(trace))}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r"evil\.pth needs '\w+\.system'.*could run code"):
        read_model(path)
    assert not trace.exists()


def test_code_in_a_plain_pickle_is_not_run(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(Evil(trace), protocol=2))
    with pytest.raises(CheckpointError, match=r"needs '\w+\.system'"):
        read_model(path)
    path.write_bytes(pickle.dumps(Evil(trace), protocol=4))
    with pytest.raises(CheckpointError, match="no checkpoint that torch wrote"):
        read_model(path)
    assert not trace.exists()


def test_modules_named_in_a_file_are_not_imported(tmp_path, monkeypatch, state):
    (tmp_path / "surprise.py").write_text("class Surprise: pass\nclass HRNetModel: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import surprise

    path = tmp_path / "evil.pth"
    torch.save({"state_dict": state, "config": surprise.Surprise()}, path)
    monkeypatch.delitem(sys.modules, "surprise")
    with pytest.raises(CheckpointError, match=r"needs 'surprise\.Surprise'"):
        read_model(path)
    torch.save(
        {"state_dict": state, "config": {"class": "surprise.HRNetModel", "params": {}}}, path
    )
    with pytest.raises(CheckpointError, match=r"names the class 'surprise\.HRNetModel'"):
        read_model(path)
    assert "surprise" not in sys.modules


def zip_of(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pth", b"", "is empty"),
        ("a.pth", b"\n<!DOCTYPE html><html>404</html>", "is a web page"),
        ("a.pth", b"<html>Sign in</html>", "is a web page"),
        ("a.pth", b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        ("a.7z.001", b"7z\xbc\xaf\x27\x1c\0\4", "7z archive"),
        ("a.pth.7z.002", b"\x01\x02\x03\x04\x05", "part of a 7z archive"),
        ("a.pth", b"hello world", r"begins with b'hello wo'"),
        ("a.pth", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("a.pth", zip_of(readme="text"), "without a torch checkpoint"),
        ("a.pt", zip_of(**{"m/constants.pkl": "", "m/data.pkl": ""}), "TorchScript"),
        ("a.pth", b"PK\x03\x04 and no more", "damaged"),
        ("a.pth", b"\x80\x02", "damaged"),
        ("a.params", struct.pack("<QQQ", 0x112, 0, 3), "damaged MXNet"),
    ],
)
def test_other_files_are_told_by_their_content(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words) as caught:
        read_model(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_truncated_checkpoints_are_refused(tmp_path, state, zipped):
    path = tmp_path / "model.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    for part in (0.1, 0.5, 0.99):
        path.write_bytes(content[: int(part * len(content))])
        with pytest.raises(CheckpointError, match="damaged, cut off"):
            read_model(path)


def test_missing_files_are_told(tmp_path):
    with pytest.raises(CheckpointError, match="There is no model file"):
        read_model(tmp_path / "none.pth")


@pytest.mark.parametrize("content", [3, "text", [], [1], {}, {"a": 1}, {"state_dict": None}])
def test_torch_files_without_weights_are_refused(tmp_path, content):
    path = tmp_path / "a.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"a\.pth"):
        read_model(path)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"layer1.0.conv1.weight": 1, "fc.weight": 1}, "an ImageNet ResNet"),
        ({"blocks.0.attn.qkv.weight": 1}, "a MAE backbone"),
        ({"patch_embed1.proj.weight": 1}, "a MiT backbone"),
        ({"stage2.0.branches.0.0.conv1.weight": 1}, "an ImageNet HRNet"),
        ({"image_encoder.patch_embed.proj.weight": 1}, "a Segment Anything model"),
        ({"state": {}, "param_groups": []}, "an optimizer state"),
        ({"model": {"blocks.0.attn.qkv.weight": 1}}, "a MAE backbone in its part 'model'"),
        ({"w": 1}, "something unknown with 1 entries, the first 'w'"),
    ],
)
def test_other_networks_are_named(tmp_path, keys, words):
    def tensors(value):
        if isinstance(value, dict):
            return {key: tensors(each) for key, each in value.items()}
        return torch.zeros(2, 2) if value == 1 else value

    path = tmp_path / "a.pth"
    torch.save(tensors(keys), path)
    with pytest.raises(CheckpointError, match=words):
        read_model(path)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda s: s.pop("maps_transform.0.bias"), r"1 missing weights \(first: maps_transform.0"),
        (lambda s: s.update(more=torch.zeros(1)), r"1 unexpected weights \(first: more\)"),
        (
            lambda s: s.update({"maps_transform.0.bias": torch.zeros(3)}),
            r"1 mis-shaped weights \(first: maps_transform.0.bias\).*looks like a RITM HRNet2s",
        ),
        (lambda s: s.update({"maps_transform.0.bias": torch.full((16,), torch.nan)}), "NaN or inf"),
        (lambda s: s.update({"maps_transform.0.bias": torch.full((16,), torch.inf)}), "NaN or inf"),
        (lambda s: s.update({"maps_transform.0.bias": torch.ones(16).to_sparse()}), "sparse float"),
        (
            lambda s: s.update({"maps_transform.0.bias": torch.ones(16, dtype=torch.complex64)}),
            r"no plain floating-point numbers \(first: maps_transform.0.bias, complex64\)",
        ),
        (lambda s: s.update({"maps_transform.0.bias": torch.ones(16).to(torch.int8)}), "int8"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(tmp_path, edit, words):
    path, state = tmp_path / "a.pth", ritm_state()
    edit(state)
    torch.save({"state_dict": state, "config": ritm_config()}, path)
    with pytest.raises(CheckpointError, match=words):
        read_model(path)


def test_a_config_too_large_for_its_weights_allocates_nothing(state):
    with pytest.raises(CheckpointError, match="mis-shaped"):
        napari_clickseg.model_from_state_dict(state, ritm_config(width=40_000))


def test_the_prefix_of_parallel_training_is_dropped(state):
    prefixed = {f"module.{key}": value for key, value in state.items()}
    a = napari_clickseg.model_from_state_dict(prefixed, ritm_config())
    b = napari_clickseg.model_from_state_dict(state)  # and without a config
    assert torch.equal(logits_of(a), logits_of(b))


def test_converted_files_answer_the_same(tmp_path, saved):
    original = read_model(saved, profile="avalanche")
    path = tmp_path / "ritm.safetensors"
    write_model(original, path, {"name": "a"}, half=False)
    again = read_model(path)
    assert again.spec == original.spec and again.spec.profile == "avalanche"
    assert torch.equal(logits_of(again), logits_of(original))
    assert read_model(path, profile="ritm_demo").spec.profile == "ritm_demo"


def test_our_own_network_keeps_its_profile():
    card = napari_clickseg.list_models()[0]
    with pytest.raises(CheckpointError, match="for the profile 'clickseg' only"):
        read_model(card.path, profile="ritm")
