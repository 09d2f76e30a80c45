"""A server on this machine that stands in for the network, and files to serve."""

from __future__ import annotations

import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


def checkpoint_bytes(size: int = 200_000, seed: int = 0) -> bytes:
    """A zip file like those of PyTorch, with no weights in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", np.random.default_rng(seed).bytes(size))
    return out.getvalue()


class FileServer(ThreadingHTTPServer):
    """Serves `content` at every path, in the way that the path's first part says.

    ``/whole``, ``/unsized`` (no length), ``/truncated``, ``/truncated-unsized``, ``/endless``,
    ``/stalled`` (half, then nothing), ``/silent`` (no answer), ``/page`` (a web page),
    ``/page-as-file`` (one that claims to be a file), ``/redirect`` (to ``/whole``), ``/circle``;
    everything else is not found.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.asked: list[str] = []
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def stop(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        way = self.path.strip("/").split("/")[0]
        body = self.server.content
        page = b"<!DOCTYPE html><html>Please log in</html>"
        if way == "whole":
            self._answer(body)
        elif way == "unsized":
            self._answer(body, length=None)
        elif way == "truncated":
            self._answer(body[: len(body) // 2], length=len(body))
        elif way == "truncated-unsized":
            self._answer(body[: len(body) // 2], length=None)
        elif way == "endless":
            self._answer(body * 20, length=None)
        elif way == "stalled":
            self._answer(body[: len(body) // 2], length=len(body))
            self.server.released.wait(10)
        elif way == "silent":
            self.server.released.wait(10)
        elif way == "page":
            self._answer(page, kind="text/html; charset=utf-8")
        elif way == "page-as-file":
            self._answer(page, length=None)
        elif way in ("redirect", "circle"):
            self.send_response(302)
            to = "whole/file" if way == "redirect" else "circle"
            self.send_header("Location", self.server.address(to))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_error(404)

    def _answer(self, body: bytes, length: int | None = -1, kind: str = "application/zip") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(len(body) if length == -1 else length))
        self.end_headers()
        try:
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:
            pass  # the client has had enough

    def log_message(self, *_: object) -> None:
        pass
