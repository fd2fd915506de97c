"""Inputs and outputs in buckets, which are in this process's memory, from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.buckets.memory import MemoryBuckets
from tests.command_line import error_line, run
from tracker_blur.pipeline import Engine

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ("--detector", "haar", "--view-size", "160")


@pytest.fixture
def buckets(monkeypatch: pytest.MonkeyPatch, small_image: Path, small_clip: Path) -> MemoryBuckets:
    made = MemoryBuckets("from", "to")
    monkeypatch.setattr("tracker_blur.buckets.objects._filesystem", lambda _: made)
    for path in (small_image, small_clip):
        made.pipe_file(f"s3://from/in/{path.name}", path.read_bytes())
    return made


@pytest.mark.slow
def test_a_folder_of_a_bucket_becomes_one(
    buckets: MemoryBuckets,
    small_image: Path,
    small_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    buckets.pipe_file("s3://from/in/broken.mp4", b"no video")
    originals = {name: buckets.cat_file(name) for name in buckets.names()}
    staging = ("--staging", tmp_path / "staging")
    assert run("s3://from/in", "s3://to/out", *OPTIONS, *staging, "--json") == 1
    printed = capsys.readouterr()
    assert str(tmp_path) not in printed.out + printed.err
    assert "error: s3://from/in/broken.mp4: " in printed.err
    summary = json.loads(printed.out)
    assert [each["input"] for each in summary["failed"]] == ["s3://from/in/broken.mp4"]
    for path in (small_image, small_clip):
        (file,) = (one for one in summary["files"] if one["input"] == f"s3://from/in/{path.name}")
        assert file["output"] == f"s3://to/out/{path.name}"
    local = tmp_path / "local.mp4"
    assert run(small_clip, local, *OPTIONS) == 0
    assert buckets.cat_file(f"s3://to/out/{small_clip.name}") == local.read_bytes()
    assert len(buckets.names()) == 5
    assert {name: buckets.cat_file(name) for name in originals} == originals
    assert [path.name for path in (tmp_path / "staging").rglob("*")] == [
        ".trackblur-staging",
        "lock",
    ]


def test_an_input_that_changes_while_it_is_redacted_has_no_output(
    buckets: MemoryBuckets,
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = f"s3://from/in/{small_image.name}"
    redact_file = Engine.redact_file

    def redact_and_change(*arguments: Any) -> Any:
        report = redact_file(*arguments)
        buckets.pipe_file(source, b"another")
        return report

    monkeypatch.setattr(Engine, "redact_file", redact_and_change)
    code = run(source, "s3://to/out.png", *OPTIONS, "--staging", tmp_path)
    assert code == 1
    assert f"{source}: was replaced or changed while it was being read" in error_line(capsys)
    assert not any(name.startswith("s3://to/") for name in buckets.names())
    assert not list(tmp_path.rglob(small_image.name))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("s3://to/out.png", "--show"), "--show is for files of this machine"),
        (("s3://to/out.png", "--ray", "auto"), "name a folder that they share with --staging"),
        ((), "name the output, too"),
    ],
)
def test_what_needs_files_of_this_machine_is_refused(
    buckets: MemoryBuckets,
    small_image: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert run(f"s3://from/in/{small_image.name}", *arguments) == 2
    assert message in error_line(capsys)


def test_staging_is_refused_without_buckets(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_image, tmp_path / "out.png", "--staging", tmp_path) == 2
    assert "--staging is for inputs and outputs in buckets" in error_line(capsys)
