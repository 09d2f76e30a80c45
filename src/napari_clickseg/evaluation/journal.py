"""The journal of an evaluation: every object as soon as it is measured, so that nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from ..data.session_file import SavedObject, object_from_json, object_to_json
from .protocol import ObjectResult

__all__ = ["Entry", "Journal", "result_from_json", "result_to_json"]

NAME = "journal.jsonl"
VERSION = 1


class Entry(NamedTuple):
    """One object of one image of one data set, clicked on by one user."""

    data: str
    index: int
    user: str
    result: ObjectResult


def result_to_json(result: ObjectResult) -> dict[str, Any]:
    """A result as what JSON can hold."""
    plain = asdict(result)
    said = SavedObject(1, interactions=result.interactions)
    return {**plain, "interactions": object_to_json(said)["interactions"]}


def result_from_json(value: Mapping[str, Any]) -> ObjectResult:
    """The result that `result_to_json` made this of."""
    fields = {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
    said = object_from_json({"id": 1, "interactions": list(value["interactions"])})
    return ObjectResult(**{**fields, "interactions": said.interactions})


class Journal:
    """A file of finished objects. One that holds some of the same run is taken up again.

    Parameters
    ----------
    folder : Path or None
        Where ``journal.jsonl`` is; None keeps everything in memory only.
    run : mapping
        What the numbers depend on; plain values.
    fresh : bool
        Forget what an older run left.

    Raises
    ------
    ValueError
        If the file is of a run that differs, or no journal.
    """

    def __init__(self, folder: Path | None, run: Mapping[str, Any], fresh: bool = False) -> None:
        self.entries: list[Entry] = []
        self.finished: dict[tuple[str, int], str] = {}
        self._path = None if folder is None else folder / NAME
        self._run = json.loads(json.dumps(run))
        if self._path is None:
            return
        if fresh or not self._path.exists() or not self._path.stat().st_size:
            self._append(self._header(), "w")
        else:
            self._take_up(self._path)

    def _header(self) -> dict[str, Any]:
        return {"format": "clickseg-eval", "version": VERSION, "run": self._run}

    def _take_up(self, path: Path) -> None:
        text = path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]  # an interrupted run may have left half a line
        try:
            header, *lines = [json.loads(line) for line in whole.splitlines()]
            same = header == self._header()
            differing = sorted(
                key
                for key in {*header["run"], *self._run}
                if header["run"].get(key) != self._run.get(key)
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path} is no journal of an evaluation. Choose another folder, or start anew with "
                "--restart."
            ) from error
        if not same:
            raise ValueError(
                f"{path} belongs to a run with other terms ({', '.join(differing) or 'version'}). "
                "Choose another folder, or start anew with --restart."
            )
        for line in lines:
            if "result" in line:
                self.entries.append(
                    Entry(
                        line["data"],
                        line["index"],
                        line["user"],
                        result_from_json(line["result"]),
                    )
                )
            else:
                self.finished[line["data"], line["index"]] = line["image"]
        if len(whole) < len(text):
            path.write_bytes(whole)

    def done(self, data: str, index: int) -> frozenset[tuple[str, int, str]]:
        """User, object and variant of what is measured of an image."""
        return frozenset(
            (entry.user, entry.result.label, entry.result.variant)
            for entry in self.entries
            if (entry.data, entry.index) == (data, index)
        )

    def add(self, entry: Entry) -> None:
        """Keep an object."""
        self.entries.append(entry)
        plain = {"data": entry.data, "index": entry.index, "user": entry.user}
        self._append({**plain, "result": result_to_json(entry.result)})

    def finish(self, data: str, index: int, image: str) -> None:
        """Remember that an image is done, whether it had objects or not."""
        self.finished[data, index] = image
        self._append({"data": data, "index": index, "image": image})

    def _append(self, line: Mapping[str, Any], mode: str = "a") -> None:
        if self._path is not None:
            with self._path.open(mode, encoding="utf-8", newline="\n") as file:
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
