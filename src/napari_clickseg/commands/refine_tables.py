"""Tables of what changed in refined masks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.exports.tables import Table, write_table
from .refine_records import RECORDS, changes_in, read_record

if TYPE_CHECKING:
    from ..engine.refine_labels import ObjectChange
    from .refine_files import FileResult

__all__ = ["COLUMNS", "NOT_REFINED", "change_row", "plane_index", "tables", "write_tables"]

NOT_REFINED = "not_refined.csv"

COLUMNS = ("image", "object", "plane", "row", "col", "area_before", "area_after", "iou", "doubt")


def tables(results: Iterable[FileResult]) -> tuple[Table, Table]:
    """What changed, by image, and the same rows with the most doubtful ones first."""
    return _tables(_rows(results))


def write_tables(
    out: Path, results: Iterable[FileResult], others: Iterable[tuple[str, str]] = ()
) -> tuple[Path, Path]:
    """Write both `tables` into a folder: ``changes.csv`` and ``review.csv``; returns their paths.

    Masks of earlier runs that are still there keep their rows. ``not_refined.csv`` has the names
    of this run's `others`, and why they were not refined.

    Raises
    ------
    ValueError
        If they cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = _rows(results)
    rows += _earlier(out, {result.files.name for result in results})
    paths = out / "changes.csv", out / "review.csv"
    for path, table in zip(paths, _tables(rows), strict=True):
        write_table(path, table)
    write_table(out / NOT_REFINED, Table(("image", "why"), tuple(others)))
    return paths


def change_row(name: str, change: ObjectChange) -> tuple[Any, ...]:
    """A row of the tables, of an object of an image."""
    plane = change.plane[0] if len(change.plane) == 1 else ", ".join(map(str, change.plane))
    return (
        name,
        change.label,
        plane,
        change.row,
        change.col,
        change.area_before,
        change.area_after,
        change.iou,
        change.doubt,
    )


def plane_index(plane: int | str) -> tuple[int, ...]:
    """The index of a plane, from its cell in a table."""
    return tuple(int(part) for part in str(plane).split(",") if part)


def _rows(results: Iterable[FileResult]) -> list[tuple[Any, ...]]:
    return [
        change_row(result.files.name, change) for result in results for change in result.changes
    ]


def _earlier(out: Path, known: Collection[str]) -> list[tuple[Any, ...]]:
    """Rows of the finished masks of a folder, but for the images that are known."""
    rows = []
    for record in (out / RECORDS).glob("*.json"):
        mask, about = out / record.stem, read_record(record)
        finished = about is not None and about["sha256"] is not None and mask.exists()
        if finished and mask.stem not in known:
            rows += [change_row(mask.stem, change) for change in changes_in(about)]
    return rows


def _tables(rows: list[tuple[Any, ...]]) -> tuple[Table, Table]:
    rows = sorted(rows, key=lambda row: row[0])
    review = sorted(rows, key=lambda row: -row[-1])
    return Table(COLUMNS, tuple(rows)), Table(COLUMNS, tuple(review))
