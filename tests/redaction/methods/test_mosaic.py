"""The drawn mosaic: nothing of the face is in it, but a color that is settled once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import LAYOUTS, ArrayFrame, noise_frame
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Orientation, PixelLayout, Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.redaction.methods import Patch
from tracker_blur.redaction.methods.mosaic import Mosaic
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

ORIENTATIONS = st.sampled_from(list(Orientation))
BOX = Box(30, 34, 60, 73)


def redactor(**changes: Any) -> FrameRedactor:
    return FrameRedactor(Settings(method="mosaic", **changes))


def face(box: Box, track_id: int = 1, label: str = "face") -> Face:
    return Face(track_id, box, 1.0, Origin.DETECTED, label=label)


def masks(
    frame: ArrayFrame, box: Box, label: str = "face", feather: float = 0.05
) -> list[npt.NDArray[np.bool_]]:
    """Return, for each plane, which samples are replaced entirely."""
    settings = Settings(method="solid", color="#808080", feather_ratio=feather)
    ends = []
    for level in (0, frame.layout.peak):
        planes = [Plane(np.full_like(p.samples, level), p.x_step, p.y_step) for p in frame.planes()]
        flat = ArrayFrame(planes, frame.layout, frame.orientation)
        FrameRedactor(settings).redact(flat, [face(box, 1, label)])
        ends.append(flat.samples())
    return [np.equal(one, other) for one, other in zip(*ends, strict=True)]


def colored(color: tuple[int, int, int], size: tuple[int, int] = (160, 120)) -> ArrayFrame:
    width, height = size
    planes = [Plane(np.full((height, width), level, np.uint8)) for level in color]
    return ArrayFrame(planes, PixelLayout("rgb"))


def center(frame: ArrayFrame, box: Box = BOX) -> tuple[int, ...]:
    """Return the samples in the middle of a box."""
    x, y = (int(value) for value in box.center)
    return tuple(int(plane.samples[y, x]) for plane in frame.planes())


@given(
    layout=st.sampled_from(sorted(LAYOUTS)),
    orientation=ORIENTATIONS,
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    box=st.builds(
        Box.from_xywh, st.floats(-40, 90), st.floats(-40, 90), st.floats(1, 80), st.floats(1, 80)
    ),
    track_id=st.integers(0, 9),
    label=st.sampled_from(["face", "plate"]),
)
def test_two_faces_give_the_same_samples(
    layout: str,
    orientation: Orientation,
    size: tuple[int, int],
    box: Box,
    track_id: int,
    label: str,
) -> None:
    frames = [noise_frame(layout, size, orientation, seed) for seed in (1, 2)]
    where = masks(frames[0], box, label)
    for frame in frames:
        redactor().redact(frame, [face(box, track_id, label)])
    for one, other, mask in zip(frames[0].samples(), frames[1].samples(), where, strict=True):
        np.testing.assert_array_equal(one[mask], other[mask])


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@given(orientation=ORIENTATIONS, feather=st.sampled_from([0, 0.05, 0.4]))
def test_what_is_under_the_mask_shows_nowhere(
    layout: str, orientation: Orientation, feather: float
) -> None:
    """Nor in the soft edge, which blends the drawing with what is left in sight anyway."""
    frames = [noise_frame(layout, (100, 100), orientation) for _ in range(2)]
    hidden = masks(frames[1], BOX, feather=feather)
    for plane, mask in zip(frames[1].planes(), hidden, strict=True):
        plane.samples[mask] = plane.samples[mask][::-1]
    for frame in frames:
        redactor(feather_ratio=feather).redact(frame, [face(BOX)])
    for one, other in zip(frames[0].samples(), frames[1].samples(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_color_is_settled_in_the_first_frame() -> None:
    hides = redactor()
    shown = []
    for index, color in enumerate([(200, 150, 120), (200, 150, 120), (20, 30, 60), (90, 200, 90)]):
        frame = colored(color)
        frame.index = index
        hides.redact(frame, [face(BOX)])
        shown.append(center(frame))
    assert len(set(shown)) == 1


def test_neutral_follows_no_light() -> None:
    shown = set()
    for level in (60, 120, 250):
        frame = colored((level, level // 2, level // 3))
        redactor().redact(frame, [face(BOX)])
        shown.add(center(frame))
    assert len(shown) == 1


def test_a_film_without_color_gains_none() -> None:
    frame = colored((90, 90, 90))
    redactor().redact(frame, [face(BOX)])
    red, green, blue = center(frame)
    assert red == green == blue


def test_color_that_comes_later_counts_and_stays() -> None:
    hides = redactor()
    shown = []
    for index, color in enumerate([(0, 0, 0), (90, 60, 40), (50, 50, 50)]):
        frame = colored(color)
        frame.index = index
        hides.redact(frame, [face(BOX)])
        shown.append(center(frame))
    assert len(set(shown[0])) == 1
    assert shown[1] == shown[2]
    assert shown[1][0] > shown[1][2] + 20


def test_faces_differ_by_their_numbers() -> None:
    shown = []
    for track_id in range(6):
        frame = colored((90, 60, 40))
        redactor().redact(frame, [face(BOX, track_id)])
        shown.append(frame.samples()[0])
    for number, one in enumerate(shown):
        for other in shown[:number]:
            assert np.abs(one.astype(int) - other).max() > 8


def hide(layout: str, size: tuple[int, int], box: Box, label: str = "face") -> Any:
    frame = noise_frame(layout, size)
    patch = Patch(frame.planes(), frame.layout, frame.orientation, box, box, 1, label)
    return Mosaic("neutral").hide(patch)


def edges(plane: npt.NDArray[Any], axis: int) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.any(np.diff(plane.astype(int), axis=axis), axis=1 - axis)) + 1


@pytest.mark.parametrize("label", ["face", "plate"])
def test_blocks_are_the_same_in_all_planes(label: str) -> None:
    box = Box(-14, 4, 106, 160)
    frame = noise_frame("yuv420p", (300, 300))
    memory = {"colorful": True}
    patch = Patch(
        frame.planes(), frame.layout, frame.orientation, box, box, 1, label, memory=memory
    )
    luma, blue, red = Mosaic("neutral").hide(patch)
    for axis in (0, 1):
        finer = set(edges(luma, axis).tolist())
        for chroma in (blue, red):
            assert {2 * edge for edge in edges(chroma, axis).tolist()} <= finer
        assert all(edge % 2 == 0 for edge in finer)


def test_the_blocks_of_a_face_are_square() -> None:
    (luma,) = hide("gray", (154, 200), Box(0, 0, 154, 200))
    assert len(edges(luma, 1)) + 1 == 9
    assert len(edges(luma, 0)) + 1 == 12
    for axis in (0, 1):
        assert set(np.diff(edges(luma, axis)).tolist()) <= {16, 17, 18}


def test_a_face_cut_by_the_border_keeps_its_blocks() -> None:
    (whole,) = hide("gray", (154, 200), Box(0, 0, 154, 200))
    (cut,) = hide("gray", (110, 200), Box(-44, 0, 110, 200))
    np.testing.assert_array_equal(cut, whole[:, 44:])


def test_blocks_of_a_plate_are_square() -> None:
    (luma,) = hide("gray", (300, 90), Box(0, 0, 300, 90), "plate")
    for lengths in (np.diff(edges(luma, 0)), np.diff(edges(luma, 1))):
        assert set(lengths.tolist()) <= {22, 23, 25, 26}


@pytest.mark.parametrize("orientation", list(Orientation))
def test_the_face_stands_upright(orientation: Orientation) -> None:
    frame = noise_frame("gray", (120, 120), orientation)
    redactor().redact(frame, [face(Box(40, 40, 80, 92))])
    upright = orientation.upright(frame.planes()[0].samples)
    assert upright[25:29, 55:65].mean() < 0.7 * upright[60:68, 55:65].mean()  # hair over nose


@pytest.mark.parametrize("orientation", list(Orientation))
def test_a_lying_face_is_drawn_lying(orientation: Orientation) -> None:
    frame = noise_frame("gray", (200, 200), orientation)
    redactor().redact(frame, [face(Box(70, 80, 130, 120))])
    upright = orientation.upright(frame.planes()[0].samples)
    rows, columns = edges(upright[95:105, 60:140], 1), edges(upright[75:125, 95:105], 0)
    assert len(rows) >= 5  # blocks are as wide as they are high
    assert np.diff(columns).mean() == pytest.approx(np.diff(rows).mean(), abs=1.5)
