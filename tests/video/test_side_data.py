"""What frames carry besides their pixels, and encoders would write into the output."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest
from PIL import Image, ImageCms

from tests.realtime.sources.reading import read_into
from tests.video_files import MIRRORED, pattern, write_clip
from tracker_blur.core.frame import Orientation
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.sources import CapturedFrame, CapturedItem
from tracker_blur.realtime.sources.file import FileSource
from tracker_blur.video import stream_info
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.side_data import SideDataFilter

from .rewriting import rewrite

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 6
SIZE = (64, 48)
NAME = "Anna's MacBook"


def video_of_images(path: Path, codec: str) -> Path:
    """Write a video whose frames are whole image files, with all that these may hold."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + NAME.encode()
    exif = Image.Exif()
    exif[0x010F] = NAME  # the maker
    exif[0x0112] = Orientation.TRANSPOSED.value
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
        stream.codec_context.open()
        for index in range(FRAMES):
            file = io.BytesIO()
            image = Image.fromarray(pattern(index, SIZE))
            image_format = "JPEG" if codec == "mjpeg" else "PNG"
            image.save(file, image_format, icc_profile=profile, exif=exif.tobytes())
            packet = av.Packet(file.getvalue())
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = index
            container.mux(packet)
    return path


@pytest.fixture(params=["mjpeg", "png"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return video_of_images(tmp_path / "in.mov", request.param)


def test_color_profiles_and_exif_of_frames_are_not_written(video: Path, tmp_path: Path) -> None:
    """A profile with a name also ended the process: PyAV freed it once too often."""
    output = rewrite(video, tmp_path / "out.mov")
    with av.open(str(output)) as container, av.open(str(video)) as source:
        codec = source.streams.video[0].codec_context.name
        assert container.streams.video[0].codec_context.name == codec
        payloads = b"".join(bytes(packet) for packet in container.demux() if packet.size)
    for mark in (b"ICC_PROFILE", b"iCCP", b"eXIf", b"Exif\0", NAME.encode()):
        assert mark not in payloads


def test_an_orientation_next_to_them_is_read(video: Path) -> None:
    with VideoReader(video) as reader:
        frames = list(reader)
    assert [frame.orientation for frame in frames] == [Orientation.TRANSPOSED] * FRAMES
    assert reader.info.size == SIZE[::-1]


def test_live_reads_it_too(video: Path) -> None:
    items: list[CapturedItem] = []
    read_into(items, FileSource(str(video), LiveTiming()))
    frames = [item.frame for item in items if isinstance(item, CapturedFrame)]
    matrices = [stream_info.display_matrix(frame) for frame in frames]
    assert [stream_info.orientation(matrix) for matrix in matrices] == (
        [Orientation.TRANSPOSED] * FRAMES
    )


def test_other_side_data_times_and_flags_stay(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=5, matrix=MIRRORED, interlaced=True)
    side_data = SideDataFilter()
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            clean = side_data.clean(frame)
            assert stream_info.display_matrix(clean) == MIRRORED
            for name in ("pts", "dts", "time_base", "duration", "key_frame", "interlaced_frame"):
                assert getattr(clean, name) == getattr(frame, name)
            assert (clean.to_ndarray() == frame.to_ndarray()).all()
