"""Snapshots: frames saved on request."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import pytest

from tests.realtime.scripted_source import solid_frame
from tracker_blur import Settings
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Delivery, Format
from tracker_blur.realtime.live_frame import LiveFrameConverter
from tracker_blur.realtime.snapshots import Snapshots
from tracker_blur.redaction.redactor import FrameRedactor

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = Format((64, 48), Fraction(30))


def delivery(seconds: float) -> Delivery:
    frame = LiveFrameConverter(None).convert(solid_frame(FORMAT.size), seconds, 0)
    return Delivery(FrameRedactor(Settings()).blank(frame), seconds, 0, True)


def test_each_request_saves_one_frame(tmp_path: Path) -> None:
    controls = Controls(["solid"])
    warnings: list[str] = []
    messages: list[str] = []
    snapshots = Snapshots(tmp_path, controls, warnings.append, messages.append)
    snapshots.open(FORMAT)
    snapshots.show(delivery(0))
    assert list(tmp_path.iterdir()) == []
    controls.save_still()
    snapshots.show(delivery(1))
    snapshots.show(delivery(2))
    (path,) = tmp_path.iterdir()
    image = cv2.imread(str(path))
    assert image is not None
    assert image.shape == (48, 64, 3)
    assert (warnings, messages) == ([], [f"{path}: saved"])
    controls.save_still()
    missing = tmp_path / "none"
    Snapshots(missing, controls, warnings.append, messages.append).show(delivery(3))
    assert len(messages) == 1
    assert warnings[-1].endswith(
        f"the folder {missing} does not exist: create it; its folder is set by `stills_folder`"
    )
    flags = {"stills_folder": "--stills"}
    snapshots = Snapshots(
        missing, controls, warnings.append, messages.append, lambda error: error.text(flags)
    )
    snapshots.show(delivery(4))
    assert warnings[-1].endswith("create it; its folder is set by --stills")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_a_snapshot_is_complete_or_not_there(tmp_path: Path) -> None:
    import resource

    controls = Controls(["solid"])
    warnings: list[str] = []
    controls.save_still()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # as on a full disk
    try:
        Snapshots(tmp_path, controls, warnings.append, print).show(delivery(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    (text,) = warnings
    assert text.endswith(
        "): free some space or choose another folder; its folder is set by `stills_folder`"
    )
