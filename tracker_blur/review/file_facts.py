"""Facts about a file for the report: its hash, its streams, and which metadata it has.

The values of metadata are left out: they may say who is seen, where and when.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import media_kind
from tracker_blur.images.reader import ImageReader
from tracker_blur.video.opening import STILL_IMAGES, open_input

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from av.stream import Stream

_Start: TypeAlias = tuple[str, str, int, datetime]

_OF_CONTAINER = {  # they describe the file, not what it shows
    *("major_brand", "minor_version", "compatible_brands", "encoder", "duration", "bps"),
    *("handler_name", "vendor_id", "number_of_frames", "number_of_bytes", "language"),
    *("_statistics_writing_app", "_statistics_writing_date_utc", "_statistics_tags"),
}


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """A stream of a file.

    Attributes:
        kind: "video", "audio", "subtitle", "data", "attachment", "cover" or "image".
        codec: FFmpeg's name; "" if it has none that is known.
        details: Such as "1920x1080, yuv420p, 25 frames a second".
    """

    kind: str
    codec: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file.

    Attributes:
        name: Without its folder.
        sha256: Hash of its bytes.
        size_bytes: How many they are.
        modified: When it was last written.
        container: FFmpeg's names of the format, or the image's.
        seconds: How long it lasts; None: an image, or not stated.
        streams: Its streams, in order.
        chapters: How many chapters it has.
        metadata: The names of its metadata, and of its streams', in lower case, ascending.
    """

    name: str
    sha256: str
    size_bytes: int
    modified: datetime
    container: str
    seconds: float | None
    streams: tuple[StreamFacts, ...]
    chapters: int = 0
    metadata: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path) -> FileFacts:
        """Return the facts about a video or an image.

        Raises:
            SourceError: It cannot be read, or changes meanwhile.
        """
        identity = FileIdentity.of(path, hashed=True)
        assert identity.sha256 is not None  # it was requested
        modified = datetime.fromtimestamp(identity.modified_ns / 1e9, UTC)
        start = (path.name, identity.sha256, identity.size_bytes, modified)
        facts = (
            _of_image(path, start) if media_kind(path, path) == "image" else _of_video(path, start)
        )
        identity.check()
        return facts


def dropped_streams(before: FileFacts, after: FileFacts) -> list[StreamFacts]:
    """Return the streams of a file that have no counterpart of their kind in another one."""
    left = Counter(stream.kind for stream in after.streams)
    dropped = []
    for stream in before.streams:
        if left[stream.kind]:
            left[stream.kind] -= 1
        else:
            dropped.append(stream)
    return dropped


def recoded_streams(before: FileFacts, after: FileFacts) -> list[tuple[str, str, str]]:
    """Return the kind, and the codecs before and after, of audio and subtitles stored in another.

    Where streams are missing, no one can tell which became which.
    """
    found = []
    for kind in ("audio", "subtitle"):
        old, new = (
            [stream.codec for stream in file.streams if stream.kind == kind]
            for file in (before, after)
        )
        if len(old) == len(new):
            pairs = zip(old, new, strict=True)
            found += [(kind, was, is_now) for was, is_now in pairs if was != is_now]
    return found


def dropped_metadata(before: FileFacts, after: FileFacts) -> list[str]:
    """Return the names of metadata that a file has and another one has not."""
    return sorted(set(before.metadata) - set(after.metadata))


def _of_video(path: Path, start: _Start) -> FileFacts:
    with open_input(path) as container:
        streams = tuple(_stream(stream) for stream in container.streams)
        tags = [container.metadata, *(stream.metadata for stream in container.streams)]
        seconds = None if container.duration is None else container.duration / 1_000_000
        return FileFacts(
            *start,
            container.format.name,
            seconds,
            streams,
            len(container.chapters()),
            _names(name for each in tags for name in each),
        )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    lower = {name.lower() for name in names}
    return tuple(
        sorted(
            name
            for name in lower
            if name not in _OF_CONTAINER and name.partition("-")[0] not in _OF_CONTAINER
        )
    )


def _stream(stream: Stream) -> StreamFacts:
    context: Any = stream.codec_context
    codec = "" if context is None else str(context.name)
    if stream.type == "video" and stream.disposition & STILL_IMAGES:
        return StreamFacts("cover", codec)
    if stream.type == "video" and context is not None:
        rate: Any = getattr(stream, "average_rate", None)
        speed = f", {float(rate):.5g} frames a second" if rate else ""
        return StreamFacts(
            "video", codec, f"{context.width}x{context.height}, {context.pix_fmt}{speed}"
        )
    if stream.type == "audio" and context is not None:
        layout = f"{context.channels} channels"
        return StreamFacts("audio", codec, f"{context.rate} Hz, {layout}")
    return StreamFacts(str(stream.type), codec)


def _of_image(path: Path, start: _Start) -> FileFacts:
    reader = ImageReader(path)
    width, height = reader.info.size
    count = reader.info.frame_count or 1
    details = f"{width}x{height}" + (f", {count} frames" if count > 1 else "")
    return FileFacts(
        *start, path.suffix.lower().lstrip("."), None, (StreamFacts("image", "", details),)
    )
