"""Interactive segmentation for napari: from a few clicks to the mask that was meant.

The names below are the public Python API. They are loaded when first used, so that importing the
package (or opening the dock) does not import torch.

Examples
--------
>>> import napari_clickseg as cs                        # doctest: +SKIP
>>> seg = cs.Segmenter("clickseg-compact")              # doctest: +SKIP
>>> seg.set_image(image)                                # doctest: +SKIP
>>> seg.click(120, 200)                                 # doctest: +SKIP
>>> seg.mask                                            # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .data.mask_writer import save_mask
    from .data.readers import ImageReader, open_image
    from .engine.profiles import Profile
    from .engine.segmenter import Segmenter
    from .engine.tiling import Tiling
    from .engine.zoom_in import ZoomIn
    from .geometry import Box
    from .interactions import Click, Contour, Stroke
    from .models.from_state import model_from_state_dict
    from .models.zoo import list_models, load_model

__all__ = [
    "Box",
    "Click",
    "Contour",
    "ImageReader",
    "Profile",
    "Segmenter",
    "Stroke",
    "Tiling",
    "ZoomIn",
    "__version__",
    "list_models",
    "load_model",
    "model_from_state_dict",
    "open_image",
    "save_mask",
]

_HOMES = {
    "Box": "geometry",
    "Click": "interactions",
    "Contour": "interactions",
    "ImageReader": "data.readers",
    "Profile": "engine.profiles",
    "Segmenter": "engine.segmenter",
    "Stroke": "interactions",
    "Tiling": "engine.tiling",
    "ZoomIn": "engine.zoom_in",
    "list_models": "models.zoo",
    "load_model": "models.zoo",
    "model_from_state_dict": "models.from_state",
    "open_image": "data.readers",
    "save_mask": "data.mask_writer",
}

try:
    __version__ = version("napari-clickseg")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    """Load a public name from its room when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *__all__})
