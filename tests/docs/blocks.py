"""The fenced blocks of a Markdown file, and what of them is run."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)\s*$")
MARK = re.compile(r"^<!-- not run: (.+) -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    language : str
    line : int
        Of its first line in the file, from 1.
    text : str
    reason : str
        Why it is not run; empty if it is.
    """

    language: str
    line: int
    text: str
    reason: str

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command of a console block."""
        joined = self.text.replace("\\\n", " ").replace("&&", "\n")
        words = [shlex.split(line, comments=True) for line in joined.splitlines()]
        return [command for command in words if command]


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a file, in order."""
    found: list[Block] = []
    lines = path.read_text(encoding="utf-8").splitlines()
    number, reason = 0, ""
    while number < len(lines):
        fence, mark = FENCE.match(lines[number]), MARK.match(lines[number])
        if mark is not None:
            reason = mark[1]
        elif fence is not None:
            end = next(i for i in range(number + 1, len(lines)) if lines[i].strip() == "```")
            text = "\n".join(lines[number + 1 : end])
            found.append(Block(fence[1], number + 2, text, reason))
            number, reason = end, ""
        elif lines[number].strip():
            reason = ""
        number += 1
    return found
