"""Pictures are read whole, upright, in their own depth, or not at all."""

from __future__ import annotations

import io
import itertools
import sys
import warnings
import zlib
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests.picture_files import frames, noise, pixels, png_chunk, png_file, portrait, saved
from tracker_blur.core.frame import Orientation, PixelLayout
from tracker_blur.errors import MissingPackageError, SourceError
from tracker_blur.images.reader import ImageReader

GRAY, RGB, GRAY_ALPHA, RGBA = (7, 9), (7, 9, 3), (7, 9, 2), (7, 9, 4)


@pytest.mark.parametrize(
    ("suffix", "shape"),
    [
        *itertools.product(["png", "tiff"], [GRAY, RGB, GRAY_ALPHA, RGBA]),
        *itertools.product(["bmp"], [GRAY, RGB]),
        *itertools.product(["webp"], [RGB, RGBA]),
    ],
)
def test_eight_bits_are_read_as_they_are(tmp_path: Path, suffix: str, shape: tuple[int]) -> None:
    array = noise(*shape)
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    (frame,) = frames(saved(array, tmp_path / f"a.{suffix}", **options))
    assert np.array_equal(pixels(frame), array)
    assert frame.layout == PixelLayout("gray" if shape in (GRAY, GRAY_ALPHA) else "rgb")


@pytest.mark.parametrize("shape", [GRAY, RGB, RGBA])
def test_sixteen_bits_of_a_png_stay(tmp_path: Path, shape: tuple[int]) -> None:
    array = noise(*shape, dtype=np.uint16)
    path = tmp_path / "a.png"
    path.write_bytes(png_file(array))
    (frame,) = frames(path)
    assert np.array_equal(pixels(frame), array)
    assert frame.layout.bits == 16


def test_sixteen_bits_of_gray_with_transparency_become_colors(tmp_path: Path) -> None:
    array = noise(*GRAY_ALPHA, dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(png_file(array))
    (frame,) = frames(tmp_path / "a.png")
    gray, alpha = array[..., 0], array[..., 1]
    assert np.array_equal(pixels(frame), np.stack([gray, gray, gray, alpha], axis=-1))


def test_a_png_with_a_transparent_color_gets_an_opacity(tmp_path: Path) -> None:
    for dtype in (np.uint8, np.uint16):
        array = noise(*RGB, dtype=dtype)
        color = array[2, 3].astype(">u2").tobytes()
        (tmp_path / "a.png").write_bytes(png_file(array, png_chunk(b"tRNS", color)))
        (frame,) = frames(tmp_path / "a.png")
        assert frame.alpha is not None
        assert frame.alpha[2, 3] == 0
        assert frame.alpha[0, 0] == np.iinfo(dtype).max
        assert np.array_equal(pixels(frame)[..., :3], array)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        (RGB, {"photometric": "rgb"}),
        (RGB, {"photometric": "rgb", "byteorder": ">"}),
        (RGB, {"photometric": "rgb", "compression": "zlib", "predictor": True}),
        ((32, 32, 3), {"photometric": "rgb", "tile": (16, 16)}),
        (RGBA, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (GRAY, {"photometric": "minisblack"}),
    ],
)
def test_sixteen_bits_of_a_tiff_stay(
    tmp_path: Path, shape: tuple[int], options: dict[str, Any]
) -> None:
    array = noise(*shape, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    (frame,) = frames(tmp_path / "a.tif")
    assert np.array_equal(pixels(frame), array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_where_zero_is_white_is_read_by_its_looks(tmp_path: Path, dtype: type) -> None:
    array = noise(*GRAY, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="miniswhite")
    (frame,) = frames(tmp_path / "a.tif")
    assert np.array_equal(pixels(frame), np.iinfo(dtype).max - array)


def test_a_fourth_sample_that_is_no_opacity_is_left_out(tmp_path: Path) -> None:
    array = noise(*RGBA, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["unspecified"])
    (frame,) = frames(tmp_path / "a.tif")
    assert np.array_equal(pixels(frame), array[..., :3])


def test_every_page_is_read_with_its_own_size_and_depth(tmp_path: Path) -> None:
    pages = [
        noise(5, 6, 3),
        noise(9, 4, dtype=np.uint16),
        noise(3, 8, 3, dtype=np.uint16),
        noise(4, 4),
    ]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in pages:
            writer.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")
    with ImageReader(tmp_path / "a.tif") as source:
        assert source.info.frame_count == 4
        assert source.info.size == (6, 5)
        assert not source.info.is_moving
        read = list(source)
    for frame, page in zip(read, pages, strict=True):
        assert np.array_equal(pixels(frame), page)
        assert frame.size == (page.shape[1], page.shape[0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("thumbnail_at", [0, 1, 2])
def test_a_thumbnail_among_the_pages_is_left_out(
    tmp_path: Path, thumbnail_at: int, dtype: type
) -> None:
    """Another picture of the same face, too small for a detector, is no page."""
    pages = [noise(24, 32, 3, dtype=dtype, seed=seed) for seed in range(2)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in (*pages[:thumbnail_at], None, *pages[thumbnail_at:]):
            if page is None:
                writer.write(noise(6, 8, 3, dtype=dtype), photometric="rgb", subfiletype=1)
            else:
                writer.write(page, photometric="rgb")
    with ImageReader(tmp_path / "a.tif") as source:
        assert source.info.frame_count == 2
        read = list(source)
    for frame, page in zip(read, pages, strict=True):
        assert np.array_equal(pixels(frame), page)


def test_a_tiff_of_thumbnails_alone_is_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise(6, 8, 3), photometric="rgb", subfiletype=1)
    with pytest.raises(SourceError, match="nothing but smaller copies"):
        ImageReader(tmp_path / "a.tif")


@pytest.mark.parametrize("orientation", list(Orientation))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "deep tiff"])
def test_pictures_are_turned_upright(tmp_path: Path, suffix: str, orientation: Orientation) -> None:
    stored = noise(16, 32, 3, seed=3)
    if suffix == "deep tiff":
        stored = stored.astype(np.uint16) * 257
    path = tmp_path / f"a.{suffix[-4:].strip()}"
    if "tiff" in suffix:
        tag = (274, 3, 1, orientation.value, True)
        tifffile.imwrite(path, stored, photometric="rgb", extratags=[tag])
    else:
        exif = Image.Exif()
        exif[274] = orientation.value
        Image.fromarray(stored).save(path, exif=exif, lossless=True)
    expected = orientation.upright(stored)
    with ImageReader(path) as source:
        (frame,) = source
    assert frame.orientation is Orientation.UPRIGHT
    assert source.info.size == frame.size == (expected.shape[1], expected.shape[0])
    if suffix == "jpg":
        expected = orientation.upright(np.asarray(Image.open(path)))
    assert np.array_equal(pixels(frame), expected)


def test_an_orientation_that_makes_no_sense_is_ignored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 9
    (frame,) = frames(saved(noise(4, 6, 3), tmp_path / "a.png", exif=exif))
    assert frame.size == (6, 4)


@pytest.mark.parametrize("start", [0, 8, 30])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "heic"])
def test_damaged_tags_do_not_keep_a_picture_from_being_read(
    tmp_path: Path, suffix: str, start: int
) -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09"}
    block = exif.tobytes()
    block = block[: 6 + start] + b"\xff" * (len(block) - start - 6)
    path = tmp_path / f"a.{suffix}"
    if suffix == "heic":
        heif = pytest.importorskip("pillow_heif", reason="needs the extra [heic]")
        heif.encode("RGB", (256, 256), portrait().tobytes(), str(path), exif=block)
    else:
        saved(portrait(), path, exif=block)
    (frame,) = frames(path)
    assert frame.size == (256, 256)


def test_a_bilevel_picture_is_black_and_white(tmp_path: Path) -> None:
    array = noise(8, 8) > 127
    saved(array, tmp_path / "a.png")
    (frame,) = frames(tmp_path / "a.png")
    assert np.array_equal(pixels(frame), array * np.uint8(255))
    assert frame.encoding.is_bilevel


def test_colors_for_print_become_colors_for_screens(tmp_path: Path) -> None:
    Image.fromarray(portrait()).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    (frame,) = frames(tmp_path / "a.jpg")
    assert frame.layout.family == "rgb"
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 8


def test_a_bad_profile_does_not_keep_colors_for_print_from_being_read(tmp_path: Path) -> None:
    picture = Image.fromarray(portrait()).convert("CMYK")
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(tmp_path / "a.jpg", quality=95, icc_profile=wrong)
    (frame,) = frames(tmp_path / "a.jpg")
    assert frame.encoding.icc_profile is None
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 8


def test_lab_colors_become_colors_for_screens(tmp_path: Path) -> None:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(Image.fromarray(portrait()), to_lab)
    assert lab is not None
    lab.save(tmp_path / "a.tif")
    (frame,) = frames(tmp_path / "a.tif")
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 8


def test_a_palette_becomes_colors(tmp_path: Path) -> None:
    picture = Image.fromarray(portrait()).quantize(32)
    picture.save(tmp_path / "a.png")
    (frame,) = frames(tmp_path / "a.png")
    assert np.array_equal(pixels(frame), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_an_animation_is_a_sequence_of_frames(tmp_path: Path, suffix: str) -> None:
    shown = [Image.fromarray(portrait()[i : i + 64, 80:150]) for i in (0, 20, 40)]
    shown = [image.quantize(64).convert("RGB") for image in shown]
    shown[0].save(
        tmp_path / f"a.{suffix}",
        save_all=True,
        append_images=shown[1:],
        duration=[100, 250, 40],
        loop=3,
        lossless=True,
    )
    with ImageReader(tmp_path / f"a.{suffix}") as source:
        assert source.info.is_moving
        assert source.info.frame_count == 3
        assert source.info.rate == 10
        read = list(source)
    assert [frame.index for frame in read] == [0, 1, 2]
    assert [frame.pts * frame.time_base for frame in read] == [0, Fraction(1, 10), Fraction(7, 20)]
    assert [frame.duration for frame in read] == [100_000, 250_000, 40_000]
    for frame, image in zip(read, shown, strict=True):
        assert np.array_equal(pixels(frame)[..., :3], np.asarray(image))


def test_a_picture_for_viewers_without_animations_is_no_frame(tmp_path: Path) -> None:
    shown = [Image.fromarray(noise(8, 8, 3, seed=i)) for i in range(3)]
    shown[0].save(
        tmp_path / "a.png",
        save_all=True,
        append_images=shown[1:],
        default_image=True,
        duration=50,
    )
    read = frames(tmp_path / "a.png")
    assert len(read) == 2
    assert np.array_equal(pixels(read[0]), np.asarray(shown[1]))


def test_further_pictures_in_a_jpeg_are_left_out(tmp_path: Path) -> None:
    main, preview = (Image.fromarray(noise(32, 32, 3, seed=i)) for i in (1, 2))
    main.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[preview])
    with Image.open(tmp_path / "a.jpg") as stored:
        assert stored.n_frames == 2  # type: ignore[attr-defined]  # MPO's own
    with ImageReader(tmp_path / "a.jpg") as source:
        assert source.info.frame_count == 1
        assert not source.info.is_moving
        assert len(list(source)) == 1


def test_a_heic_picture_is_read(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="needs the extra [heic]")
    path = tmp_path / "a.heic"
    heif.encode("RGB", (256, 256), portrait().tobytes(), str(path), quality=95)
    (frame,) = frames(path)
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 4


def test_ten_bits_of_a_heic_picture_stay(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="needs the extra [heic]")
    deep = portrait().astype(np.uint16) * 257
    heif.encode("RGB;16", (256, 256), deep.tobytes(), str(tmp_path / "a.heic"), quality=95)
    (frame,) = frames(tmp_path / "a.heic")
    assert frame.layout.bits == 16
    assert len(np.unique(pixels(frame))) > 300


def test_heic_without_its_package_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingPackageError, match=r"\.\[heic\]"):
        ImageReader(tmp_path / "a.heic")


@cache
def whole_files() -> dict[str, bytes]:
    """Return small files of each format, still and with several frames."""
    shown = [Image.fromarray(noise(12, 12, 3, seed=i)) for i in range(3)]
    files = {"deep png": png_file(noise(12, 12, 3, dtype=np.uint16))}
    deep = io.BytesIO()
    tifffile.imwrite(deep, noise(12, 12, 3, dtype=np.uint16), photometric="rgb")
    files["deep tiff"] = deep.getvalue()
    for name in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"):
        still, moving = io.BytesIO(), io.BytesIO()
        shown[0].save(still, name)
        files[name] = still.getvalue()
        if name in ("PNG", "WEBP", "TIFF", "GIF"):
            shown[0].save(moving, name, save_all=True, append_images=shown[1:], duration=50)
            files[f"moving {name}"] = moving.getvalue()
    return files


class TestViews:
    def test_a_view_is_a_reduced_bgr_picture(self, tmp_path: Path) -> None:
        (frame,) = frames(saved(portrait(), tmp_path / "a.png"))
        view = frame.view((64, 64))
        expected = cv2.resize(portrait()[..., ::-1], (64, 64), interpolation=cv2.INTER_AREA)
        assert np.array_equal(view, expected)
        assert view.flags.c_contiguous

    def test_a_view_of_full_size_is_a_copy(self, tmp_path: Path) -> None:
        (frame,) = frames(saved(portrait(), tmp_path / "a.png"))
        view = frame.view(frame.size)
        view[:] = 0
        assert np.array_equal(pixels(frame), portrait())

    def test_gray_is_seen_in_three_channels(self, tmp_path: Path) -> None:
        (frame,) = frames(saved(portrait()[..., 0].copy(), tmp_path / "a.png"))
        assert np.array_equal(frame.view((256, 256)), np.dstack([portrait()[..., 0]] * 3))

    def test_a_face_is_seen_where_only_the_lower_bits_are_used(self, tmp_path: Path) -> None:
        dark = portrait().astype(np.uint16) * 8  # 11 bits of 16
        tifffile.imwrite(tmp_path / "a.tif", dark, photometric="rgb")
        (frame,) = frames(tmp_path / "a.tif")
        assert np.abs(frame.view((256, 256))[..., ::-1].astype(int) - portrait()).max() <= 1

    def test_what_transparency_hides_is_seen(self, tmp_path: Path) -> None:
        clear = np.dstack([portrait(), np.zeros((256, 256), np.uint8)])
        (frame,) = frames(saved(clear, tmp_path / "a.png"))
        assert np.array_equal(frame.view((256, 256)), portrait()[..., ::-1])
        assert len(frame.planes()) == 3

    def test_a_very_long_picture_has_a_view(self, tmp_path: Path) -> None:
        (frame,) = frames(saved(noise(2, 40_000), tmp_path / "a.png"))
        assert frame.view((640, 1)).shape == (1, 640, 3)


class TestBadInput:
    def message(self, path: Path, **options: Any) -> str:
        with pytest.raises(SourceError) as caught:
            frames(path, **options)
        text = str(caught.value)
        assert str(path) in text
        assert "\n" not in text
        return text

    def test_a_missing_file(self, tmp_path: Path) -> None:
        assert "no such file" in self.message(tmp_path / "a.jpg")

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "is a folder" in self.message(tmp_path)

    def test_a_name_too_long_for_any_file(self, tmp_path: Path) -> None:
        assert "cannot be read" in self.message(tmp_path / ("n" * 300 + ".jpg"))

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").touch()
        assert "is empty" in self.message(tmp_path / "a.jpg")

    @pytest.mark.parametrize("content", [b"text\n" * 100, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
    def test_no_picture(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.jpg").write_bytes(content)
        self.message(tmp_path / "a.jpg")

    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "bmp", "gif"])
    @pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
    @pytest.mark.parametrize("partial", [False, True])
    def test_a_picture_that_breaks_off(
        self, tmp_path: Path, suffix: str, share: float, partial: bool
    ) -> None:
        path = saved(portrait(), tmp_path / f"a.{suffix}")
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        self.message(path, partial=partial)

    @pytest.mark.parametrize("kind", ["png", "tiff"])
    @pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
    def test_a_deep_picture_that_breaks_off(
        self, tmp_path: Path, kind: str, share: float, capfd: pytest.CaptureFixture[str]
    ) -> None:
        data = cv2.imencode(f".{kind}", noise(64, 64, 3, dtype=np.uint16))[1].tobytes()
        (tmp_path / "a").write_bytes(data[: int(len(data) * share)])
        self.message(tmp_path / "a")
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
    @pytest.mark.parametrize("cut_bytes", [30, 500])
    def test_several_frames_that_break_off(
        self, tmp_path: Path, suffix: str, cut_bytes: int
    ) -> None:
        path = self.animation(tmp_path / f"a.{suffix}")
        path.write_bytes(path.read_bytes()[:-cut_bytes])
        self.message(path)

    def test_a_gif_that_breaks_off_between_two_frames(self, tmp_path: Path) -> None:
        path = self.animation(tmp_path / "a.gif")
        data = path.read_bytes()
        path.write_bytes(data[: data.rindex(b"\x21\xf9\x04")])  # the last frame's control block
        assert "breaks off" in self.message(path)
        with ImageReader(path, partial=True) as source:
            assert len(list(source)) == 3
        assert "breaks off" in source.warnings[0]

    def test_stray_bytes_in_a_gif_are_passed_over(self, tmp_path: Path) -> None:
        path = self.animation(tmp_path / "a.gif")
        data = path.read_bytes()
        at = data.rindex(b"\x21\xf9\x04")
        path.write_bytes(data[:at] + bytes(3) + data[at:] + b"after the end")
        assert len(frames(path)) == 4

    @pytest.mark.parametrize("suffix", ["gif", "png"])
    def test_the_whole_frames_of_a_broken_animation_are_kept_on_demand(
        self, tmp_path: Path, suffix: str
    ) -> None:
        path = self.animation(tmp_path / f"a.{suffix}")
        whole = frames(path)
        path.write_bytes(path.read_bytes()[:-100])
        with ImageReader(path, partial=True) as source:
            kept = list(source)
        assert 1 <= len(kept) < len(whole)
        assert source.warnings
        for frame, same in zip(kept, whole, strict=False):
            assert np.array_equal(pixels(frame), pixels(same))

    def animation(self, path: Path) -> Path:
        shown = [Image.fromarray(noise(40, 40, 3, seed=i)) for i in range(4)]
        shown[0].save(path, save_all=True, append_images=shown[1:], duration=100)
        return path

    def test_a_file_that_unpacks_to_too_much(self, tmp_path: Path) -> None:
        header = (20_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
        (tmp_path / "a.png").write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + png_chunk(b"IHDR", header)
            + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
            + png_chunk(b"IEND", b"")
        )
        assert "too large" in self.message(tmp_path / "a.png")

    def test_a_large_picture_is_read_without_a_warning(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        path = saved(noise(60, 60), tmp_path / "a.png")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            assert len(frames(path)) == 1
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize(
        ("array", "options"),
        [
            (noise(*RGB).astype(np.float32), {"photometric": "rgb"}),
            (noise(*GRAY).astype(np.float32), {"photometric": "minisblack"}),
            (noise(*GRAY).astype(np.int16), {"photometric": "minisblack"}),
            (noise(*GRAY).astype(np.uint32), {"photometric": "minisblack"}),
            (noise(*RGBA, dtype=np.uint16), {"photometric": "separated"}),
            (
                noise(3, 7, 9, dtype=np.uint16),
                {"photometric": "rgb", "planarconfig": "separate"},
            ),
        ],
        ids=["float color", "float", "signed", "32 bit", "deep print colors", "deep planar"],
    )
    def test_pixels_that_could_not_be_written_again(
        self, tmp_path: Path, array: Any, options: dict[str, Any]
    ) -> None:
        tifffile.imwrite(tmp_path / "a.tif", array, **options)
        self.message(tmp_path / "a.tif")

    @given(data=st.data())
    @settings(max_examples=150)
    def test_whatever_the_damage_it_is_one_line(self, tmp_path: Path, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(whole_files())))
        damaged = bytearray(whole_files()[name])
        for _ in range(data.draw(st.integers(0, 4))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place] = data.draw(st.integers(0, 255))
        path = tmp_path / "damaged"
        path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
        try:
            read = frames(path, partial=data.draw(st.booleans()))
        except SourceError as error:
            assert str(path) in str(error)
            assert "\n" not in str(error)
        else:
            assert read

    def test_other_formats_that_pillow_reads(self, tmp_path: Path) -> None:
        file = io.BytesIO()
        Image.fromarray(noise(*RGB)).save(file, "PPM")
        (tmp_path / "a.png").write_bytes(file.getvalue())
        assert "is no picture that can be read" in self.message(tmp_path / "a.png")
