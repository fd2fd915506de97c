"""Files with tokens: which are read, and which are refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tracker_blur.cli.token_files import read_token
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("a token that only tests know\n")
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_its_owner_leaves_open_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(SettingsError, match="other users may read it: chmod 600 it"):
        read_token(file, is_private=True)


def test_a_file_that_the_system_hands_over_may_have_a_group(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.chmod(0o440)  # as Kubernetes and systemd do
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert read_token(file, is_private=True) == "a token that only tests know"
    file.chmod(0o666)
    with pytest.raises(SettingsError, match="every user may write it"):
        read_token(file, is_private=True)
