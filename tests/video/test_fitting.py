"""Frames whose shape differs from the first one's are fitted into it, unstretched."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from av.bitstream import BitStreamFilterContext
from skimage import data

from tests.video.rewriting import rewrite
from tests.video_files import write_clip
from tracker_blur import Settings, redact_video
from tracker_blur.core.frame import Orientation
from tracker_blur.video import alpha
from tracker_blur.video.fitting import FrameFitter, Shape, inner_size
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracker_blur.video.frame import DecodedFrame

Rgb = npt.NDArray[np.uint8]
UPRIGHT, TURNED = Orientation.UPRIGHT, Orientation.ROTATED_90_CLOCKWISE
SQUARE = Fraction(1)


def shape(
    width: int, height: int, aspect: Fraction = SQUARE, orientation: Orientation = UPRIGHT
) -> Shape:
    return Shape((width, height), aspect, orientation)


def scene(shown: Shape) -> Rgb:
    """Return what is stored of a gray upright scene with a white square, a quarter as high."""
    width = round(shown.size[0] * shown.pixel_aspect)
    upright = (shown.size[1], width) if shown.orientation.swaps_sides else (width, shown.size[1])
    image = np.full((upright[1], upright[0], 3), 90, np.uint8)
    side, x, y = upright[1] // 4, upright[0] // 4, upright[1] // 2
    image[y : y + side, x : x + side] = 255
    stored = np.ascontiguousarray(shown.orientation.stored(image))
    return np.asarray(cv2.resize(stored, shown.size, interpolation=cv2.INTER_AREA), np.uint8)


def frame_of(shown: Shape, pixel_format: str) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(scene(shown), "rgb24").reformat(format=pixel_format)
    frame.pts, frame.time_base = 7, Fraction(1, 25)
    return frame


def square_of(upright: Rgb, aspect: Fraction) -> tuple[float, float]:
    """Return the (width, height) of the white square in an upright picture, as shown."""
    rows, columns = np.nonzero(upright.min(axis=2) > 180)
    return (np.ptp(columns) + 1) * float(aspect), np.ptp(rows) + 1.0


@pytest.mark.parametrize(
    ("own", "common", "expected"),
    [
        (shape(960, 540), shape(360, 640), (360, 204)),
        (shape(640, 360), shape(1280, 720), (1280, 720)),
        (shape(1280, 720), shape(320, 180), (320, 180)),
        (shape(854, 480), shape(1280, 720), (1280, 720)),  # 1281 by rounding: no bars
        (shape(640, 360, SQUARE, TURNED), shape(640, 360), (204, 360)),
        (shape(640, 360, SQUARE, TURNED), shape(360, 640), (360, 640)),
        (shape(720, 576, Fraction(64, 45)), shape(720, 576, Fraction(16, 15)), (720, 432)),
        (shape(720, 576, Fraction(16, 15)), shape(720, 576, Fraction(64, 45)), (540, 576)),
        (shape(352, 576, Fraction(24, 11)), shape(704, 576, Fraction(12, 11)), (704, 576)),
    ],
)
def test_inner_size(own: Shape, common: Shape, expected: tuple[int, int]) -> None:
    assert inner_size(own, common) == expected


@pytest.mark.parametrize(
    "own",
    [
        shape(240, 400),
        shape(401, 241),
        shape(96, 54),
        shape(400, 300, Fraction(64, 45)),
        shape(400, 300, SQUARE, TURNED),
        shape(400, 300, Fraction(4, 3), Orientation.ROTATED_90_COUNTERCLOCKWISE),
        shape(400, 300, SQUARE, Orientation.MIRRORED),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("common", "pixel_format"),
    [
        (shape(320, 240), "yuv420p"),
        (shape(320, 240, Fraction(12, 11)), "yuv422p"),
        (shape(322, 240, SQUARE, TURNED), "yuv444p10le"),
        (shape(240, 320), "yuv411p"),
        (shape(320, 240), "gray"),
        (shape(320, 240), "gbrp"),
        (shape(320, 240), "yuva420p"),
    ],
)
def test_nothing_is_stretched(own: Shape, common: Shape, pixel_format: str) -> None:
    fitted = FrameFitter(common, pixel_format).fit(frame_of(own, pixel_format), own)
    assert (fitted.width, fitted.height, fitted.format.name) == (*common.size, pixel_format)
    assert (fitted.pts, fitted.time_base) == (7, Fraction(1, 25))
    stored = np.asarray(fitted.to_ndarray(format="rgb24"), np.uint8)
    aspect = 1 / common.pixel_aspect if common.orientation.swaps_sides else common.pixel_aspect
    width, height = square_of(np.asarray(common.orientation.upright(stored)), aspect)
    assert height > 8
    assert width == pytest.approx(height, abs=4.5)


def test_bars_are_black_and_opaque() -> None:
    common, own = shape(320, 240), shape(240, 400)
    fitted = FrameFitter(common, "yuva420p").fit(frame_of(own, "yuva420p"), own)
    gray = fitted.to_ndarray(format="gray")
    assert gray[:, :80].max() <= 16
    assert gray[:, -80:].max() <= 16
    assert gray[:, 100:220].min() > 60
    assert alpha.plane(fitted).min() == 255


def test_a_frame_of_the_common_shape_is_not_touched() -> None:
    own = shape(320, 240)
    frame = frame_of(own, "yuv420p")
    assert FrameFitter(own, "yuv420p").fit(frame, own) is frame


def joined(
    path: Path,
    parts: Sequence[Shape],
    codec: str,
    pictures: Sequence[Rgb] | None = None,
    turned: Sequence[int] = (),
) -> Path:
    """Write a video whose frames change their shape, 10 of each.

    Args:
        path: The file; of a format that has the codec's parameters in each key frame.
        parts: How each part is stored and shown; the orientation is not written.
        codec: FFmpeg's name of the encoder.
        pictures: What each part shows, as it is stored; None: `scene`.
        turned: The parts to which a message about their rotation is added.
    """
    with av.open(str(path), "w") as target:
        track: Any = None
        for number, part in enumerate(parts):
            own = path.with_stem(f"part{number}")
            picture = scene(part) if pictures is None else pictures[number]
            _write_part(own, part, codec, picture)
            with av.open(str(own)) as source:
                stream = source.streams.video[0]
                if track is None:
                    track = target.add_stream_from_template(stream, opaque=True)
                rotate = "h264_metadata=display_orientation=insert:rotate=270"
                message = BitStreamFilterContext(rotate if number in turned else "null", stream)
                for packet in source.demux(stream):
                    for ready in message.filter(packet) if packet.size else ():
                        assert ready.pts is not None
                        assert ready.dts is not None
                        shift = round(number * Fraction(10, 25) / ready.time_base)
                        ready.pts, ready.dts = ready.pts + shift, ready.dts + shift
                        ready.stream = track
                        target.mux(ready)
            own.unlink()
    return path


def _write_part(path: Path, part: Shape, codec: str, picture: Rgb) -> None:
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "bf": "2"} if codec == "libx264" else {"threads": "1"}
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = *part.size, "yuv420p"
        stream.codec_context.sample_aspect_ratio = part.pixel_aspect
        stream.codec_context.gop_size = 10
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def frames_of(path: Path) -> tuple[list[DecodedFrame], VideoReader]:
    with VideoReader(path) as reader:
        return list(reader), reader


def shown_square(frame: DecodedFrame, aspect: Fraction) -> tuple[float, float]:
    return square_of(frame.view(frame.size), aspect)


ANAMORPHIC, BROADCAST = Fraction(64, 45), Fraction(16, 15)


@pytest.mark.parametrize(
    ("name", "codec", "parts"),
    [
        ("turned.webm", "libvpx", [shape(180, 320), shape(480, 270)]),
        ("growing.webm", "libvpx", [shape(160, 90), shape(320, 180), shape(640, 360)]),
        ("shrinking.ts", "libx264", [shape(640, 360), shape(160, 120)]),
        ("h264.ts", "libx264", [shape(360, 288, BROADCAST), shape(360, 288, ANAMORPHIC)]),
        ("back.ts", "libx264", [shape(360, 288, ANAMORPHIC), shape(360, 288, BROADCAST)] * 2),
        ("mpeg2.ts", "mpeg2video", [shape(360, 288, BROADCAST), shape(360, 288, ANAMORPHIC)]),
        (
            "mpeg2.mpg",
            "mpeg2video",
            [shape(360, 288, ANAMORPHIC), shape(272, 288, Fraction(24, 17))],
        ),
    ],
)
def test_a_video_that_changes_its_shape(
    tmp_path: Path, name: str, codec: str, parts: list[Shape]
) -> None:
    frames, reader = frames_of(joined(tmp_path / name, parts, codec))
    largest = max(parts, key=lambda part: part.size[0] * part.pixel_aspect * part.size[1])
    assert len(frames) == 10 * len(parts)
    assert {frame.size for frame in frames} == {largest.size} == {reader.info.size}
    assert reader.info.pixel_aspect == largest.pixel_aspect
    for frame in frames:
        width, height = shown_square(frame, reader.info.pixel_aspect)
        assert width == pytest.approx(height, rel=0.12), frame.index
    assert [warning.partition(": ")[2] for warning in reader.warnings] == [
        f"after 10 frames, the shape changes from {parts[0]} to {parts[1]}: everything is fitted "
        f"into {largest}, on black"
    ]


@pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.mp4"])
def test_a_rotation_in_the_video_itself(tmp_path: Path, name: str) -> None:
    # A phone that is turned and turned back. The message comes with key frames only.
    upright, turned = shape(320, 240), shape(320, 240, SQUARE, TURNED)
    parts = [upright, turned, upright]
    source = joined(tmp_path / "in.ts", parts, "libx264", turned=[1])
    path = tmp_path / name
    if name != "a.ts":
        remux(source, path)
    else:
        source.rename(path)
    frames, reader = frames_of(path)
    assert [frame.size for frame in frames] == [(320, 240)] * 30
    for frame in frames:
        width, height = shown_square(frame, SQUARE)
        assert width == pytest.approx(height, rel=0.12)
        is_turned = 10 <= frame.index < 20
        assert (frame.view(frame.size)[:, :50].max() < 20) == is_turned, frame.index
    assert "from 320x240 to 240x320" in reader.warnings[0]


def remux(source: Path, target: Path) -> None:
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        track = writer.add_stream_from_template(reader.streams.video[0], opaque=True)
        for packet in reader.demux(video=0):
            if packet.size:
                packet.stream = track
                writer.mux(packet)


def test_a_container_that_corrects_the_aspect_corrects_all_frames(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", frames=8, pixel_aspect=Fraction(4, 3))
    frames, reader = frames_of(path)
    assert reader.info.pixel_aspect == Fraction(4, 3)
    assert len(frames) == 8
    assert reader.warnings == ()


def test_the_output_keeps_the_shape(tmp_path: Path) -> None:
    parts = [shape(180, 320), shape(480, 270)]
    source = joined(tmp_path / "in.webm", parts, "libvpx")
    for name in ("out.webm", "out.mp4"):
        frames, reader = frames_of(rewrite(source, tmp_path / name))
        assert len(frames) == 20
        assert reader.info.size == (480, 270)
        for frame in frames:
            width, height = shown_square(frame, reader.info.pixel_aspect)
            assert width == pytest.approx(height, rel=0.12), (name, frame.index)


@pytest.mark.parametrize("one_pass", [False, True])
def test_faces_are_hidden_in_every_shape(tmp_path: Path, one_pass: bool) -> None:
    face = np.asarray(data.astronaut()[0:300, 80:380], np.uint8)
    parts = [shape(360, 640), shape(960, 540)]
    pictures = []
    for part in parts:
        width, height = part.size
        picture = np.full((height, width, 3), (110, 120, 130), np.uint8)
        picture[height // 2 - 150 : height // 2 + 150, 30:330] = face
        pictures.append(picture)
    source = joined(tmp_path / "in.webm", parts, "libvpx", pictures)
    settings = Settings(method="solid", color="#00ff00", one_pass=one_pass)
    report = redact_video(source, tmp_path / "out.webm", settings)
    assert "changes from 360x640 to 960x540" in report.warnings[0]
    frames, _ = frames_of(tmp_path / "out.webm")
    assert len(frames) == 20
    for frame in frames:
        blue, green, red = np.moveaxis(frame.view(frame.size).astype(int), 2, 0)
        is_green = (green > 180) & (red < 90) & (blue < 90)
        ratio, left = (540 / 640, 328) if frame.index < 10 else (1, 0)
        # The middle of the face
        x, y, half = left + 190 * ratio, 270 - 40 * ratio, 40 * ratio
        middle = is_green[round(y - half) : round(y + half), round(x - half) : round(x + half)]
        assert middle.mean() > 0.95, frame.index
        assert is_green.mean() < 0.35, frame.index


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (64, 1), (1, 64), (3, 64)])
@pytest.mark.parametrize("other", [(2, 1), (64, 64), (200, 3)])
def test_frames_fit_into_shapes_of_a_few_pixels(
    size: tuple[int, int], other: tuple[int, int]
) -> None:
    common, own = (Shape(each, Fraction(1), Orientation.UPRIGHT) for each in (size, other))
    frame = av.VideoFrame.from_ndarray(np.full((*other[::-1], 3), 255, np.uint8), "rgb24")
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    fitted = FrameFitter(common, "gbrp").fit(frame, own)
    assert (fitted.width, fitted.height) == size
    assert fitted.to_ndarray(format="rgb24").max() == 255
