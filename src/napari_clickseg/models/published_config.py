"""The ``config`` that published checkpoints carry, as our architecture and its arguments.

It names a class and every argument of its constructor, those that were given and the defaults. The
class is looked up in the fixed registry below; nothing is imported by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np

from .click_input import ClickInput, kind_of
from .header import CheckpointError
from .published import MEAN, STD

__all__ = ["parse_config"]

BATCH_NORMS = ("torch.nn.modules.batchnorm.BatchNorm2d", "torch.nn.modules.batchnorm.SyncBatchNorm")
INERT = {"backbone_lr_mult", "cpu_dist_maps", "with_aux_output", "is_training", "img_size"}
"""Arguments that matter in training or to the speed only, or that weights and images decide."""
OF_TRAINING = ("loss_decode", "dropout_ratio")
"""Arguments of the head that may be anything: they matter in training only."""
ONLY_SAIC_IS = {"input_type", "is_strided_maps_transform", "accumulate_multi_input"}
UNRELEASED = (
    "no weights of this network were ever published, so that nothing shows how it should answer"
)


class Arguments:
    """The arguments in a config; remembers which ones were asked for.

    Parameters
    ----------
    params : mapping
        ``{name: {"type": str, "value": object, "specified": bool}}``.
    """

    def __init__(self, params: Mapping[str, Mapping[str, Any]]) -> None:
        self.values = {name: param["value"] for name, param in params.items()}
        for name, value in self.values.items():
            if name not in OF_TRAINING and not _is_plain(value):
                raise CheckpointError(
                    f"The checkpoint's config sets {name} to something of type "
                    f"{type(value).__name__}, which is no plain value. Use an unchanged checkpoint."
                )
        self.given = {name for name, param in params.items() if param.get("specified", True)}
        self.asked: set[str] = set()

    def __call__(self, name: str, default: Any) -> Any:
        """Value of an argument."""
        self.asked.add(name)
        return self.values.get(name, default)

    def whole(self, name: str, default: int, least: int = 1) -> int:
        """Value of an argument that is a whole number, such as a count of channels."""
        value = self(name, default)
        if type(value) is not int or value < least:
            raise CheckpointError(
                f"The checkpoint's config sets {name} to {value!r}, which is not a whole number "
                f"from {least} on. Use an unchanged checkpoint."
            )
        return value

    def only(self, name: str, *accepted: Any) -> None:
        """Refuse any value but these; the first is the default."""
        value = self(name, accepted[0])
        if value not in accepted:
            raise CheckpointError(
                f"The checkpoint's config sets {name} to {value!r}, and only "
                f"{' or '.join(map(repr, accepted))} can be run. Use another checkpoint."
            )

    def refuse_unknown(self) -> None:
        """Refuse what was given and neither asked for nor known to change nothing."""
        unknown = sorted(self.given - self.asked - INERT)
        if unknown:
            raise CheckpointError(
                f"The checkpoint's config sets '{unknown[0]}', which is not known, so its network "
                "may differ from the published one. Use a checkpoint of the published code."
            )


def parse_config(config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Architecture and plain arguments that a published config means.

    Parameters
    ----------
    config : mapping
        ``{"class": str, "params": {name: {"type", "value", "specified"}}}``. Types of interaction
        may be enum members or strings such as ``"IType.point"``.

    Returns
    -------
    str, dict
        Name in our registry, and arguments of our class.

    Raises
    ------
    CheckpointError
        If the class is not one of the published ones, or an argument asks for what is not known.
    """
    try:
        path, arguments = str(config["class"]), Arguments(config["params"])
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            "The checkpoint's config names no class and params. Use an unchanged checkpoint."
        ) from error
    module, _, name = path.rpartition(".")
    parse = CLASSES.get(path)
    if parse is None and name in UNRELEASED_CLASSES and module.startswith("isegm."):
        raise CheckpointError(f"The checkpoint is of a '{name}', and {UNRELEASED}.")
    if parse is None:
        known = ", ".join(sorted(p.rpartition(".")[2] for p in CLASSES))
        raise CheckpointError(
            f"The checkpoint's config names the class '{path}', which is not one of those that "
            f"can be built ({known}). Use a checkpoint of one of these."
        )
    try:
        _check_normalisation(arguments)
        architecture, plain = parse(arguments)
    except CheckpointError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise CheckpointError(
            f"The checkpoint's config describes a {name} that cannot be built: "
            f"{str(error).rstrip('.')}. Use an unchanged checkpoint."
        ) from error
    arguments.refuse_unknown()
    return architecture, plain


def _check_normalisation(given: Arguments) -> None:
    given.only("norm_layer", *BATCH_NORMS, None)
    given.only("backbone_norm_layer", None, *BATCH_NORMS)
    mean_std = given("norm_mean_std", (MEAN, STD))
    if np.shape(mean_std) != (2, 3) or not np.allclose(mean_std, (MEAN, STD)):
        raise CheckpointError(
            f"The checkpoint's config normalises images by {mean_std}, not by ImageNet's mean and "
            "standard deviation, which is not known of any published network."
        )


def _inputs(given: Arguments, fusion: str, **more: Any) -> dict[str, Any]:
    """What all families say about the maps of clicks, as plain values."""
    return ClickInput(
        fusion=fusion,
        disks=bool(given("use_disks", False)),
        prev_mask=bool(given("with_prev_mask", False)),
        leaky=bool(given("use_leaky_relu", False)),
        **more,
    ).as_dict()


def _stem_inputs(given: Arguments) -> tuple[dict[str, Any], str]:
    """Inputs of RITM's and SAIC-IS's networks, and the profile they were made for."""
    saic_is = bool(ONLY_SAIC_IS & set(given.values))
    extended = bool(given("conv_extend", False))
    fusion = "conv_extend" if extended else "maps"
    more: dict[str, Any] = {
        "radius": given("norm_radius", 260),
        "binary_prev_mask": bool(given("binary_prev_mask", False)),
    }
    if saic_is:
        kinds = given("input_type", "point")
        more["kinds"] = tuple(map(kind_of, kinds if _is_list(kinds) else [kinds]))
        more["accumulate"] = bool(given("accumulate_multi_input", False))
        more["stride"] = 2 if given("is_strided_maps_transform", False) else 1
    else:
        more["groups"] = given("clicks_groups", None)
    inputs = _inputs(given, "rgb" if given("use_rgb_conv", True) else fusion, **more)
    return inputs, "saic_is" if saic_is else "ritm"


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, a text, an interaction's type, or lists and dicts of these."""
    if isinstance(value, Mapping):
        own = {k: v for k, v in value.items() if k not in OF_TRAINING}
        return all(isinstance(k, str) and _is_plain(v) for k, v in own.items())
    if isinstance(value, list | tuple | set):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str | Enum)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _hrnet(given: Arguments) -> tuple[str, dict[str, Any]]:
    inputs, profile = _stem_inputs(given)
    return "hrnet", {
        "inputs": inputs,
        "width": given.whole("width", 48),
        "ocr_width": given.whole("ocr_width", 256, least=0),
        "small": bool(given("small", False)),
        "profile": profile,
    }


def _deeplab(given: Arguments) -> tuple[str, dict[str, Any]]:
    inputs, profile = _stem_inputs(given)
    return "deeplab", {
        "inputs": inputs,
        "backbone": given("backbone", "resnet50"),
        "channels": given.whole("deeplab_ch", 256),
        "aspp_dropout": given("aspp_dropout", 0.5),
        "profile": profile,
    }


def _segformer(given: Arguments) -> tuple[str, dict[str, Any]]:
    given.only("align_corners", False)
    inputs, _ = _stem_inputs(given)
    return "segformer", {
        "inputs": inputs,
        "backbone": given("backbone_type", "mit_b1"),
        "profile": "saic_is",
    }


def _plain_vit(given: Arguments) -> tuple[str, dict[str, Any]]:
    given.only("random_split", False)
    given.only("use_rgb_conv", False)
    backbone = _part(given, "backbone_params")
    neck = _part(given, "neck_params")
    head = _part(given, "head_params")
    size = backbone("img_size", (224, 224))
    size = tuple(size) if _is_list(size) else (size, size)
    patch = backbone("patch_size", (16, 16))
    patch = tuple(patch) if _is_list(patch) else (patch, patch)
    if len(set(patch)) != 1:
        raise ValueError(f"its patches are {patch}, not square")
    for part, name, *accepted in (
        (backbone, "in_chans", 3),
        (backbone, "qkv_bias", True),
        (head, "num_classes", 1),
        (head, "align_corners", False),
    ):
        part.only(name, *accepted)
    dims = neck("out_dims", (128, 256, 512, 1024))
    for part, name, value in (
        (neck, "in_dim", backbone("embed_dim", 768)),
        (head, "in_channels", dims),
        (head, "in_index", (0, 1, 2, 3)),
    ):
        found = part(name, value)
        if np.shape(found) != np.shape(value) or not np.array_equal(found, value):
            raise ValueError(f"{name} is {found}, and its other parts need {value}")
    for name in OF_TRAINING:
        head(name, None)
    plain = {
        "inputs": _inputs(given, "patches", radius=given("norm_radius", 5)),
        "image_size": list(size),
        "patch_size": patch[0],
        "embed_dim": backbone.whole("embed_dim", 768),
        "depth": backbone.whole("depth", 12),
        "heads": backbone.whole("num_heads", 12),
        "mlp_ratio": backbone("mlp_ratio", 4),
        "neck_dims": list(dims),
        "head_channels": head.whole("channels", 256),
        "upsample": head("upsample", "x1"),
        "profile": "simpleclick",
    }
    for part in (backbone, neck, head):
        part.refuse_unknown()
    return "plain_vit", plain


def _part(given: Arguments, name: str) -> Arguments:
    """A dict among the arguments, as arguments of its own."""
    return Arguments({key: {"value": value} for key, value in given(name, {}).items()})


Parse = Callable[[Arguments], tuple[str, dict[str, Any]]]

CLASSES: Mapping[str, Parse] = {
    "isegm.model.is_hrnet_model.HRNetModel": _hrnet,
    "isegm.model.is_deeplab_model.DeeplabModel": _deeplab,
    "isegm.model.is_segformer_model.SegFormerModel": _segformer,
    "isegm.model.is_plainvit_model.PlainVitModel": _plain_vit,
}
UNRELEASED_CLASSES = ("SegformerModel", "SwinformerModel", "HRFormerModel")
