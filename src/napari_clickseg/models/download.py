"""Getting a published checkpoint, and deleting it, when the user asks for that."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..cancel import stop_if
from . import store
from .card import ModelCard
from .header import CheckpointError
from .signature import file_kind
from .zoo import how_to_get

if TYPE_CHECKING:
    from requests import Response

__all__ = ["DownloadError", "copy_in", "download", "remove"]

CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
CHUNK = 4096
"""Bytes between two questions whether to go on."""
SECONDS_BETWEEN_CALLS = 0.1

Progress = Callable[[int, int | None], None]


class DownloadError(CheckpointError):
    """A checkpoint could not be downloaded; nothing was kept."""


class _Refused(Exception):
    """The server's answer is not what was asked for."""


def download(
    card: ModelCard,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Download a published checkpoint into the folder of models, verify it and pin its hash.

    A file that is there already is verified and kept.

    Parameters
    ----------
    card : ModelCard
        Of the zoo.
    progress : callable, optional
        ``progress(done, total)`` in bytes, some ten times a second and at the end; the total is
        None if nobody knows it.
    cancelled : callable, optional
        Asked between chunks; a true answer stops the download.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    DownloadError
        If it failed; the message names address, target and reason, and says what to do.
    CheckpointError
        If the model has no address, or another file is in its place.
    Cancelled
        If `cancelled` answered true.
    """
    target = store.models_folder() / card.require_published()
    if target.is_file():
        flaw = _flaw(card, target)
        if flaw is not None:
            raise CheckpointError(
                f"{target} is there already but {flaw}. Remove it with 'clickseg-models remove "
                f"{card.name}' and download again."
            )
        return target
    if card.address is None:
        raise CheckpointError(how_to_get(card))
    meter = _Meter(card, progress, cancelled)
    try:
        with _part_of(target) as part:
            with part.open("xb") as opened:
                _fetch(card, opened, meter)
            flaw = _flaw(card, part)
            if flaw is not None:
                raise _Refused(f"what came {flaw}")
            _admit(part, target)
    except (_Refused, OSError) as error:  # all errors of requests are OSErrors
        raise DownloadError(_sentence(card, target, error, meter)) from error
    return target


def copy_in(card: ModelCard, source: Path) -> Path:
    """Copy a published checkpoint that was got by hand into the folder of models, and pin it.

    Parameters
    ----------
    card : ModelCard
        Of the zoo.
    source : Path
        The file, of any name; it is left where it is.

    Returns
    -------
    Path
        Of the copy.

    Raises
    ------
    CheckpointError
        If the file is not the published one as far as that is known, or one is there already.
    OSError
        If it cannot be copied.
    """
    target = store.models_folder() / card.require_published()
    if target.exists():
        raise CheckpointError(
            f"{target} is there already. Remove it first: 'clickseg-models remove {card.name}'."
        )
    file_kind(source)  # says what archives and the like are, and what to do with them
    flaw = _flaw(card, source)
    if flaw is not None:
        raise CheckpointError(
            f"{source} is not the published '{card.name}': it {flaw}. A file of your own can be "
            "used anywhere by its path."
        )
    with _part_of(target) as part:
        shutil.copyfile(source, part)
        _admit(part, target)
    return target


def remove(card: ModelCard) -> Path:
    """Delete a published checkpoint from the folder of models; its pinned hash stays.

    Parameters
    ----------
    card : ModelCard
        Of the zoo.

    Returns
    -------
    Path
        Of the file that is gone.

    Raises
    ------
    CheckpointError
        If it is no model of the zoo, or not on this machine.
    OSError
        If it cannot be deleted.
    """
    card.require_published()
    if card.path is None:
        raise CheckpointError(f"'{card.name}' is not on this machine; there is nothing to remove.")
    card.path.unlink()
    return card.path


def _flaw(card: ModelCard, path: Path) -> str | None:
    expected = card.sha256 or store.pinned_hash(card.require_published())
    return store.find_flaw(path, card.published_size, expected)


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A name beside the target for a file in the making; gone afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _admit(part: Path, target: Path) -> None:
    """Give a verified file its name, with its hash pinned."""
    store.pin(target.name, store.file_hash(part))
    os.replace(part, target)


def _fetch(card: ModelCard, opened: IO[bytes], meter: _Meter) -> None:
    from pooch import HTTPDownloader

    meter.file = opened
    fetch = HTTPDownloader(
        progressbar=meter,
        chunk_size=CHUNK,
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        headers={"Accept-Encoding": "identity"},
        hooks={"response": meter.inspect},
    )
    fetch(card.address, opened, None)
    opened.flush()
    os.fsync(opened.fileno())
    meter.finish()


class _Meter:
    """Looks at the server's answer and counts its bytes; pooch takes it for a progress bar.

    Parameters
    ----------
    card : ModelCard
    progress, cancelled : callable or None
        See `download`.
    """

    def __init__(
        self,
        card: ModelCard,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.file: IO[bytes] | None = None
        self.total = 0  # set by pooch to the announced length, 0 if there is none
        self.done = 0
        self._card = card
        self._progress = progress
        self._cancelled = cancelled
        self._told = -SECONDS_BETWEEN_CALLS

    @property
    def expected(self) -> int | None:
        """Bytes to come in all, if known."""
        return self.total or self._card.published_size

    def inspect(self, response: Response, **_: Any) -> None:
        """Refuse answers that cannot be the checkpoint before they are read."""
        stop_if(self._cancelled, "The download")
        here = urlsplit(self._card.address or "").scheme
        there = urlsplit(response.headers.get("location", "")).scheme
        if response.is_redirect:
            if here == "https" and there == "http":
                raise _Refused("the server redirects to an unencrypted address")
            return
        if not response.ok:
            return
        if "html" in response.headers.get("content-type", "").lower():
            raise _Refused("the server sent a web page in place of the file")
        length = response.headers.get("content-length", "")
        if length.isdecimal():
            self._check_length(int(length))

    def _check_length(self, length: int) -> None:
        published = self._card.published_size
        if published is not None and self._card.sha256 is None:
            low, high = store.size_range(published)
            if not low <= length <= high:
                raise _Refused(
                    f"the server offers {length / 1e6:.4g} MB where about "
                    f"{published / 1e6:.4g} MB are published"
                )
        if shutil.disk_usage(store.models_folder()).free < length:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def update(self, _: int) -> None:
        """Count, after each chunk (pooch tells the chunk's nominal size, which is not used)."""
        stop_if(self._cancelled, "The download")
        self.done = self.file.tell() if self.file is not None else 0
        limit = self.expected
        if limit is not None and self.done > store.size_range(limit)[1]:
            raise _Refused(f"the server sent more than the {limit / 1e6:.4g} MB it should")
        now = time.monotonic()
        if self._progress is not None and now - self._told >= SECONDS_BETWEEN_CALLS:
            self._told = now
            self._progress(self.done, self.expected)

    def finish(self) -> None:
        """See that everything came, and tell so."""
        stop_if(self._cancelled, "The download")
        self.done = self.file.tell() if self.file is not None else 0
        if self.total and self.done != self.total:
            raise _Refused(_broken(self))
        if self._progress is not None:
            self._progress(self.done, self.done)

    def reset(self) -> None:
        """Nothing to do; part of what pooch asks of a progress bar."""

    close = reset


def _sentence(card: ModelCard, target: Path, error: Exception, meter: _Meter) -> str:
    """Address, target, reason, and what to do next."""
    number = getattr(error, "errno", None)
    folder = target.parent
    elsewhere = f"set {store.VARIABLE} to a folder"
    if number in (errno.ENOSPC, errno.EDQUOT):
        reason = f"the disk of {folder} is full"
        advice = f"Free {card.size_text} there, or {elsewhere} on another disk."
    elif isinstance(error, PermissionError) or number == errno.EROFS:
        reason = f"there is no permission to write into {folder}"
        advice = f"Change that, or {elsewhere} of yours."
    else:
        reason = _reason(error, meter)
        advice = (
            "Try again later, or get the file in another way and place it there by hand: it is "
            "then used without a network."
        )
    return (
        f"Could not download {card.file} ({card.size_text}) from {card.address} to {target}: "
        f"{reason}. {advice}"
    )


def _reason(error: Exception, meter: _Meter) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.TooManyRedirects):
        return "its address redirects in circles"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is not valid"
    if meter.done and isinstance(error, requests.RequestException):
        return _broken(meter)
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.ConnectionError):
        host = urlsplit(error.request.url if error.request is not None else "").hostname
        return f"there is no connection to {host or 'the server'} (network, proxy or firewall)"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _broken(meter: _Meter) -> str:
    total = "" if meter.expected is None else f" of {meter.expected / 1e6:.4g}"
    return f"the connection broke off after {meter.done / 1e6:.4g}{total} MB"
