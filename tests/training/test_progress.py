"""The line that says how far a run is."""

import io

from napari_clickseg.data.progress_file import FarSoFar, forget_progress, read_progress
from napari_clickseg.training.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_one_line_and_a_file_few(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("napari_clickseg.training.progress.time.monotonic", lambda: now[0])
    live, file = Terminal(), io.StringIO()
    bars = [Progress(100, 0, live), Progress(100, 0, file)]
    for done in range(1, 101):
        now[0] += 1.0
        for bar in bars:
            bar.show(done, "loss 0.5")
    assert live.getvalue().count("\n") == 1
    assert "50/100  loss 0.5  0:50 left" in live.getvalue()
    assert 3 <= file.getvalue().count("\n") <= 5
    assert "100/100  loss 0.5  done" in file.getvalue()


def test_time_left_counts_from_where_a_run_went_on(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("napari_clickseg.training.progress.time.monotonic", lambda: now[0])
    live = Terminal()
    bar = Progress(100, 90, live)
    now[0] = 10.0
    bar.show(95, "x")
    assert "0:10 left" in live.getvalue()


def test_durations():
    assert [duration(s) for s in (0, 61, 3723)] == ["0:00", "1:01", "1:02:03"]


def test_another_program_can_read_how_far_it_is(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("napari_clickseg.training.progress.time.monotonic", lambda: now[0])
    bar = Progress(100, 90, io.StringIO(), tmp_path)
    now[0] = 10.0
    bar.show(95, "loss 0.5")
    assert read_progress(tmp_path) == FarSoFar(95, 100, 10.0, "loss 0.5")
    bar.show(96, "less than a second later")
    assert read_progress(tmp_path).done == 95
    bar.show(100, "the end is always told")
    assert read_progress(tmp_path) == FarSoFar(100, 100, 0.0, "the end is always told")
    forget_progress(tmp_path)
    assert read_progress(tmp_path) is None
