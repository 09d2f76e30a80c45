"""The journal: what was recorded survives a kill, a damaged line and a full disk."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from napari_clickseg.data import journal as module
from napari_clickseg.data.journal import Journal, find_journals, prune, read_journal
from napari_clickseg.data.saved_session import ImageSignature, SavedObject
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import Click, Stroke

IMAGE = ImageSignature("cells.tif", (50, 60), "uint8", "0" * 64)


def item(label, **kwargs):
    clicks = (Click(3, 4.5), Click(1, 2, False), Stroke(((0, 0), (1, 5))))
    return SavedObject(label, interactions=clicks, area=4, seconds=1.5, **kwargs)


def pieces(value=1):
    rng = np.random.default_rng(value)
    boxes = (Box(2, 3, 9, 20), Box(9, 3, 12, 20))
    return [(box, rng.random(box.shape) > 0.5) for box in boxes]


def test_what_was_put_is_read_with_its_pixels(tmp_path):
    book = Journal(IMAGE, tmp_path / "new")
    book.put(item(1), pieces(1))
    book.put(item(1, plane=(3, None, None), class_name="leaf"), pieces(2))
    book.put(item(2), pieces(3))
    book.classes({"leaf": "#102030"})
    book.drop(2, None)
    book.put(item(1), pieces(4))
    book.close()
    found = read_journal(book.path)
    assert found.image == IMAGE and found.classes == {"leaf": "#102030"}
    assert [o.saved.plane for o in found.objects] == [None, (3, None, None)]
    assert found.objects[0].saved == item(1)
    for (box, mask), (wanted, there) in zip(found.objects[0].pieces, pieces(4), strict=True):
        assert box == wanted and np.array_equal(mask, there)


def test_objects_keep_their_places_unless_they_take_pixels_of_others(tmp_path):
    book = Journal(IMAGE, tmp_path)
    for label in (1, 2, 3):
        book.put(item(label), pieces())
    book.put(item(1), pieces())
    book.put(item(2, overwrites=True), pieces())
    book.close()
    assert [o.saved.id for o in read_journal(book.path).objects] == [1, 3, 2]


def test_an_open_journal_is_nobody_elses(tmp_path):
    book = Journal(IMAGE, tmp_path)
    book.put(item(1), pieces())
    assert find_journals(tmp_path) == []
    book.close()
    assert [found.path for found in find_journals(tmp_path)] == [book.path]
    book.close(keep=False)
    assert find_journals(tmp_path) == []


def test_a_line_cut_off_anywhere_loses_only_itself(tmp_path):
    book = Journal(IMAGE, tmp_path)
    book.put(item(1), pieces())
    whole = book.path.stat().st_size
    book.put(item(2), pieces())
    book.close()
    data = book.path.read_bytes()
    for end in (*range(whole, len(data), 37), len(data) - 2):
        book.path.write_bytes(data[:end])
        assert [o.saved.id for o in read_journal(book.path).objects] == [1]
    book.path.write_bytes(data[: whole - 30] + b"\0\xff" + data[whole - 28 :])
    assert [o.saved.id for o in read_journal(book.path).objects] == [2]


def test_files_that_are_no_journals_are_left_out(tmp_path):
    (tmp_path / "a.journal").write_bytes(b"")
    (tmp_path / "b.journal").write_bytes(b"\xff\x00\n")
    (tmp_path / "c.journal").write_text('{"journal": 1, "image": {"name": 3}}\n')
    (tmp_path / "d.journal").write_text("[" * 100_000)
    assert find_journals(tmp_path) == [] and find_journals(tmp_path / "missing") == []
    with pytest.raises(ValueError, match="no journal of clicks"):
        read_journal(tmp_path / "a.journal")


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    book = Journal(IMAGE, tmp_path)
    book.put(item(1), pieces())

    def full(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            book.put(item(2), pieces())
    book.put(item(3), pieces())
    book.close()
    assert [o.saved.id for o in read_journal(book.path).objects] == [1, 3]


def test_old_journals_are_deleted(tmp_path):
    paths = []
    for age in (1, 40):
        book = Journal(IMAGE, tmp_path)
        book.close()
        os.utime(book.path, (time.time() - age * 86_400,) * 2)
        paths.append(book.path)
    prune(tmp_path)
    assert paths[0].exists() and not paths[1].exists()


def test_nothing_that_was_put_is_lost_by_a_kill(tmp_path):
    code = """
        import sys, numpy as np
        from pathlib import Path
        from napari_clickseg.data.journal import Journal
        from napari_clickseg.data.saved_session import ImageSignature, SavedObject
        from napari_clickseg.geometry import Box
        book = Journal(ImageSignature("a", (9, 9), "uint8", "0" * 64), Path(sys.argv[1]))
        mask = np.random.default_rng(0).random((200, 200)) > 0.5
        for label in range(1, 10_000):
            book.put(SavedObject(label), [(Box(0, 0, 200, 200), mask)])
            print(label, flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        told = 20 + len(process.stdout.read().split())
    (journal,) = find_journals(tmp_path)
    found = [o.saved.id for o in read_journal(journal.path).objects]
    assert found[:told] == list(range(1, told + 1)) and len(found) <= told + 1
