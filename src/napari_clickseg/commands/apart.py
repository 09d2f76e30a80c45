"""A console script in a process of its own, which goes on when the program that began it has gone.

All that is known of it lies in its folder, so that any other program finds it there again:
``process/run.json`` (what runs), ``output.txt`` (what it says), ``end.json`` (how it ended), and
``stop`` (the wish that it ends).
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from ..data.progress_file import forget_progress
from ..data.replacing import replacing

__all__ = ["ApartRun", "State", "command_text", "read_run", "start_apart"]

State = Literal["running", "finished", "stopped", "failed", "vanished"]
SCRIPTS = {"clickseg-train": "train", "clickseg-eval": "eval"}
STOPPED = (3, 130)  # exit codes
LOOK_EVERY = 0.2  # seconds between looks at the wish to stop
_begun: list[subprocess.Popen] = []


def command_text(script: str, arguments: Sequence[str]) -> str:
    """A command as it is typed into a terminal."""
    words = [script, *arguments]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


@dataclass(frozen=True)
class ApartRun:
    """A console script that was started apart.

    Attributes
    ----------
    folder : Path
        Where it writes.
    script : str
        ``clickseg-train`` or ``clickseg-eval``.
    arguments : tuple of str
    started : float
        Seconds since 1970.
    pid : int
    born : float
        When the system says that the process began; tells it from a later one of the same number.
    """

    folder: Path
    script: str
    arguments: tuple[str, ...]
    started: float
    pid: int
    born: float

    @property
    def output(self) -> Path:
        """What it says."""
        return self.folder / "process" / "output.txt"

    @property
    def state(self) -> State:
        """How it is.

        A run that is ``vanished`` ended without a word, as when the computer was switched off.
        """
        end = _read(self.folder / "process" / "end.json")
        if end is None:
            return "running" if self._alive() else "vanished"
        code = end.get("code")
        if code == 0:
            return "finished"
        return "stopped" if code in STOPPED or self.asked_to_stop else "failed"

    @property
    def asked_to_stop(self) -> bool:
        """Whether it was asked to end."""
        return (self.folder / "process" / "stop").exists()

    @property
    def ended(self) -> float | None:
        """When it ended, in seconds since 1970."""
        end = _read(self.folder / "process" / "end.json")
        return None if end is None else end.get("ended")

    def stop(self, at_once: bool = False) -> None:
        """Ask it to save what it has and end, or end it at once."""
        (self.folder / "process" / "stop").write_text("at once" if at_once else "", "utf-8")

    def _alive(self) -> bool:
        for process in _begun:
            process.poll()  # one of our own that ended is let go
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born) < 1.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


def start_apart(script: str, arguments: Sequence[str], folder: Path) -> ApartRun:
    """Start a console script that writes into a folder.

    Parameters
    ----------
    script : str
        Name of the script.
    arguments : sequence of str
    folder : Path
        Made if it is missing.

    Raises
    ------
    ValueError
        If one runs there already, or the folder cannot be written.
    """
    before = read_run(folder)
    if before is not None and before.state == "running":
        raise ValueError(f"A run writes to {folder} already. Wait for it, or choose another one.")
    place = folder / "process"
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name in ("end.json", "stop"):
            (place / name).unlink(missing_ok=True)
        forget_progress(folder)
    except OSError as error:
        raise _refused(folder)(error.strerror or str(error)) from error
    command = [sys.executable, "-m", __name__, str(folder), script, *arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    _begun.append(process)
    try:
        born = psutil.Process(process.pid).create_time()
    except psutil.Error:  # it ended at once
        born = time.time()
    run = ApartRun(folder, script, tuple(arguments), time.time(), process.pid, born)
    facts = {key: value for key, value in asdict(run).items() if key != "folder"}
    _write(place / "run.json", facts)
    return run


def read_run(folder: Path) -> ApartRun | None:
    """The run that writes, or wrote last, to a folder; None if there is none."""
    facts = _read(folder / "process" / "run.json")
    try:
        return (
            None
            if facts is None
            else ApartRun(folder, **{**facts, "arguments": tuple(facts["arguments"])})
        )
    except (KeyError, TypeError):
        return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _write(path: Path, value: dict[str, Any]) -> None:
    with replacing(path, _refused(path)) as unfinished:
        unfinished.write_text(json.dumps(value), encoding="utf-8")


def _refused(path: Path) -> Any:
    return lambda why: ValueError(f"{path} cannot be written: {why}. Choose another folder.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``FOLDER SCRIPT ARGUMENTS``, keep what it says, pass on the wish to stop."""
    folder, script, *arguments = sys.argv[1:] if argv is None else argv
    place = Path(folder) / "process"
    with (place / "output.txt").open("ab") as output:
        output.write(f"$ {command_text(script, arguments)}\n".encode())
        output.flush()
        child = subprocess.Popen(
            [sys.executable, "-u", "-m", f"napari_clickseg.commands.{SCRIPTS[script]}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: (place / "stop").touch())
        code = _wait(child, place / "stop")
    _write(place / "end.json", {"code": code, "ended": time.time()})
    return code


def _wait(child: subprocess.Popen, stop: Path) -> int:
    """Wait for the end, which a file may bring about."""
    asked = False
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(LOOK_EVERY)
        if not stop.exists():
            continue
        if stop.read_text(encoding="utf-8") == "at once":
            child.kill()
        elif not asked:
            asked = True
            child.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))


if __name__ == "__main__":
    sys.exit(main())
