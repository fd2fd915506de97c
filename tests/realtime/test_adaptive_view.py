"""The size of the view follows the load."""

from __future__ import annotations

from tracker_blur.realtime.adaptive_view import AdaptiveViewSize
from tracker_blur.realtime.settings import LiveTiming


def test_the_view_shrinks_under_load_and_grows_again() -> None:
    view = AdaptiveViewSize(640, 0.04, LiveTiming())
    for _ in range(200):
        view.add_frame(0.1)
    assert view.view_px == 320
    for _ in range(200):
        view.add_frame(0.001)
    assert view.view_px == 640
    for _ in range(200):
        view.add_frame(0.03)
    assert view.view_px == 640
