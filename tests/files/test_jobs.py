"""The folder of an output."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_blur.errors import SinkError, SourceError
from tracker_blur.files.jobs import Job


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_folder_that_cannot_be_made() -> None:
    Path("file").touch()
    job = Job(Path("a.jpg"), Path("file/x/a.jpg"), "picture")
    with pytest.raises(SinkError, match="its folder cannot be made"), job.folder_made():
        pass


def test_a_folder_is_made_and_kept_unless_the_work_fails_and_it_is_empty() -> None:
    Path("x").mkdir()
    job = Job(Path("a.jpg"), Path("x/y/z/a.jpg"), "picture")
    with pytest.raises(SourceError), job.folder_made():
        raise SourceError
    assert Path("x").is_dir()
    assert not Path("x/y").exists()
    with pytest.raises(SourceError), job.folder_made():
        Path("x/y/other.jpg").touch()
        raise SourceError
    assert Path("x/y/other.jpg").exists()
    with job.folder_made():
        pass
    assert Path("x/y/z").is_dir()
