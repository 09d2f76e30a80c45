"""Tables of objects and their classes, as CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import writing
from .label_objects import label_objects

__all__ = ["Table", "write_classes", "write_table"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Table:
    """Named columns and rows of values.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple
        Numbers and texts, as many as there are columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], first: Sequence[str] = ()) -> Table:
        """From one mapping per row; `first` are the columns of a table without rows."""
        columns = tuple(rows[0]) if rows else tuple(first)
        return cls(columns, tuple(tuple(row[name] for name in columns) for row in rows))


def write_table(path: str | os.PathLike[str], table: Table, what: str = "table") -> None:
    """Write a table as CSV in UTF-8; floats with seven digits, NaN as an empty cell.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    with (
        writing(path, what) as unfinished,
        # with a mark at its beginning, spreadsheets know that it is UTF-8
        unfinished.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows([_cell(value) for value in row] for row in table.rows)


def write_classes(
    path: str | os.PathLike[str],
    labels: Any,
    classes: Mapping[int, str] | None = None,
    colours: Mapping[str, str] | None = None,
) -> int:
    """Write which class each object is of, with its area; returns how many there are.

    Parameters
    ----------
    path : str or path
    labels : (H, W) array
    classes : mapping of int to str, optional
        Class names of labels.
    colours : mapping of str to str, optional
        Colours of classes as ``#rrggbb``.

    Raises
    ------
    ExportError
        If these are no labels, or the file cannot be written.
    """
    colours = colours or {}
    rows = tuple(
        (item.id, item.class_name, colours.get(item.class_name, ""), item.area)
        for item in label_objects(labels, classes)
    )
    write_table(path, Table(("id", "class", "colour", "area_px"), rows), "class table")
    return len(rows)


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value != value else f"{value:.7g}"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"  # a name is no formula, whatever a spreadsheet thinks
    return value
