"""Objects: what was changed meanwhile is no input, and what exists is not replaced."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tracker_blur.buckets import objects
from tracker_blur.errors import MissingPackageError, SinkError, SourceError, TrackerBlurError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets.memory import MemoryBuckets

INPUT = "s3://from/in.mp4"
OUTPUT = "s3://to/new/out.mp4"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"redacted")
    return path


def test_a_folder_has_only_its_own_objects(buckets: MemoryBuckets) -> None:
    for name in ("a/1.mp4", "a/b/2.mp4", "ab/3.mp4", "a.mp4"):
        buckets.pipe_file(f"s3://from/{name}", b"12345")
    found = objects.objects_in("s3://from/a")
    assert [each.url for each in found] == ["s3://from/a/1.mp4", "s3://from/a/b/2.mp4"]
    assert {each.size_bytes for each in found} == {5}
    assert objects.objects_in("s3://from/a.mp4/") == []


def test_an_object_is_fetched(buckets: MemoryBuckets, tmp_path: Path) -> None:
    buckets.pipe_file(INPUT, b"original")
    fetched = objects.fetch(INPUT, tmp_path / "in.mp4")
    assert (tmp_path / "in.mp4").read_bytes() == b"original"
    objects.check_unchanged(fetched)
    buckets.pipe_file(INPUT, b"another_")
    with pytest.raises(SourceError, match=r"in\.mp4: was replaced or changed"):
        objects.check_unchanged(fetched)


def test_an_object_that_changes_while_it_is_fetched_is_refused(
    buckets: MemoryBuckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.pipe_file(INPUT, b"original")
    get_file = buckets.get_file

    def get_and_change(*arguments: Any) -> None:
        get_file(*arguments)
        buckets.pipe_file(INPUT, b"another_")

    monkeypatch.setattr(buckets, "get_file", get_and_change)
    with pytest.raises(SourceError, match="was replaced or changed"):
        objects.fetch(INPUT, tmp_path / "in.mp4")


def test_a_part_of_an_object_is_refused(
    buckets: MemoryBuckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.pipe_file(INPUT, b"original")
    target = tmp_path / "in.mp4"
    monkeypatch.setattr(buckets, "get_file", lambda *_: target.write_bytes(b"orig"))
    with pytest.raises(SourceError, match="was not read to its end"):
        objects.fetch(INPUT, target)


def test_an_object_is_replaced_only_on_request(buckets: MemoryBuckets, file: Path) -> None:
    objects.store(file, OUTPUT, overwrite=False)
    assert buckets.cat_file(OUTPUT) == b"redacted"
    file.write_bytes(b"again")
    with pytest.raises(SinkError, match="already exists"):
        objects.store(file, OUTPUT, overwrite=False)
    assert buckets.cat_file(OUTPUT) == b"redacted"
    objects.store(file, OUTPUT, overwrite=True)
    assert buckets.cat_file(OUTPUT) == b"again"


def test_an_object_that_appears_last_is_not_replaced(
    buckets: MemoryBuckets, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.pipe_file(OUTPUT, b"theirs")
    monkeypatch.setattr(objects, "check_free", lambda *_, **__: None)
    with pytest.raises(SinkError, match="already exists"):
        objects.store(file, OUTPUT, overwrite=False)
    assert buckets.cat_file(OUTPUT) == b"theirs"


class NoCredentialsError(Exception):
    """Named like botocore's, which is no OSError."""


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            NoCredentialsError("unable to locate"),
            "there are no credentials for it .* 'aws configure'",
        ),
        (PermissionError("Access Denied"), "access is not permitted .*access denied.* rights"),
        (TimeoutError("timed\nout"), r"cannot be reached \(timed out\): check the address"),
        (FileNotFoundError("from"), "no such bucket: check the name"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_a_store_refuses_is_one_line(
    buckets: MemoryBuckets, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(buckets, "find", fail)
    with pytest.raises(TrackerBlurError, match=f"^s3://from: {message}") as raised:
        objects.objects_in("s3://from")
    assert "\n" not in str(raised.value)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(MissingPackageError, match=r"gs:// needs the package gcsfs: .*\[gs\]"):
        objects.state_of("gs://from/in.mp4")
