"""Opens a media file for reading: this file and nothing else, no network, no noise."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from tracker_blur.errors import SourceError
from tracker_blur.files.regular import check_is_file

# Playlists name other files, and FFmpeg draws any text file as a picture of its letters.
_REFUSED_FORMATS = {"hls", "dash", "concat", "image2", "sdp", "tty", "bin", "xbin", "adf", "idf"}
STILL_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


def open_input(path: Path) -> InputContainer:
    """Open a file of any format that FFmpeg reads.

    Raises SourceError when it is missing, no file, empty, not permitted or not media.
    """
    check_is_file(path)
    if path.is_dir():
        raise SourceError(f"{path}: is a folder: name a file in it")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty: get the whole file")
    try:
        container = av.open(
            f"file:{path.resolve()}",  # never another protocol, whatever the name looks like
            container_options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file: check the name") from error
    except PermissionError as error:
        raise SourceError(f"{path}: reading is not permitted: change its permissions") from error
    except (av.FFmpegError, OSError) as error:
        raise SourceError(
            f"{path}: is no video that can be read, or not whole ({error_text(error)}): "
            "check that it plays"
        ) from error
    if _REFUSED_FORMATS & set(container.format.name.split(",")):
        container.close()
        raise SourceError(f"{path}: is no video but text or a list: name the video itself")
    return container


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the first track of moving pictures; cover art and thumbnails are none.

    Raises SourceError when there is none, or no decoder for it.
    """
    streams = [
        stream for stream in container.streams.video if not stream.disposition & STILL_PICTURES
    ]
    if not streams:
        raise SourceError(f"{path}: has no picture track: name a video")
    if streams[0].codec_context is None:
        raise SourceError(f"{path}: has pictures of an unknown kind: convert it to MP4 first")
    return streams[0]


def error_text(error: Exception) -> str:
    """Return FFmpeg's or the system's word for an error."""
    return (getattr(error, "strerror", None) or str(error)).lower()
