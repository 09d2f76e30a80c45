"""``clickseg-models``: published checkpoints, what they are and how to get them."""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..models import store
from ..models.card import ModelCard
from ..models.download import copy_in, download, remove
from ..models.header import CheckpointError
from ..models.zoo import find_card, how_to_get, list_models
from .cli import FAILED, Commands, UsageError, run

__all__ = ["main"]

PROG = "clickseg-models"
BAR = 30  # characters
WIDEST = 46  # characters of a licence in a list
SECONDS_BETWEEN_LINES = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script and return its exit code."""
    return run(PROG, lambda arguments: _parser().call(arguments), argv)


def _parser() -> Commands:
    commands = Commands(PROG, "Show, download and remove models.")
    add = commands.add("list", _list, "list the models on this machine")
    add("--all", action="store_true", help="all published checkpoints as well")
    add = commands.add("show", _show, "show licence, source, hash and published results of a model")
    add("name", metavar="NAME", help="a name of 'list --all', or a model file")
    add = commands.add("download", _download, "download a published checkpoint")
    add("name", metavar="NAME")
    add("--yes", action="store_true", help="agree to licence and size beforehand")
    add = commands.add("remove", _remove, "delete a published checkpoint from this machine")
    add("name", metavar="NAME")
    add(
        "--forget-hash",
        action="store_true",
        help="accept another file under this name from now on",
    )
    commands.add("path", _path, "print the folder of downloaded checkpoints")
    add = commands.add("add", _add, "copy a published checkpoint that you have into the folder")
    add("file", metavar="FILE", type=Path)
    add("--name", metavar="NAME", help="which one it is, if it was renamed")
    return commands


# ------------------------------------------------------------------ list, show, path
def _list(args: argparse.Namespace) -> None:
    cards = list_models(available_only=not args.all)
    rows = [("name", "system", "size", "licence", "where")]
    rows += [(c.name, c.system, c.size_text, _short(c.licence), c.where) for c in cards]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    missing = len(list_models(available_only=False)) - len(cards)
    if missing:
        print(f"{missing} more can be had: {PROG} list --all")


def _short(text: str) -> str:
    return textwrap.shorten(text, WIDEST, placeholder="...")


def _show(args: argparse.Namespace) -> None:
    card = find_card(args.name)
    lines = {
        "name": card.name,
        "system": f"{card.system} ({card.page})" if card.page else card.system,
        "architecture": card.architecture,
        "trained on": ", ".join(card.trained_on) or "not stated",
        "licence": card.licence,
        "terms": card.terms,
        "profile": card.profile or "",
        "size": card.size_text,
        "address": card.address or "",
        "file": str(card.path or f"not here; its place is {store.models_folder() / card.file}"),
        "about it": str(card.document or ""),
        "SHA-256": _hash(card),
        "results": card.results,
    }
    for name, text in lines.items():
        if text:
            print(f"{name:<13} {text}")
    if card.by_hand and not card.available:
        _print_steps(card)
    if card.noc:
        _print_noc(card)


def _hash(card: ModelCard) -> str:
    pinned = None if card.file is None else store.pinned_hash(card.file)
    if card.path is None:
        known = card.sha256 or pinned
        return "" if known is None else f"{known} (required of the file)"
    found = store.file_hash(card.path)
    if card.file is None:
        return found
    expected = card.sha256 or pinned
    if expected is None:
        return f"{found} (not pinned: placed by hand)"
    if found != expected:
        return f"{found}, but {expected} is expected"
    return f"{found} ({'as published' if card.sha256 else 'pinned when it came here'})"


def _print_steps(card: ModelCard) -> None:
    print("There is no direct address. By hand:")
    last = f"{PROG} add {card.file}, or move the file into {store.models_folder()}"
    for number, step in enumerate((*card.by_hand, last), 1):
        print(f"  {number}. {step}")


def _print_noc(card: ModelCard) -> None:
    """Modes as rows, test sets as columns."""
    print("published NoC@85 / NoC@90 (mean clicks to 85 % and 90 % IoU):")
    values = {
        (row.mode, row.dataset): " / ".join(
            "-" if clicks is None else f"{clicks:.2f}" for clicks in (row.at_85, row.at_90)
        )
        for row in card.noc
    }
    modes = list(dict.fromkeys(row.mode for row in card.noc))
    datasets = list(dict.fromkeys(row.dataset for row in card.noc))
    print(f"  {'':<9}" + "".join(f"{name:>13}" for name in datasets))
    for mode in modes:
        cells = (values.get((mode, name), "-") for name in datasets)
        print(f"  {mode:<9}" + "".join(f"{cell:>13}" for cell in cells))


def _path(_: argparse.Namespace) -> None:
    print(store.models_folder())


# ------------------------------------------------------------------ download, add, remove
def _download(args: argparse.Namespace) -> int | None:
    card = find_card(args.name)
    card.require_published()
    if card.available:
        print(f"Already here: {download(card)}")  # verifies the file
        return None
    if card.address is None:
        raise CheckpointError(how_to_get(card))
    print(f"{card.name}: {card.system}, {card.architecture}, {card.size_text}")
    print(f"from {card.address}")
    print(_licence(card))
    if not args.yes and not _agreed():
        print("Nothing was downloaded.")
        return FAILED
    try:
        path = download(card, progress=_progress(card.name))
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # ends the line of the bar
    print(f"Saved as {path}")
    _print_pinned(path)
    return None


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "Nobody can be asked whether licence and size are agreed to. Add --yes if they are."
        )
    return input("Download it? [y/N] ").strip().lower() in ("y", "yes")


def _progress(name: str) -> Callable[[int, int | None], None]:
    """A bar on stderr; lines now and then where that is no terminal."""
    terminal = sys.stderr.isatty()
    told = time.monotonic()

    def progress(done: int, total: int | None) -> None:
        nonlocal told
        part = min(1.0, done / total) if total else 0.0
        size = f"{done / 1e6:.1f}" + (f" of {total / 1e6:.1f} MB" if total else " MB")
        if terminal:
            bar = "#" * round(part * BAR)
            print(f"\r{name} [{bar:<{BAR}}] {size} ", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - told >= SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            print(f"{name}: {size}", file=sys.stderr, flush=True)

    return progress


def _add(args: argparse.Namespace) -> None:
    source: Path = args.file.expanduser()
    published = {card.name: card for card in list_models(available_only=False) if card.file}
    card = published.get(args.name or source.stem)
    if card is None and args.name:
        raise CheckpointError(
            f"There is no published checkpoint '{args.name}'. '{PROG} list --all' shows the names."
        )
    if card is None:
        raise CheckpointError(
            f"No published checkpoint has the file name {source.name}. Say with --name which one "
            "it is; a model of your own can be used anywhere by its path."
        )
    path = copy_in(card, source)
    print(f"Copied to {path}")
    print(_licence(card))
    _print_pinned(path)


def _licence(card: ModelCard) -> str:
    return f"Licence of the weights: {card.licence}. {card.terms}"


def _print_pinned(path: Path) -> None:
    print(f"SHA-256 {store.pinned_hash(path.name)}, from now on required of this file")


def _remove(args: argparse.Namespace) -> None:
    card = find_card(args.name)
    file = card.require_published()
    if args.forget_hash:
        store.forget(file)
    if card.path is None and args.forget_hash:
        print(f"The hash of {file} is no longer required.")
        return
    print(f"Removed {remove(card)}")


if __name__ == "__main__":
    raise SystemExit(main())
