"""Frames of any format become live frames of one format."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from tests.realtime.scripted_source import solid_frame
from tests.video_files import pattern, write_clip
from tracker_blur.realtime.live_frame import FormChanges, LiveFrameConverter
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedFrame, open_source
from tracker_blur.video.stream_info import ColorTags

if TYPE_CHECKING:
    from pathlib import Path


_ONE = 1 << 16
QUARTER_TURN = (0, _ONE, 0, -_ONE, 0, 0, 48 * _ONE, 0, 1 << 30)  # to the right


@pytest.mark.parametrize(
    "pixel_format",
    ["yuv420p", "yuvj420p", "yuvj422p", "yuv444p", "nv12", "yuv420p10le", "rgb24", "gray"],
)
def test_every_pixel_format_looks_the_same(pixel_format: str) -> None:
    source = av.VideoFrame.from_ndarray(pattern(3, (64, 48)), "rgb24")
    frame = LiveFrameConverter(None).convert(source.reformat(format=pixel_format), 1.5, 7.0)
    assert frame.av_frame.format.name == "yuv420p"
    assert not frame.layout.full_range
    assert frame.seconds == 1.5
    assert frame.captured_at == 7.0
    expected = source.to_ndarray(format="gray").astype(int)
    shown = av.VideoFrame.from_ndarray(frame.view((64, 48)), "bgr24")
    assert np.abs(shown.to_ndarray(format="gray").astype(int) - expected).mean() < 6


def test_frames_of_another_size_are_fitted_into_the_first_size() -> None:
    converter = LiveFrameConverter(None)
    assert converter.convert(solid_frame((65, 49)), 0, 0).size == (64, 48)
    tall = converter.convert(solid_frame((20, 80)), 1, 0)
    assert tall.size == (64, 48)
    luma = tall.planes()[0].samples
    assert (luma[:, :20] == 16).all()
    assert (luma[:, 44:] == 16).all()
    assert luma[24, 32] > 150
    large = converter.convert(solid_frame((128, 96)), 2, 0)
    assert large.planes()[0].samples.min() > 150


@pytest.mark.parametrize(
    ("stored", "pixel_aspect", "size"),
    [
        ((352, 576), Fraction(24, 11), (768, 576)),  # half D1, 4:3
        ((352, 576), Fraction(32, 11), (1024, 576)),  # half D1, 16:9
        ((720, 480), Fraction(8, 9), (720, 540)),
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),
        ((64, 48), Fraction(1), (64, 48)),
        ((64, 48), Fraction(1, 1_000_000), (2, 8192)),  # nonsense needs no memory
        ((64, 48), Fraction(1_000_000), (8192, 2)),
    ],
)
def test_pixels_become_square(
    stored: tuple[int, int], pixel_aspect: Fraction, size: tuple[int, int]
) -> None:
    frame = LiveFrameConverter(None).convert(solid_frame(stored), 0, 0, pixel_aspect)
    assert frame.size == size


def test_a_pixel_aspect_that_changes_keeps_the_shape() -> None:
    converter = LiveFrameConverter(None)
    assert converter.convert(solid_frame((72, 60)), 0, 0, Fraction(10, 9)).size == (80, 60)
    wide = converter.convert(solid_frame((72, 60)), 1, 0, Fraction(40, 27))  # 16:9
    luma = wide.planes()[0].samples
    assert luma.shape == (60, 80)
    assert (luma[:8] == 16).all()
    assert (luma[54:] == 16).all()
    assert luma[10:50].min() > 150


def test_a_pixel_aspect_that_changes_within_a_stream_is_noticed(tmp_path: Path) -> None:
    parts = [
        write_clip(tmp_path / f"{index}.ts", frames=12, size=(64, 48), pixel_aspect=aspect)
        for index, aspect in enumerate((Fraction(12, 11), Fraction(16, 11)))
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    source = open_source(str(path), LiveSettings(), realtime=True)
    source.open()
    frames = [item for item in source.read(threading.Event()) if isinstance(item, CapturedFrame)]
    source.close()
    aspects = [frame.pixel_aspect for frame in frames]
    assert set(aspects) == {Fraction(12, 11), Fraction(16, 11)}
    assert aspects == sorted(aspects)
    assert abs(aspects.count(Fraction(12, 11)) - 12) <= 2
    converter = LiveFrameConverter(None)
    shapes = []
    for frame in (frames[0], frames[-1]):
        luma = converter.convert(frame.frame, 0, 0, frame.pixel_aspect).planes()[0].samples
        shapes.append((luma.shape, int((luma.min(axis=1) > 16).sum())))
    assert shapes[0][0] == shapes[1][0] == (48, 70)
    assert shapes[1][1] == 36  # letterboxed: 93 x 48 in 70 pixels


def test_a_chosen_size_keeps_the_shape_of_pixels_that_are_not_square() -> None:
    frame = LiveFrameConverter((120, 60)).convert(solid_frame((36, 60)), 0, 0, Fraction(20, 9))
    luma = frame.planes()[0].samples
    assert luma[:, 20:100].min() > 150
    assert (luma[:, :18] == 16).all()


def test_rotated_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "clip.mp4",
        frames=3,
        size=(48, 64),
        pixel_aspect=Fraction(2),
        matrix=QUARTER_TURN,
    )
    source = open_source(str(path), LiveSettings(), realtime=True)
    source.open()
    items = [item for item in source.read(threading.Event()) if isinstance(item, CapturedFrame)]
    source.close()
    assert items[0].pixel_aspect == 2
    frame = LiveFrameConverter(None).convert(items[0].frame, 0, 0, items[0].pixel_aspect)
    assert frame.size == (64, 96)


RED, GREEN = (200, 40, 30), (30, 180, 60)
TOLERANCE = 5  # of swscale, twice; a wrong matrix is off by 15 or more


def by_tags(frame: av.VideoFrame) -> tuple[int, ...]:
    """Return the RGB color of a flat frame, read as its tags say."""
    matrix = {
        1: Colorspace.ITU709,
        5: Colorspace.ITU601,
        6: Colorspace.ITU601,
        9: Colorspace.BT2020,
    }
    rgb = frame.reformat(
        format="rgb24",
        src_colorspace=matrix[frame.colorspace],
        src_color_range=frame.color_range,
    )
    return tuple(rgb.to_ndarray()[10, 10].tolist())


def flat(
    color: tuple[int, int, int], size: tuple[int, int], matrix: Colorspace, tag: int, full: bool
) -> av.VideoFrame:
    """Return a YUV frame of one color, made by a matrix and with this tag of it."""
    rgb = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), color, np.uint8), "rgb24")
    color_range = ColorRange.JPEG if full else ColorRange.MPEG
    frame = rgb.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=color_range)
    frame.colorspace, frame.color_range = tag, color_range
    return frame


@pytest.mark.parametrize(("size", "tag"), [((640, 480), 6), ((1280, 720), 1)])
def test_the_matrix_of_a_bgr_camera_is_the_one_that_is_tagged(
    size: tuple[int, int], tag: int
) -> None:
    image = np.full((size[1], size[0], 3), RED[::-1], np.uint8)
    converter = LiveFrameConverter(None)
    frame = converter.convert(av.VideoFrame.from_ndarray(image, "bgr24"), 0, 0)
    assert converter.color == ColorTags(primaries=1, transfer=1, matrix=tag, range=1)
    assert frame.av_frame.colorspace == tag
    assert np.abs(np.subtract(by_tags(frame.av_frame), RED)).max() <= TOLERANCE


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("matrix", "tag", "height", "expected"),
    [
        (Colorspace.ITU709, 1, 480, 1),
        (Colorspace.ITU601, 5, 576, 5),
        (Colorspace.ITU601, 6, 720, 6),
        (Colorspace.BT2020, 9, 480, 9),
        (Colorspace.ITU601, 2, 480, 6),  # untagged
        (Colorspace.ITU709, 2, 720, 1),
    ],
)
def test_colors_are_tagged_as_the_source_means_them(
    matrix: Colorspace, tag: int, height: int, expected: int, full: bool
) -> None:
    converter = LiveFrameConverter(None)
    for color in (RED, GREEN):
        frame = converter.convert(flat(color, (640, height), matrix, tag, full), 0, 0)
        assert frame.av_frame.colorspace == converter.color.matrix == expected
        assert np.abs(np.subtract(by_tags(frame.av_frame), color)).max() <= TOLERANCE


def test_other_tags_are_converted_to_the_first_ones() -> None:
    converter = LiveFrameConverter((320, 240))
    for matrix, tag in (
        (Colorspace.ITU709, 1),
        (Colorspace.ITU601, 6),
        (Colorspace.BT2020, 9),
        (Colorspace.ITU601, 2),
    ):
        frame = converter.convert(flat(GREEN, (640, 480), matrix, tag, False), 0, 0)
        assert frame.av_frame.colorspace == 1
        assert np.abs(np.subtract(by_tags(frame.av_frame), GREEN)).max() <= TOLERANCE
        assert by_tags(frame.copy(0).av_frame) == by_tags(frame.av_frame)


def test_a_size_can_be_chosen() -> None:
    frame = LiveFrameConverter((33, 41)).convert(solid_frame((320, 180)), 0, 0)
    assert frame.size == (32, 40)


def test_a_copy_shares_no_memory_and_keeps_the_rest() -> None:
    frame = LiveFrameConverter(None).convert(solid_frame((64, 48)), 1.0, 2.0)
    copy = frame.copy(3.0)
    copy.planes()[0].samples[...] = 0
    assert frame.planes()[0].samples.min() > 100
    assert (copy.index, copy.captured_at, copy.seconds) == (frame.index, 2.0, 3.0)
    assert copy.av_frame.pts == 3_000_000


def test_its_memory_is_not_the_decoders(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=10)
    converter = LiveFrameConverter(None)
    with av.open(str(path)) as container:
        frames = [
            converter.convert(frame, index / 10, 0)
            for index, frame in enumerate(container.decode(video=0))
        ]
    for frame in frames:
        frame.planes()[0].samples[...] = frame.index
    assert [int(frame.planes()[0].samples.max()) for frame in frames] == list(range(10))


def test_a_rotated_file_is_turned_upright(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=3, size=(64, 48), matrix=QUARTER_TURN)
    source = open_source(str(path), LiveSettings(), realtime=True)
    source.open()
    items = [item for item in source.read(threading.Event()) if isinstance(item, CapturedFrame)]
    source.close()
    frame = LiveFrameConverter(None).convert(items[0].frame, 0, 0)
    assert frame.size == (48, 64)
    upright = np.rot90(pattern(0, (64, 48)).mean(axis=2), -1)
    assert np.abs(frame.view((48, 64)).mean(axis=2) - upright).mean() < 12


def test_each_change_of_the_form_is_counted() -> None:
    converter = LiveFrameConverter(None)
    forms = [
        converter.convert(frame, seconds, 0, aspect).form
        for seconds, (frame, aspect) in enumerate(
            [
                (solid_frame((64, 48)), Fraction(1)),
                (solid_frame((64, 48)), Fraction(1)),
                (solid_frame((48, 64)), Fraction(1)),
                (solid_frame((48, 64)), Fraction(2)),
                (solid_frame((64, 48)), Fraction(1)),
            ]
        )
    ]
    assert np.diff(forms).tolist() == [0, 1, 1, 1]
    converter.restart()  # reconnected
    last = converter.convert(solid_frame((64, 48)), 5, 0)
    assert last.form == forms[-1] + 1
    assert last.copy(6.0).form == last.form


def test_frames_soon_after_a_change_of_the_form_are_known() -> None:
    converter, changes = LiveFrameConverter(None), FormChanges(1.0)
    sizes = {0.0: (64, 48), 0.5: (64, 48), 1.0: (48, 48), 1.9: (48, 48), 2.0: (48, 48)}
    recent = {
        seconds: changes.is_recent(converter.convert(solid_frame(size), seconds, 0))
        for seconds, size in sizes.items()
    }
    assert recent == {0.0: False, 0.5: False, 1.0: True, 1.9: True, 2.0: False}
