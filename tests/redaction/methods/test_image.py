"""The image over a face: upright, cropped to fit, and always opaque."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.fakes import LAYOUTS, noise_frame
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Orientation
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.errors import SettingsError
from tracker_blur.redaction import color
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
BOX = Box(20, 24, 84, 104)


@pytest.fixture
def quarters(tmp_path: Path) -> Path:
    """Return an image with a red, a green, a blue and a white quarter."""
    pixels = np.zeros((60, 60, 3), np.uint8)
    pixels[:30, :30], pixels[:30, 30:], pixels[30:, :30], pixels[30:, 30:] = RED, GREEN, BLUE, WHITE
    Image.fromarray(pixels).save(tmp_path / "quarters.png")
    return tmp_path / "quarters.png"


def redactor(image: Path, **changes: Any) -> FrameRedactor:
    options = {"shape": "rectangle", "padding_ratio": 0.0, "feather_ratio": 0.0, **changes}
    return FrameRedactor(Settings(method="image", image=image, **options))


def face(box: Box = BOX) -> list[Face]:
    return [Face(1, box, 1.0, Origin.DETECTED)]


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("orientation", list(Orientation))
def test_the_image_is_upright_in_every_layout_and_orientation(
    layout: str, orientation: Orientation, quarters: Path
) -> None:
    size = (140, 120) if orientation.swaps_sides else (120, 140)
    frame = noise_frame(layout, size, orientation)
    redactor(quarters).redact(frame, face())
    for index, plane in enumerate(frame.planes()):
        full = plane.samples.repeat(plane.y_step, axis=0).repeat(plane.x_step, axis=1)
        upright = orientation.upright(full)
        for (x, y), value in (
            ((30, 35), RED),
            ((74, 35), GREEN),
            ((30, 93), BLUE),
            ((74, 93), WHITE),
        ):
            assert upright[y, x] == color.to_samples(value, frame.layout)[index]


def test_the_image_fills_the_box_and_its_soft_edge(tmp_path: Path) -> None:
    Image.new("RGB", (10, 300), RED).save(tmp_path / "tall.png")
    frame = noise_frame("rgb24", (120, 140))
    redactor(tmp_path / "tall.png", feather_ratio=0.2).redact(frame, face())
    red = frame.planes()[0].samples
    assert (red[24:104, 20:84] == 255).all()


def test_sides_are_cropped_not_squeezed(quarters: Path) -> None:
    frame = noise_frame("rgb24", (200, 100))
    redactor(quarters).redact(frame, face(Box(20, 40, 180, 60)))  # eight times as wide as high
    red, green, _ = (plane.samples for plane in frame.planes())
    assert red[42, 25] == 255
    assert green[42, 25] == 0
    assert red[42, 175] == 0
    assert green[42, 175] == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_show_the_color_and_never_the_face(mode: str, tmp_path: Path) -> None:
    clear = Image.new("RGBA", (20, 20), (90, 120, 200, 0))
    if mode == "P":
        clear.quantize(4).save(tmp_path / "clear.png", transparency=0)
    else:
        clear.convert(mode).save(tmp_path / "clear.png")
    frame = noise_frame("rgb24", (120, 140))
    redactor(tmp_path / "clear.png", color="#204060").redact(frame, face())
    for plane, value in zip(frame.planes(), (0x20, 0x40, 0x60), strict=True):
        assert (plane.samples[24:104, 20:84] == value).all()


def test_semitransparent_parts_are_blended_with_the_color(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20), (255, 255, 255, 128)).save(tmp_path / "half.png")
    frame = noise_frame("gray", (120, 140))
    redactor(tmp_path / "half.png").redact(frame, face())
    assert set(frame.planes()[0].samples[24:104, 20:84].ravel().tolist()) == {128}


def test_the_exif_orientation_is_applied(tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = WHITE
    photo = Image.fromarray(pixels)
    exif = photo.getexif()
    exif[274] = 3  # upside down
    photo.save(tmp_path / "photo.png", exif=exif)
    frame = noise_frame("gray", (120, 140))
    redactor(tmp_path / "photo.png").redact(frame, face())
    assert frame.planes()[0].samples[30, 50] == 0
    assert frame.planes()[0].samples[98, 50] == 255


@pytest.mark.parametrize(
    "box", [Box(-40, -30, 30, 50), Box(100, 120, 160, 190), Box(-9, -9, 400, 400)]
)
def test_a_face_cut_by_the_border_shows_the_matching_part_of_the_image(
    box: Box, quarters: Path
) -> None:
    frame = noise_frame("yuv420p", (121, 141))
    redactor(quarters, feather_ratio=0.1).redact(frame, face(box))
    inside = box.clipped(121, 141).outward()
    values = {color.to_samples(value, frame.layout)[0] for value in (RED, GREEN, BLUE, WHITE)}
    seen = frame.planes()[0].samples[inside[1] : inside[3], inside[0] : inside[2]]
    assert np.isin(seen, list(values)).mean() > 0.9  # the lines between the quarters are blended


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file or directory"),
        (b"", "not an image of a known format"),
        (b"\x89PNG\r\n\x1a\n broken", ""),
        (b"just text", "not an image of a known format"),
    ],
)
def test_an_unreadable_image_is_named_before_the_first_frame(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "logo.png"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(
        SettingsError, match=rf"^`image` is .*logo\.png, which cannot be read \({reason}"
    ):
        redactor(file)


def test_a_truncated_image_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "logo.png"
    Image.effect_noise((200, 200), 60).save(file)
    file.write_bytes(file.read_bytes()[:-9000])
    with pytest.raises(SettingsError, match=r"logo\.png"):
        redactor(file)
