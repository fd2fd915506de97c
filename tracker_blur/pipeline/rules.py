"""The zones and limits of a run: whether they fit an input, and what they leave of its frames."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from tracker_blur.core.frame import Frame
from tracker_blur.core.times import format_seconds
from tracker_blur.core.tracks import Face
from tracker_blur.errors import SettingsError
from tracker_blur.tracking.rule_filter import RuleFilter
from tracker_blur.video.end_time import end_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tracker_blur.core.frame import VideoInfo
    from tracker_blur.core.report import Report
    from tracker_blur.core.rules import Rules

FrameWithFaces: TypeAlias = tuple[Frame, tuple[Face, ...]]


def check_rules(rules: Rules, info: VideoInfo, name: str) -> None:
    """Check, before anything is detected, that zones and limits make sense for an input.

    Args:
        rules: Those of the run.
        info: Of the input.
        name: The input's name, for messages.

    Raises:
        SettingsError: They do not.
    """
    if not info.is_moving and any(zone.is_timed for zone in rules.zones):
        raise SettingsError(
            f"{name}: is a still image, and a zone has times, which images do not: leave them "
            "out, or redact images apart from videos"
        )
    rules.check(info.size, name)


def check_times(rules: Rules, path: Path) -> None:
    """Check, before anything is detected, that no rule begins after a video's end.

    Such a time is a mistake: something would stay visible, or be heard.

    Raises:
        SettingsError: One does.
        SourceError: The file is missing or no video.
    """
    begins = rules.begins
    latest, what = max(begins, default=(Fraction(0), ""))
    end = end_before(path, latest) if begins else None
    if end is not None:
        raise SettingsError(
            f"{path}: ends at {format_seconds(end)}, and {what} begins only at "
            f"{format_seconds(latest)}: give an earlier time"
        )


def apply_to_video(
    rules: Rules, frames: Iterable[FrameWithFaces], report: Report | None
) -> Iterator[FrameWithFaces]:
    """Yield the frames of a video with what the rules hide in them; the report counts the rest."""
    chosen = RuleFilter(rules)
    for frame, faces in chosen.frames(frames):
        if report is not None:
            report.left_visible = chosen.counts
        yield frame, faces


def apply_to_stills(
    rules: Rules, stills: Iterable[FrameWithFaces], report: Report | None
) -> Iterator[FrameWithFaces]:
    """Yield still images with what the rules hide in them; the report counts the rest."""
    chosen = RuleFilter(rules)
    for frame, faces in stills:
        hidden = chosen.still(faces, frame.size)
        if report is not None:
            report.left_visible = chosen.counts
        yield frame, hidden


def rule_warnings(rules: Rules) -> tuple[str, ...]:
    """Return the messages after a run in which the rules leave parts of a video as they are."""
    if not rules.has_span:
        return ()
    return (f"faces are hidden {rules.span} only: all others can be seen",)
