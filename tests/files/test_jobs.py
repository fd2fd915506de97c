"""The folder of a job's target."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_blur.errors import SinkError, SourceError
from tracker_blur.files.jobs import Job, TargetFolders


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_folder_that_cannot_be_created() -> None:
    Path("file").touch()
    job = Job(Path("a.jpg"), Path("file/x/a.jpg"), "image")
    with pytest.raises(SinkError, match="its folder cannot be created"), job.target_folder():
        pass


def test_a_folder_with_too_long_a_name_is_one_line() -> None:
    job = Job(Path("a.jpg"), Path("x" * 300, "a.jpg"), "image")
    message = r"its folder cannot be created \(file name too long\): choose another$"
    with pytest.raises(SinkError, match=message), job.target_folder():
        pass


def test_a_folder_is_created_and_kept_unless_the_block_fails_and_it_is_empty() -> None:
    Path("x").mkdir()
    job = Job(Path("a.jpg"), Path("x/y/z/a.jpg"), "image")
    with pytest.raises(SourceError), job.target_folder():
        raise SourceError
    assert Path("x").is_dir()
    assert not Path("x/y").exists()
    with pytest.raises(SourceError), job.target_folder():
        Path("x/y/other.jpg").touch()
        raise SourceError
    assert Path("x/y/other.jpg").exists()
    with job.target_folder():
        pass
    assert Path("x/y/z").is_dir()


def test_folders_of_several_targets_are_removed_where_nothing_was_written() -> None:
    Path("old").mkdir()
    folders = TargetFolders()
    for name in ("x/a.jpg", "x/y/b.jpg", "x/z/w/c.jpg", "old/d.jpg"):
        folders.create(Path(name))
    Path("x/y/b.jpg").touch()
    folders.remove_empty()
    assert sorted(map(str, Path().rglob("*"))) == ["old", "x", "x/y", "x/y/b.jpg"]
