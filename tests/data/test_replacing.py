"""Files that appear whole or not at all, also when the process that writes them is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from napari_clickseg.data.replacing import ABANDONED, replacing

KILLED = """
import os, signal, sys
from pathlib import Path
from napari_clickseg.data.replacing import replacing

with replacing(Path(sys.argv[1]), OSError) as made:
    made.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_kill_leaves_the_old_file_and_the_next_day_tidies_up(tmp_path):
    path = tmp_path / "masks [1].tif"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL and path.read_text() == "old"
    (left,) = (known for known in tmp_path.iterdir() if known != path)
    with replacing(path, OSError) as made:
        made.write_text("new")
    assert path.read_text() == "new" and left.exists()  # it could still be being written
    long_ago = time.time() - 2 * ABANDONED
    os.utime(left, (long_ago, long_ago))
    with replacing(path, OSError) as made:
        made.write_text("newer")
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "newer"
