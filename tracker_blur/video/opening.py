"""Opens video files for reading, whatever their format.

Only the file itself is opened: no network, no other files. Nothing is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
from av.stream import Disposition

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.files.paths import check_is_file, is_file, is_media, real_path
from tracker_blur.video import ogg_chain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

STILL_IMAGES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""The dispositions of video tracks that hold cover art or thumbnails."""

# FFmpeg's demuxers for files that hold video, and some for audio, to say so of these files. Others
# open what a file names: playlists other files, image sequences whole folders. FFmpeg also
# draws any text as an image of its letters. So no other demuxer ever sees a file.
_FORMATS = (
    "3dostr,4xm,aac,aiff,anm,apng,asf,asf_o,av1,avi,avs,avs2,avs3,bethsoftvid,bfi,bink,c93,caf,"
    "cavsvideo,cdxl,cine,dirac,dnxhd,dsicin,dv,dxa,ea,evc,film_cpk,filmstrip,flac,flic,flv,gif,gxf,"
    "h261,h263,h264,hevc,hnm,idcin,iff,ipmovie,iss,ivf,iv8,ivr,jv,kux,live_flv,lmlm4,lxf,m4v,"
    "matroska,mjpeg,mjpeg_2000,mlv,mm,mov,moflex,mp3,mpeg,mpegts,mpegvideo,mtv,mv,mvi,mxf,mxg,nsv,"
    "nut,nuv,obu,ogg,paf,pmp,psxstr,pva,r3d,rl2,rm,roq,rpl,sga,siff,smjpeg,smk,smush,swf,thp,"
    "tiertexseq,tmv,ty,usm,vc1,vc1test,vividas,vivo,vmd,vvc,wav,wc3movie,wtv,wv,xmv,yop,"
    "yuv4mpegpipe"
)
# Their tracks are only listed where they begin, and what they hold only then. FFmpeg looks for five
# seconds, and keeps what it reads meanwhile in memory.
_UNLISTED_TRACKS = {"mpeg", "flv"}
_LONG_PROBE = {"probesize": str(64 << 20), "analyzeduration": str(3600 * av.time_base)}


def open_input(path: Path, options: dict[str, str] | None = None) -> InputContainer:
    """Open a file of any format that FFmpeg reads.

    Args:
        path: The file.
        options: For FFmpeg's demuxer.

    Raises:
        SourceError: The file is missing, no file, empty, not permitted or not media.
    """
    check_is_file(path)
    if path.is_dir():
        raise SourceError(f"{path}: is a folder: name a file in it")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty: get the complete file")
    given = options or {}
    container = _opened(path, given)
    formats = set(container.format.name.split(","))
    audio = container.streams.audio
    if _UNLISTED_TRACKS & formats or any(has_no_content(stream) for stream in audio):
        container.close()
        container = _opened(path, {**_LONG_PROBE, **given})
    if chain := ogg_chain.links(path) if "ogg" in formats else ():
        container.close()
        container = ogg_chain.open_link(path, chain[0], given)
    return container


def check_is_media(path: Path) -> None:
    """Check that a file whose name does not say so is a video, where its output's name is wrong.

    Such an output is mostly named after an input that cannot be redacted at all.

    Raises:
        SourceError: It is none.
    """
    if is_file(path) and not is_media(path):
        with open_input(path) as container:
            video_stream(container, path)


def has_no_content(stream: Stream) -> bool:
    """Return whether a track of audio is announced, but nothing of it was found."""
    context: Any = stream.codec_context
    return (
        stream.type == "audio" and context is not None and not (context.rate and context.channels)
    )


def _opened(path: Path, options: Mapping[str, str]) -> InputContainer:
    try:
        return av.open(
            f"file:{real_path(path)}",  # never another protocol, whatever the name looks like
            container_options={
                "protocol_whitelist": "file",
                "format_whitelist": _FORMATS,
                **options,
            },
            metadata_errors="replace",
        )
    except av.ArgumentError as error:  # no format of the list
        raise SourceError(
            f"{path}: is an image, a text or a playlist, not a video: give a video file"
        ) from error
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file: check the name") from error
    except PermissionError as error:
        raise SourceError(f"{path}: reading is not permitted: change its permissions") from error
    except (av.FFmpegError, OSError) as error:
        raise SourceError(
            f"{path}: is not a readable video, or not complete ({reason_of(error)}): "
            "check that it plays"
        ) from error


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the first video track that is not cover art or thumbnails.

    Raises:
        SourceError: There is none, or no decoder for it.
    """
    streams = [
        stream for stream in container.streams.video if not stream.disposition & STILL_IMAGES
    ]
    if not streams:
        raise SourceError(f"{path}: has no video track: name a video")
    if streams[0].codec_context is None:
        raise SourceError(f"{path}: its video codec is unknown: convert it to MP4 first")
    return streams[0]
