"""What a report about an error needs: the traceback, versions and the device. No Qt."""

from __future__ import annotations

import platform
import traceback
from importlib.metadata import PackageNotFoundError, version

from .predictors import Choice

__all__ = ["error_details"]

PACKAGES = ("napari-clickseg", "napari", "torch", "numpy", "scipy", "PyQt6", "PySide6", "PyQt5")


def error_details(error: BaseException, choice: Choice | None, device: str) -> str:
    """A text to copy: no pixels, no file of the user but the model's.

    Parameters
    ----------
    error : BaseException
    choice : Choice or None
        Model, device and options that were asked for.
    device : str
        Where the model runs.
    """
    lines = ["".join(traceback.format_exception(error)).rstrip(), ""]
    lines += [f"{name} {found}" for name in PACKAGES if (found := _version(name))]
    lines.append(f"Python {platform.python_version()} on {platform.platform()}")
    if choice is not None:
        lines.append(f"model {choice.model}, device {choice.device} ({device})")
        lines += [f"option {name} = {value!r}" for name, value in choice.touched]
    return "\n".join(lines)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
