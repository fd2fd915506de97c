"""Recordings: whole, in step, in parts, after a crash, on a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.targets.deliveries import (
    BEGIN,
    FORMAT,
    RATE,
    SILENT,
    context,
    deliveries,
    send,
    sounds,
)
from tests.live.targets.received import check_pictures, check_step, read
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.live.delivery import Delivery
from tracker_blur.live.targets import open_target
from tracker_blur.settings import Settings

SUFFIXES = ("mp4", "mov", "mkv", "webm")


def record(path: Path, **live: object) -> None:
    target = open_target(str(path), context(**live))
    target.open(FORMAT)
    send(target, deliveries(), sounds())
    target.close()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_is_whole_and_in_step(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    record(path)
    got = read(path)
    assert len(got.pictures) == 30
    assert got.intervals == pytest.approx([n / 25 for n in range(30)], abs=0.001)
    check_pictures(got)
    check_step(got)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
