"""Through a data set with one or many processes, or a cluster, to the same numbers."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed

from ..cancel import Cancelled
from .dataset import DatasetResult, Progress, check_any, image_count, read_ahead
from .job import Job, measure_image
from .journal import Entry, Journal

__all__ = ["on_cluster", "on_processes", "run_job"]


def run_job(
    job: Job,
    journal: Journal,
    executor: Executor | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[DatasetResult]:
    """Measure what the journal does not hold yet.

    Parameters
    ----------
    job : Job
    journal : Journal
        Gets every object as soon as it is measured (with an executor: every image).
    executor : Executor, optional
        Does images side by side; without, they are done here, and read ahead.
    limit : int, optional
        Only the first so many images.
    progress, cancelled : callable, optional

    Returns
    -------
    list of DatasetResult
        One for each simulated user, objects in the data set's order whatever came first.

    Raises
    ------
    ValueError
        If a number makes no sense, none of the images has an object, or the images are others than
        those in the journal.
    Cancelled
        If `cancelled` answered yes.
    """
    dataset = job.dataset()
    name, total = dataset.name, image_count(dataset, job.objects, limit)
    _check_images(name, dataset.ids, journal)
    todo = [k for k in range(total) if (name, k) not in journal.finished]
    begun, peaks = total - len(todo), [0]

    def keep(index: int, user: str, result: object) -> None:
        journal.add(Entry(name, index, user, result))
        if progress is not None:
            progress(begun, total, result)

    if executor is None:
        for index, scene, seconds in read_ahead(dataset, todo):
            begun += 1
            for user, result in job.click(scene, seconds, journal.done(name, index), cancelled):
                keep(index, user, result)
            journal.finish(name, index, scene.id)
        peaks.append(job.peak_memory() or 0)
    else:
        waiting = {
            executor.submit(measure_image, job, index, journal.done(name, index)): index
            for index in todo
        }
        try:
            for future in as_completed(waiting):
                if cancelled is not None and cancelled():
                    raise Cancelled
                image, results, peak = future.result()
                peaks.append(peak or 0)
                begun += 1
                for user, result in results:
                    keep(waiting[future], user, result)
                journal.finish(name, waiting[future], image)
        finally:
            for future in waiting:
                future.cancel()
    return _sorted_out(job, name, total, journal, max(peaks) or None)


def _check_images(name: str, ids: Sequence[str], journal: Journal) -> None:
    """Raise ValueError if a data set is no longer the one that was measured before."""
    before = {index: image for (data, index), image in journal.finished.items() if data == name}
    before |= {each.index: each.result.image for each in journal.entries if each.data == name}
    for index, image in before.items():
        if list(ids[index : index + 1]) != [image]:
            raise ValueError(
                f"The images of '{name}' have changed since the run that is to go on: {image} is "
                "not where it was. Choose another folder, or start anew with --restart."
            )


def _sorted_out(
    job: Job, name: str, total: int, journal: Journal, peak: int | None
) -> list[DatasetResult]:
    mine = sorted(
        (entry for entry in journal.entries if entry.data == name and entry.index < total),
        key=lambda entry: entry.index,
    )
    check_any(name, total, [entry.result for entry in mine])
    with_objects = {entry.index for entry in mine}
    empty = tuple(
        journal.finished[name, index] for index in range(total) if index not in with_objects
    )
    users = dict.fromkeys(variant.name for variant in job.variants)
    return [
        DatasetResult(
            name,
            tuple(entry.result for entry in mine if entry.user == user),
            job.terms,
            empty,
            user,
            peak,
        )
        for user in users
    ]


@contextlib.contextmanager
def on_processes(count: int) -> Iterator[Executor]:
    """So many processes of this machine; they start afresh and share nothing."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        count, context, signal.signal, (signal.SIGINT, signal.SIG_IGN)
    ) as pool:  # a key stops this process, which stops them
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def on_cluster(address: str) -> Iterator[Executor]:
    """An existing Dask cluster; its workers need this package, the model and the data.

    Raises
    ------
    ValueError
        If Dask's scheduler is not installed or cannot be reached.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError(
            "Spreading an evaluation over a Dask cluster needs the package distributed. Install it "
            "with: pip install 'napari-clickseg[distributed]'."
        ) from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"No Dask scheduler answers at {address}. Start one with `dask scheduler`, workers "
            "with `dask worker ADDRESS`, and give the address it prints."
        ) from error
    with client, client.get_executor() as pool:
        yield pool
