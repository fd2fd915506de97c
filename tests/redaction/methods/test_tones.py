"""The tones of a drawn mosaic: settled in the first frame, and what each of them takes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import LAYOUTS, ArrayFrame, noise_frame
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Orientation, PixelLayout, Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.redaction import color
from tracker_blur.redaction.areas import hidden_area
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.redaction.color import Color

BOX = Box(60, 54, 90, 93)
GRASS, SKY, NIGHT = (60, 120, 50), (120, 160, 220), (20, 22, 30)
LIGHT_SKIN, DARK_SKIN = (215, 175, 150), (80, 55, 42)


def face(track_id: int = 1, box: Box = BOX) -> Face:
    return Face(track_id, box, 1.0, Origin.DETECTED)


def redactor(tone: Any, **changes: Any) -> FrameRedactor:
    return FrameRedactor(Settings(method="mosaic", tone=tone, **changes))


def scene(
    surroundings: Color, skin: Color, layout: str = "rgb24", box: Box = BOX, index: int = 0
) -> ArrayFrame:
    """Return a frame in one color, and the hidden area around a face in another."""
    frame = noise_frame(layout, (160, 160))
    left, top, right, bottom = hidden_area(box, "face", 0.2).outward()
    outer, inner = (color.to_samples(each, frame.layout) for each in (surroundings, skin))
    for plane, around, within in zip(frame.planes(), outer, inner, strict=True):
        plane.samples[...] = around
        x, y = plane.x_step, plane.y_step
        plane.samples[top // y : bottom // y, left // x : right // x] = within
    frame.index = index
    return frame


def shown(frame: ArrayFrame, box: Box = BOX) -> list[float]:
    """Return the mean of each plane in the middle of the face."""
    left, top, right, bottom = box.padded(-0.2).outward()
    return [
        float(
            plane.samples[
                top // plane.y_step : bottom // plane.y_step,
                left // plane.x_step : right // plane.x_step,
            ].mean()
        )
        for plane in frame.planes()
    ]


def shown_in_turn(tone: str, frames: Sequence[ArrayFrame], track_id: int = 1) -> list[Any]:
    hides, seen = redactor(tone), []
    for index, frame in enumerate(frames):
        frame.index = index
        hides.redact(frame, [face(track_id)])
        seen.append(shown(frame))
    return seen


@pytest.mark.parametrize("tone", ["neutral", "scene", "mean"])
def test_a_tone_is_that_of_the_first_frame(tone: str) -> None:
    """Neither light nor expression changes it, nor another scene around the face."""
    frames = [
        scene(GRASS, LIGHT_SKIN),
        scene(GRASS, DARK_SKIN),
        scene(SKY, LIGHT_SKIN),
        scene(NIGHT, (0, 0, 0)),
    ]
    seen = shown_in_turn(tone, frames)
    assert all(each == seen[0] for each in seen)


@pytest.mark.parametrize("tone", ["neutral", "scene", "mean"])
def test_another_file_settles_again(tone: str) -> None:
    hides, seen = redactor(tone), []
    for around, skin in ((GRASS, LIGHT_SKIN), (NIGHT, DARK_SKIN)):
        frame = scene(around, skin)
        hides.redact(frame, [face()])
        seen.append(shown(frame))
    assert (seen[0] == seen[1]) is (tone == "neutral")


@pytest.mark.parametrize("tone", ["scene", "mean"])
def test_a_tone_stays_when_other_settings_are_used(tone: Any) -> None:
    hides, seen = redactor(tone), []
    for index, skin in enumerate((LIGHT_SKIN, DARK_SKIN)):
        frame = scene((GRASS, NIGHT)[index], skin, index=index)
        hides.redact(frame, [face()])
        seen.append(shown(frame))
        hides.use(Settings(method="mosaic", tone=tone, feather_ratio=0.2))
    assert seen[0] == pytest.approx(seen[1], abs=8)  # the drawing is larger by the soft edge


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@given(orientation=st.sampled_from(list(Orientation)))
def test_scene_takes_nothing_from_the_hidden_area(layout: str, orientation: Orientation) -> None:
    frames = [noise_frame(layout, (160, 160), orientation) for _ in range(2)]
    left, top, right, bottom = orientation.to_stored(
        hidden_area(BOX, "face", 0.3), frames[0].size
    ).outward()
    for plane in frames[1].planes():
        x, y = plane.x_step, plane.y_step
        inside = plane.samples[-(-top // y) : bottom // y, -(-left // x) : right // x]
        inside[...] = inside[::-1].copy()
    for frame in frames:
        redactor("scene", feather_ratio=0.0, shape="rectangle").redact(frame, [face()])
    for one, other in zip(frames[0].samples(), frames[1].samples(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("layout", ["rgb24", "yuv420p", "yuv420p10", "yuvj422p", "gbrp16"])
@pytest.mark.parametrize("around", [GRASS, SKY])
def test_scene_has_the_color_of_the_surroundings(layout: str, around: Color) -> None:
    frame, reference = scene(around, LIGHT_SKIN, layout), scene(around, around, layout)
    redactor("scene").redact(frame, [face()])
    ratio = frame.layout.peak / 255
    for value, wanted in zip(shown(frame), shown(reference), strict=True):
        assert abs(value - wanted) < 30 * ratio


def test_mean_knows_two_tones_only() -> None:
    seen = {
        tuple(shown_in_turn("mean", [scene(GRASS, (level, level, level))])[0])
        for level in range(0, 256, 15)
    }
    assert len(seen) == 2


def test_mean_separates_dark_from_light_and_nothing_else() -> None:
    light, dark, pale, brown = (
        shown_in_turn("mean", [scene(GRASS, skin)])[0]
        for skin in (LIGHT_SKIN, DARK_SKIN, (235, 215, 205), (95, 70, 60))
    )
    assert light == pale
    assert dark == brown
    assert light[0] > 1.4 * dark[0]


def test_mean_follows_no_surroundings() -> None:
    seen = [shown_in_turn("mean", [scene(around, DARK_SKIN)])[0] for around in (GRASS, SKY)]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("tone", ["neutral", "scene", "mean"])
def test_a_gray_film_stays_gray(tone: str) -> None:
    (seen,) = shown_in_turn(tone, [scene((90, 90, 90), (150, 150, 150))])
    assert np.ptp(seen) < 2


@pytest.mark.parametrize("tone", ["neutral", "scene", "mean"])
def test_a_face_that_fills_the_frame_has_a_tone(tone: Any) -> None:
    frame = ArrayFrame(
        [Plane(np.full((20, 20), level, np.uint8)) for level in (90, 60, 40)], PixelLayout("rgb")
    )
    redactor(tone).redact(frame, [face(box=Box(-30, -30, 60, 60))])
    assert all(0 < plane.samples.mean() < 255 for plane in frame.planes())


@pytest.mark.parametrize("tone", ["neutral", "mean"])
def test_plates_are_gray(tone: Any) -> None:
    frame = scene(GRASS, SKY)
    redactor(tone).redact(
        frame, [Face(1, Box(40, 70, 120, 90), 1.0, Origin.DETECTED, label="plate")]
    )
    red, green, blue = (plane.samples[75:85, 60:100].astype(int) for plane in frame.planes())
    assert np.abs(red - green).max() <= 1
    assert np.abs(red - blue).max() <= 1
