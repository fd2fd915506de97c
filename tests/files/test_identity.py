"""A file that is replaced or changed while it is read is noticed."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tracker_blur.errors import SourceError
from tracker_blur.files import identity
from tracker_blur.files.identity import FileIdentity, sha256

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT, SAME_LENGTH = b"first content", b"other content"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    path.write_bytes(CONTENT)
    return path


def replace_by_a_rename(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(SAME_LENGTH)
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def overwrite_in_place(path: Path) -> None:
    with path.open("r+b") as opened:
        opened.write(SAME_LENGTH)


def overwrite_and_restore_the_time(path: Path) -> None:
    status = path.stat()
    overwrite_in_place(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def append(path: Path) -> None:
    with path.open("ab") as opened:
        opened.write(b"!")


def truncate(path: Path) -> None:
    os.truncate(path, 3)


def delete(path: Path) -> None:
    path.unlink()


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(identity, "sha256", refuse)
    with pytest.raises(SourceError, match=r"in\.mp4: reading is not permitted: change its perm"):
        FileIdentity.of(file, hashed=True)


CHANGES = [
    replace_by_a_rename,
    overwrite_in_place,
    overwrite_and_restore_the_time,
    append,
    truncate,
    delete,
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("hashed", [False, True])
def test_every_change_is_noticed(file: Path, change: Callable[[Path], None], hashed: bool) -> None:
    identity = FileIdentity.of(file, hashed=hashed)
    change(file)
    for check in (identity.check, identity.check_end):
        with pytest.raises(SourceError, match=r"in\.mp4: was replaced or changed while"):
            check()


def test_reading_changes_nothing(file: Path) -> None:
    identity = FileIdentity.of(file, hashed=True)
    assert file.read_bytes() == CONTENT
    identity.check()
    identity.check_end()
    assert identity.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert identity == FileIdentity.of(file)


def test_content_is_compared_where_the_times_are_equal(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on file systems whose clock is coarse, and that do not note changes.
    before = file.stat()
    identity = FileIdentity.of(file, hashed=True)
    overwrite_in_place(file)
    monkeypatch.setattr(type(file), "stat", lambda *_, **__: before)
    identity.check()
    with pytest.raises(SourceError, match="was replaced or changed"):
        identity.check_end()


def test_a_file_that_changes_while_it_is_hashed_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hash_then_change(path: Path) -> str:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        overwrite_in_place(path)
        return digest

    monkeypatch.setattr("tracker_blur.files.identity.sha256", hash_then_change)
    with pytest.raises(SourceError, match="was replaced or changed"):
        FileIdentity.of(file, hashed=True)


@pytest.mark.parametrize("hashed", [False, True])
def test_a_missing_file_is_reported(tmp_path: Path, hashed: bool) -> None:
    with pytest.raises(SourceError, match=r"a\.mp4: no such file: check the name"):
        FileIdentity.of(tmp_path / "a.mp4", hashed=hashed)
    with pytest.raises(SourceError, match="is not a file"):
        FileIdentity.of(Path("rtsp://camera/1"), hashed=hashed)


def test_a_folder_has_no_hash(tmp_path: Path) -> None:
    FileIdentity.of(tmp_path)  # what reads it says what it is
    with pytest.raises(SourceError, match="is a folder: name a file in it"):
        FileIdentity.of(tmp_path, hashed=True)


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == known
