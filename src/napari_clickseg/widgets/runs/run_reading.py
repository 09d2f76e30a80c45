"""What training and evaluation write while they run, read bit by bit as it comes. No Qt."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...data.exports.tables import Table

__all__ = [
    "Curve",
    "EvaluationReading",
    "Tail",
    "TrainingReading",
    "error_in",
    "has_checkpoint",
    "trained_model",
    "worst_cases",
]

LOSSES = ("overall", "loss")
IOUS = {
    "iou": "training",
    "validation_iou": "held out",
    "iou@1": "1 click",
    "iou@3": "3 clicks",
    "iou@5": "5 clicks",
}
IOU_CLICKS = (1, 3, 5)
WORST = ("image", "object", "clicks", "best IoU", "data", "session")
MOST_OUTPUT = 200_000  # characters of what a script said that are looked at for an error


@dataclass
class Curve:
    """Points of a line to be drawn."""

    name: str
    xs: list[float] = field(default_factory=list)
    ys: list[float] = field(default_factory=list)


class Tail:
    """A text file that grows.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at, self._rest = 0, b""

    def read(self) -> tuple[bool, list[str]]:
        """Whether the file was begun anew, and its new whole lines."""
        try:
            size = self.path.stat().st_size
            anew = size < self._at
            if anew:
                self._at, self._rest = 0, b""
            if size == self._at:
                return anew, []
            with self.path.open("rb") as file:
                file.seek(self._at)
                new = file.read(size - self._at)
        except OSError:
            return False, []
        self._at += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        return anew, [line.decode("utf-8", "replace").rstrip("\r") for line in lines]


class TrainingReading:
    """Loss and IoU of a training run, from its ``log.jsonl``.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._tail = Tail(folder / "log.jsonl")
        self._curves: dict[str, Curve] = {}

    @property
    def losses(self) -> list[Curve]:
        """The loss by gradient steps."""
        return [curve for name, curve in self._curves.items() if name in LOSSES]

    @property
    def ious(self) -> list[Curve]:
        """IoU by gradient steps, on training and on held-out images."""
        return [curve for name, curve in self._curves.items() if name in IOUS]

    def update(self) -> bool:
        """Read what is new; whether there was any."""
        anew, lines = self._tail.read()
        if anew:
            self._curves.clear()
        for entry in _entries(lines):
            for name in (*LOSSES, *IOUS):
                if name in entry and "total" in entry:
                    curve = self._curves.setdefault(name, Curve(IOUS.get(name, "loss")))
                    curve.xs.append(entry["total"])
                    curve.ys.append(entry[name])
        return anew or bool(lines)


class EvaluationReading:
    """IoU after each click of all that is measured so far, from the journals of an evaluation.

    Parameters
    ----------
    folder : Path
        Holds ``journal.jsonl``, or for several models folders with one each.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tails: dict[str, Tail] = {}
        self._terms: dict[str, dict[str, Any]] = {}
        self._ious: dict[tuple[str, str, str], list[list[float]]] = defaultdict(list)

    def update(self) -> bool:
        """Read what is new; whether there was any."""
        for path in sorted(
            (*self._folder.glob("journal.jsonl"), *self._folder.glob("*/journal.jsonl"))
        ):
            model = "" if path.parent == self._folder else path.parent.name
            self._tails.setdefault(model, Tail(path))
        changed = False
        for model, tail in self._tails.items():
            anew, lines = tail.read()
            if anew:
                for key in [key for key in self._ious if key[0] == model]:
                    del self._ious[key]
            changed |= anew or bool(lines)
            for entry in _entries(lines):
                if "run" in entry:
                    self._terms[model] = entry["run"]["terms"]
                elif "result" in entry:
                    key = model, entry["data"], entry["user"]
                    self._ious[key].append(entry["result"]["ious"])
        return changed

    @property
    def curves(self) -> list[Curve]:
        """Mean IoU after each click; an object that was clicked on no further keeps its last."""
        curves = []
        for key, rows in self._ious.items():
            longest = max(map(len, rows))
            means = [
                sum(row[min(k, len(row) - 1)] for row in rows) / len(rows) for k in range(longest)
            ]
            curves.append(Curve(self._name(key), list(range(1, longest + 1)), means))
        return curves

    @property
    def table(self) -> Table:
        """Numbers of clicks and IoUs, a column for each model, data set and user."""
        from ...evaluation.metrics import noc, noc_thresholds

        target = min((terms["target_iou"] for terms in self._terms.values()), default=1.0)
        most = min((terms["n_clicks"] for terms in self._terms.values()), default=0)
        few = [k for k in IOU_CLICKS if k <= most]
        thresholds = noc_thresholds(target)
        names = ["objects", *(f"NoC@{100 * t:.0f}" for t in thresholds)]
        names += [f"IoU@{k}" for k in few]
        columns = [tuple(names)]
        for key, ious in self._ious.items():
            count, limit = len(ious), self._terms[key[0]]["n_clicks"]
            clicks = [sum(noc(row, t, limit) for row in ious) / count for t in thresholds]
            means = [sum(row[min(k, len(row)) - 1] for row in ious) / count for k in few]
            columns.append((count, *(round(value, 3) for value in (*clicks, *means))))
        return Table(("", *map(self._name, self._ious)), tuple(zip(*columns, strict=True)))

    def _name(self, key: tuple[str, str, str]) -> str:
        """A name as short as tells it from the others."""
        several = [len({other[i] for other in self._ious}) > 1 for i in range(3)]
        shown = [part for part, needed in zip(key, several, strict=True) if needed and part]
        return ", ".join(shown) or key[1]


def worst_cases(folder: Path) -> Table:
    """The list of the worst objects of an evaluation, the file of each one's session last."""
    rows = []
    for path in (*folder.glob("worst/worst.md"), *folder.glob("*/worst/worst.md")):
        for line in path.read_text(encoding="utf-8").splitlines()[2:]:
            data, rest = line.strip("| ").split(" | ", 1)
            image, label, clicks, iou, name = rest.rsplit(" | ", 4)
            rows.append((image, int(label), int(clicks), float(iou), data, str(path.parent / name)))
    return Table(WORST, tuple(rows))


def trained_model(folder: Path) -> Path | None:
    """The model that a training run has brought, or the best one so far."""
    found = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
    best = folder / "checkpoints" / "best.safetensors"
    return found[-1] if found else best if best.is_file() else None


def has_checkpoint(folder: Path) -> bool:
    """Whether a training run can go on from where it was."""
    return any(path.is_file() for path in (folder / "checkpoints" / "last.pt", folder / "last.pt"))


def error_in(output: Path, script: str) -> str:
    """The words with which a script ended, without its name."""
    try:
        text = output.read_text(encoding="utf-8", errors="replace")[-MOST_OUTPUT:]
    except OSError:
        return ""
    said = text.rpartition(f"\n$ {script} ")[2].splitlines()
    told = [line for line in said if line.startswith(f"{script}: ")]
    if told:
        return told[-1].removeprefix(f"{script}: ")
    return next((line for line in reversed(said) if line.strip()), "")


def _entries(lines: list[str]) -> list[dict[str, Any]]:
    """Lines of JSON; those that are none are left out."""
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found
