"""Sealed files: what is damaged, incomplete or missing is noticed."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from tracker_blur.errors import SourceError
from tracker_blur.files.sealed import is_intact, sealing, unsealed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "a.sealed"
    with sealing(path) as append:
        append(b"one ")
        append(b"two")
    return path


def test_content_comes_back_and_only_its_owner_may_read_it(sealed: Path) -> None:
    assert unsealed(sealed) == b"one two"
    assert is_intact(sealed)
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600


@pytest.mark.parametrize("index", [0, 6, 7, -1])
def test_any_changed_byte_is_noticed(sealed: Path, index: int) -> None:
    content = bytearray(sealed.read_bytes())
    content[index] ^= 1
    sealed.write_bytes(content)
    assert not is_intact(sealed)
    with pytest.raises(SourceError, match=r"a\.sealed: is damaged: run the same command again"):
        unsealed(sealed)


def test_a_file_that_is_cut_short_or_missing_is_noticed(sealed: Path) -> None:
    sealed.write_bytes(sealed.read_bytes()[:-1])
    assert not is_intact(sealed)
    sealed.write_bytes(b"")
    assert not is_intact(sealed)
    sealed.unlink()
    assert not is_intact(sealed)


def test_an_error_leaves_the_older_file(sealed: Path) -> None:
    def fail() -> None:
        with sealing(sealed) as append:
            append(b"other")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert unsealed(sealed) == b"one two"
