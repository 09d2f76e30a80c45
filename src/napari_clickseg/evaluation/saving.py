"""One model's evaluation on several data sets, and the files that it leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..engine.profiles import Profile, get_profile
from .dataset import DatasetResult, Progress
from .job import Job
from .journal import Journal
from .machine import describe
from .plots import Run, plot_runs
from .report import as_csv, as_json, table
from .runner import run_job
from .summary import summarise
from .worst import as_markdown, write_worst_cases

__all__ = ["Evaluation", "save", "save_together"]


@dataclass
class Evaluation:
    """A model on data sets.

    Attributes
    ----------
    name : str
        In reports.
    model : str
        Name in the zoo or path.
    jobs : list of Job
        One for each data set.
    profile : Profile
        As used on the first.
    machine : mapping
        See `machine_facts`.
    limit : int or None
        Only the first so many images of each data set.
    results : list of DatasetResult
        So far.
    """

    name: str
    model: str
    jobs: list[Job]
    profile: Profile
    machine: Mapping[str, Any]
    limit: int | None = None
    results: list[DatasetResult] = field(default_factory=list)

    @property
    def peak_memory(self) -> int | None:
        """Most bytes that a process held; None if it is not known."""
        return max((each.peak_memory or 0 for each in self.results), default=0) or None

    @property
    def run(self) -> dict[str, Any]:
        """What the numbers depend on, as plain values."""
        job = self.jobs[0]
        return {
            "model": self.model,
            "weights": _digest(self.model),
            "device": self.machine["device"],
            "profile": asdict(self.profile),
            "eval_mode": job.eval_mode,
            "norm_radius": job.norm_radius,
            "terms": asdict(job.terms),
            "users": [
                " ".join(filter(None, [each.name, each.variant, f"from {each.seed}"]))
                for each in job.variants
            ],
            "objects": job.objects,
        }

    def measure(
        self,
        folder: Path | None,
        restart: bool = False,
        executor: Executor | None = None,
        progress: Callable[[str], Progress] | None = None,
    ) -> None:
        """Measure what an earlier run has not, keeping a journal in the folder."""
        journal = Journal(folder, self.run, restart)
        for job in self.jobs:
            told = None if progress is None else progress(job.dataset().name)
            self.results += run_job(job, journal, executor, self.limit, told)


def save(
    folder: Path, one: Evaluation, thresholds: Sequence[float] | None = None, worst: int = 10
) -> None:
    """Write ``report.md``, ``results.json``, ``ious.csv``, ``plots`` and ``worst``.

    Plots are left out where matplotlib is missing, which ``clickseg-plot`` tells.
    """
    about = {
        "name": one.name,
        **one.run,
        "limit": one.limit,
        "data": {job.dataset().name: job.data for job in one.jobs},
        "machine": one.machine,
        "peak_memory": one.peak_memory,
    }
    rows = table([summarise(each, thresholds) for each in one.results], "markdown", every_iou=True)
    lines = [f"# {one.name}", "", rows, "", f"Measured on {describe(one.machine)}."]
    if one.peak_memory is not None:
        lines.append(f"Peak memory {one.peak_memory / 2**20:.0f} MB.")
    _write(folder / "report.md", "\n".join(lines) + "\n")
    plain = json.dumps(as_json(one.results, about, thresholds), indent=1, allow_nan=False)
    _write(folder / "results.json", plain + "\n")
    _write(folder / "ious.csv", as_csv(one.results))
    _plot(folder, [one])
    if worst > 0:
        datasets = {job.dataset().name: job for job in one.jobs}
        cases = []
        for result in one.results:
            dataset = datasets[result.name].dataset()
            cases += write_worst_cases(
                folder / "worst",
                result,
                dataset,
                one.jobs[0].model,
                _settings(one.profile),
                worst,
            )
        _write(folder / "worst" / "worst.md", as_markdown(cases))


def save_together(
    folder: Path, made: Sequence[Evaluation], thresholds: Sequence[float] | None = None
) -> None:
    """Write the table and the plots of several models side by side."""
    results = [(one.name, result) for one in made for result in one.results]
    names = [name for name, _ in results]
    rows = table([summarise(each, thresholds) for _, each in results], "markdown", names, True)
    machine = describe(made[0].machine)
    _write(folder / "report.md", f"# Evaluation\n\n{rows}\n\nMeasured on {machine}.\n")
    _write(folder / "ious.csv", as_csv([result for _, result in results], names))
    _plot(folder, made)


def _plot(folder: Path, made: Sequence[Evaluation]) -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return
    runs = [
        Run(one.name if each.user == "centre" else f"{one.name}, {each.user}", each)
        for one in made
        for each in one.results
    ]
    plot_runs(runs, folder / "plots")


def _settings(profile: Profile) -> dict[str, Any]:
    """The profile's name and those fields of it that differ from it."""
    own, mine = asdict(get_profile(profile.name)), asdict(profile)
    return {"profile": profile.name, **{k: v for k, v in mine.items() if v != own[k]}}


def _digest(model: str) -> str:
    """sha256 of the files of weights."""
    from ..models.zoo import find_verified

    digest = hashlib.sha256()
    for name in model.split(",") if "," in model and not Path(model).exists() else [model]:
        with find_verified(name)[0].open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
