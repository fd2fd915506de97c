"""Reads a file's tracks of sound and subtitles down to what tells whether two are the same.

Whether all that was not to be hidden is in the output as it was in the input.

docs/media.md says what is promised; each promise is a check here, made on the finished file.
"""

from __future__ import annotations

import hashlib
import math
import re
from array import array
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Stream

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.settings import MetadataRule
from tracker_blur.verification.verdict import Check
from tracker_blur.verification.visibility import FrameComparison
from tracker_blur.video import stream_info
from tracker_blur.video.reader import STILL_PICTURES, VideoReader, open_input
from tracker_blur.video.stream_copy import is_text
from tracker_blur.video.stream_info import VideoTrack

_STYLES = re.compile(r"\{\\[^}]*\}|<[^>]*>")
_LINE_BREAKS = re.compile(r"\\[Nn]|\r?\n")
_ASS_FIELDS = 8  # before the text
_LENGTH_BYTES = 2  # before the text of mov_text


@dataclass(slots=True)
class Contents:
    """One track of sound or subtitles.

    kind     "sound" or "subtitles"
    tags     with names in small letters
    tick     unit of its clock, in seconds
    seconds  presentation time of each packet
    digest   hash over the bytes of all packets
    texts    of subtitles that are text, without styles; else empty
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
        """Its language as the file says, or "und" for undetermined."""
        return self.tags.get("language", "und")

    @property
    def title(self) -> str:
        """What the file calls it, or ""; MP4 says name."""
        return self.tags.get("title") or self.tags.get("name") or ""


def contents(container: InputContainer, path: Path) -> list[Contents]:
    """Return all tracks of sound and subtitles of a known kind; raises SourceError."""
    streams = [
        stream
        for stream in container.streams
        if stream.type in ("audio", "subtitle") and stream.codec_context is not None
    ]
    tracks = {stream.index: _contents(stream) for stream in streams}
    texts = {stream.index for stream in streams if is_text(stream)}
    if not streams:
        return []
    try:
        for packet in container.demux(streams):
            index = packet.stream.index
            _add(tracks[index], packet, is_text=index in texts)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(
            f"{path}: its sound cannot be read further ({reason_of(error)}): get the whole file"
        ) from error
    return list(tracks.values())


def small_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with their names in small letters: Matroska shouts them."""
    return {key.lower(): value for key, value in tags.items()}


def _contents(stream: Stream) -> Contents:
    return Contents(
        stream.index,
        "sound" if stream.type == "audio" else "subtitles",
        stream.codec_context.codec.canonical_name,
        small_tags(stream.metadata),
        float(stream.time_base or 0),
    )


def _add(track: Contents, packet: Packet[Stream], *, is_text: bool) -> None:
    time = packet.dts if packet.pts is None else packet.pts
    data = bytes(packet)
    if time is None or not data:
        return
    if track.codec == "mov_text":
        if data[:_LENGTH_BYTES] == b"\0\0":  # only fills the time between two
            return
        length = int.from_bytes(data[:_LENGTH_BYTES], "big")
        data = data[_LENGTH_BYTES : _LENGTH_BYTES + length]
    elif track.codec == "aac":
        data = _without_adts(data)
    track.seconds.append(float(time * packet.time_base))
    track.digest.update(data)
    if is_text:
        text = data.decode("utf-8", "replace").rstrip("\0")
        if track.codec in ("ass", "ssa"):
            text = text.split(",", _ASS_FIELDS)[-1]
        text = _LINE_BREAKS.sub("\n", _STYLES.sub("", text))
        track.texts.append(text.strip())


def _without_adts(data: bytes) -> bytes:
    """Return a packet of AAC without the header that only streams have."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    return data[7 if data[1] & 1 else 9 :]


_MILLISECOND = 0.001
_ASPECT_SLACK = 0.01
_UNSAID = {"primaries": 2, "transfer": 2, "matrix": 2, "range": 0}  # ITU-T H.273 and FFmpeg
_MUXERS_OWN = {  # tags that describe the file itself
    "major_brand",
    "minor_version",
    "compatible_brands",
    "duration",
    "language",
    "vendor_id",
}
_DEFAULT_NAMES = {"VideoHandler", "SoundHandler", "SubtitleHandler"}  # what muxers call tracks
_FFMPEGS_NAME = "Lav"  # how the names of its libraries begin


def compare(
    output: Path,
    source: Path,
    pictures: FrameComparison,
    metadata: MetadataRule,
    *,
    partial: bool = False,
) -> tuple[Check, ...]:
    """Return for each part whether it is as it was.

    pictures  what was noted while both videos were looked at, to their ends
    metadata  whether what identifies a file was to be dropped
    partial   accept an input that breaks off

    Raises SourceError when a file cannot be read to its end.
    """
    with ExitStack() as stack:
        after_video = stack.enter_context(VideoReader(output))
        before_video = stack.enter_context(VideoReader(source, partial=partial))
        after = stack.enter_context(open_input(output))
        before = stack.enter_context(open_input(source))
        is_gif = "gif" in after.format.name
        checks = [*pictures.checks(float(after_video.track.time_base))]
        checks.append(_shape(after_video, before_video))
        if not is_gif:  # it has nothing of these
            starts = pictures.after_seconds[0], pictures.before_seconds[0]
            checks.append(_rotation(after_video.track, before_video.track))
            checks.append(_color(after_video.track, before_video.track))
            checks += _tracks(contents(after, output), contents(before, source), starts)
            checks.append(_chapters(after, before))
        if metadata == "drop":
            checks.append(_tags(after))
        checks.append(_additions(after))
    return tuple(checks)


def _shape(after: VideoReader, before: VideoReader) -> Check:
    (width, height), (was_width, was_height) = after.info.size, before.info.size
    ratio = width / height * float(after.info.pixel_aspect)
    was_ratio = was_width / was_height * float(before.info.pixel_aspect)
    text = f"{width}x{height}"
    if after.info.size != before.info.size:
        text += f", and {was_width}x{was_height} in the input"
    is_same = math.isclose(ratio, was_ratio, rel_tol=_ASPECT_SLACK)
    return Check("shape", is_same, f"{text}, {ratio:.3f} times as wide as high when shown")


def _rotation(after: VideoTrack, before: VideoTrack) -> Check:
    now, was = stream_info.orientation(after.matrix), stream_info.orientation(before.matrix)
    text = now.name.lower().replace("_", " ")
    if now is not was:
        text += f", and {was.name.lower().replace('_', ' ')} in the input"
    return Check("rotation", now is was, text)


def _color(after: VideoTrack, before: VideoTrack) -> Check:
    was_rgb = before.pixel_format.startswith("gbr")
    if was_rgb and not after.pixel_format.startswith("gbr"):
        return Check("color", True, "RGB became YUV, and says so")
    different = [
        f"{name} {getattr(after.color, name)} for {getattr(before.color, name)}"
        for name, unsaid in _UNSAID.items()
        if getattr(before.color, name) not in (unsaid, getattr(after.color, name))
    ]
    return Check("color", not different, ", ".join(different) or "tagged as it was")


def _tracks(
    after: list[Contents], before: list[Contents], starts: tuple[float, float]
) -> Iterator[Check]:
    if len(after) != len(before):
        text = f"{len(after)} tracks, and {len(before)} in the input"
        yield Check("sound and subtitles", False, text)
        return
    for now, was in zip(after, before, strict=True):
        language = "" if was.language == "und" else f" ({was.language})"
        problem = _problem(now, was, starts)
        if problem:
            text = problem
        elif now.codec == was.codec:
            text = f"{len(now.seconds)} packets, byte for byte, each at its time"
        else:
            text = f"{len(now.texts)} texts, now {now.codec}, each at its time"
        yield Check(f"{was.kind}, track {was.index}{language}", not problem, text)


def _problem(now: Contents, was: Contents, starts: tuple[float, float]) -> str | None:
    """Return how two tracks differ, if they do; times count from the first pictures."""
    if now.kind != was.kind:
        return f"is {now.kind}"
    if now.language != was.language:
        return f"says its language is {now.language}"
    if now.title != was.title:
        return f"is called '{now.title}', and '{was.title}' in the input"
    if now.codec == was.codec:
        if now.digest.digest() != was.digest.digest():
            return f"holds other bytes ({now.codec})"
    elif not was.texts or now.texts != was.texts:
        return f"holds something else ({now.codec}, and {was.codec} in the input)"
    if not now.seconds:
        return None
    times, old_times = np.array(now.seconds) - starts[0], np.array(was.seconds) - starts[1]
    if len(times) != len(old_times):  # cut into packets another way: the same bytes
        times, old_times = times[:1], old_times[:1]
    offsets = np.abs(times - old_times)
    worst = int(np.argmax(offsets))
    if offsets[worst] > _MILLISECOND + now.tick + was.tick:
        return f"packet {worst} is off by {1000 * offsets[worst]:.1f} ms"
    return None


def _chapters(after: InputContainer, before: InputContainer) -> Check:
    now, was = _chapter_list(after), _chapter_list(before)
    is_same = len(now) == len(was) and all(
        title == old_title
        and abs(start - old_start) <= 2 * _MILLISECOND
        and abs(end - old_end) <= 2 * _MILLISECOND
        for (start, end, title), (old_start, old_end, old_title) in zip(now, was, strict=True)
    )
    text = f"{len(now)}" if is_same else f"{len(now)}, other than the {len(was)} of the input"
    return Check("chapters", is_same, text)


def _chapter_list(container: InputContainer) -> list[tuple[float, float, str]]:
    found: list[Any] = container.chapters()
    return [
        (
            float(chapter["start"] * Fraction(chapter["time_base"])),
            float(chapter["end"] * Fraction(chapter["time_base"])),
            chapter["metadata"].get("title", ""),
        )
        for chapter in found
    ]


def _tags(after: InputContainer) -> Check:
    """Check that no tag of the file or of its pictures could tell of place, device or person."""
    tags = [
        small_tags(holder.metadata)
        for holder in (after, *after.streams)
        if not hasattr(holder, "type") or holder.type == "video"
    ]
    others = [small_tags(stream.metadata) for stream in after.streams if stream.type != "video"]
    telling = sorted(
        {key for holder in tags for key, value in holder.items() if _tells(key, value)}
        | {
            key
            for holder in others
            for key, value in holder.items()
            if key not in ("title", "name", "filename", "mimetype") and _tells(key, value)
        }
    )
    text = f"still there: {', '.join(telling)}" if telling else "nothing of place, device, person"
    return Check("dropped tags", not telling, text)


def _tells(key: str, value: str) -> bool:
    if key == "handler_name":
        return value not in _DEFAULT_NAMES
    if key == "encoder":
        return not value.startswith(_FFMPEGS_NAME)
    return key not in _MUXERS_OWN


def _additions(after: InputContainer) -> Check:
    """Check that nothing is in the file that nobody looked at."""
    pictures = [stream for stream in after.streams if stream.type == "video"]
    stills = [stream for stream in pictures if stream.disposition & STILL_PICTURES]
    unknown = [
        stream
        for stream in after.streams
        if stream.type not in ("video", "audio", "subtitle")
        and not isinstance(stream, AttachmentStream)
    ]
    # MP4 keeps chapters as a track of text, which FFmpeg shows as one of data without packets.
    own = int("mp4" in after.format.name and bool(after.chapters()))
    found = {
        "cover art": len(stills),
        "further picture tracks": len(pictures) - len(stills) - 1,
        "data tracks": max(0, len(unknown) - own),
    }
    text = ", ".join(f"{count} {name}" for name, count in found.items() if count)
    return Check("nothing else", not text, text or "no cover art, data or further picture tracks")
