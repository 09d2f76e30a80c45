"""What all console scripts share: a parser, and errors told in one sentence."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

__all__ = [
    "BAD_INPUT",
    "FAILED",
    "INTERRUPTED",
    "Commands",
    "Parser",
    "UsageError",
    "run",
    "sentence",
]

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
"""Exit codes."""
Command = Callable[[argparse.Namespace], int | None]


class UsageError(ValueError):
    """The command line asks for something that does not exist."""


class Parser(argparse.ArgumentParser):
    """An argument parser that knows ``--debug`` and tells errors in one sentence.

    Parameters
    ----------
    prog : str
        Name of the console script.
    description : str
    """

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)
        self.add_argument(
            "--debug", action="store_true", help="show the traceback of an error as well"
        )

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` in place of printing the whole usage."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}. See '{self.prog} --help'.")


class Commands(Parser):
    """The parser of a console script that has several commands.

    Parameters
    ----------
    prog, description : str
        As for `Parser`.
    """

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog, description)
        self._added = self.add_subparsers(
            required=True,
            metavar="COMMAND",
            parser_class=lambda **given: Parser(given["prog"], given["description"]),
        )

    def add(self, name: str, action: Command, about: str) -> Callable[..., argparse.Action]:
        """Add a command; what comes back adds its arguments, as `add_argument` does."""
        words = f"{about[:1].upper()}{about[1:]}."
        added = self._added.add_parser(name, help=about, description=words)
        added.set_defaults(command=action)
        return added.add_argument

    def call(self, argv: list[str]) -> int | None:
        """Do what the arguments ask for; the exit code is the action's."""
        args = self.parse_args(argv)
        return args.command(args)


def run(
    prog: str, command: Callable[[list[str]], int | None], argv: Sequence[str] | None = None
) -> int:
    """Run a command and turn its errors into one sentence on stderr and an exit code.

    Parameters
    ----------
    prog : str
        Name of the console script, put before the sentence.
    command : callable
        Takes the arguments, returns an exit code or None.
    argv : sequence of str, optional
        The arguments; those of the process by default. With ``--debug`` among them the traceback
        is printed too.

    Returns
    -------
    int
        0, or what the command returned; 2 for bad input (ValueError, OSError), 130 when
        interrupted from the keyboard, 1 for everything else.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = command(arguments) or 0
        sys.stdout.flush()
        return code
    except SystemExit as leaving:  # argparse after --help
        return leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
    except KeyboardInterrupt:
        return _tell(prog, "Interrupted.", INTERRUPTED, "--debug" in arguments)
    except BrokenPipeError:  # the reader of our output has gone, as with "| head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (ValueError, OSError) as error:
        return _tell(prog, sentence(error), BAD_INPUT, "--debug" in arguments)
    except MemoryError:
        message = "There is not enough memory for this. Use smaller images or close other programs."
        return _tell(prog, message, FAILED, "--debug" in arguments)
    except Exception as error:
        message = sentence(error)
        if "--debug" not in arguments:
            message += " (Run it again with --debug to see where.)"
        return _tell(prog, message, FAILED, "--debug" in arguments)


def _tell(prog: str, message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"{prog}: {message}", file=sys.stderr)
    return code


def sentence(error: Exception) -> str:
    """The error's own words on one line, with its kind where the words alone would not do."""
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{where}."
    words = " ".join(str(error).split())
    if isinstance(error, ValueError | OSError) and words:
        return words
    return f"{type(error).__name__}: {words}" if words else f"{type(error).__name__}."
