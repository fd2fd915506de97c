"""What goes wrong while a target is written becomes one line that names the target."""

from __future__ import annotations

import errno

import pytest

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime.targets._encoding import as_sink_errors

FLAGS = {"preset": "--preset", "overwrite": "--overwrite"}


@pytest.mark.parametrize(
    ("error", "library", "command_line"),
    [
        (
            SettingsError("is 'fast': av1 takes one of 0, 1", setting="preset"),
            "out.mkv: `preset` is 'fast': av1 takes one of 0, 1",
            "out.mkv: --preset is 'fast': av1 takes one of 0, 1",
        ),
        (
            SinkError("out_001.mkv: already exists: use", remedy="overwrite"),
            "out.mkv: out_001.mkv: already exists: use `overwrite`",
            "out.mkv: out_001.mkv: already exists: use --overwrite",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "out.mkv: no space left: free some, or choose another folder",
            "out.mkv: no space left: free some, or choose another folder",
        ),
        (
            ValueError("Odd"),
            "out.mkv: cannot be written (odd): choose another target",
            "out.mkv: cannot be written (odd): choose another target",
        ),
    ],
)
def test_an_error_keeps_its_setting(error: Exception, library: str, command_line: str) -> None:
    with pytest.raises(SinkError) as caught, as_sink_errors("out.mkv"):
        raise error
    assert str(caught.value) == library
    assert caught.value.text(FLAGS) == command_line
