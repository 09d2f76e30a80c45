"""MXNet parameter files, made byte by byte."""

import struct

import numpy as np
import pytest
import torch
from checkpoints import logits_of, ritm_state

from napari_clickseg import model_from_state_dict
from napari_clickseg.models.checkpoint import read_model
from napari_clickseg.models.header import CheckpointError
from napari_clickseg.models.mxnet_params import read_params


def mxnet_array(values, version=2, storage=0):
    flag = {"f4": 0, "f8": 1, "f2": 2, "u1": 3, "i4": 4, "i8": 6}[values.dtype.str[1:]]
    head = struct.pack("<I", 0xF993FAC9 if version == 2 else 0xF993FAC8)
    head += struct.pack("<i", storage) if version == 2 else b""
    head += struct.pack("<I", values.ndim) + struct.pack(f"<{values.ndim}q", *values.shape)
    return head + struct.pack("<iii", 2, 0, flag) + values.tobytes()  # as saved on a GPU


def mxnet_file(arrays, **kinds):
    content = struct.pack("<QQQ", 0x112, 0, len(arrays))
    content += b"".join(mxnet_array(values, **kinds) for values in arrays.values())
    content += struct.pack("<Q", len(arrays))
    for name in arrays:
        content += struct.pack("<Q", len(name)) + name.encode()
    return content


@pytest.mark.parametrize("version", [1, 2])
def test_mxnet_arrays_of_every_type_are_read(tmp_path, version):
    path = tmp_path / "a.params"
    types = ("f4", "f8", "f2", "u1", "i4", "i8")
    given = {f"arg:{kind}": np.arange(6, dtype=kind).reshape(2, 3) for kind in types}
    path.write_bytes(mxnet_file(given, version=version))
    read = read_params(path)
    assert list(read) == list(types)
    for kind in types:
        np.testing.assert_array_equal(read[kind].numpy(), given[f"arg:{kind}"])
        assert read[kind].numpy().dtype == kind


def test_only_batch_norms_are_renamed(tmp_path):
    path = tmp_path / "a.params"
    names = ("arg:bn.gamma", "arg:bn.beta", "aux:bn.running_mean", "aux:bn.running_var", "x.gamma")
    path.write_bytes(mxnet_file({name: np.zeros(2, "f4") for name in names}))
    assert list(read_params(path)) == [
        "bn.weight",
        "bn.bias",
        "bn.running_mean",
        "bn.running_var",
        "x.gamma",
    ]


def test_an_mxnet_checkpoint_of_fbrs_opens(tmp_path):
    state = ritm_state(fusion="rgb_fbrs", disks=False, radius=260.0, prev_mask=False)
    norms = {key.rpartition(".")[0] for key in state if key.endswith("running_var")}
    arrays = {}
    for key, value in state.items():
        layer, _, last = key.rpartition(".")
        if last == "num_batches_tracked":
            continue
        if layer in norms:
            last = {"weight": "gamma", "bias": "beta"}.get(last, last)
        kind = "aux" if last.startswith("running") else "arg"
        arrays[f"{kind}:{layer}.{last}"] = value.numpy()
    path = tmp_path / "fbrs.params"
    path.write_bytes(mxnet_file(arrays))
    model = read_model(path)
    assert model.spec.profile == "fbrs"
    expected = model_from_state_dict(state)
    assert torch.equal(logits_of(model), logits_of(expected))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        # a name, an array or the count is not what it should be, or the file is cut off
        (mxnet_file({"a": np.zeros(2, "f4")}, storage=1), "storage type 1"),
        (mxnet_file({"a": np.zeros(2, "f4")})[:-3], "ends 2 bytes too early"),
        (mxnet_file({"a": np.zeros(2, "f4")})[:60], "too early"),
        (mxnet_file({"a": np.zeros(2, "f4")}).replace(b"\xc9\xfa", b"\xca\xfa"), "begins with"),
        (mxnet_file({"a": np.zeros((), "f4")}), "0 dimensions"),
        (struct.pack("<QQQ", 0x112, 0, 2**60), "too early"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 1), "0 arrays and 1 names"),
    ],
)
def test_broken_mxnet_files_are_refused(tmp_path, content, words):
    path = tmp_path / "a.params"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        read_model(path)
