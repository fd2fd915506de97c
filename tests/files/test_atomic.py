"""Atomic writing: a file appears complete or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from tracker_blur.errors import SinkError, SourceError
from tracker_blur.files.atomic import check_place, replacing


def names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def test_the_target_appears_only_when_the_block_succeeds(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with replacing(target, overwrite=False) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".mp4"
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert names(tmp_path) == ["out.mp4"]


def test_the_file_gets_the_permissions_of_other_new_files(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "out", overwrite=False) as temporary:
        temporary.write_bytes(b"x")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, SourceError])
def test_nothing_stays_when_the_block_fails(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    with pytest.raises(error), replacing(target, overwrite=True) as temporary:
        temporary.write_bytes(b"half")
        raise error
    assert names(tmp_path) == ["out.mp4"]
    assert target.read_bytes() == b"old"


def test_an_existing_target_is_refused_unless_it_may_be_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    with (
        pytest.raises(SinkError, match="already exists: choose another name or use `overwrite`"),
        replacing(target, overwrite=False),
    ):
        pass
    with replacing(target, overwrite=True) as temporary:
        temporary.write_bytes(b"new")
    assert target.read_bytes() == b"new"


def test_a_target_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with (
        pytest.raises(SinkError, match="already exists"),
        replacing(target, overwrite=False) as temporary,
    ):
        temporary.write_bytes(b"ours")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["out.mp4"]


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "real.mp4"
    file.write_bytes(b"old")
    link = tmp_path / "out.mp4"
    link.symlink_to(file)
    with replacing(link, overwrite=True) as temporary:
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_a_name_as_long_as_the_file_system_allows_is_written(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 251 + ".mp4")
    with replacing(target, overwrite=False) as temporary:
        temporary.write_bytes(b"x")
    assert target.read_bytes() == b"x"


def test_a_folder_as_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="is not a file"), replacing(tmp_path, overwrite=True):
        pass


def test_a_name_that_is_too_long_is_one_line(tmp_path: Path) -> None:
    target = tmp_path / f"{'x' * 300}.mp4"
    message = r"x\.mp4: cannot be written \(file name too long\): choose another name$"
    with pytest.raises(SinkError, match=message):
        check_place(target, overwrite=False)
    with pytest.raises(SinkError, match=message), replacing(target, overwrite=True):
        pass
    assert names(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "out.mp4"
    with pytest.raises(SinkError, match="missing does not exist"), replacing(target, False):
        pass


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "out.mp4"
    with pytest.raises(SinkError, match="file is a file, not a folder"), replacing(target, False):
        pass


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder no one can write to")
def test_a_folder_that_cannot_be_written_to_is_named() -> None:
    target = Path("/proc/out.mp4")  # permissions do not stop root; this folder does
    message = (
        r"cannot write into the folder /proc \(no files can be created there\): choose another"
    )
    with pytest.raises(SinkError, match=message), replacing(target, overwrite=False):
        pass


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with (
        pytest.raises(
            SinkError, match=r"cannot be written \(no space left on device\): free some"
        ) as caught,
        replacing(target, False),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


def test_a_place_is_checked_and_nothing_is_left(tmp_path: Path) -> None:
    check_place(tmp_path / "out.mp4", overwrite=False)
    assert names(tmp_path) == []
    (tmp_path / "old.mp4").touch()
    check_place(tmp_path / "old.mp4", overwrite=True)
    with pytest.raises(SinkError, match="already exists"):
        check_place(tmp_path / "old.mp4", overwrite=False)
    assert names(tmp_path) == ["old.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
class TestPermissions:
    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o400])
    def test_a_file_that_is_replaced_hands_on_its_permissions(
        self, mode: int, tmp_path: Path
    ) -> None:
        target = tmp_path / "a.tracks.jsonl"
        target.write_bytes(b"old")
        target.chmod(mode)
        with replacing(target, overwrite=True) as temporary:
            assert stat.S_IMODE(temporary.stat().st_mode) == 0o600  # never more than the old one
            temporary.write_bytes(b"new")
        assert target.read_bytes() == b"new"
        assert stat.S_IMODE(target.stat().st_mode) == mode

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
    def test_a_file_that_is_replaced_hands_on_its_owner(self, tmp_path: Path) -> None:
        target = tmp_path / "a.mp4"
        target.write_bytes(b"old")
        os.chown(target, 1234, 5678)
        with replacing(target, overwrite=True) as temporary:
            temporary.write_bytes(b"new")
        assert (target.stat().st_uid, target.stat().st_gid) == (1234, 5678)

    def test_what_another_group_was_allowed_is_not_handed_on_to_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "chown", refuse)
        target = tmp_path / "a.mp4"
        target.write_bytes(b"old")
        target.chmod(0o664)
        with replacing(target, overwrite=True) as temporary:
            temporary.write_bytes(b"new")
        assert stat.S_IMODE(target.stat().st_mode) == 0o644

    @pytest.mark.parametrize("exists", [False, True])
    def test_only_the_owner_may_read_a_private_file(self, exists: bool, tmp_path: Path) -> None:
        target = tmp_path / "page.html"
        if exists:
            target.write_bytes(b"old")
            target.chmod(0o644)
        with replacing(target, overwrite=True, is_private=True) as temporary:
            assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
            temporary.write_bytes(b"faces")
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.mp4"
    synced: list[tuple[str, bool]] = []

    def sync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append(("folder" if is_folder else "file", target.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    with replacing(target, overwrite=False) as temporary:
        temporary.write_bytes(b"x")
    assert synced == [("file", False), ("folder", True)]


def test_a_disk_that_fails_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with (
        pytest.raises(SinkError, match=r"a\.mp4: cannot be written \(input/output error\): choose"),
        replacing(tmp_path / "a.mp4", overwrite=False),
    ):
        pass
    assert names(tmp_path) == []
