"""How much memory of a device is in use. No Qt; imports no torch, but uses it if it is there."""

from __future__ import annotations

import sys

__all__ = ["memory_in_use"]

GIGABYTE = 1e9


def memory_in_use(device: str) -> str:
    """A text such as ``"cuda:0: 2.1 of 24.0 GB in use"``; empty where it is not known.

    On a GPU of NVIDIA that of all programs counts, on Apple's that of this one.
    """
    torch = sys.modules.get("torch")
    kind = device.partition(":")[0]
    try:
        if torch is not None and kind == "cuda":
            free, whole = torch.cuda.mem_get_info(device)
            return _text(device, whole - free, whole)
        if torch is not None and kind == "mps":
            used = torch.mps.driver_allocated_memory()
            return _text(device, used, torch.mps.recommended_max_memory())
    except (RuntimeError, AttributeError, ValueError):
        pass  # it is only told, never needed
    return ""


def _text(device: str, used: float, whole: float) -> str:
    return f"{device}: {used / GIGABYTE:.1f} of {whole / GIGABYTE:.1f} GB in use"
