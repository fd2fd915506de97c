"""Transparency of videos: it stays where the output can hold it, and never shows what it hid."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from tests.video.rewriting import read_frames, rewrite
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.settings import Settings
from tracker_blur.video import alpha
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SHOWN, HIDDEN = (200, 40, 90), (20, 230, 30)
OPAQUE, CLEAR, HALF = (16, 48, 80)  # a column in each third of the frame

INPUTS = [
    ("in.webm", "libvpx-vp9", "yuva420p"),
    ("in.webm", "libvpx", "yuva420p"),
    ("in.mov", "png", "rgba"),
    ("in.mov", "png", "rgba64be"),
    ("in.mov", "qtrle", "argb"),
    ("in.mov", "prores_ks", "yuva444p10le"),
    ("in.mkv", "ffv1", "bgra"),
    ("in.mkv", "ffv1", "yuva420p10le"),
    ("in.avi", "utvideo", "gbrap"),
    ("in.avi", "magicyuv", "yuva444p"),
]


def thirds() -> npt.NDArray[np.uint8]:
    """Return an opaque, a transparent and a half transparent third, as RGBA."""
    image = np.empty((64, 96, 4), np.uint8)
    image[..., :3] = SHOWN
    image[:, 32:64, :3] = HIDDEN
    image[..., 3] = np.repeat([255, 0, 128], 32)
    return image


def write(path: Path, codec: str, pixel_format: str, images: Sequence[Any] = ()) -> Path:
    options = {"auto-alt-ref": "0", "b": "2M"} if codec.startswith("libvpx") else {}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
        for index, image in enumerate(images or [thirds()] * 4):
            frame = av.VideoFrame.from_ndarray(image, "rgba").reformat(format=pixel_format)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def stored(path: Path, decoder: str | None = None) -> npt.NDArray[Any]:
    """Return what any program can read of the last frame, as RGBA."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context: Any = av.CodecContext.create(decoder, "r") if decoder else stream.codec_context
        *_, last = (frame for packet in container.demux(stream) for frame in context.decode(packet))
        return np.asarray(last.reformat(format="rgba").to_ndarray())


class TestKept:
    """Outputs that hold an alpha channel."""

    @pytest.mark.parametrize(("name", "codec", "pixel_format"), INPUTS)
    @pytest.mark.parametrize("suffix", [".mov", ".mkv", ".webm"])
    def test_alpha_stays(
        self, tmp_path: Path, name: str, codec: str, pixel_format: str, suffix: str
    ) -> None:
        source = write(tmp_path / name, codec, pixel_format)
        target = rewrite(source, tmp_path / f"out{suffix}")
        with av.open(str(target)) as container:
            kind = container.streams.video[0].codec_context.codec.canonical_name
        row = stored(target, {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(kind))[32].astype(int)
        assert np.abs(row[[OPAQUE, CLEAR, HALF], 3] - (255, 0, 128)).max() <= 3
        assert np.abs(row[OPAQUE, :3] - SHOWN).max() <= 4
        assert np.abs(row[HALF, :3] - SHOWN).max() <= 4

    @pytest.mark.parametrize(("name", "codec", "pixel_format"), INPUTS)
    def test_what_it_hides_is_not_stored(
        self, tmp_path: Path, name: str, codec: str, pixel_format: str
    ) -> None:
        source = write(tmp_path / name, codec, pixel_format)
        for suffix in (".mov", ".mkv", ".webm", ".mp4", ".gif"):
            colors = stored(rewrite(source, tmp_path / f"out{suffix}"))[:, 36:60, :3]
            is_white = suffix == ".gif"  # what FFmpeg decodes as the color of nothing
            assert np.abs(colors.astype(int) - 255 * is_white).max() <= 6, suffix

    def test_it_is_stated_for_browsers(self, tmp_path: Path) -> None:
        target = rewrite(write(tmp_path / "in.mov", "qtrle", "argb"), tmp_path / "out.webm")
        assert b"\x53\xc0\x81\x01" in target.read_bytes()  # AlphaMode 1

    def test_alpha_that_begins_later_hides_too(self, tmp_path: Path) -> None:
        opaque = thirds()
        opaque[..., 3] = 255
        source = write(tmp_path / "in.mov", "png", "rgba", [opaque, opaque, thirds()])
        frames = [frame.av_frame.to_ndarray(format="rgba") for frame in read_frames(source)]
        assert tuple(frames[0][32, CLEAR]) == (*HIDDEN, 255)
        assert tuple(frames[2][32, CLEAR]) == (0, 0, 0, 0)


class TestLost:
    """Outputs that hold none."""

    @pytest.mark.parametrize(("name", "codec", "pixel_format"), INPUTS)
    def test_it_is_shown_on_black_and_reported(
        self, tmp_path: Path, name: str, codec: str, pixel_format: str
    ) -> None:
        source, target = write(tmp_path / name, codec, pixel_format), tmp_path / "out.mp4"
        with VideoReader(source) as frames, VideoWriter(target, source, frames, Settings()) as sink:
            for frame in frames:
                sink.write(RedactedFrame(frame))
        row = stored(target)[32].astype(int)
        assert np.abs(row[OPAQUE, :3] - SHOWN).max() <= 4
        assert np.abs(row[CLEAR, :3]).max() <= 4
        assert np.abs(row[HALF, :3] - np.array(SHOWN) // 2).max() <= 4
        assert sink.warnings == (
            f"{target}: is written without transparency, on black, as "
            f"{frames_codec(target)} in mp4 has none: choose .webm, .mov or .mkv to keep it",
        )

    def test_a_codec_without_alpha(self, tmp_path: Path) -> None:
        source, target = write(tmp_path / "in.mov", "png", "rgba"), tmp_path / "out.webm"
        with (
            VideoReader(source) as frames,
            VideoWriter(target, source, frames, Settings(codec="av1")) as sink,
        ):
            for frame in frames:
                sink.write(RedactedFrame(frame))
        assert np.abs(stored(target)[32, CLEAR, :3].astype(int)).max() <= 4
        assert "leave out the codec to keep it" in sink.warnings[0]

    def test_opaque_frames_are_not_reported(self, tmp_path: Path) -> None:
        opaque = thirds()
        opaque[..., 3] = 255
        source, target = write(tmp_path / "in.mov", "png", "rgba", [opaque]), tmp_path / "out.mp4"
        with VideoReader(source) as frames, VideoWriter(target, source, frames, Settings()) as sink:
            for frame in frames:
                sink.write(RedactedFrame(frame))
        assert sink.warnings == ()


class TestFrames:
    """Single frames of each kind of layout."""

    @pytest.mark.parametrize("name", ["yuva420p", "yuva422p10le", "yuva444p", "gbrap", "gbrap12le"])
    def test_odd_sides(self, name: str) -> None:
        image = np.ascontiguousarray(thirds()[:63, :95])
        frame = av.VideoFrame.from_ndarray(image, "rgba").reformat(format=name)
        alpha.clear_hidden(frame)
        assert np.abs(frame.to_ndarray(format="rgba")[:, 36:60, :3]).max() <= 2
        assert alpha.flatten(frame)
        shown = frame.to_ndarray(format="rgba").astype(int)
        assert shown[..., 3].min() == 255
        assert np.abs(shown[:, 68:, :3] - np.array(SHOWN) // 2).max() <= 4
        assert not alpha.flatten(frame)


def frames_codec(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.codec.canonical_name
