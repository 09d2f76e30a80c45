"""Downloads: what is kept, what is refused, and what is said then. No test leaves the machine."""

import dataclasses
import errno
import hashlib
import os
import shutil
import sys

import pytest
import requests
from file_server import FileServer, checkpoint_bytes

from napari_clickseg.cancel import Cancelled
from napari_clickseg.models import download as module
from napari_clickseg.models import store
from napari_clickseg.models.download import (
    DownloadError,
    copy_in,
    download,
)
from napari_clickseg.models.header import CheckpointError
from napari_clickseg.models.zoo import find_card, list_models

CONTENT = checkpoint_bytes()
SIZE = len(CONTENT)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "CONNECT_SECONDS", 2.0)
    monkeypatch.setattr(module, "READ_SECONDS", 0.2)
    server = FileServer(CONTENT)
    yield server
    server.stop()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    folder = tmp_path / "models"
    monkeypatch.setenv(store.VARIABLE, str(folder))
    return folder


@pytest.fixture
def card(server, folder):
    """Gives a small checkpoint of the zoo that is served in the way of the path."""
    published = find_card("sbd_h18_itermask")

    def make(way="whole", size=SIZE, **changes):
        address = server.address(f"{way}/{published.file}")
        return dataclasses.replace(published, address=address, published_size=size, **changes)

    return make


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_refused(card, folder, *words):
    """The message says address, target and reason, and nothing is kept."""
    with pytest.raises(DownloadError) as refused:
        download(card)
    message = str(refused.value)
    target = str(folder / card.file)
    for part in (card.address, target, *words):
        assert part in message
    assert files(folder) == []
    assert not [c for c in list_models() if c.name == card.name]
    return message


@pytest.mark.parametrize("way", ["whole", "unsized", "redirect"])
def test_what_is_published_arrives_and_its_hash_is_pinned(card, folder, way):
    told = []
    path = download(card(way), progress=lambda *now: told.append(now))
    assert path == folder / "sbd_h18_itermask.pth"
    assert path.read_bytes() == CONTENT
    assert store.pinned_hash(path.name) == DIGEST
    assert files(folder) == [path.name, store.PINS]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert sorted(told) == told
    assert find_card("sbd_h18_itermask").path == path


def test_a_file_that_is_there_is_verified_and_not_asked_for_again(card, folder, server):
    first = download(card())
    assert download(card()) == first
    assert len(server.asked) == 1
    first.write_bytes(checkpoint_bytes(seed=1))
    with pytest.raises(CheckpointError, match=r"is there already but has the SHA-256 .*remove"):
        download(card())
    assert len(server.asked) == 1


def test_the_size_is_published_with_few_digits_and_either_kind_of_megabyte():
    low, high = store.size_range(39_000_000)
    assert low < 38_600_000
    assert high > 39.4 * 2**20
    assert low > 37e6
    assert high < 43e6


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("truncated", "connection broke off after"),
        ("truncated-unsized", "are published"),
        ("stalled", "connection broke off after"),
        ("silent", "did not answer in time"),
        ("endless", "sent more than"),
        ("page", "web page"),
        ("page-as-file", "are published"),
        ("circle", "redirects in circles"),
        ("nothing", "the server answered 404 Not Found"),
    ],
)
def test_wrong_answers_are_refused_and_leave_nothing(card, folder, way, words):
    message = assert_refused(card(way), folder, words)
    assert "place it there by hand" in message


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("truncated-unsized", "was cut off"),
        ("page-as-file", "is a web page"),
    ],
)
def test_where_no_size_is_published_the_content_is_looked_at(card, folder, way, words):
    assert_refused(card(way, size=None), folder, words)
    assert download(card("unsized", size=None)).read_bytes() == CONTENT


def test_a_file_of_another_size_is_refused_before_it_is_read(card, folder):
    told = []
    with pytest.raises(DownloadError, match=r"offers 0.2\d* MB where about 0.4 MB are published"):
        download(card(size=400_000), progress=lambda *now: told.append(now))
    assert told == []
    assert files(folder) == []


def test_no_server(card, folder, server):
    served = card()
    server.stop()
    assert_refused(served, folder, "there is no connection to 127.0.0.1")


@pytest.mark.parametrize("way", ["whole", "unsized", "stalled"])
def test_cancelling_leaves_nothing(card, folder, way):
    """Asked between chunks, so also when the server has gone quiet after some of them."""
    asked = []

    def cancelled():
        asked.append(files(folder))
        return len(asked) > 4

    with pytest.raises(Cancelled):
        download(card(way), cancelled=cancelled)
    assert len(asked) == 5
    assert any(name.endswith(".part") for name in asked[-1])
    assert files(folder) == []
    assert download(card()).is_file()


def test_an_interrupt_leaves_nothing(card, folder):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(card(), progress=interrupt)
    assert files(folder) == []


def test_a_published_hash_counts_and_the_size_does_not(card, folder):
    assert download(card(sha256=DIGEST, size=None)).is_file()
    os.remove(folder / "sbd_h18_itermask.pth")
    os.remove(folder / store.PINS)
    assert download(card(sha256=DIGEST, size=400_000)).is_file()
    os.remove(folder / "sbd_h18_itermask.pth")
    os.remove(folder / store.PINS)
    assert_refused(card(sha256="0" * 64), folder, DIGEST, "0" * 64)


def test_another_file_than_the_first_is_refused_until_its_hash_is_forgotten(card, folder, server):
    download(card()).unlink()
    server.content = other = checkpoint_bytes(seed=1)
    with pytest.raises(DownloadError, match=f"where {DIGEST} is known"):
        download(card())
    assert files(folder) == [store.PINS]
    store.forget("sbd_h18_itermask.pth")
    assert download(card()).read_bytes() == other


def test_an_encrypted_address_never_leads_to_an_unencrypted_one(card, folder, server, monkeypatch):
    seen = []

    def redirect(self, request, **_):
        seen.append(request.url)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 302, request.url, request
        answer.headers["location"] = server.address("whole/file")
        answer.raw = None
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", redirect)
    address = "https://example.org/file.pth"
    secret = dataclasses.replace(card(), address=address)
    assert_refused(secret, folder, "redirects to an unencrypted address")
    assert seen == [address]


def test_too_little_room_is_said_before_reading(card, folder, monkeypatch):
    room = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    message = assert_refused(card(), folder, "is full", store.VARIABLE)
    assert "Try again" not in message


def test_a_disk_that_fills_up_while_writing(card, folder, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert_refused(card(), folder, f"the disk of {folder} is full")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of folders work differently")
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(card, folder):
    folder.mkdir()
    folder.chmod(0o500)
    try:
        assert_refused(card(), folder, "no permission", store.VARIABLE)
    finally:
        folder.chmod(0o700)


def test_no_permission_is_said(card, folder, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(module, "_fetch", forbidden)
    assert_refused(card(), folder, f"no permission to write into {folder}", store.VARIABLE)


def test_a_file_where_the_folder_should_be(card, folder):
    folder.write_text("in the way")
    with pytest.raises(DownloadError, match="Could not download"):
        download(card())
    assert folder.read_text() == "in the way"


def test_a_model_without_address_or_place_in_the_zoo_is_refused(folder):
    with pytest.raises(CheckpointError, match="clickseg-models show cocolvis_icl_vit_huge"):
        download(find_card("cocolvis_icl_vit_huge"))
    with pytest.raises(CheckpointError, match="no published checkpoint"):
        download(find_card("clickseg-compact"))


def test_copying_a_file_in_verifies_and_pins_it(card, folder, tmp_path):
    source = tmp_path / "renamed (1).pth"
    source.write_bytes(CONTENT)
    with pytest.raises(CheckpointError, match="where about 0.4 MB are published"):
        copy_in(card(size=400_000), source)
    assert files(folder) == []
    path = copy_in(card(), source)
    assert path.read_bytes() == source.read_bytes() == CONTENT
    assert files(folder) == [path.name, store.PINS]
    assert store.pinned_hash(path.name) == DIGEST
    with pytest.raises(CheckpointError, match="there already"):
        copy_in(card(), source)


def test_copying_in_says_what_other_files_are(card, tmp_path):
    part = tmp_path / "cocolvis_icl_vit_huge.pth.7z.001"
    part.write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    with pytest.raises(CheckpointError, match="7z archive"):
        copy_in(card(), part)
    with pytest.raises(CheckpointError, match="no model file"):
        copy_in(card(), tmp_path / "missing.pth")


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "\x00"])
def test_a_damaged_list_of_hashes_is_not_taken_for_an_empty_one(card, folder, text):
    folder.mkdir()
    (folder / store.PINS).write_text(text)
    with pytest.raises(CheckpointError, match=r"sha256\.json"):
        download(card())
    assert (folder / store.PINS).read_text() == text
    assert files(folder) == [store.PINS]
