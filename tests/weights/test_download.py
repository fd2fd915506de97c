"""Fetching weights: whole or not at all. The server is on this machine; no network is needed."""

from __future__ import annotations

import ast
import hashlib
import http.server
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.weights import download as pull_module
from tracker_blur.weights.catalog import MODELS, Model, WeightFile
from tracker_blur.weights.download import pull

CONTENTS = {"graph.pbtxt": b"node {}\n", "weights.pb": bytes(range(256)) * 1000}


class Server(http.server.ThreadingHTTPServer):
    """Serves `contents` by path, and remembers what was asked for."""

    daemon_threads = False  # waited for at the end

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.contents = dict(CONTENTS)
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []
        self.breaks_off = False
        self.is_silent = False
        self.end_of_silence = threading.Event()


class Answers(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        self.server.asked.append(name)
        if self.server.is_silent:
            self.server.end_of_silence.wait(PATIENCE_SECONDS)
            return
        if name in self.server.moved:
            self.send_response(302)
            self.send_header("Location", self.server.moved[name])
            self.end_headers()
            return
        content = self.server.contents.get(name)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.server.breaks_off else content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a server with the two files of the one model that is known, "small"."""
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
        monkeypatch.setattr(pull_module, "MODELS", (model,))
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.end_of_silence.set()
        running.shutdown()
        thread.join()


def test_no_other_module_can_open_a_connection_but_those_of_live() -> None:
    network = {"urllib", "http", "socket", "ssl", "ftplib", "requests", "httpx", "pooch"}
    package = Path(pull_module.__file__).parents[1]
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
        and name not in {"urllib.parse", "http.cookies"}  # these only read
    }
    # What is live serves its page and its figures where the user asks for them by name, and looks
    # up whether a host that could not be reached is known.
    served = {"_page_server.py"}
    live = {"realtime/access.py", "realtime/metrics.py"}
    live |= {f"realtime/targets/{name}" for name in served}
    assert users == {"weights/download.py"} | live


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_puts_every_file_of_a_model_into_a_new_folder(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "models"
    assert pull("small", folder) == [folder / name for name in CONTENTS]
    assert files_in(folder) == CONTENTS


def test_the_users_cache_is_the_default(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_module, "cache_folder", lambda: tmp_path / "cache")
    pull("small")
    assert files_in(tmp_path / "cache") == CONTENTS


def test_whole_files_are_kept_and_damaged_ones_replaced(server: Server, tmp_path: Path) -> None:
    pull("small", tmp_path)
    (tmp_path / "weights.pb").write_bytes(b"damaged")
    server.asked.clear()
    pull("small", tmp_path)
    assert server.asked == ["weights.pb"]
    assert files_in(tmp_path) == CONTENTS


@pytest.mark.parametrize(
    "wrong",
    [b"", CONTENTS["weights.pb"][:-1], CONTENTS["weights.pb"] + b"x", b"x" * 256_000],
    ids=["empty", "shorter", "longer", "exchanged"],
)
def test_a_wrong_hash_leaves_nothing(server: Server, tmp_path: Path, wrong: bytes) -> None:
    server.contents["weights.pb"] = wrong
    with pytest.raises(ModelError, match=r"weights\.pb as pinned.*nothing was kept"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {"graph.pbtxt": CONTENTS["graph.pbtxt"]}


def test_a_wrong_hash_leaves_what_was_there(server: Server, tmp_path: Path) -> None:
    (tmp_path / "weights.pb").write_bytes(b"an older edition")
    server.contents["weights.pb"] = b"wrong"
    with pytest.raises(ModelError):
        pull("small", tmp_path)
    assert files_in(tmp_path)["weights.pb"] == b"an older edition"


def test_an_answer_that_breaks_off_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.breaks_off = True
    with pytest.raises(ModelError, match=r"graph\.pbtxt \(the server broke off 4 bytes before"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


def test_a_file_that_has_moved_is_followed(server: Server, tmp_path: Path) -> None:
    server.contents["elsewhere/weights.pb"] = server.contents.pop("weights.pb")
    server.moved["weights.pb"] = "/elsewhere/weights.pb"
    pull("small", tmp_path)
    assert files_in(tmp_path) == CONTENTS
    assert server.asked[-2:] == ["weights.pb", "elsewhere/weights.pb"]


def test_a_circle_of_redirects_is_left(server: Server, tmp_path: Path) -> None:
    server.moved["graph.pbtxt"] = "/graph.pbtxt"
    with pytest.raises(ModelError, match=r"graph\.pbtxt \(the server sends it round in a circle\)"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of POSIX")
def test_a_full_disk_is_not_called_a_fault_of_the_network(server: Server, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(ModelError, match=r"cannot write into this folder.*make room") as caught:
            pull("small", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "network" not in str(caught.value)
    assert files_in(tmp_path) == {"graph.pbtxt": CONTENTS["graph.pbtxt"]}


@pytest.mark.shared
@pytest.mark.parametrize("name", ["yunet", "centerface", "ssd", "nanotrack"])
def test_models_come_from_their_own_addresses(
    name: str, server: Server, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pinned paths and hashes fit the real files; only the host is ours."""
    model = next(model for model in MODELS if model.name == name)
    paths = [urlsplit(file.url).path.removeprefix("/") for file in model.files]
    home = f"http://127.0.0.1:{server.server_port}"
    here = [
        replace(file, url=f"{home}/{path}") for file, path in zip(model.files, paths, strict=True)
    ]
    monkeypatch.setattr(pull_module, "MODELS", (replace(model, files=tuple(here)),))
    for file, path in zip(model.files, paths, strict=True):
        server.contents[path] = (shared / "models" / file.name).read_bytes()
    assert pull(name, tmp_path) == [tmp_path / file.name for file in model.files]
    assert server.asked == paths


def test_a_missing_page_is_said_with_its_address(server: Server, tmp_path: Path) -> None:
    del server.contents["graph.pbtxt"]
    with pytest.raises(ModelError, match=r"http://127.*/graph\.pbtxt: cannot fetch.*404") as caught:
        pull("small", tmp_path)
    assert str(tmp_path) in str(caught.value), "where the user may put the file instead"
    assert "\n" not in str(caught.value)
    assert files_in(tmp_path) == {}


def test_no_network_is_one_clear_line(server: Server, tmp_path: Path) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(ModelError, match=r"cannot fetch graph\.pbtxt \(.*refused.*check the net"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


def test_a_silent_server_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_module, "_TIMEOUT_SECONDS", 0.2)
    server.is_silent = True
    with pytest.raises(ModelError, match=r"cannot fetch graph\.pbtxt.*timed out"):
        pull("small", tmp_path)
    assert files_in(tmp_path) == {}


def test_a_folder_that_cannot_be_made_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="file/models: cannot make this folder"):
        pull("small", tmp_path / "file" / "models")
    assert server.asked == []


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


def test_an_unknown_name_is_said_with_the_known_ones(server: Server, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no model is called 'large': choose one of small"):
        pull("large", tmp_path)
    assert server.asked == []
