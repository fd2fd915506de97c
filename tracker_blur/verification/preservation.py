"""Preservation: whether everything that was not to be hidden is as it was in the input.

docs/media.md lists what is promised. Each promise is a check here, made on the finished file.
"""

from __future__ import annotations

import hashlib
import math
import re
from array import array
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.stream import AttachmentStream, Stream

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.verification.verdict import Check
from tracker_blur.video import stream_info
from tracker_blur.video.edit_lists import ShownMedia
from tracker_blur.video.metadata import chapter_tags, track_tags
from tracker_blur.video.opening import STILL_IMAGES, open_input, video_stream
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.stream_copy import track_packets
from tracker_blur.video.subtitle_tracks import SubtitleFilter, is_text
from tracker_blur.video.track_selection import select_tracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet

    from tracker_blur.settings import MetadataRule, Settings
    from tracker_blur.verification.parameters import VerificationParameters
    from tracker_blur.verification.visibility import FrameComparison
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
_PACKET_SECONDS = 0.25  # more than one packet of audio lasts in any codec


def compare(
    output: Path,
    source: Path,
    frames: FrameComparison,
    settings: Settings,
    parameters: VerificationParameters,
    *,
    partial: bool = False,
) -> tuple[Check, ...]:
    """Return a check for each part of the file.

    Args:
        output: the finished file.
        source: the input it was made from.
        frames: how the frames of both compare, to their ends.
        settings: those the output was made with; metadata and the choice of tracks matter here.
        parameters: tolerances.
        partial: accept a truncated source.

    Raises:
        SourceError: A file cannot be read to its end.
    """
    with ExitStack() as stack:
        after_video = stack.enter_context(VideoReader(output))
        before_video = stack.enter_context(VideoReader(source, partial=partial))
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
            checks += _streams(
                stream_contents(after, output, "keep"),
                [
                    contents
                    for contents in stream_contents(before, source, settings.metadata)
                    if contents.index in kept
                ],
                starts,
                tolerance,
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
) -> Iterator[Check]:
    """Check audio and subtitles; `starts` are the times of both videos' first frames."""
    if len(after) != len(before):
        yield Check("sound and subtitles", False, f"{len(after)} tracks instead of {len(before)}")
        return
    for now, was in zip(after, before, strict=True):
        language = "" if was.language == "und" else f" ({was.language})"
        problem = _difference(now, was, starts, tolerance_seconds)
        if problem:
            text = problem
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
) -> str | None:
    if now.kind != was.kind:
        return f"is {now.kind}"
    if now.language != was.language:
        return f"its language is {now.language}"
    if now.title != was.title:
        return f"its title is '{now.title}' instead of '{was.title}'"
    if now.codec == was.codec:
        if now.digest.digest() != was.digest.digest():
            return f"holds other bytes ({now.codec})"
    elif _is_lossless(now) and was.seconds:
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
    tags = {*_lower_case(after.metadata).items()}
    for stream in after.streams:
        kept = set[str]() if stream.type == "video" else _STREAM_TAGS
        tags |= {
            (key, value) for key, value in _lower_case(stream.metadata).items() if key not in kept
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


_ASS_FIELDS = 8  # before the text
_MOV_TEXT_LENGTH_BYTES = 2  # before the text
_TEXT_STYLES = re.compile(r"\{\\[^}]*\}|<[^>]*>")
_LINE_BREAKS = re.compile(r"\\[Nn]|\r?\n")


@dataclass(slots=True)
class StreamContents:
    """One audio or subtitle track, reduced to what two equal tracks have in common.

    Attributes:
        index: number of the stream.
        kind: "sound" or "subtitles", as checks name it.
        codec: FFmpeg's name of the codec.
        tags: with names in lower case.
        tick: unit of its clock, in seconds.
        seconds: presentation time of each packet.
        digest: hash of the bytes of all packets.
        texts: text subtitles, without styles; otherwise empty.
    """

    index: int
    kind: str
    codec: str
    tags: Mapping[str, str]
    tick: float
    seconds: array[float] = field(default_factory=lambda: array("d"))
    digest: Any = field(default_factory=hashlib.sha256)
    texts: list[str] = field(default_factory=list)

    @property
    def language(self) -> str:
        """Its language tag, or "und" for undetermined."""
        return self.tags.get("language", "und")

    @property
    def title(self) -> str:
        """Its title, or ""; MP4 calls it name."""
        return self.tags.get("title") or self.tags.get("name") or ""

    def add(self, packet: Packet[Stream], *, is_text: bool) -> None:
        """Add a packet; `is_text` says whether its bytes are subtitles as text."""
        time = packet.dts if packet.pts is None else packet.pts
        data = bytes(packet)
        if time is None or not data:
            return
        if self.codec == "mov_text":
            size = _MOV_TEXT_LENGTH_BYTES
            length = int.from_bytes(data[:size], "big")
            if not length:  # fills the time between two subtitles
                return
            data = data[size : size + length]
        elif self.codec == "aac":
            data = _without_adts(data)
        self.seconds.append(float(time * packet.time_base))
        self.digest.update(data)
        if is_text:
            self.texts.append(self._plain_text(data))

    def _plain_text(self, data: bytes) -> str:
        text = data.decode("utf-8", "replace").rstrip("\0")
        if self.codec in ("ass", "ssa"):
            text = text.split(",", _ASS_FIELDS)[-1]
        return _LINE_BREAKS.sub("\n", _TEXT_STYLES.sub("", text)).strip()


def stream_contents(
    container: InputContainer, path: Path, rule: MetadataRule
) -> list[StreamContents]:
    """Return what is shown of all audio and subtitle tracks, as `rule` lets it be written.

    Raises:
        SourceError: They cannot be read to their end.
    """
    streams = [
        stream
        for stream in container.streams
        if stream.type in ("audio", "subtitle") and stream.codec_context is not None
    ]
    if not streams:
        return []
    contents = {
        stream.index: StreamContents(
            stream.index,
            "sound" if stream.type == "audio" else "subtitles",
            stream.codec_context.codec.canonical_name,
            track_tags(_lower_case(stream.metadata), stream.type, rule),
            float(stream.time_base or 0),
        )
        for stream in streams
    }
    shown = ShownMedia(path, container)
    texts = {stream.index for stream in streams if is_text(stream)}
    filters = {
        stream.index: SubtitleFilter(stream, as_is=rule == "keep")
        for stream in streams
        if stream.type == "subtitle"
    }
    try:
        video = video_stream(container, path)
        for index, packet in track_packets(path, container, video.index, contents):
            part = shown.part(packet) if packet.size else None
            if part is None:
                continue
            kept = filters[index].filtered(part) if index in filters else part
            if kept is not None:
                contents[index].add(kept, is_text=index in texts)
    except (av.FFmpegError, OSError, IndexError) as error:  # IndexError: a joined recording
        raise SourceError(
            f"{path}: its audio and subtitles cannot be read to the end ({reason_of(error)}): get "
            "the complete file"
        ) from error
    return list(contents.values())


def _lower_case(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with names in lower case; Matroska writes them in capitals."""
    return {key.lower(): value for key, value in tags.items()}


def _without_adts(data: bytes) -> bytes:
    """Return an AAC packet without the ADTS header that it has in MPEG-TS only."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    return data[7 if data[1] & 1 else 9 :]
