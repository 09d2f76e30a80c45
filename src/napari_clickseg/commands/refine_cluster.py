"""Masks refined on the workers of a running Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .refine_files import FileResult, RefineOptions, check_options, refine_file
from .refine_matching import Files, make_folders

__all__ = ["refine_on_cluster"]


def refine_on_cluster(
    jobs: Sequence[Files],
    options: RefineOptions,
    failed: Callable[[Files, Exception], object],
    address: str,
    again: bool = False,
) -> Iterator[FileResult]:
    """Refine files on a running Dask cluster, whose workers see the same folders.

    Results are those of `refine_all`, in the order in which they are ready.

    Raises
    ------
    ValueError
        If there is no cluster at the address, or Dask's part for clusters is not installed.
    """
    check_options(options)
    client = _connect(address)
    make_folders(jobs)
    from distributed import as_completed

    waiting = {
        client.submit(refine_file, files, options, again=again, pure=False): files
        for files in map(_absolute, jobs)
    }
    try:
        for future in as_completed(waiting):
            error = future.exception()
            if error is None:
                yield future.result()
            elif isinstance(error, ValueError | OSError):
                failed(waiting[future], error)
            else:
                raise error
    finally:
        client.cancel(list(waiting), force=True)
        client.close()


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(
            "Dask's part for clusters is not installed. Get it with "
            'pip install "napari-clickseg[distributed]", or leave out --dask.'
        ) from None
    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"There is no Dask cluster at {address}: {str(error).splitlines()[0].rstrip('. ')}. "
            "Start one with 'dask scheduler', and give the address that it prints."
        ) from error


def _absolute(files: Files) -> Files:
    """The same files, wherever a worker was started."""
    paths = {key: value.absolute() for key, value in vars(files).items() if isinstance(value, Path)}
    return replace(files, **paths)
