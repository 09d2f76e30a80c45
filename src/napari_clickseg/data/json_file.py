"""Reading JSON files, with a sentence for those that cannot be read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["read_json"]


def read_json(path: str | os.PathLike[str], refused: Callable[[str], Exception]) -> Any:
    """What a JSON file holds.

    Parameters
    ----------
    path : str or path
    refused : callable
        Makes the exception out of a sentence.

    Raises
    ------
    Exception
        What `refused` makes, if the file is missing, damaged or no JSON.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except OSError as error:
        raise refused(
            f"{path} cannot be opened: {error.strerror or error}. Check the path, and that you may "
            "read it."
        ) from error
    except (ValueError, RecursionError) as error:  # also wrong UTF-8
        reason = str(error).splitlines()[0]
        raise refused(
            f"{path} is no JSON, or damaged: {reason}. Copy it again, or choose another."
        ) from error
