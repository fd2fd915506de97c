"""AVIF, still and animated: colors, orientation, metadata, durations, and what is refused."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import AvifImagePlugin, ExifTags, Image, features
from skimage.metrics import structural_similarity

from tests.image_files import (
    FACE,
    PROFILE,
    Array,
    blacken,
    noise,
    pillow_info,
    pixels,
    portrait,
    read_frames,
    rewrite,
    save_image,
)
from tracker_blur.core.frame import Orientation
from tracker_blur.errors import SinkError, SourceError
from tracker_blur.images import avif
from tracker_blur.images.frame import ImageFrame
from tracker_blur.images.reader import ImageReader

if TYPE_CHECKING:
    from pathlib import Path

TEN_BITS = bytes.fromhex(
    "00000020667479706176696600000000617669666d6966316d6961664d413141000000f76d6574610000"
    "00000000002f68646c720000000000000000706963740000000000000000000000005069637475726548"
    "616e646c6572000000000e7069746d0000000000010000001e696c6f6300000000440000010001000000"
    "010000011f000000620000002869696e660000000000010000001a696e66650200000000010000617630"
    "31436f6c6f72000000006869707270000000496970636f00000014697370650000000000000010000000"
    "100000000e7069786900000000010a0000000c6176314381005c0000000013636f6c726e636c78000200"
    "020002800000001769706d610000000000000001000104010283040000006a6d6461740a05180cffdbd4"
    "325910006e04a76e9d71fe64d7690b1b29d133768a3ecd2d00359189e11a4edac445ee98c2b7b01ffdbf"
    "578ec3a6f307f11ccd2950a2ba4737c576739313aac8fc4503f82c1ac61521df48d0c1a10fcfdd0b317a"
    "50b8bfb0ab9440"
)
"""All 256 steps of gray, 16 x 16, as 10 bits; written by FFmpeg with libaom, without loss."""

DISPLAY_P3 = struct.pack(">HH", 12, 13)
"""The codes of Display P3's primaries and curve (H.273, tables 2 and 3)."""


def avif_file(array: Array, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "AVIF", **options)
    return file.getvalue()


def cropped_file(array: Array) -> bytes:
    """Return an AVIF whose color profile is replaced by a crop to 100 x 100 pixels."""
    data = bytearray(avif_file(array, icc_profile=bytes(28)))
    at = data.index(b"colrprof")
    data[at : at + 36] = b"clap" + struct.pack(">8I", 100, 1, 100, 1, 0, 1, 0, 1)
    essential = data.index(b"ipma") + 18
    data[essential] |= 0x80
    return bytes(data)


def test_an_image_is_read_in_eight_bits(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    path.write_bytes(avif_file(portrait(), quality=95, subsampling="4:4:4"))
    with ImageReader(path) as source:
        assert source.info.frame_count == 1
        assert not source.info.is_moving
        assert source.info.rate == 10  # as for stills of other formats
        (frame,) = source
    assert frame.layout.bits == 8
    assert frame.alpha is None
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 2


def test_ten_bits_become_eight(tmp_path: Path) -> None:
    (tmp_path / "a.avif").write_bytes(TEN_BITS)
    (frame,) = read_frames(tmp_path / "a.avif")
    assert frame.layout.bits == 8
    steps = np.arange(256).reshape(16, 16)
    assert np.abs(frame.channels[0].astype(int) - steps).max() <= 1


@pytest.mark.parametrize("quality", [75, 90])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_pixels_outside_the_faces_look_the_same(
    tmp_path: Path, quality: int, subsampling: str
) -> None:
    source = tmp_path / "a.avif"
    source.write_bytes(avif_file(portrait(), quality=quality, subsampling=subsampling))
    target = rewrite(source, tmp_path / "b.avif", blacken)
    before, after = pixels(read_frames(source)[0]), pixels(read_frames(target)[0])
    assert structural_similarity(before[192:], after[192:], channel_axis=2) > 0.985
    left, top, right, bottom = FACE.outward()
    assert after[top + 8 : bottom - 8, left + 8 : right - 8].max() < 16


def test_transparency_is_kept(tmp_path: Path) -> None:
    alpha = np.zeros((256, 256), np.uint8)
    alpha[:, 128:] = 255
    source = tmp_path / "a.avif"
    source.write_bytes(avif_file(np.dstack([portrait(), alpha]), quality=95))
    (frame,) = read_frames(rewrite(source, tmp_path / "b.avif"))
    assert frame.alpha is not None
    assert np.abs(frame.alpha.astype(int) - alpha).max() < 8


@pytest.mark.parametrize("orientation", list(Orientation))
def test_images_are_turned_upright(tmp_path: Path, orientation: Orientation) -> None:
    stored = portrait()[:128]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation.value
    source = tmp_path / "a.avif"
    source.write_bytes(avif_file(stored, quality=95, exif=exif))
    expected = orientation.upright(stored)
    target = rewrite(source, tmp_path / "b.avif", metadata="keep")
    for path in (source, target):
        (frame,) = read_frames(path)
        assert pixels(frame).shape == expected.shape
        assert np.abs(pixels(frame).astype(int) - expected).mean() < 4
    for name in (b"irot", b"imir", b"Exif"):
        assert name not in target.read_bytes()


@pytest.mark.parametrize(("quarters", "orientation"), [(1, 8), (2, 3), (3, 6)])
def test_a_rotation_is_counterclockwise(tmp_path: Path, quarters: int, orientation: int) -> None:
    """ISO/IEC 23008-12, 6.5.10."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = avif_file(portrait(), quality=95, exif=exif)
    assert data[data.index(b"irot") + 4] == quarters
    (tmp_path / "a.avif").write_bytes(data)
    (frame,) = read_frames(tmp_path / "a.avif")
    assert np.abs(pixels(frame).astype(int) - np.rot90(portrait(), quarters)).mean() < 2


def test_the_orientation_in_exif_is_ignored(tmp_path: Path) -> None:
    """As the specification demands: properties of the image turn it, not its metadata."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.ResolutionUnit] = 6
    data = avif_file(portrait()[:128], exif=exif)
    unit = struct.pack(">HHIH", ExifTags.Base.ResolutionUnit, 3, 1, 6)
    turn = struct.pack(">HHIH", ExifTags.Base.Orientation, 3, 1, 6)
    little = struct.pack("<HHIH", ExifTags.Base.ResolutionUnit, 3, 1, 6)
    turn_little = struct.pack("<HHIH", ExifTags.Base.Orientation, 3, 1, 6)
    assert data.count(unit) + data.count(little) == 1
    path = tmp_path / "a.avif"
    path.write_bytes(data.replace(unit, turn).replace(little, turn_little))
    assert read_frames(path)[0].size == (256, 128)


def test_the_color_profile_is_kept(tmp_path: Path) -> None:
    source = tmp_path / "a.avif"
    source.write_bytes(avif_file(portrait(), icc_profile=PROFILE))
    for name in ("b.avif", "b.png"):
        assert pillow_info(rewrite(source, tmp_path / name))["icc_profile"] == PROFILE
    target = rewrite(tmp_path / "b.png", tmp_path / "c.avif")
    assert pillow_info(target)["icc_profile"] == PROFILE


def test_the_color_codes_are_kept(tmp_path: Path) -> None:
    data = avif.with_color_codes(avif_file(portrait()), DISPLAY_P3)
    assert avif.color_codes(data) == DISPLAY_P3
    assert data.count(b"colrnclx" + DISPLAY_P3) == 1
    (tmp_path / "a.avif").write_bytes(data)
    target = rewrite(tmp_path / "a.avif", tmp_path / "b.avif")
    assert avif.color_codes(target.read_bytes()) == DISPLAY_P3
    plain = rewrite(save_image(portrait(), tmp_path / "a.png"), tmp_path / "c.avif")
    assert avif.color_codes(plain.read_bytes()) == struct.pack(">HH", 1, 13)  # sRGB


class TestAnimations:
    def written(self, path: Path, **options: Any) -> Path:
        shown = [Image.fromarray(portrait()[i : i + 130, 70:200]) for i in (0, 20, 40)]
        shown[0].save(path, save_all=True, append_images=shown[1:], **options)
        return path

    def test_frames_and_durations_are_kept(self, tmp_path: Path) -> None:
        source = self.written(tmp_path / "a.avif", duration=[100, 50, 70], quality=90)
        target = rewrite(source, tmp_path / "b.avif")
        for path in (source, target):
            with ImageReader(path) as reader:
                assert reader.info.is_moving
                assert reader.info.frame_count == 3
                frames = list(reader)
            assert [frame.duration for frame in frames] == [100_000, 50_000, 70_000]
            for frame, top in zip(frames, (0, 20, 40), strict=True):
                expected = portrait()[top : top + 130, 70:200]
                assert np.abs(pixels(frame).astype(int) - expected).mean() < 4

    def test_the_color_codes_of_the_still_and_of_the_animation_are_kept(
        self, tmp_path: Path
    ) -> None:
        source = self.written(tmp_path / "a.avif", duration=50)
        source.write_bytes(avif.with_color_codes(source.read_bytes(), DISPLAY_P3))
        data = rewrite(source, tmp_path / "b.avif").read_bytes()
        assert data.count(b"colrnclx") == data.count(b"colrnclx" + DISPLAY_P3) == 2

    def test_other_animations_become_avif_and_the_reverse(self, tmp_path: Path) -> None:
        source = self.written(tmp_path / "a.webp", duration=[100, 50, 70], lossless=True)
        middle = rewrite(source, tmp_path / "b.avif")
        target = rewrite(middle, tmp_path / "c.png")
        for path in (middle, target):
            assert [frame.duration for frame in read_frames(path)] == [100_000, 50_000, 70_000]

    def test_a_thirtieth_of_a_second_does_not_drift(self) -> None:
        frame = ImageFrame((noise(4, 4),), duration=33_333)
        assert avif.durations([frame] * 6) == [33, 34, 33, 33, 34, 33]

    def test_frames_without_a_duration_are_shown_for_a_tenth_of_a_second(self) -> None:
        frames = [ImageFrame((noise(4, 4),), duration=value) for value in (0, 100, 0)]
        assert avif.durations(frames) == [100, 1, 99]


class TestRefusals:
    def message(self, path: Path) -> str:
        with pytest.raises(SourceError) as caught:
            read_frames(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    @pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
    def test_a_truncated_file_is_called_damaged(self, tmp_path: Path, share: float) -> None:
        data = avif_file(portrait())
        (tmp_path / "a.avif").write_bytes(data[: int(len(data) * share)])
        assert "is damaged or truncated" in self.message(tmp_path / "a.avif")

    def test_an_image_that_is_cropped_when_shown(self, tmp_path: Path) -> None:
        """Pillow gives all of it: what the owner has cut off would become visible."""
        data = cropped_file(portrait())
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (256, 256)
        (tmp_path / "a.avif").write_bytes(data)
        assert "is AVIF that is cropped by a property (clap)" in self.message(tmp_path / "a.avif")

    def test_a_build_of_pillow_without_avif(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.avif").write_bytes(avif_file(portrait()))
        source = save_image(portrait(), tmp_path / "a.png")
        monkeypatch.setattr(features, "check", lambda _: False)
        monkeypatch.setattr(AvifImagePlugin, "SUPPORTED", False)
        assert "this build of Pillow does not read" in self.message(tmp_path / "a.avif")
        with pytest.raises(SinkError, match="does not write AVIF: choose png or webp"):
            rewrite(source, tmp_path / "b.avif")
        assert not (tmp_path / "b.avif").exists()


@pytest.mark.parametrize("brand", [b"avif", b"mif1"])
def test_avif_of_the_common_brand_is_not_taken_for_heic(tmp_path: Path, brand: bytes) -> None:
    data = avif_file(portrait(), quality=95)
    (tmp_path / "a.avif").write_bytes(data[:8] + brand + data[12:])
    (frame,) = read_frames(tmp_path / "a.avif")
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 2
