"""Files below folders, some of which are closed, or links."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.files.touched import touch
from tracker_blur.errors import SourceError
from tracker_blur.files.jobs import plan


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, so that names can be relative."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what makes folders unreadable, to root as well, whom no permissions stop."""

    def lock(name: str) -> None:
        iterdir, scandir = Path.iterdir, os.scandir

        def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
            def look(path: Any) -> Any:
                if os.path.realpath(path) == os.path.realpath(name):
                    raise PermissionError(errno.EACCES, "Permission denied", str(path))
                return real(path)

            return look

        monkeypatch.setattr(Path, "iterdir", guarded(iterdir))
        monkeypatch.setattr(os, "scandir", guarded(scandir))

    return lock


class TestUnreadableFolders:
    @pytest.mark.parametrize("word", ["in", "in/**", "in/**/*.jpg", "in/*/*.jpg"])
    def test_it_is_told_and_the_others_go_on(
        self, word: str, locked: Callable[[str], None]
    ) -> None:
        touch("in/x/a.jpg", "in/y/b.jpg", "in/z/c.jpg")
        locked("in/y")
        planned = plan([word], "out")
        assert [job.source.name for job in planned.jobs] == ["a.jpg", "c.jpg"]
        (unreadable,) = planned.unreadable
        assert str(unreadable).startswith("in/y: cannot be looked into (permission denied)")

    @pytest.mark.parametrize("word", ["in", "in/*.jpg", "in/**/*.jpg"])
    def test_a_top_folder_is_not_called_empty(
        self, word: str, locked: Callable[[str], None]
    ) -> None:
        touch("in/a.jpg")
        locked("in")
        with pytest.raises(SourceError, match=r"in: cannot be looked into \(permission denied\)"):
            plan([word])

    def test_a_folder_whose_names_alone_can_be_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        touch("in/x/a.jpg", "in/y/b.jpg")
        monkeypatch.setattr(os, "access", lambda name, _: Path(name).name != "y")
        assert [str(unreadable.folder) for unreadable in plan(["in"]).unreadable] == ["in/y"]

    def test_hidden_ones_are_left_out_as_ever(self, locked: Callable[[str], None]) -> None:
        touch("in/a.jpg", "in/.trash/b.jpg")
        locked("in/.trash")
        assert not plan(["in"]).unreadable


class TestLinksToFolders:
    @pytest.mark.parametrize("pattern", ["lp/**/*.jpg", "lp/**", "lp/**/*/*.jpg"])
    def test_any_depth_neither_circles_nor_leaves(self, pattern: str) -> None:
        touch("lp/a/one.jpg", "outside/two.jpg", "three.jpg")
        Path("lp/a/up").symlink_to("..", target_is_directory=True)
        Path("lp/a/out").symlink_to(Path("outside").absolute(), target_is_directory=True)
        (job,) = plan([pattern], "lpo").jobs
        assert (job.source, job.target) == (Path("lp/a/one.jpg"), Path("lpo/a/one.jpg"))

    def test_one_that_is_named_or_matched_is_entered(self) -> None:
        touch("real/one.jpg", "in/two.txt")
        Path("in/album").symlink_to(Path("real").absolute(), target_is_directory=True)
        for word in ("in/album", "in/*/*.jpg", "in/album/*.jpg", "in/album/**/*.jpg"):
            assert [job.target.name for job in plan([word], "out").jobs] == ["one.jpg"]
