"""What the dock does now."""

from __future__ import annotations

from enum import Enum

__all__ = ["State"]


class State(Enum):
    """What the dock does now; the text is what its pill shows."""

    NO_IMAGE = "no image"
    NO_MODEL = "no model"
    READY = "ready"
    LOADING = "loading"
    CLICKING = "clicking"
    RUNNING = "running"
    REFINING = "refining"
    PAUSED = "paused"
    ERROR = "error"
