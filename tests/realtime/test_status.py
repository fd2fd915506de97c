"""The status in one line."""

from __future__ import annotations

from tracker_blur.realtime.status import Status


def test_the_line_has_the_most_important_fields() -> None:
    status = Status(state="live", rate=29.97, delay_median_ms=31.2, faces=1, dropped=3)
    assert status.line == "live | 30.0 fps | 31 ms | 1 face | 3 dropped"
    status = Status(state="covered", reason="hidden on request", faces=2)
    assert status.line.startswith("blanked: hidden on request | 0.0 fps | 0 ms | 2 faces")
