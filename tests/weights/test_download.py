"""Downloading weights from a local server: a file arrives complete, or nothing stays."""

from __future__ import annotations

import ast
import errno
import hashlib
import http.server
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.weights import download
from tracker_blur.weights.catalog import MODELS, Model, WeightFile
from tracker_blur.weights.download import pull

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENTS = {"graph.pbtxt": b"node {}\n", "weights.pb": bytes(range(256)) * 1000}


class Server(http.server.ThreadingHTTPServer):
    """Serves `contents` by path, and records the requests.

    Attributes:
        contents: File contents by path.
        redirects: New locations by path.
        requests: The requested paths.
        truncates: Whether to close the connection in the middle of a file.
        is_silent: Whether to answer nothing until `end_of_silence` is set.
    """

    daemon_threads = False  # the end of the test waits for them

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents = dict(CONTENTS)
        self.redirects: dict[str, str] = {}
        self.requests: list[str] = []
        self.truncates = False
        self.is_silent = False
        self.end_of_silence = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        self.server.requests.append(name)
        if self.server.is_silent:
            self.server.end_of_silence.wait(PATIENCE_SECONDS)
            return
        if name in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[name])
            self.end_headers()
            return
        content = self.server.contents.get(name)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.server.truncates else content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a server with the two files of the only model in the catalog, "small"."""
    with Server() as running:
        files = tuple(
            WeightFile(
                name,
                f"http://127.0.0.1:{running.server_port}/{name}",
                len(content),
                hashlib.sha256(content).hexdigest(),
            )
            for name, content in CONTENTS.items()
        )
        model = Model("small", "a small network", "MIT", "https://example.org", files)
        monkeypatch.setattr(download, "MODELS", (model,))
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.end_of_silence.set()
        running.shutdown()
        thread.join()


def test_only_downloads_and_live_modules_use_the_network() -> None:
    network = {"urllib", "http", "socket", "ssl", "ftplib", "requests", "httpx", "pooch"}
    package = Path(download.__file__).parents[1]
    users = {
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
        if name.partition(".")[0] in network
        and name not in {"urllib.parse", "http.cookies"}  # these open no connection
        and not (name == "http" and is_only_status(node))
    }
    # Pages and metrics are served where the user names an address, live mode looks up whether an
    # unreachable host is known, and a Ray cluster is one that the user names, as are the hosts from
    # which the service fetches.
    served = {
        "cluster/ray.py",
        "realtime/addresses.py",
        "service/addresses.py",
        "service/fetching.py",
        "serving/protocol.py",
        "serving/server.py",
    }
    assert users == {"weights/download.py"} | served


def is_only_status(node: ast.Import | ast.ImportFrom) -> bool:
    return [alias.name for alias in node.names] == ["HTTPStatus"]


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_file_of_a_model_is_put_into_a_new_folder(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "models"
    assert pull("small", folder) == [folder / name for name in CONTENTS]
    assert files_in(folder) == CONTENTS


def test_the_users_cache_is_the_default(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "cache_folder", lambda: tmp_path / "cache")
    pull("small")
    assert files_in(tmp_path / "cache") == CONTENTS


def test_intact_files_are_kept_and_damaged_ones_replaced(server: Server, tmp_path: Path) -> None:
    pull("small", tmp_path)
    (tmp_path / "weights.pb").write_bytes(b"damaged")
    server.requests.clear()
    pull("small", tmp_path)
    assert server.requests == ["weights.pb"]
    assert files_in(tmp_path) == CONTENTS


@pytest.mark.parametrize(
    "content",
    [b"", CONTENTS["weights.pb"][:-1], CONTENTS["weights.pb"] + b"x", b"x" * 256_000],
    ids=["empty", "shorter", "longer", "different"],
)
def test_a_wrong_hash_leaves_nothing(server: Server, tmp_path: Path, content: bytes) -> None:
    server.contents["weights.pb"] = content
    with pytest.raises(ModelError, match=r"not the pinned weights\.pb.*nothing was kept"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {"graph.pbtxt": CONTENTS["graph.pbtxt"]}


def test_a_wrong_hash_keeps_the_existing_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "weights.pb").write_bytes(b"an older version")
    server.contents["weights.pb"] = b"wrong"
    with pytest.raises(ModelError):
        pull("small", tmp_path)
    assert files_in(tmp_path)["weights.pb"] == b"an older version"


def test_a_truncated_response_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.truncates = True
    with pytest.raises(ModelError, match=r"graph\.pbtxt \(the connection broke off 4 bytes before"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


def test_redirects_are_followed(server: Server, tmp_path: Path) -> None:
    server.contents["elsewhere/weights.pb"] = server.contents.pop("weights.pb")
    server.redirects["weights.pb"] = "/elsewhere/weights.pb"
    pull("small", tmp_path)
    assert files_in(tmp_path) == CONTENTS
    assert server.requests[-2:] == ["weights.pb", "elsewhere/weights.pb"]


@pytest.mark.parametrize(
    "address", ["https://tracker.example/weights.pb", "http://raw.githubusercontent.com/weights.pb"]
)
def test_a_redirect_to_an_unknown_host_is_refused(
    address: str, server: Server, tmp_path: Path
) -> None:
    server.redirects["weights.pb"] = address
    with pytest.raises(ModelError, match=r"weights\.pb \(redirected to .*, which is no known host"):
        pull("small", tmp_path)
    assert "weights.pb" not in files_in(tmp_path)


def test_a_redirect_to_a_known_host_is_followed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []

    def open_https(_: object, request: urllib.request.Request) -> None:
        reached.append(request.full_url)
        raise urllib.error.URLError("reached")

    monkeypatch.setattr(urllib.request.HTTPSHandler, "https_open", open_https)
    server.redirects["weights.pb"] = "https://objects.githubusercontent.com/weights.pb"
    with pytest.raises(ModelError, match="reached"):
        pull("small", tmp_path)
    assert reached == ["https://objects.githubusercontent.com/weights.pb"]


def test_a_redirect_loop_is_reported(server: Server, tmp_path: Path) -> None:
    server.redirects["graph.pbtxt"] = "/graph.pbtxt"
    with pytest.raises(ModelError, match=r"graph\.pbtxt \(too many redirects\)"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_a_full_disk_is_not_reported_as_a_network_problem(server: Server, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(ModelError, match=r"weights\.pb: .*free some space") as caught:
            pull("small", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "network" not in str(caught.value)
    assert files_in(tmp_path) == {"graph.pbtxt": CONTENTS["graph.pbtxt"]}


@pytest.mark.shared
@pytest.mark.parametrize("name", ["yunet", "centerface", "ssd"])
def test_pinned_paths_and_hashes_match_the_real_files(
    name: str, server: Server, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = next(model for model in MODELS if model.name == name)
    paths = [urlsplit(file.url).path.removeprefix("/") for file in model.files]
    origin = f"http://127.0.0.1:{server.server_port}"
    local = [
        replace(file, url=f"{origin}/{path}") for file, path in zip(model.files, paths, strict=True)
    ]
    monkeypatch.setattr(download, "MODELS", (replace(model, files=tuple(local)),))
    for file, path in zip(model.files, paths, strict=True):
        server.contents[path] = (shared / "models" / file.name).read_bytes()
    assert pull(name, tmp_path) == [tmp_path / file.name for file in model.files]
    assert server.requests == paths


def test_a_missing_file_is_reported_with_its_address(server: Server, tmp_path: Path) -> None:
    del server.contents["graph.pbtxt"]
    with pytest.raises(
        ModelError, match=r"http://127.*/graph\.pbtxt: cannot download.*404"
    ) as caught:
        pull("small", tmp_path)
    assert str(tmp_path) in str(caught.value), "the folder for a manual download"
    assert "\n" not in str(caught.value)
    assert files_in(tmp_path) == {}


def test_an_unreachable_server_is_reported(server: Server, tmp_path: Path) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(ModelError, match=r"cannot download graph\.pbtxt \(.*refused.*network"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


def test_a_failed_write_is_reported(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, content: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(ModelError, match=r"cannot write this weight file \(input/output error\)"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


def test_a_silent_server_times_out(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_TIMEOUT_SECONDS", 0.2)
    server.is_silent = True
    with pytest.raises(ModelError, match=r"cannot download graph\.pbtxt.*timed out"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


def test_a_folder_that_cannot_be_created_is_reported(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="file/models: cannot create this folder"):
        pull("small", tmp_path / "file" / "models")
    assert server.requests == []


def test_an_interrupted_write_leaves_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Path, content: bytes) -> int:
        with self.open("wb") as output:
            output.write(content[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


def test_an_unknown_name_is_reported_with_the_known_ones(server: Server, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no model is called 'large': choose one of small"):
        pull("large", tmp_path)
    assert server.requests == []
