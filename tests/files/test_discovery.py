"""Finding files below folders, some of which are unreadable or links."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.files.empty_files import touch
from tracker_blur.errors import SourceError
from tracker_blur.files.jobs import plan

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, so that names may be relative."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes a folder unreadable, even to root."""

    def make_unreadable(name: str) -> None:
        iterdir, scandir = Path.iterdir, os.scandir

        def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
            def refuse_or_call(path: Any) -> Any:
                if os.path.realpath(path) == os.path.realpath(name):
                    raise PermissionError(errno.EACCES, "Permission denied", str(path))
                return real(path)

            return refuse_or_call

        monkeypatch.setattr(Path, "iterdir", guarded(iterdir))
        monkeypatch.setattr(os, "scandir", guarded(scandir))

    return make_unreadable


@pytest.mark.parametrize("pattern", ["nothing/*.jpg", "nothing/**/*.jpg", "nothing/**"])
def test_a_pattern_in_a_missing_folder_is_not_about_permissions(pattern: str) -> None:
    with pytest.raises(SourceError) as caught:
        plan([pattern], "out")
    assert str(caught.value) == "nothing: no such folder: check the pattern"


def test_an_input_with_too_long_a_name_is_one_line() -> None:
    with pytest.raises(SourceError, match=r"\(file name too long\): check the name$"):
        plan([f"{'x' * 300}.jpg"])


class TestUnreadableFolders:
    @pytest.mark.parametrize("name", ["in", "in/**", "in/**/*.jpg", "in/*/*.jpg"])
    def test_one_is_reported_and_skipped(self, name: str, lock: Callable[[str], None]) -> None:
        touch("in/x/a.jpg", "in/y/b.jpg", "in/z/c.jpg")
        lock("in/y")
        planned = plan([name], "out")
        assert [job.source.name for job in planned.jobs] == ["a.jpg", "c.jpg"]
        (unreadable,) = planned.unreadable
        assert str(unreadable).startswith("in/y: cannot be read (permission denied)")

    @pytest.mark.parametrize("name", ["in", "in/*.jpg", "in/**/*.jpg"])
    def test_the_top_folder_is_not_called_empty(
        self, name: str, lock: Callable[[str], None]
    ) -> None:
        touch("in/a.jpg")
        lock("in")
        with pytest.raises(SourceError, match=r"in: cannot be read \(permission denied\)"):
            plan([name])

    def test_one_that_can_be_listed_but_not_entered_is_reported(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        touch("in/x/a.jpg", "in/y/b.jpg")
        monkeypatch.setattr(os, "access", lambda name, _: Path(name).name != "y")
        assert [str(unreadable.folder) for unreadable in plan(["in"]).unreadable] == ["in/y"]

    def test_hidden_ones_are_not_reported(self, lock: Callable[[str], None]) -> None:
        touch("in/a.jpg", "in/.trash/b.jpg")
        lock("in/.trash")
        assert not plan(["in"]).unreadable


class TestLinksToFolders:
    @pytest.mark.parametrize("pattern", ["lp/**/*.jpg", "lp/**", "lp/**/*/*.jpg"])
    def test_any_depth_follows_no_link(self, pattern: str) -> None:
        touch("lp/a/one.jpg", "outside/two.jpg", "three.jpg")
        Path("lp/a/up").symlink_to("..", target_is_directory=True)
        Path("lp/a/out").symlink_to(Path("outside").absolute(), target_is_directory=True)
        (job,) = plan([pattern], "lpo").jobs
        assert (job.source, job.target) == (Path("lp/a/one.jpg"), Path("lpo/a/one.jpg"))

    def test_a_link_that_is_named_or_matched_is_entered(self) -> None:
        touch("real/one.jpg", "in/two.txt")
        Path("in/album").symlink_to(Path("real").absolute(), target_is_directory=True)
        for name in ("in/album", "in/*/*.jpg", "in/album/*.jpg", "in/album/**/*.jpg"):
            assert [job.target.name for job in plan([name], "out").jobs] == ["one.jpg"]
