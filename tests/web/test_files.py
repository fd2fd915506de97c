"""What the page shows of its folder, what it takes in, and what it refuses: over real HTTP."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import stat
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.waiting import PATIENCE_SECONDS, until
from tests.web.pages import Page, opened
from tracker_blur.serving.limits import ServingLimits
from tracker_blur.web import uploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT = 100_000
MARKUP = "<img src=x onerror=alert(1)> \"&'.mp4"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Give a page that takes small uploads from patient clients."""
    limits = ServingLimits(upload_bytes=LIMIT, body_bytes=2000, linger_seconds=5.0)
    folder = tmp_path_factory.mktemp("outer") / "videos"
    folder.mkdir()
    with opened(folder, tmp_path_factory.mktemp("state"), limits) as page:
        yield page


@pytest.fixture
def folder(page: Page) -> Iterator[Path]:
    """Give the page's folder, empty, with something next to it that is no one's business."""
    outside = page.folder.parent / "outside"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(b"secret")
    yield page.folder
    for entry in page.folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    shutil.rmtree(outside)


def entries(page: Page, path: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.get("/api/files", params={"path": path}).json()["entries"]
    return found


def names(page: Page, path: str = "") -> list[str]:
    return [entry["name"] for entry in entries(page, path)]


def put(page: Page, name: str, data: Any = b"video", **options: Any) -> Any:
    return page.client.put(f"/api/files/{quote(name)}", content=data, **options)


def test_videos_images_and_folders_are_listed(page: Page, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "inner.mov").write_bytes(b"1")
    for name in ("sub_redacted", "other_redacted"):
        (folder / name).mkdir()
    (folder / "b.mp4").write_bytes(b"12345")
    (folder / "b.tracks.jsonl").touch()
    for name in ("b_redacted.mp4", "b_redacted_2.mp4", "a.jpg", "notes.txt", ".hidden.mp4"):
        (folder / name).touch()
    shown = [
        {key: entry[key] for key in ("path", "kind", "bytes", "has_tracks", "redacted_of")}
        for entry in entries(page)
    ]
    plain = {"bytes": 0, "has_tracks": False, "redacted_of": None}
    assert shown == [
        {"path": "other_redacted", "kind": "folder", **plain},
        {"path": "sub", "kind": "folder", **plain},
        {"path": "sub_redacted", "kind": "folder", **plain, "redacted_of": "sub"},
        {"path": "a.jpg", "kind": "image", **plain},
        {"path": "b.mp4", "kind": "video", **plain, "bytes": 5, "has_tracks": True},
        {"path": "b_redacted.mp4", "kind": "video", **plain, "redacted_of": "b.mp4"},
        {"path": "b_redacted_2.mp4", "kind": "video", **plain, "redacted_of": "b.mp4"},
    ]
    assert [entry["path"] for entry in entries(page, "sub")] == ["sub/inner.mov"]
    assert not any(entry["is_result"] for entry in entries(page))
    for name in (
        "b_redacted.mp4",
        "b.mp4",
        "a.jpg",
        "b.tracks.jsonl",
        "sub",
        "none.mp4",
        "%2e%2e/outside/secret.mp4",
    ):
        assert page.get(f"/api/files/{name}").status_code == 404  # only results are sent


@pytest.mark.parametrize(
    "path",
    [
        *("..", "../outside", "sub/../../outside", "/etc", "//etc", ".", "./sub", "sub/./.."),
        *("..\\outside", "%2e%2e/outside", "sub\0", "link", "link/", "chain", ".hidden"),
    ],
)
def test_no_path_leads_out_of_the_folder(page: Page, folder: Path, path: str) -> None:
    (folder / "sub").mkdir()
    (folder / ".hidden").mkdir()
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "chain").symlink_to("link")
    answer = page.get("/api/files", params={"path": path})
    if path in (".", "./sub"):  # this folder, written differently
        assert answer.status_code == 200
    else:
        assert answer.status_code == 404, answer.text
    assert "secret" not in answer.text
    for body in ({"files": [f"{path}/secret.mp4"], "action": "redact"},):
        refused = page.post("/api/jobs", json=body)
        assert refused.status_code == 404
    assert page.post("/api/reviews", json={"path": f"{path}/secret.mp4"}).status_code == 404


def test_links_out_of_the_folder_are_not_shown_nor_read(page: Page, folder: Path) -> None:
    (folder / "real.mp4").write_bytes(b"1")
    (folder / "inside.mp4").symlink_to("real.mp4")
    (folder / "out.mp4").symlink_to(folder.parent / "outside" / "secret.mp4")
    (folder / "hard").symlink_to("/")
    (folder / "circle.mp4").symlink_to("circle.mp4")
    (folder / "dangling.mp4").symlink_to("nothing.mp4")
    assert names(page) == ["inside.mp4", "real.mp4"]
    for name in ("out.mp4", "hard/etc", "circle.mp4"):
        body = {"files": [name], "action": "redact"}
        assert page.post("/api/jobs", json=body).status_code in (400, 404)
    body = {"path": "real.mp4", "tracks": "out.mp4"}
    assert page.post("/api/reviews", json=body).status_code == 404


def test_no_output_is_written_through_a_link(page: Page, folder: Path) -> None:
    (folder / "a.mp4").write_bytes(b"1")
    (folder / "a_redacted.mp4").symlink_to(folder.parent / "outside" / "new.mp4")
    services = page.site.services
    assert services.folder.free_output(folder / "a.mp4").name == "a_redacted_2.mp4"
    (folder / "photos").mkdir()
    (folder / "photos_redacted").symlink_to(folder.parent / "outside")
    for file, options in (("a.mp4", {"overwrite": True}), ("photos", {})):
        body = {"files": [file], "action": "redact", "options": options}
        answer = page.post("/api/jobs", json=body)
        assert answer.status_code == 409
        assert "leads out of this folder" in answer.json()["error"]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text_are_listed_and_found(page: Page, folder: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.mp4")
    (folder / odd).write_bytes(b"1")
    assert names(page) == [odd]
    assert page.site.services.folder.resolve(odd) == folder / odd


def test_markup_in_names_stays_text(page: Page, folder: Path) -> None:
    assert put(page, MARKUP).json() == {"path": MARKUP}
    answer = page.get("/api/files")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["entries"][0]["name"] == MARKUP
    missing = page.post("/api/reviews", json={"path": "<script>"})
    assert missing.headers["content-type"] == "application/json"


def test_an_upload_arrives_whole_and_for_its_owner_alone(page: Page, folder: Path) -> None:
    data = os.urandom(LIMIT)
    answer = put(page, "new video.mp4", data)
    assert (answer.status_code, answer.json()) == (201, {"path": "new video.mp4"})
    assert (folder / "new video.mp4").read_bytes() == data
    assert stat.S_IMODE((folder / "new video.mp4").stat().st_mode) == 0o600
    assert os.listdir(folder) == ["new video.mp4"]  # noqa: PTH208  # hidden ones, too


@pytest.mark.parametrize("has_length", [True, False])
def test_an_oversized_upload_is_refused_and_leaves_nothing(
    page: Page, folder: Path, has_length: bool
) -> None:
    blocks = [bytes(1000)] * (LIMIT // 1000 + 1)
    answer = put(page, "large.mp4", b"".join(blocks) if has_length else iter(blocks))
    assert answer.status_code == 413
    assert answer.json() == {"error": f"the request is longer than {LIMIT} bytes"}
    assert os.listdir(folder) == []  # noqa: PTH208  # hidden ones, too


def test_ten_gigabytes_are_refused_before_they_are_sent(page: Page, folder: Path) -> None:
    head = (
        f"PUT /api/files/x.mp4 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {page.token}"
        f"\r\nContent-Length: {10 << 30}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", page.port), PATIENCE_SECONDS) as client:
        client.sendall(head.encode())
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 413")


def test_an_upload_that_stops_leaves_nothing(page: Page, folder: Path) -> None:
    head = (
        f"PUT /api/files/x.mp4 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {page.token}"
        "\r\nContent-Length: 5000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", page.port), PATIENCE_SECONDS) as client:
        client.sendall(head.encode() + bytes(1000))
        until(lambda: any(folder.iterdir()))
    until(lambda: not any(folder.iterdir()))
    assert names(page) == []


def test_a_full_disk_is_reported(page: Page, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_SPARE_BYTES", 1 << 60)
    answer = put(page, "a.mp4")
    assert answer.status_code == 507
    assert "the disk has too little space" in answer.json()["error"]
    assert not any(folder.iterdir())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../evil.mp4", 400),
        ("..%2fevil.mp4", 400),
        ("%2fetc%2fevil.mp4", 400),
        ("sub%2fevil.mp4", 400),
        ("..%5cevil.mp4", 400),
        (".hidden.mp4", 400),
        ("-o.mp4", 400),
        ("%00.mp4", 400),
        ("a%0a.mp4", 404),
        ("a%1b.mp4", 400),
        (f"{'x' * 252}.mp4", 400),
        ("page.html", 415),
        ("raw.cr2", 415),
        ("a.tracks.jsonl", 415),
        ("there.mp4", 409),
        ("link.mp4", 404),
        ("dangling.mp4", 409),
    ],
)
def test_names_of_uploads_are_checked(page: Page, folder: Path, name: str, code: int) -> None:
    (folder / "there.mp4").write_bytes(b"old")
    (folder / "link.mp4").symlink_to(folder.parent / "outside" / "new.mp4")
    (folder / "dangling.mp4").symlink_to("nothing.mp4")
    (folder / "sub").mkdir()
    before = sorted(folder.parent.rglob("*"))
    head = (
        f"PUT /api/files/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {page.token}"
        "\r\nConnection: close\r\nContent-Length: 3\r\n\r\nnew"
    )
    with socket.create_connection(("127.0.0.1", page.port), PATIENCE_SECONDS) as client:
        client.sendall(head.encode())
        answer = b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert answer.split()[1] == str(code).encode(), answer
    assert b'{"error":' in answer
    assert sorted(folder.parent.rglob("*")) == before
    assert (folder / "there.mp4").read_bytes() == b"old"


def test_other_bodies_are_short(page: Page, folder: Path) -> None:
    answer = page.post("/api/jobs", json={"files": ["x" * 3000], "action": "redact"})
    assert answer.status_code == 413


def test_an_upload_that_is_not_all_on_the_disk_is_none(page: Page, folder: Path) -> None:
    """A write may take a part only, as the last before a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT // 2, hard))
    try:
        answer = put(page, "a.mp4", os.urandom(LIMIT - 1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert answer.status_code == 507
    assert not list(folder.iterdir())
