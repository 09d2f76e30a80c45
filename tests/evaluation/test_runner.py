"""One process, several, a cluster, and a run that was interrupted: the same numbers."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from evaluation.colour_segmenter import striped
from PIL import Image

from napari_clickseg.cancel import Cancelled
from napari_clickseg.evaluation.job import Job, forget
from napari_clickseg.evaluation.journal import Journal
from napari_clickseg.evaluation.runner import on_cluster, on_processes, run_job
from napari_clickseg.evaluation.terms import Terms
from napari_clickseg.evaluation.users import user_variants
from napari_clickseg.models.checkpoint import write_model
from napari_clickseg.models.compact import CompactModel


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """Two clicks of two users on the three objects of four images, one of them empty."""
    folder = tmp_path_factory.mktemp("job")
    torch.manual_seed(0)
    model = CompactModel(encoder_scale=1.0, widths=(8, 8, 8, 8, 8), decoder=(8, 8, 8)).eval()
    about = {"name": "tiny", "licence": "none", "trained_on": []}
    write_model(model, folder / "tiny.safetensors", about)
    for part in ("images", "masks"):
        (folder / "Stripes" / part).mkdir(parents=True)
    for k, widths in enumerate(((30, 20), (9,), (14, 12, 10), (25,))):
        image, labels = striped(widths, height=48)
        Image.fromarray(image).save(folder / "Stripes" / "images" / f"{k}.png")
        labels = (labels * (k != 1)).astype(np.uint8)
        Image.fromarray(labels).save(folder / "Stripes" / "masks" / f"{k}.png")
    return Job(
        model=str(folder / "tiny.safetensors"),
        data=str(folder / "Stripes"),
        terms=Terms(n_clicks=2, boundary=1),
        variants=(*user_variants("centre"), *user_variants("uniform", seeds=2)),
        device="cpu",
        threads=1,
    )


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    forget()


def numbers(results):
    """Everything but times."""
    return [
        (
            result.name,
            result.user,
            result.images_without_objects,
            [
                replace(e, seconds=(), user_seconds=(), metric_seconds=(), reading_seconds=0)
                for e in result.objects
            ],
        )
        for result in results
    ]


@pytest.fixture(scope="module")
def wanted(job):
    return numbers(run_job(job, Journal(None, {})))


def test_one_process(wanted):
    assert [(name, user, empty) for name, user, empty, _ in wanted] == [
        ("Stripes", "centre", ("1",)),
        ("Stripes", "uniform", ("1",)),
    ]
    assert [each.image for each in wanted[0][3]] == ["0", "2", "3"]
    assert [each.variant for each in wanted[1][3]] == ["seed 0", "seed 1"] * 3


def test_threads_with_a_model_each(job, wanted):
    with ThreadPoolExecutor(2) as pool:
        assert numbers(run_job(job, Journal(None, {}), pool)) == wanted


def test_processes(job, wanted):
    with on_processes(2) as pool:
        assert numbers(run_job(job, Journal(None, {}), pool)) == wanted


def test_a_dask_cluster(job, wanted):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        on_cluster(cluster.scheduler_address) as pool,
    ):
        assert numbers(run_job(job, Journal(None, {}), pool)) == wanted


def test_no_cluster_there():
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match="scheduler"), on_cluster("nonsense://nowhere:1"):
        pass


@pytest.mark.parametrize("lines", [1, 2, 4, 7, 12])
def test_a_journal_is_taken_up_wherever_it_ends(job, wanted, tmp_path, lines):
    assert numbers(run_job(job, Journal(tmp_path, {"model": "m"}))) == wanted
    file = tmp_path / "journal.jsonl"
    whole = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(whole[:lines]) + whole[min(lines, len(whole) - 1)][:9])
    journal = Journal(tmp_path, {"model": "m"})
    kept = len(journal.entries)
    told = []
    results = run_job(job, journal, progress=lambda *state: told.append(state))
    assert numbers(results) == wanted
    assert len(told) == 9 - kept
    assert len(file.read_bytes().splitlines()) == len(whole)


def test_a_run_that_was_cancelled_goes_on(job, wanted, tmp_path):
    answers = iter([False] * 4 + [True])
    with pytest.raises(Cancelled):
        run_job(job, Journal(tmp_path, {}), cancelled=lambda: next(answers))
    assert numbers(run_job(job, Journal(tmp_path, {}))) == wanted


def test_more_images_later(job, wanted, tmp_path):
    first = run_job(job, Journal(tmp_path, {}), limit=1)
    assert [each.image for each in first[0].objects] == ["0"]
    assert numbers(run_job(job, Journal(tmp_path, {}))) == wanted
    again = run_job(job, Journal(tmp_path, {}), limit=1)
    assert numbers(again) == numbers(first)


def test_journals_of_other_runs_and_other_files_are_refused(tmp_path):
    Journal(tmp_path, {"model": "m", "seeds": 3})
    with pytest.raises(ValueError, match=r"other terms \(seeds\)"):
        Journal(tmp_path, {"model": "m", "seeds": 4})
    assert Journal(tmp_path, {"model": "n"}, fresh=True).entries == []
    for text in ("something\n", json.dumps([1]) + "\n", "{}\n"):
        (tmp_path / "journal.jsonl").write_text(text)
        with pytest.raises(ValueError, match="no journal"):
            Journal(tmp_path, {"model": "m"})


def test_a_run_does_not_go_on_with_other_images(job, tmp_path):
    shutil.copytree(job.data, tmp_path / "Stripes")
    mine = replace(job, data=str(tmp_path / "Stripes"), variants=user_variants("centre"))
    run_job(mine, Journal(tmp_path, {}), limit=1)
    forget()
    for part in ("images", "masks"):  # one more image, before all others
        shutil.copy(tmp_path / "Stripes" / part / "2.png", tmp_path / "Stripes" / part / "+.png")
    with pytest.raises(ValueError, match="0 is not where it was"):
        run_job(mine, Journal(tmp_path, {}))
