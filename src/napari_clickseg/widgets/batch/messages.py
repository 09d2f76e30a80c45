"""What the batch dock says about folders that were worked on."""

from __future__ import annotations

from collections.abc import Sequence

from ...commands.refine_tables import NOT_REFINED
from ...data.datasets.base import some
from .jobs import FolderResult, SessionsResult

__all__ = ["SESSIONS_CANCELLED", "counted", "refined", "segmented"]

SHOWN = 3  # reasons; more would leave no room for the table
SESSIONS_CANCELLED = (
    "Cancelled. Masks that are finished are kept, and are not replaced: choose another folder for "
    "the output to begin again."
)


def refined(result: FolderResult) -> str:
    """What became of folders of images and masks."""
    done, objects = len(result.results), sum(len(one.changes) for one in result.results)
    skipped = sum(one.skipped for one in result.results)
    known = f" ({skipped} of them finished before)" if skipped else ""
    lines = [f"{done} of {counted(result.images, 'image')} refined{known}"]
    lines[0] += f", {counted(objects, 'object')}."
    if result.stopped:
        lines[0] = f"Cancelled: {lines[0]} Refine goes on from there."
    if result.results or result.failures:
        lines[0] += f" The tables are in {result.out}."
    if result.alone:
        names = some(name for name, _ in result.alone)
        lines.append(f"Without a partner of the same name, and left out: {names}.")
    if result.failures:
        lines.append(f"Not refined (all with reasons in {NOT_REFINED}):")
    return "\n".join((*lines, *_reasons(result.failures)))


def segmented(result: SessionsResult) -> str:
    """What became of folders of images and sessions."""
    head = f"{counted(result.images, 'image')} segmented, {counted(result.objects, 'object')}."
    where = f" The masks are in {result.out}." if result.images else ""
    return "\n".join((head + where, *_reasons(result.failures)))


def counted(number: int, what: str) -> str:
    """A number of things, in words."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _reasons(failures: Sequence[tuple[str, str]]) -> list[str]:
    lines = [f"{name}: {why}" for name, why in failures[:SHOWN]]
    return lines + ([f"... and {len(failures) - SHOWN} more."] if len(failures) > SHOWN else [])
