"""Preservation: whether everything that was not to be hidden is as it was in the input.

docs/media.md lists what is promised. Each promise is a check here, made on the finished file.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from av.stream import AttachmentStream

from tracker_blur.verification.stream_contents import StreamContents, lower_case, stream_contents
from tracker_blur.verification.verdict import Check
from tracker_blur.video import stream_info
from tracker_blur.video.audio_editing import AudioEditor, audio_starts
from tracker_blur.video.metadata import chapter_tags
from tracker_blur.video.opening import STILL_IMAGES, open_input
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.track_selection import select_tracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from av.container import InputContainer

    from tracker_blur.core.audio_spans import AudioSpan
    from tracker_blur.settings import MetadataRule, Settings
    from tracker_blur.verification.frame_comparison import FrameComparison
    from tracker_blur.verification.parameters import VerificationParameters
    from tracker_blur.video.stream_info import VideoTrack

_UNTAGGED = {"primaries": 2, "transfer": 2, "matrix": 2, "range": 0}  # ITU-T H.273 and FFmpeg
_MUXER_TAGS = {  # they describe the file itself
    "major_brand",
    "minor_version",
    "compatible_brands",
    "duration",
    "language",
    "vendor_id",
}
_STREAM_TAGS = {"title", "name", "filename", "mimetype"}  # kept for audio, subtitles, attachments
_DEFAULT_HANDLERS = {"VideoHandler", "SoundHandler", "SubtitleHandler"}
_FFMPEG_PREFIX = "Lav"  # of the names of its libraries
_PRIMING_SECONDS = 0.07  # three packets, which encoders put in front and decoders leave out
_PACKET_SECONDS = 0.25  # more than one packet of audio lasts in any codec


def compare(
    output: Path,
    source: Path,
    frames: FrameComparison,
    settings: Settings,
    parameters: VerificationParameters,
    *,
    partial: bool = False,
    audio_spans: Sequence[AudioSpan] = (),
) -> tuple[Check, ...]:
    """Return a check for each part of the file.

    Args:
        output: the finished file.
        source: the input it was made from.
        frames: how the frames of both compare, to their ends.
        settings: those the output was made with; metadata and the choice of tracks matter here.
        parameters: tolerances.
        partial: accept a truncated source.
        audio_spans: which parts of the audio were to be replaced: then it is another one, and
            subtitles that are shown meanwhile are left out.

    Raises:
        SourceError: A file cannot be read to its end.
    """
    with ExitStack() as stack:
        limit = settings.max_megapixels
        after_video = stack.enter_context(VideoReader(output, max_megapixels=limit))
        before_video = stack.enter_context(
            VideoReader(source, partial=partial, max_megapixels=limit)
        )
        after = stack.enter_context(open_input(output))
        before = stack.enter_context(open_input(source))
        checks = [*frames.checks(float(after_video.track.time_base))]
        checks.append(_shape(after_video, before_video, parameters.aspect_tolerance))
        if "gif" not in after.format.name:  # a GIF has none of these
            checks.append(_rotation(after_video.track, before_video.track))
            checks.append(_color(after_video.track, before_video.track))
            starts = frames.after_seconds[0], frames.before_seconds[0]
            tolerance = parameters.time_tolerance_seconds
            kept = select_tracks(source, before, before_video.track.index, settings).indexes
            editor = AudioEditor(audio_spans) if audio_spans else None
            if editor is not None:
                # Containers count in such parts of a second at most.
                origin = Fraction(starts[1]).limit_denominator(10_000_000)
                editor.set_clock(origin, audio_starts(before, kept))
            checks += _streams(
                stream_contents(after, output, "keep"),
                [
                    contents
                    for contents in stream_contents(before, source, settings.metadata, editor)
                    if contents.index in kept
                ],
                starts,
                tolerance,
                is_audio_edited=bool(audio_spans),
            )
            checks.append(_chapters(after, before, settings.metadata, tolerance))
        if settings.metadata == "drop":
            checks.append(_dropped_tags(after))
        checks.append(_additions(after))
    return tuple(checks)


def _shape(after: VideoReader, before: VideoReader, tolerance: float) -> Check:
    (width, height), (old_width, old_height) = after.info.size, before.info.size
    ratio = width / height * float(after.info.pixel_aspect)
    old_ratio = old_width / old_height * float(before.info.pixel_aspect)
    text = f"{width}x{height}"
    if after.info.size != before.info.size:
        text += f" instead of {old_width}x{old_height}"
    is_same = math.isclose(ratio, old_ratio, rel_tol=tolerance)
    return Check("shape", is_same, f"{text}, displayed {ratio:.3f} times as wide as high")


def _rotation(after: VideoTrack, before: VideoTrack) -> Check:
    now, was = stream_info.orientation(after.matrix), stream_info.orientation(before.matrix)
    text = now.name.lower().replace("_", " ")
    if now is not was:
        text += f" instead of {was.name.lower().replace('_', ' ')}"
    return Check("rotation", now is was, text)


def _color(after: VideoTrack, before: VideoTrack) -> Check:
    was_rgb = before.pixel_format.startswith("gbr")
    if was_rgb and not after.pixel_format.startswith("gbr"):
        return Check("color", True, "converted from RGB to YUV, and tagged so")
    different = [
        f"{name} {getattr(after.color, name)} for {getattr(before.color, name)}"
        for name, untagged in _UNTAGGED.items()
        if getattr(before.color, name) not in (untagged, getattr(after.color, name))
    ]
    return Check("color", not different, ", ".join(different) or "the same tags")


def _streams(
    after: list[StreamContents],
    before: list[StreamContents],
    starts: tuple[float, float],
    tolerance_seconds: float,
    *,
    is_audio_edited: bool = False,
) -> Iterator[Check]:
    """Check audio and subtitles; `starts` are the times of both videos' first frames."""
    if len(after) != len(before):
        yield Check("sound and subtitles", False, f"{len(after)} tracks instead of {len(before)}")
        return
    for now, was in zip(after, before, strict=True):
        language = "" if was.language == "und" else f" ({was.language})"
        is_edited = is_audio_edited and now.kind == "sound"
        problem = _difference(now, was, starts, tolerance_seconds, is_edited=is_edited)
        if problem:
            text = problem
        elif is_edited:
            text = f"edited, decoded from {was.codec} and now {now.codec}, as long as before"
        elif now.codec == was.codec:
            text = f"{len(now.seconds)} packets, identical and at the same times"
        elif now.kind == "sound":
            text = f"decoded from {was.codec} and now {now.codec}, as long as before"
        else:
            text = f"{len(now.texts)} texts, now {now.codec}, at the same times"
        yield Check(f"{was.kind}, track {was.index}{language}", not problem, text)


def _difference(
    now: StreamContents,
    was: StreamContents,
    starts: tuple[float, float],
    tolerance_seconds: float,
    *,
    is_edited: bool = False,
) -> str | None:
    if now.kind != was.kind:
        return f"is {now.kind}"
    if now.language != was.language:
        return f"its language is {now.language}"
    if now.title != was.title:
        return f"its title is '{now.title}' instead of '{was.title}'"
    if now.codec == was.codec and not is_edited:
        if now.digest.digest() != was.digest.digest():
            return f"holds other bytes ({now.codec})"
    elif (is_edited or _is_lossless(now)) and was.seconds:
        if not now.seconds:
            return f"holds nothing ({now.codec})"
        lengths = [track.seconds[-1] - track.seconds[0] for track in (now, was)]
        if abs(lengths[0] - lengths[1]) > _PACKET_SECONDS:
            return f"lasts {lengths[0]:.1f} instead of {lengths[1]:.1f} seconds"
    elif not was.texts or now.texts != was.texts:
        return f"holds something else ({now.codec} instead of {was.codec})"
    if not now.seconds:
        return None
    times, old_times = np.array(now.seconds) - starts[0], np.array(was.seconds) - starts[1]
    if len(times) != len(old_times):  # the same bytes in other packets
        times, old_times = times[:1], old_times[:1]
    offsets = np.abs(times - old_times)
    worst = int(np.argmax(offsets))
    if is_edited:
        tolerance_seconds += _PRIMING_SECONDS
    if offsets[worst] > tolerance_seconds + now.tick + was.tick:
        return f"packet {worst} is off by {1000 * offsets[worst]:.1f} ms"
    return None


def _chapters(
    after: InputContainer, before: InputContainer, rule: MetadataRule, tolerance_seconds: float
) -> Check:
    now, was = _chapter_list(after, "keep"), _chapter_list(before, rule)
    is_same = len(now) == len(was) and all(
        title == old_title
        and abs(start - old_start) <= 2 * tolerance_seconds
        and abs(end - old_end) <= 2 * tolerance_seconds
        for (start, end, title), (old_start, old_end, old_title) in zip(now, was, strict=True)
    )
    text = f"{len(now)}" if is_same else f"{len(now)}, not the same as the {len(was)} of the input"
    return Check("chapters", is_same, text)


def _chapter_list(container: InputContainer, rule: MetadataRule) -> list[tuple[float, float, str]]:
    found: list[Any] = container.chapters()
    return [
        (
            float(chapter["start"] * Fraction(chapter["time_base"])),
            float(chapter["end"] * Fraction(chapter["time_base"])),
            chapter_tags(chapter["metadata"], rule).get("title", ""),
        )
        for chapter in found
    ]


def _dropped_tags(after: InputContainer) -> Check:
    """Check that no tag of the file or of a stream identifies a place, device or person."""
    tags = {*lower_case(after.metadata).items()}
    for stream in after.streams:
        kept = set[str]() if stream.type == "video" else _STREAM_TAGS
        tags |= {
            (key, value) for key, value in lower_case(stream.metadata).items() if key not in kept
        }
    left = sorted({key for key, value in tags if _is_identifying(key, value)})
    text = f"still there: {', '.join(left)}" if left else "no place, device or person"
    return Check("dropped tags", not left, text)


def _is_identifying(key: str, value: str) -> bool:
    if key == "handler_name":
        return value not in _DEFAULT_HANDLERS
    if key == "encoder":
        return not value.startswith(_FFMPEG_PREFIX)
    return key not in _MUXER_TAGS


def _additions(after: InputContainer) -> Check:
    """Check that the file holds nothing that was not verified."""
    videos = [stream for stream in after.streams if stream.type == "video"]
    covers = [stream for stream in videos if stream.disposition & STILL_IMAGES]
    unknown = [
        stream
        for stream in after.streams
        if stream.type not in ("video", "audio", "subtitle")
        and not isinstance(stream, AttachmentStream)
    ]
    # MP4 keeps chapters as a text track, which FFmpeg shows as a data track without packets.
    chapter_tracks = int("mp4" in after.format.name and bool(after.chapters()))
    found = {
        "cover art": len(covers),
        "further video tracks": len(videos) - len(covers) - 1,
        "data tracks": max(0, len(unknown) - chapter_tracks),
    }
    text = ", ".join(f"{count} {name}" for name, count in found.items() if count)
    return Check("nothing else", not text, text or "no cover art, data or further video tracks")


def _is_lossless(track: StreamContents) -> bool:
    return track.kind == "sound" and track.codec.startswith(("flac", "pcm_"))
