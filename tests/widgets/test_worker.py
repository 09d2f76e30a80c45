"""The thread of a dock and the end of the program."""

import gc
import subprocess
import sys
import textwrap
import weakref
from functools import partial

import pytest

from napari_clickseg.widgets.work.jobs import Job
from napari_clickseg.widgets.work.worker import Runner


def test_a_program_that_ends_while_a_model_is_loaded_ends_quietly():
    code = """
        import threading, time
        from qtpy.QtWidgets import QApplication
        from napari_clickseg.widgets.work.jobs import Job
        from napari_clickseg.widgets.work.worker import Runner

        def load(cancelled, tell):
            while not cancelled():
                time.sleep(0.01)
            time.sleep(0.2)  # what cannot be interrupted

        app = QApplication([])
        runner = Runner()
        job = Job(1, load)
        runner.submit(job)
        while not job.begun.is_set():
            app.processEvents()
        CLOSE
    """
    for close in ("runner.close(0.0)", "pass"):
        lines = textwrap.dedent(code).replace("CLOSE", close)
        done = subprocess.run([sys.executable, "-c", lines], capture_output=True, timeout=120)
        assert done.returncode == 0 and not done.stderr, done.stderr.decode()


@pytest.mark.parametrize("end", ["done", "closed", "stopped by napari"])
def test_nothing_keeps_the_pixels_of_a_job_that_ended(one_viewer, qtbot, end):
    class Pixels:
        """Something that can be seen to be gone."""

    tasks = one_viewer.window._task_status_manager
    pixels, runner = Pixels(), Runner()
    left = weakref.ref(pixels)
    runner.submit(Job(1, partial(lambda pixels, cancelled, tell: None, pixels)))
    assert tasks.is_busy()
    del pixels
    if end == "closed":  # before it has begun
        runner.close()
    elif end == "stopped by napari":
        tasks.cancel_all()
    qtbot.waitUntil(lambda: not runner.busy)
    assert not tasks.is_busy()  # napari closes without a question
    gc.collect()
    assert left() is None
    left, runner = weakref.ref(runner), None
    gc.collect()
    assert left() is None
