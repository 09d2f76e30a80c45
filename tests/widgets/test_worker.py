"""The thread of a dock and the end of the program."""

import subprocess
import sys
import textwrap


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
