"""Staging: nothing that shows a face stays, and no two runs use one folder."""

from __future__ import annotations

import stat
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tracker_blur.buckets.staging import StagedJob, opened_staging
from tracker_blur.errors import SinkError, SourceError
from tracker_blur.files.locking import FileLock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets.memory import MemoryBuckets

INPUT, OUTPUT = "s3://from/in.mp4", "s3://to/out.mp4"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return opened_staging(tmp_path)


@pytest.fixture
def job(buckets: MemoryBuckets, root: Path) -> StagedJob:
    buckets.pipe_file(INPUT, b"original")
    return StagedJob.between(INPUT, OUTPUT, 8, root)


def files(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


def test_the_output_appears_when_it_is_delivered(
    buckets: MemoryBuckets, job: StagedJob, root: Path
) -> None:
    with job.at_hand(overwrite=False) as deliver:
        assert job.source.read_bytes() == b"original"
        assert stat.S_IMODE(root.stat().st_mode) == 0o700
        job.target.write_bytes(b"redacted")
        assert OUTPUT not in buckets.names()
        deliver()
    assert buckets.cat_file(OUTPUT) == b"redacted"
    assert buckets.cat_file(INPUT) == b"original"
    assert files(root) == ["lock"]


@pytest.mark.parametrize("error", [SourceError("no"), RuntimeError("bug"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(
    buckets: MemoryBuckets, job: StagedJob, root: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)), job.at_hand(overwrite=False):
        job.target.write_bytes(b"redac")
        raise error
    assert buckets.names() == [INPUT]
    assert files(root) == ["lock"]


def test_an_interrupted_run_keeps_its_pieces_but_no_input(job: StagedJob, root: Path) -> None:
    with pytest.raises(KeyboardInterrupt), job.at_hand(overwrite=False):
        pieces = job.target.parent / ".pieces"
        pieces.mkdir()
        (pieces / "1.piece").write_bytes(b"redacted")
        raise KeyboardInterrupt
    assert not job.source.exists()
    assert (pieces / "1.piece").exists()
    opened_staging(root.parent)  # the next run, of whatever
    assert (pieces / "1.piece").exists()
    with job.at_hand(overwrite=False):
        assert job.source.exists()
        assert (pieces / "1.piece").exists()
    assert files(root) == ["lock"]


def test_an_input_that_changes_meanwhile_has_no_output(
    buckets: MemoryBuckets, job: StagedJob
) -> None:
    with (
        pytest.raises(SourceError, match="was replaced or changed"),
        job.at_hand(overwrite=False) as deliver,
    ):
        job.target.write_bytes(b"redacted")
        buckets.pipe_file(INPUT, b"another_")
        deliver()
    assert buckets.names() == [INPUT]


def test_what_cannot_be_written_is_refused_before_anything_is_fetched(
    buckets: MemoryBuckets, job: StagedJob, root: Path
) -> None:
    buckets.pipe_file(OUTPUT, b"theirs")
    with (
        pytest.raises(SinkError, match=r"to/out\.mp4: already exists"),
        job.at_hand(overwrite=False),
    ):
        pass
    here = root.parent / "out.mp4"
    here.write_bytes(b"theirs")
    with (
        pytest.raises(SinkError, match=r"out\.mp4: already exists"),
        StagedJob.between(INPUT, str(here), 8, root).at_hand(overwrite=False),
    ):
        pass
    missing = StagedJob.between(INPUT, "s3://missing/out.mp4", 8, root)
    with pytest.raises(SinkError, match="no such bucket"), missing.at_hand(overwrite=True):
        pass
    assert buckets.cat_file(OUTPUT) == b"theirs"


def test_a_killed_run_s_input_is_deleted_by_the_next_run(job: StagedJob, root: Path) -> None:
    job.source.parent.mkdir(parents=True)
    job.source.write_bytes(b"original")
    (root / "theirs").mkdir()
    opened_staging(root.parent)
    assert [path.name for path in root.iterdir() if path.is_dir()] == ["theirs"]


def test_a_running_job_s_folder_is_left_alone(job: StagedJob, root: Path) -> None:
    with job.at_hand(overwrite=False):
        opened_staging(root.parent)
        assert job.source.exists()
        with (
            pytest.raises(SinkError, match=r"to/out\.mp4: another run is writing it"),
            job.at_hand(overwrite=False),
        ):
            pass
        assert job.source.exists()
    assert not FileLock(job.folder / "lock").is_held()


def test_a_folder_that_others_may_use_is_refused(root: Path) -> None:
    root.chmod(0o755)
    with pytest.raises(SinkError, match="is not a folder that only you can use"):
        opened_staging(root.parent)


def test_too_little_space_is_reported_before_anything_is_fetched(
    job: StagedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=7))
    with (
        pytest.raises(SinkError, match=r"has 0 MB, and .* has 0 MB left") as raised,
        job.at_hand(overwrite=False),
    ):
        pass
    assert raised.value.remedy == "staging"


@pytest.mark.parametrize(
    ("key", "name"),
    [("a/day 1.MP4", "day 1.MP4"), ('a/b:c"\n.mp4', "b_c__.mp4"), (f"{'x' * 300}.mp4", "")],
)
def test_any_key_becomes_a_file_name(
    buckets: MemoryBuckets, root: Path, key: str, name: str
) -> None:
    job = StagedJob.between(f"s3://from/{key}", OUTPUT, 1, root)
    assert job.source.name == name or len(job.source.name) == 104
    assert job.source.suffix.lower() == ".mp4"
    assert job.source.parent == root / job.folder.name / "in"
