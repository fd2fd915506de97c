"""The redactor hides a face to its last sample and leaves everything else untouched."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import LAYOUTS, ArrayFrame, noise_frame
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame, Orientation, PixelLayout, Plane, RedactedFrame, Samples
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.core.zones import ZONE
from tracker_blur.errors import SettingsError
from tracker_blur.redaction import color
from tracker_blur.redaction.areas import hidden_area, turns
from tracker_blur.redaction.redactor import FrameRedactor, _inner_first, duplicate
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.redaction.methods import Patch

FILL = "#20c060"
Mask = npt.NDArray[np.bool_]


def face(box: Box, track_id: int = 1) -> Face:
    return Face(track_id, box, 0.9, Origin.DETECTED)


def solid(**changes: Any) -> FrameRedactor:
    return FrameRedactor(Settings(method="solid", color=FILL, **changes))


def area_of(box: Box, padding: float) -> Box:
    """Return the area that is hidden for a face's first box."""
    return hidden_area(box, "face", padding, turns(box, "face", None))


def pixels_with_center_in_ellipse(box: Box, size: tuple[int, int]) -> Mask:
    """Return which pixels of an upright frame have their center in a box's ellipse."""
    (x, y), xs, ys = box.center, np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    across = ((xs - x) / (box.width / 2)) ** 2
    down = ((ys - y) / (box.height / 2)) ** 2
    return np.asarray(across + down[:, None] <= 1)


def of_plane(mask: Mask, plane: Plane) -> Mask:
    """Return which samples of a plane cover any of the mask's pixels, in stored orientation."""
    rows, columns = plane.samples.shape
    padded = np.zeros((rows * plane.y_step, columns * plane.x_step), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    blocks = padded.reshape(rows, plane.y_step, columns, plane.x_step)
    return np.asarray(blocks.any(axis=(1, 3)))


def assert_hidden(frame: ArrayFrame, upright: Mask) -> None:
    """Check that every sample that covers one of these pixels has the fill's value."""
    values = color.to_samples(color.parse(FILL), frame.layout)
    for plane, value in zip(frame.planes(), values, strict=True):
        covered = of_plane(frame.orientation.stored(upright), plane)
        assert (plane.samples[covered] == value).all()


def assert_untouched(frame: ArrayFrame, before: list[Any], upright: Mask) -> None:
    """Check that every sample that covers none of these pixels is as it was."""
    for plane, old in zip(frame.planes(), before, strict=True):
        far = ~of_plane(frame.orientation.stored(upright), plane)
        np.testing.assert_array_equal(plane.samples[far], old[far])


def whole_pixels(box: Box, size: tuple[int, int]) -> Mask:
    """Return the pixels that a box touches."""
    left, top, right, bottom = box.clipped(*size).outward()
    mask = np.zeros((size[1], size[0]), bool)
    mask[top:bottom, left:right] = True
    return mask


# Boxes of any size, down to a hundredth of a pixel, inside, across and outside the frame.
BOXES = st.builds(
    Box.from_xywh,
    st.floats(-60, 90),
    st.floats(-60, 90),
    st.floats(0.01, 80),
    st.floats(0.01, 80),
)
FRAMES = st.builds(
    noise_frame,
    st.sampled_from(sorted(LAYOUTS)),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.sampled_from(list(Orientation)),
)
RATIOS = st.one_of(st.just(0.0), st.floats(0, 0.6))


@given(FRAMES, BOXES, st.sampled_from(["ellipse", "rectangle"]), RATIOS, RATIOS)
def test_the_face_is_hidden_and_the_rest_is_untouched(
    frame: ArrayFrame, box: Box, shape: Any, padding: float, feather: float
) -> None:
    before = frame.samples()
    solid(shape=shape, padding_ratio=padding, feather_ratio=feather).redact(frame, [face(box)])

    area = area_of(box, padding)
    hidden = pixels_with_center_in_ellipse(area, frame.size)
    if shape == "rectangle":
        hidden = whole_pixels(area, frame.size)
    assert_hidden(frame, hidden)

    # Rounding to the coarsest grid (4 pixels) moves an edge by less than that, twice.
    rounded = area.outward()
    widest = Box(*(edge + 4 * side for edge, side in zip(rounded, (-1, -1, 1, 1), strict=True)))
    soft = widest.padded(feather)
    reach = Box(soft.left - 4, soft.top - 4, soft.right + 4, soft.bottom + 4)
    assert_untouched(frame, before, whole_pixels(reach, frame.size))


@given(FRAMES, st.lists(BOXES, max_size=6), st.sampled_from(["solid", "mosaic", "gaussian", "fog"]))
def test_overlapping_faces_are_hidden_as_if_one_by_one(
    frame: ArrayFrame, boxes: list[Box], method: str
) -> None:
    planes = [Plane(plane.samples.copy(), plane.x_step, plane.y_step) for plane in frame.planes()]
    same = ArrayFrame(planes, frame.layout, frame.orientation)
    faces = [face(box, number) for number, box in enumerate(boxes)]
    FrameRedactor(Settings(method=method)).redact(frame, faces)
    for one in drawn(faces):  # whose order the tests below are about
        FrameRedactor(Settings(method=method)).redact(same, [one])
    for together, apart in zip(frame.planes(), planes, strict=True):
        np.testing.assert_array_equal(together.samples, apart.samples)


def drawn(faces: list[Face]) -> list[Face]:
    """Return faces in the order in which they are drawn."""
    padding = Settings().padding_ratio
    hidden = [
        hidden_area(one.box, one.label, padding, turns(one.box, one.label, None)) for one in faces
    ]
    return [faces[number] for number in _inner_first(faces, hidden)]


def test_what_lies_in_a_much_larger_face_is_drawn_below_it() -> None:
    small, large, tiny = Box(40, 40, 60, 60), Box(20, 20, 100, 100), Box(45, 45, 50, 50)
    apart, about_as_large = Box(200, 40, 220, 60), Box(25, 25, 100, 100)
    boxes = [about_as_large, large, apart, small, tiny]
    order = drawn([face(box, number) for number, box in enumerate(boxes)])
    assert [boxes[one.track_id] for one in order] == [tiny, small, about_as_large, large, apart]
    zone = replace(face(large), label=ZONE)
    assert drawn([zone, face(small)]) == [zone, face(small)]
    solid_face = replace(face(small), method="solid")
    assert drawn([face(large), solid_face]) == [face(large), solid_face]


@pytest.mark.parametrize(
    "inner", [Box(40, 40, 60, 60), Box(58, 12, 68, 18)], ids=["an eye", "a badge above"]
)
def test_a_small_face_in_what_is_hidden_for_a_large_one_is_not_seen(inner: Box) -> None:
    large = Box(30, 30, 90, 100)
    mosaic, only_large = noise_frame("yuv420p", (128, 128)), noise_frame("yuv420p", (128, 128))
    FrameRedactor(Settings()).redact(mosaic, [face(large, 0), face(inner, 1)])
    FrameRedactor(Settings()).redact(only_large, [face(large, 0)])
    np.testing.assert_array_equal(mosaic.planes()[0].samples, only_large.planes()[0].samples)


@given(FRAMES, BOXES, RATIOS)
def test_an_ellipse_leaves_the_corners_untouched(
    frame: ArrayFrame, box: Box, feather: float
) -> None:
    before = frame.samples()
    solid(padding_ratio=0.0, feather_ratio=feather).redact(frame, [face(box)])

    area = area_of(box, 0.0)
    grown = Box.around(box.center, area.width + 10, area.height + 10)  # rounding and its reach
    soft = Box.around(
        box.center, grown.width * (1 + 2 * feather) + 14, grown.height * (1 + 2 * feather) + 14
    )
    assert_untouched(frame, before, pixels_with_center_in_ellipse(soft, frame.size))


@pytest.mark.parametrize("layout", ["gray", "yuv420p", "yuv411p"])
@given(shift=st.tuples(st.floats(0, 4), st.floats(0, 4)))
def test_every_pixel_the_ellipse_touches_is_hidden_despite_rounding(
    layout: str, shift: tuple[float, float]
) -> None:
    frame = noise_frame(layout, (64, 64))
    box = Box.from_xywh(9 + shift[0], 9 + shift[1], 40, 43)
    solid(padding_ratio=0, feather_ratio=0).redact(frame, [face(box)])
    x, y = box.center
    edges = np.arange(65)
    nearest_x = np.clip(x, edges[:-1], edges[1:])  # the point of each pixel nearest to the center
    nearest_y = np.clip(y, edges[:-1], edges[1:])
    touched = ((nearest_x - x) / 20) ** 2 + (((nearest_y - y) / 21.5) ** 2)[:, None] < 1
    assert_hidden(frame, touched)


@given(FRAMES, st.lists(BOXES, min_size=2, max_size=5), RATIOS)
def test_overlapping_faces_are_all_hidden(
    frame: ArrayFrame, boxes: list[Box], feather: float
) -> None:
    faces = [face(box, number) for number, box in enumerate(boxes)]
    solid(feather_ratio=feather).redact(frame, faces)
    for box in boxes:
        assert_hidden(frame, pixels_with_center_in_ellipse(box, frame.size))


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("orientation", list(Orientation))
def test_a_box_over_the_whole_frame_hides_the_last_row_and_column(
    layout: str, orientation: Orientation
) -> None:
    frame = noise_frame(layout, (33, 21), orientation)  # odd: chroma samples reach beyond
    box = Box(0, 0, *map(float, frame.size))
    solid(shape="rectangle", padding_ratio=0, feather_ratio=0).redact(frame, [face(box)])
    assert_hidden(frame, np.ones((frame.size[1], frame.size[0]), bool))


def test_the_soft_edge_fades_outside_of_the_hidden_area_only() -> None:
    levels = np.zeros((100, 100), np.uint8)
    frame = ArrayFrame([Plane(levels)], PixelLayout("gray"))
    redactor = FrameRedactor(
        Settings(method="solid", color="#ffffff", padding_ratio=0, feather_ratio=0.2)
    )
    redactor.redact(frame, [face(Box(30, 30, 70, 70))])
    across = levels[50]
    assert (across[30:70] == 255).all()
    assert (np.diff(across[70:79].astype(int)) < 0).all()
    assert 0 < across[77] < 60
    assert (across[80:] == 0).all()
    assert (across[:20] == 0).all()


@pytest.mark.parametrize(
    "box",
    [
        Box(5, 7, 6, 8),
        Box(5.4, 7.4, 5.6, 7.6),
        Box(5.9, 7.9, 6.1, 8.1),
        Box(5.5, 7.5, 5.5, 7.5),  # no area at all, and still a position
        Box(5, 7, 5, 7),
    ],
)
@pytest.mark.parametrize("layout", ["yuv420p", "gray"])
def test_tiny_boxes_hide_the_pixels_they_touch(box: Box, layout: str) -> None:
    frame = noise_frame(layout, (20, 20))
    solid(padding_ratio=0, feather_ratio=0).redact(frame, [face(box)])
    left, top, right, bottom = box.outward()
    mask = np.zeros((20, 20), bool)
    mask[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    assert_hidden(frame, mask)


@pytest.mark.parametrize("box", [Box(-50, 3, -20, 30), Box(3, 41, 20, 60), Box(500, 500, 501, 501)])
@pytest.mark.parametrize("method", ["gaussian", "pixelated", "fog", "solid"])
def test_a_face_outside_the_frame_changes_nothing(box: Box, method: str) -> None:
    frame = noise_frame("yuv420p", (40, 30))
    before = frame.samples()
    settings = Settings(method=method, padding_ratio=0.1, feather_ratio=0.1)
    FrameRedactor(settings).redact(frame, [face(box)])
    for plane, old in zip(frame.planes(), before, strict=True):
        np.testing.assert_array_equal(plane.samples, old)


@pytest.mark.parametrize(
    "box",
    [
        Box(math.nan, 0, 10, 10),
        Box(0, 0, 10, math.nan),
        Box(-math.inf, 0, 10, 10),
        Box(0, 0, math.inf, math.inf),
        Box(10, 0, 0, 10),
        Box(0, 10, 10, 0),
    ],
)
def test_an_invalid_box_is_rejected(box: Box) -> None:
    with pytest.raises(ValueError, match="face 7 has no valid box"):
        solid().redact(noise_frame("yuv420p", (20, 20)), [face(Box(0, 0, 9, 9)), face(box, 7)])


def test_without_faces_the_planes_are_not_accessed() -> None:
    class NoPlanes(ArrayFrame):
        def planes(self) -> tuple[Plane, ...]:
            raise AssertionError("the planes of a frame without faces were accessed")

    frame: Frame = NoPlanes([Plane(np.zeros((4, 4), np.uint8))], PixelLayout("gray"))
    assert solid().redact(frame, []) == RedactedFrame(frame)


def test_the_frame_is_redacted_in_place() -> None:
    frame = noise_frame("rgb24", (20, 20))
    assert solid().redact(frame, [face(Box(0, 0, 9, 9))]).frame is frame


class FakeMethod:
    """A method whose `hide` calls what it was made with, or raises it."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        if isinstance(self.result, Exception):
            raise self.result
        fills: tuple[Samples, ...] = self.result(patch)
        return fills


def redactor_with(method: FakeMethod, monkeypatch: pytest.MonkeyPatch) -> FrameRedactor:
    monkeypatch.setattr("tracker_blur.redaction.methods.solid.make", lambda settings: method)
    return FrameRedactor(Settings(method="solid"))


def test_errors_of_a_method_reach_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = redactor_with(FakeMethod(ArithmeticError("overheated")), monkeypatch)
    with pytest.raises(ArithmeticError, match="overheated"):
        redactor.redact(noise_frame("rgb24", (20, 20)), [face(Box(1, 1, 9, 9))])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda patch: tuple(plane.samples.copy() for plane in patch.planes[:1]),
        lambda patch: tuple(plane.samples[:1, :1].copy() for plane in patch.planes),
        lambda patch: tuple(plane.samples.astype(np.uint16) for plane in patch.planes),
    ],
    ids=["a plane missing", "another shape", "another type"],
)
def test_a_method_that_returns_wrong_samples_is_an_error(
    wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    redactor = redactor_with(FakeMethod(wrong), monkeypatch)
    with pytest.raises(ValueError, match=r"a method returned|argument"):
        redactor.redact(noise_frame("yuv420p", (20, 20)), [face(Box(1, 1, 9, 9))])


def test_a_box_far_larger_than_the_frame_hides_all_of_it() -> None:
    frame = noise_frame("yuv420p", (40, 30))
    solid().redact(frame, [face(Box(-1e7, -1e7, 1e7, 1e7))])
    assert_hidden(frame, np.ones((30, 40), bool))


@given(st.sampled_from(list(Orientation)), st.integers(1, 9), st.integers(1, 9))
def test_turning_upright_and_back_changes_nothing(
    orientation: Orientation, width: int, height: int
) -> None:
    stored = np.arange(width * height).reshape(height, width)
    np.testing.assert_array_equal(orientation.stored(orientation.upright(stored)), stored)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("orientation", [Orientation.UPRIGHT, Orientation.TRANSPOSED])
@pytest.mark.parametrize("size", [(64, 48), (63, 47), (3, 200)])
def test_a_blank_frame_shows_nothing_of_its_content(
    layout: str, orientation: Orientation, size: tuple[int, int]
) -> None:
    frame, other = (noise_frame(layout, size, orientation, seed=seed) for seed in (0, 1))
    blanked = FrameRedactor(Settings(blocks=40)).blank(frame)
    assert blanked.frame is frame
    FrameRedactor(Settings(method="solid")).blank(other)
    for plane, samples in zip(frame.planes(), other.samples(), strict=True):
        np.testing.assert_array_equal(plane.samples, samples)
        for axis in (0, 1):
            edges = (np.diff(plane.samples.astype(int), axis=axis) != 0).any(axis=1 - axis)
            assert edges.sum() <= 4
    assert frame.view(size if not orientation.swaps_sides else size[::-1]).mean() < 127


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_blank_frame_may_show_an_image(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "blank.png"
    cv2.imwrite(str(path), np.full((20, 30, 3), 127, np.uint8))
    frame = noise_frame(layout, (63, 47))
    FrameRedactor(Settings(), path).blank(frame)
    for plane in frame.planes():
        assert np.ptp(plane.samples) <= 1


def test_an_unreadable_blank_image_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.png"):
        FrameRedactor(Settings(), tmp_path / "none.png")


def test_a_duplicate_holds_a_copy_of_the_redacted_frame() -> None:
    frame, again = noise_frame("yuv420p", (20, 20)), noise_frame("yuv420p", (20, 20))
    redacted = solid().redact(frame, [face(Box(1, 1, 9, 9))])
    asked: list[Frame] = []

    def copy(given: Frame) -> Frame:
        asked.append(given)
        return again

    assert duplicate(redacted, copy).frame is again
    assert asked == [frame]


def test_a_missing_cover_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        FrameRedactor(Settings(), tmp_path / "none.png")
    assert str(caught.value) == (
        f"`cover` is {tmp_path / 'none.png'}, which cannot be read (no such file or directory): "
        "check the name"
    )


def test_a_face_near_a_square_does_not_turn_back_and_forth() -> None:
    redactor = solid(feather_ratio=0)
    shown = []
    for index, width in enumerate([38, 42, 39, 50, 41]):
        frame = ArrayFrame([Plane(np.zeros((200, 200), np.uint8))], PixelLayout("gray"))
        frame.index = index
        redactor.redact(frame, [face(Box.around((100, 100), width, 40))])
        rows, columns = np.nonzero(frame.planes()[0].samples)
        shown.append(bool(np.ptp(columns) > np.ptp(rows)))
    assert shown == [False, False, False, True, True]


def test_another_file_begins_upright() -> None:
    redactor = solid(feather_ratio=0)
    for width in (50, 38):
        frame = ArrayFrame([Plane(np.zeros((200, 200), np.uint8))], PixelLayout("gray"))
        redactor.redact(frame, [face(Box.around((100, 100), width, 40))])
        rows, columns = np.nonzero(frame.planes()[0].samples)
        assert bool(np.ptp(columns) > np.ptp(rows)) is (width == 50)


def test_other_settings_can_be_used_for_the_same_tracks() -> None:
    redactor = solid(feather_ratio=0)
    redactor.use(Settings(method="solid", color="#ffffff", feather_ratio=0))
    frame = ArrayFrame([Plane(np.zeros((40, 40), np.uint8))], PixelLayout("gray"))
    redactor.redact(frame, [face(Box(10, 10, 30, 30))])
    assert frame.planes()[0].samples[20, 20] == 255


def test_settings_that_do_not_suffice_leave_those_before(tmp_path: Path) -> None:
    redactor = solid()
    with pytest.raises(SettingsError):
        redactor.use(Settings(method="image", image=tmp_path / "none.png"))
    frame = noise_frame("rgb24", (40, 40))
    redactor.redact(frame, [face(Box(10, 10, 30, 30))])
    assert tuple(int(plane.samples[20, 20]) for plane in frame.planes()) == color.parse(FILL)
