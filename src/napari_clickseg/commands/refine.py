"""``clickseg-refine``: existing masks of a folder of images, moved to the objects' edges."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..cancel import Cancelled
from ..data.datasets.base import some
from .cleaning import add_cleaning, cleaning_of
from .cli import BAD_INPUT, INTERRUPTED, Parser, run, sentence
from .refine_cluster import refine_on_cluster
from .refine_files import FileResult, RefineOptions, check_options, refine_file
from .refine_matching import Files, make_folders, match_files, without_partner
from .refine_tables import NOT_REFINED, write_tables

__all__ = ["main", "refine_all"]

PROG = "clickseg-refine"
SECONDS_BETWEEN_LINES = 2.0
Failed = Callable[[Files, Exception], object]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script and return its exit code."""
    return run(PROG, _refine, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Refine existing masks: every object of every mask is the start, and its outline moves to "
        "the edges of the image. A stack is refined plane by plane, with a mask of as many planes "
        "(TIFF, npy or Zarr). Finished images are skipped when the command is run again.",
    )
    add = parser.add_argument
    add("images", type=Path, metavar="IMAGES", help="an image, or a folder of them")
    add(
        "masks",
        type=Path,
        metavar="MASKS",
        help="a mask (labels or one object; of a stack, of all its planes), or a folder",
    )
    add("-o", "--out", type=Path, required=True, metavar="OUT", help="folder of the refined masks")
    add("--clicks", type=Path, metavar="PATH", help="sessions with clicks on some of the objects")
    add("--corrected", type=Path, metavar="PATH", help="masks of which some objects were corrected")
    add("--model", default=RefineOptions.model, help="a name of the zoo, or a file (%(default)s)")
    add("--profile", help="inference settings by name; the model's own by default")
    add("--device", default=RefineOptions.device, help="auto, cpu, cuda:0 or mps (%(default)s)")
    add("--again", action="store_true", help="make finished masks once more")
    add("--dask", metavar="ADDRESS", help="spread the images over a running Dask cluster")
    add_cleaning(parser)
    return parser


def _refine(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    jobs = match_files(args.images, args.masks, args.out, args.clicks, args.corrected)
    cleaning = tuple(cleaning_of(args).items())
    options = RefineOptions(args.model, args.device, args.profile, cleaning)
    failures: list[tuple[str, str]] = []

    def failed(files: Files, error: Exception) -> None:
        failures.append((files.name, sentence(error)))
        print(f"{PROG}: {files.name}: {sentence(error)}", file=sys.stderr, flush=True)

    progress = ProgressLines(len(jobs))
    results: list[FileResult] = []
    interrupted = False
    steps = (
        refine_all(jobs, options, failed, progress.part, again=args.again)
        if args.dask is None
        else refine_on_cluster(jobs, options, failed, args.dask, again=args.again)
    )
    try:
        for result in steps:
            results.append(result)
            progress.finished(result)
    except KeyboardInterrupt:
        steps.close()
        interrupted = True
    objects = sum(len(result.changes) for result in results)
    skipped = sum(result.skipped for result in results)
    known = f" ({skipped} of them finished before)" if skipped else ""
    print(f"{len(results)} of {len(jobs)} images refined{known}, {objects} objects.")
    empty = bool(results) and not objects
    if empty:
        print(
            f"{PROG}: There is no object in the masks: every pixel is 0, which is background. Give "
            "masks with a number above 0 in each object.",
            file=sys.stderr,
            flush=True,
        )
    alone = without_partner(args.images, args.masks)
    if alone:
        print(
            f"Without a partner of the same name, and left out: {some(name for name, _ in alone)}."
        )
    if results or failures:
        changes, review = write_tables(args.out, results, failures + alone)
        print(f"What changed: {changes}. To look at, most doubtful first: {review}.")
    if failures:
        print(f"What was not refined, and why: {args.out / NOT_REFINED}.")
    if interrupted:
        print(
            f"{PROG}: Interrupted. Run the same command again to go on.",
            file=sys.stderr,
            flush=True,
        )
        return INTERRUPTED
    return BAD_INPUT if failures or empty else 0


def refine_all(
    jobs: Sequence[Files],
    options: RefineOptions,
    failed: Failed,
    progress: Callable[[Files, float], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
    again: bool = False,
) -> Iterator[FileResult]:
    """Refine files one after the other.

    Parameters
    ----------
    jobs : sequence of Files
    options : RefineOptions
    failed : callable
        Called with files and error where they cannot be used; the others go on.
    progress : callable, optional
        Called with files and the part of them that is done.
    cancelled : callable, optional
        Asked before each call of the network.
    again : bool
        Make what is finished once more.

    Yields
    ------
    FileResult

    Raises
    ------
    Cancelled
        If `cancelled` answered true; what is finished stays.
    ValueError
        If there is no such model, profile or device, or nothing can be written.
    """
    check_options(options)
    if options.device != RefineOptions.device:
        from ..models.device import choose_device

        choose_device(options.device)
    make_folders(jobs)
    for files in jobs:

        def part(done: float, files: Files = files) -> None:
            if progress is not None:
                progress(files, done)

        try:
            yield refine_file(files, options, part, cancelled, again)
        except Cancelled:
            raise
        except (ValueError, OSError) as error:
            failed(files, error)


class ProgressLines:
    """Tells on stderr now and then how far it is, and how long it may take."""

    def __init__(self, images: int) -> None:
        self._images, self._done, self._skipped, self._objects = images, 0, 0, 0
        self._begun, self._told = time.monotonic(), -SECONDS_BETWEEN_LINES

    def part(self, files: Files, done: float) -> None:
        """Some of an image's objects are done."""
        self._tell(files.name, done)

    def finished(self, result: FileResult) -> None:
        """An image is done."""
        self._done, self._skipped = self._done + 1, self._skipped + result.skipped
        self._objects += len(result.changes)
        self._tell(result.files.name, 0.0, last=self._done == self._images)

    def _tell(self, name: str, part: float, last: bool = False) -> None:
        now = time.monotonic()
        if now - self._told < SECONDS_BETWEEN_LINES and not last:
            return
        self._told = now
        worked = self._done - self._skipped + part
        left = ""
        if worked > 0 and not last:
            seconds = (now - self._begun) / worked * (self._images - self._done - part)
            left = f", about {duration(seconds)} left"
        print(
            f"{self._done}/{self._images} images, {self._objects} objects, at {name}{left}",
            file=sys.stderr,
            flush=True,
        )


def duration(seconds: float) -> str:
    """A time to wait, in words."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


if __name__ == "__main__":
    sys.exit(main())
