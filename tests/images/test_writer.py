"""Pictures are written as their inputs were, but for the hidden faces and what could show them."""

from __future__ import annotations

import io
import itertools
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, TiffImagePlugin
from skimage.metrics import structural_similarity

from tests.picture_files import (
    FACE,
    Array,
    blacken,
    frames,
    noise,
    passed_on,
    pixels,
    png_chunk,
    png_file,
    portrait,
    saved,
    thumbnail,
)
from tracker_blur.core.box import Box
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.errors import MissingPackageError, SettingsError, SinkError
from tracker_blur.images.frame import ImageFrame, eight_bits
from tracker_blur.images.reader import ImageReader
from tracker_blur.images.writer import ImageWriter, side_by_side
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import Settings

GRAY, RGB, GRAY_ALPHA, RGBA = (37, 41), (37, 41, 3), (37, 41, 2), (37, 41, 4)
SPOT = Box(5, 6, 20, 17)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def spotted(array: Array, has_alpha: bool) -> Array:
    """Return the array with the spot black, its opacity as it was."""
    expected = array.copy()
    if array.ndim == 2:
        expected[6:17, 5:20] = 0
    else:
        expected[6:17, 5:20, : array.shape[2] - has_alpha] = 0
    return expected


def information(path: Path) -> dict[Any, Any]:
    """Return what Pillow tells of a file beside its pixels."""
    with Image.open(path) as image:
        return image.info


def in_colors(frame: ImageFrame) -> tuple[Array, ...]:
    return frame.channels if len(frame.channels) == 3 else frame.channels * 3


def hide_spot(frame: ImageFrame) -> None:
    blacken(frame, SPOT)


class TestPixelsOutsideTheFaces:
    @pytest.mark.parametrize(
        ("suffix", "shape", "dtype"),
        [
            *itertools.product(["png", "tiff"], [GRAY, RGB, GRAY_ALPHA, RGBA], [np.uint8]),
            *itertools.product(["png", "tiff"], [GRAY, RGB, RGBA], [np.uint16]),
            *itertools.product(["bmp"], [GRAY, RGB], [np.uint8]),
            *itertools.product(["webp"], [RGB, RGBA], [np.uint8]),
        ],
    )
    def test_stay_bit_identical_without_loss(
        self, tmp_path: Path, suffix: str, shape: tuple[int, ...], dtype: type
    ) -> None:
        array = noise(*shape, dtype=dtype)
        source = tmp_path / f"a.{suffix}"
        if dtype is np.uint8:
            options = {"lossless": True, "exact": True} if suffix == "webp" else {}
            saved(array, source, **options)
        elif suffix == "png":
            source.write_bytes(png_file(array))
        else:
            tifffile.imwrite(
                source,
                array,
                photometric="minisblack" if shape == GRAY else "rgb",
                extrasamples=["unassalpha"] if shape == RGBA else None,
            )
        target = passed_on(source, tmp_path / f"b.{suffix}", hide_spot)
        (written,) = frames(target)
        has_alpha = shape in (GRAY_ALPHA, RGBA)
        assert np.array_equal(pixels(written), spotted(array, has_alpha))
        assert pixels(written).dtype == dtype

    def test_of_a_bmp_with_transparency_stay(self, tmp_path: Path) -> None:
        array = noise(*RGBA)
        target = passed_on(saved(array, tmp_path / "a.png"), tmp_path / "b.bmp", hide_spot)
        again = passed_on(target, tmp_path / "c.bmp")
        assert np.array_equal(pixels(frames(again)[0]), spotted(array, has_alpha=True))

    def test_under_full_transparency_are_hidden_too(self, tmp_path: Path) -> None:
        clear = np.dstack([portrait(), np.zeros((256, 256), np.uint8)])
        for suffix in ("png", "webp", "tiff"):
            source = saved(clear, tmp_path / f"a.{suffix}", lossless=True, exact=True)
            target = passed_on(source, tmp_path / f"b.{suffix}", blacken)
            left, top, right, bottom = FACE.outward()
            assert not pixels(frames(target)[0])[top:bottom, left:right].any()

    def test_of_a_bilevel_picture_stay_and_it_stays_bilevel(self, tmp_path: Path) -> None:
        array = noise(*GRAY) > 127
        for suffix in ("png", "tiff", "bmp"):
            target = passed_on(
                saved(array, tmp_path / f"a.{suffix}"), tmp_path / f"b.{suffix}", hide_spot
            )
            with Image.open(target) as written:
                assert written.mode == "1"
                assert np.array_equal(np.asarray(written), spotted(array, has_alpha=False))

    def test_of_a_palette_stay_in_colors(self, tmp_path: Path) -> None:
        picture = Image.fromarray(portrait()).quantize(64)
        picture.save(tmp_path / "a.png")
        target = passed_on(tmp_path / "a.png", tmp_path / "b.png", blacken)
        (written,) = frames(target)
        expected = np.array(picture.convert("RGB"))
        left, top, right, bottom = FACE.outward()
        expected[top:bottom, left:right] = 0
        assert np.array_equal(pixels(written), expected)

    @pytest.mark.parametrize("quality", [50, 75, 95])
    @pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_of_a_jpeg_look_the_same_at_the_same_size(
        self, tmp_path: Path, quality: int, subsampling: str, progressive: bool
    ) -> None:
        source = saved(
            portrait(),
            tmp_path / "a.jpg",
            quality=quality,
            subsampling=subsampling,
            progressive=progressive,
        )
        target = passed_on(source, tmp_path / "b.jpg")
        before, after = Image.open(source), Image.open(target)
        assert after.quantization == before.quantization  # type: ignore[attr-defined]  # JPEG's own
        assert after.layer == before.layer  # type: ignore[attr-defined]  # the same
        assert bool(after.info.get("progressive")) == progressive
        alike = structural_similarity(np.asarray(before), np.asarray(after), channel_axis=2)
        assert alike > 0.995
        assert target.stat().st_size == pytest.approx(source.stat().st_size, rel=0.03)

    @pytest.mark.parametrize("orientation", [3, 6, 8])
    def test_of_a_turned_jpeg_look_the_same(self, tmp_path: Path, orientation: int) -> None:
        exif = Image.Exif()
        exif[274] = orientation
        source = saved(portrait(), tmp_path / "a.jpg", quality=75, exif=exif)
        before = pixels(frames(source)[0])
        target = passed_on(source, tmp_path / "b.jpg")
        with Image.open(target) as after:
            assert not after.getexif()
            assert structural_similarity(before, np.asarray(after), channel_axis=2) > 0.99
        assert target.stat().st_size == pytest.approx(source.stat().st_size, rel=0.03)

    def test_of_a_gray_jpeg_stay_gray(self, tmp_path: Path) -> None:
        source = saved(portrait()[..., 1].copy(), tmp_path / "a.jpg", quality=80)
        with Image.open(passed_on(source, tmp_path / "b.jpg")) as after:
            assert after.mode == "L"

    def test_of_a_jpeg_that_stores_rgb_stay_rgb(self, tmp_path: Path) -> None:
        source = saved(portrait(), tmp_path / "a.jpg", quality=80, keep_rgb=True)
        with Image.open(passed_on(source, tmp_path / "b.jpg")) as after:
            layers = after.layer  # type: ignore[attr-defined]  # JPEG's own
            assert [layer[0] for layer in layers] == [ord(c) for c in "RGB"]

    def test_of_a_lossy_webp_look_the_same(self, tmp_path: Path) -> None:
        source = saved(portrait(), tmp_path / "a.webp", quality=80)
        target = passed_on(source, tmp_path / "b.webp")
        assert b"VP8L" not in target.read_bytes()
        before, after = pixels(frames(source)[0]), pixels(frames(target)[0])
        assert structural_similarity(before, after, channel_axis=2) > 0.98

    @pytest.mark.parametrize("deep", [False, True])
    def test_of_a_heic_look_the_same(self, tmp_path: Path, deep: bool) -> None:
        heif = pytest.importorskip("pillow_heif", reason="needs the extra [heic]")
        array = portrait().astype(np.uint16) * 257 if deep else portrait()
        heif.encode(
            "RGB;16" if deep else "RGB",
            (256, 256),
            array.tobytes(),
            str(tmp_path / "a.heic"),
            quality=85,
            icc_profile=PROFILE,
        )
        target = passed_on(tmp_path / "a.heic", tmp_path / "b.heic", blacken)
        (before,), (after,) = frames(tmp_path / "a.heic"), frames(target)
        assert after.layout.bits == (16 if deep else 8)
        assert after.encoding.icc_profile == PROFILE
        views = before.view((256, 256)), after.view((256, 256))
        assert structural_similarity(views[0][192:], views[1][192:], channel_axis=2) > 0.98
        left, top, right, bottom = FACE.outward()
        assert views[1][top + 8 : bottom - 8, left + 8 : right - 8].max() < 16


@pytest.mark.shared
@pytest.mark.parametrize(
    "kind",
    [
        "jpg",
        "turned jpg",
        "print jpg",
        "dark tif",
        "gif",
        "moving webp",
        "clear png",
        "second page",
    ],
)
def test_the_face_is_seen_before_and_not_after(tmp_path: Path, kind: str, shared: Path) -> None:
    source = stored(tmp_path, kind)
    target = passed_on(source, tmp_path / f"b{source.suffix}", blacken)
    detector = cv2.FaceDetectorYN.create(
        str(shared / "models" / "face_detection_yunet_2023mar.onnx"), "", (256, 256), 0.6
    )
    for path, is_seen in ((source, True), (target, False)):
        for frame in frames(path):
            _, found = detector.detect(frame.view(frame.size))
            assert (found is not None) == is_seen
            if is_seen:
                assert Box.from_xywh(*(float(v) for v in found[0][:4])).iou(FACE) > 0.6


def stored(folder: Path, kind: str) -> Path:
    """Store the portrait so that a careless reader misses its face."""
    picture = Image.fromarray(portrait())
    path = folder / f"a.{kind.split()[-1].replace('page', 'tif')}"
    options: dict[str, Any] = {"quality": 95}
    if kind == "turned jpg":
        picture = picture.transpose(Image.Transpose.ROTATE_90)  # counterclockwise
        options["exif"] = Image.Exif()
        options["exif"][274] = 6
    elif kind == "print jpg":
        picture = picture.convert("CMYK")
    elif kind == "dark tif":
        tifffile.imwrite(path, portrait().astype(np.uint16) * 4, photometric="rgb")
        return path
    elif kind == "moving webp":
        options |= {"save_all": True, "append_images": [picture.copy()], "duration": 50}
    elif kind == "clear png":
        picture.putalpha(0)
    elif kind == "second page":
        tifffile.imwrite(path, np.stack([portrait(), portrait()]), photometric="rgb")
        return path
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_redactor_changes_the_face_and_what_is_near(
    tmp_path: Path, suffix: str, dtype: type
) -> None:
    array = portrait().astype(dtype) * (257 if dtype is np.uint16 else 1)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb")
    options = Settings(padding_ratio=0.1, feather_ratio=0.1)
    redactor = Redactor(options)
    face = Face(0, FACE, 1.0, Origin.DETECTED)
    with (
        ImageReader(tmp_path / "a.tif") as source,
        ImageWriter(tmp_path / f"b.{suffix}", source, options) as sink,
    ):
        for frame in source:
            sink.write(redactor.redact(frame, [face]))
    (written,) = frames(tmp_path / f"b.{suffix}")
    changed = (pixels(written) != array).any(axis=2)
    left, top, right, bottom = FACE.outward()
    assert changed[top:bottom, left:right].mean() > 0.8
    changed[top - 32 : bottom + 32, left - 32 : right + 32] = False
    assert not changed.any()


class TestStorage:
    @pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
    def test_a_tiff_keeps_its_compression(self, tmp_path: Path, compression: str) -> None:
        source = saved(portrait(), tmp_path / "a.tif", compression=compression)
        with Image.open(passed_on(source, tmp_path / "b.tif")) as written:
            assert written.info["compression"] == compression
            assert np.array_equal(np.asarray(written), portrait())

    @pytest.mark.parametrize(("compression", "number"), [("raw", 1), ("lzw", 5), ("zlib", 8)])
    def test_a_deep_tiff_keeps_its_compression(
        self, tmp_path: Path, compression: str, number: int
    ) -> None:
        deep = portrait().astype(np.uint16) * 257
        code = [cv2.IMWRITE_TIFF_COMPRESSION, number]
        cv2.imwrite(str(tmp_path / "a.tif"), deep, code)
        target = passed_on(tmp_path / "a.tif", tmp_path / "b.tif")
        with tifffile.TiffFile(target) as written:
            assert written.pages[0].compression in (number, 32946)
            assert written.pages[0].bitspersample == 16
        assert np.array_equal(cv2.imread(str(target), cv2.IMREAD_UNCHANGED), deep)

    def test_a_fax_keeps_its_compression(self, tmp_path: Path) -> None:
        source = saved(noise(*GRAY) > 127, tmp_path / "a.tif", compression="group4")
        with Image.open(passed_on(source, tmp_path / "b.tif", hide_spot)) as written:
            assert written.info["compression"] == "group4"

    def test_a_tiff_with_jpeg_inside_stays_small(self, tmp_path: Path) -> None:
        source = saved(portrait(), tmp_path / "a.tif", compression="jpeg", quality=95)
        target = passed_on(source, tmp_path / "b.tif")
        with Image.open(target) as written:
            assert written.info["compression"] == "jpeg"
        assert target.stat().st_size < 1.5 * source.stat().st_size

    def test_premultiplied_transparency_stays_so(self, tmp_path: Path) -> None:
        array = noise(*RGBA, dtype=np.uint16)
        tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["assocalpha"])
        target = passed_on(tmp_path / "a.tif", tmp_path / "b.tif")
        with tifffile.TiffFile(target) as written:
            assert written.pages[0].extrasamples == (1,)
            assert np.array_equal(written.asarray(), array)

    def test_pages_keep_their_sizes_depths_and_compressions(self, tmp_path: Path) -> None:
        pages = [
            (noise(30, 21, 3), "rgb", None),
            (noise(29, 24, dtype=np.uint16), "minisblack", "zlib"),
            (noise(33, 28, 3, dtype=np.uint16), "rgb", "zlib"),
            (noise(24, 24), "minisblack", None),
        ]
        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            for page, photometric, compression in pages:
                writer.write(page, photometric=photometric, compression=compression)
        target = passed_on(tmp_path / "a.tif", tmp_path / "b.tif", hide_spot)
        with tifffile.TiffFile(target) as written:
            assert len(written.pages) == 4
            for (page, _, compression), stored in zip(pages, written.pages, strict=True):
                assert np.array_equal(stored.asarray(), spotted(page, has_alpha=False))
                assert (stored.compression == 8) == (compression == "zlib")

    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
    def test_the_color_profile_is_kept(self, tmp_path: Path, suffix: str) -> None:
        source = saved(portrait(), tmp_path / f"a.{suffix}", icc_profile=PROFILE)
        target = passed_on(source, tmp_path / f"b.{suffix}")
        with Image.open(target) as written:
            assert written.info["icc_profile"] == PROFILE

    @pytest.mark.parametrize("suffix", ["png", "tif"])
    def test_the_color_profile_of_a_deep_picture_is_kept(self, tmp_path: Path, suffix: str) -> None:
        array = noise(*RGB, dtype=np.uint16)
        tag = (34675, 7, len(PROFILE), PROFILE, True)
        tifffile.imwrite(
            tmp_path / "a.tif", array, photometric="rgb", extratags=[tag], resolution=(300, 300)
        )
        target = passed_on(tmp_path / "a.tif", tmp_path / f"b.{suffix}")
        with Image.open(target) as written:
            assert written.info["icc_profile"] == PROFILE
        assert np.array_equal(pixels(frames(target)[0]), array)

    @pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "bmp"])
    def test_the_resolution_is_kept(self, tmp_path: Path, suffix: str) -> None:
        source = saved(portrait(), tmp_path / f"a.{suffix}", dpi=(300, 150))
        with Image.open(passed_on(source, tmp_path / f"b.{suffix}")) as written:
            assert [round(value) for value in written.info["dpi"]] == [300, 150]

    @pytest.mark.parametrize("depth", [np.uint8, np.uint16])
    def test_how_the_colors_of_a_png_are_meant_is_kept(self, tmp_path: Path, depth: type) -> None:
        meant = png_chunk(b"gAMA", struct.pack(">I", 100_000))
        meant += png_chunk(b"cICP", bytes([9, 16, 0, 1]))
        meant += png_chunk(b"pHYs", struct.pack(">IIB", 2, 1, 0))
        told = png_chunk(b"tEXt", b"Comment\0secret") + png_chunk(b"prVt", b"secret")
        (tmp_path / "a.png").write_bytes(png_file(noise(*RGB, dtype=depth), meant + told))
        written = passed_on(tmp_path / "a.png", tmp_path / "b.png").read_bytes()
        assert meant in written
        assert b"secret" not in written


class TestAnimations:
    def written(self, tmp_path: Path, suffix: str, **options: Any) -> Path:
        shown = [Image.fromarray(portrait()[i : i + 130, 70:200]) for i in (0, 20, 40)]
        path = tmp_path / f"a.{suffix}"
        shown[0].save(path, save_all=True, append_images=shown[1:], **options)
        return path

    @pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
    def test_pixels_outside_the_faces_stay(self, tmp_path: Path, suffix: str) -> None:
        source = self.written(tmp_path, suffix, duration=[100, 50, 70], lossless=True)
        target = passed_on(source, tmp_path / f"b.{suffix}", hide_spot)
        before, after = frames(source), frames(target)
        assert [frame.duration for frame in after] == [100_000, 50_000, 70_000]
        for old, new in zip(before, after, strict=True):
            kept = np.ones(old.channels[0].shape, bool)
            kept[6:17, 5:20] = False
            assert np.array_equal(pixels(old)[..., :3][kept], pixels(new)[..., :3][kept])
            darkest = 0 if suffix != "gif" else int(pixels(old)[..., :3].sum(axis=2).min())
            assert pixels(new)[6:17, 5:20, :3].sum(axis=2).max() <= darkest

    @pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
    @pytest.mark.parametrize("loop", [None, 0, 1, 5])
    def test_it_is_shown_as_often(self, tmp_path: Path, suffix: str, loop: int | None) -> None:
        options = {} if loop is None else {"loop": loop}
        source = self.written(tmp_path, suffix, duration=100, **options)
        target = passed_on(source, tmp_path / f"b.{suffix}")
        assert information(target).get("loop") == information(source).get("loop")

    def test_how_often_is_told_in_each_formats_own_way(self, tmp_path: Path) -> None:
        source = self.written(tmp_path, "gif", duration=100, loop=2)  # repeated twice
        target = passed_on(source, tmp_path / "b.webp")
        assert information(target)["loop"] == 3
        assert information(passed_on(target, tmp_path / "c.gif"))["loop"] == 2

    def test_a_thirtieth_of_a_second_does_not_drift(self, tmp_path: Path) -> None:
        source = self.written(tmp_path, "png", duration=1000 / 30)
        if frames(source)[0].duration != 33_333:
            pytest.skip("this Pillow writes whole milliseconds")
        target = passed_on(source, tmp_path / "b.png")
        assert [frame.duration for frame in frames(target)] == [33_333] * 3

    @given(
        seed=st.integers(0, 1000),
        colors=st.integers(2, 300),
        clear=st.booleans(),
        moving=st.booleans(),
    )
    @settings(max_examples=25)
    def test_a_gif_shows_the_same_whatever_its_colors(
        self, tmp_path: Path, seed: int, colors: int, clear: bool, moving: bool
    ) -> None:
        random = np.random.default_rng(seed)
        table = random.integers(0, 256, (min(colors, 255), 3), dtype=np.uint8)
        shown = []
        for index in range(3):
            picture = table[random.integers(0, len(table), (12, 14))]
            alpha = np.full((12, 14), 255, np.uint8)
            if clear:
                alpha[random.random((12, 14)) < 0.5] = 0
            if moving and index:
                picture[:6] = shown[0][:6, :, :3]
                alpha[:6] = shown[0][:6, :, 3]
            shown.append(np.dstack([picture, alpha]))
        first, *others = (Image.fromarray(picture) for picture in shown)
        first.save(tmp_path / "a.png", save_all=True, append_images=others, duration=100)
        target = passed_on(tmp_path / "a.png", tmp_path / "b.gif", overwrite=True)
        again = passed_on(target, tmp_path / "c.gif", overwrite=True)
        for path in (target, again):
            with Image.open(path) as stored:
                for index, picture in enumerate(shown):
                    stored.seek(index)
                    seen = np.asarray(stored.convert("RGBA"))
                    assert np.array_equal(seen[..., 3], picture[..., 3])
                    opaque = picture[..., 3] > 0
                    assert np.array_equal(seen[opaque], picture[opaque])

    def test_new_colors_become_the_nearest_of_the_palette(self, tmp_path: Path) -> None:
        ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
        gray = np.vstack([ramp, ramp[:4]])  # all 256 stay in use
        table = np.stack([gray, gray, 255 - gray], axis=-1)
        saved(table, tmp_path / "a.gif")

        def tint(frame: ImageFrame) -> None:
            for plane, value in zip(frame.planes(), (100, 101, 157), strict=True):
                plane.samples[16:] = value

        (written,) = frames(passed_on(tmp_path / "a.gif", tmp_path / "b.gif", tint))
        assert np.array_equal(pixels(written)[:16], table[:16])
        assert np.unique(pixels(written)[16:].reshape(-1, 3), axis=0).tolist() == [[100, 100, 155]]

    def test_more_colors_than_a_palette_holds_are_reduced(self, tmp_path: Path) -> None:
        source = saved(portrait(), tmp_path / "a.png")
        (written,) = frames(passed_on(source, tmp_path / "b.gif"))
        assert np.abs(pixels(written).astype(int) - portrait()).mean() < 8

    def test_a_picture_under_a_transparent_gif_pixel_is_not_stored(self, tmp_path: Path) -> None:
        array = np.dstack([portrait(), np.zeros((256, 256), np.uint8)])
        target = passed_on(saved(array, tmp_path / "a.png"), tmp_path / "b.gif")
        assert target.stat().st_size < 2000


SECRETS = (b"SECRET-DEVICE", b"SECRET-NOTE", b"SECRET-XMP", b"SECRET-PERSON")
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>SECRET-XMP</rdf:RDF></x:xmpmeta>'


def told() -> Image.Exif:
    """Return EXIF tags about device, place and person, a thumbnail and a maker note."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SECRET-DEVICE"
    exif[ExifTags.Base.Artist] = "SECRET-PERSON"
    exif[ExifTags.Base.Orientation] = 1
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.DateTimeOriginal: "2024:05:06 07:08:09",
        ExifTags.Base.ExposureTime: TiffImagePlugin.IFDRational(1, 250),
        ExifTags.Base.MakerNote: b"SECRET-NOTE" + thumbnail(),
        ExifTags.Base.UserComment: b"ASCII\0\0\0SECRET-NOTE",
    }
    exif[ExifTags.IFD.GPSInfo] = {
        ExifTags.GPS.GPSLatitudeRef: "N",
        ExifTags.GPS.GPSLatitude: (48.0, 51.0, 29.0),
        ExifTags.GPS.GPSProcessingMethod: b"SECRET-NOTE",
    }
    return exif


def with_thumbnail(exif: Image.Exif) -> bytes:
    """Return a whole EXIF block with a second directory that holds a JPEG."""
    block = exif.tobytes()
    tiff = bytearray(block.removeprefix(b"Exif\0\0"))
    order = "<" if tiff[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    tiff += bytes(len(tiff) % 2)
    struct.pack_into(f"{order}I", tiff, first + 2 + 12 * count, len(tiff))
    start = len(tiff) + 2 + 3 * 12 + 4
    tiff += struct.pack(f"{order}H", 3)
    for tag, kind, value in ((259, 3, 6), (513, 4, start), (514, 4, len(thumbnail()))):
        packed = struct.pack(f"{order}HHI", tag, kind, 1)
        tiff += packed + struct.pack(
            f"{order}HH" if kind == 3 else f"{order}I", *([value, 0][: 2 if kind == 3 else 1])
        )
    tiff += struct.pack(f"{order}I", 0) + thumbnail()
    return b"Exif\0\0" + bytes(tiff)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def talkative_jpeg(path: Path) -> Path:
    """Write a JPEG that shows the face in every place where JPEG files are known to."""
    file = io.BytesIO()
    Image.fromarray(portrait()).save(
        file, "JPEG", quality=90, icc_profile=PROFILE, comment=b"SECRET-NOTE"
    )
    small = thumbnail()
    rgb = np.asarray(Image.fromarray(portrait()).resize((60, 60))).tobytes()
    photoshop = b"8BIM\x04\x0c\0\0" + struct.pack(">I", 28 + len(small)) + bytes(28) + small
    iptc = b"8BIM\x04\x04\0\0" + struct.pack(">I", 18) + b"\x1c\x02\x50\0\x0dSECRET-PERSON"
    extra = (
        segment(0xE0, b"JFXX\0\x10" + small)  # a thumbnail as JPEG
        + segment(0xE0, b"JFXX\0\x13" + bytes([60, 60]) + rgb)  # and as plain colors
        + segment(0xE1, with_thumbnail(told()))
        + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
        + segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + b"SECRET-XMP")
        + segment(0xED, b"Photoshop 3.0\0" + photoshop + iptc)
        + segment(0xE4, b"SECRET-NOTE" + small)  # some makers' previews
    )
    data = file.getvalue()
    (length,) = struct.unpack_from(">H", data, 4)  # JFIF comes first
    path.write_bytes(data[: 4 + length] + extra + data[4 + length :] + small)  # one after the end
    return path


def assert_silent(data: bytes) -> None:
    for secret in SECRETS:
        assert secret not in data
    assert thumbnail()[-200:-2] not in data
    assert b"2024:05:06" not in data
    for name in (b"Photoshop", b"8BIM", b"JFXX", b"xmp", b"MPF", b"Exif"):
        assert name not in data


class TestWhatCouldShowTheFaces:
    def test_nothing_of_a_jpeg_is_left_but_pixels_and_profile(self, tmp_path: Path) -> None:
        source = talkative_jpeg(tmp_path / "a.jpg")
        planted = source.read_bytes()
        assert planted.count(thumbnail()) == 6
        assert all(secret in planted for secret in SECRETS)
        target = passed_on(source, tmp_path / "b.jpg", blacken)
        assert_silent(target.read_bytes())
        with Image.open(target) as written:
            assert written.info["icc_profile"] == PROFILE
            assert not written.getexif()

    def test_further_pictures_in_a_jpeg_are_gone(self, tmp_path: Path) -> None:
        main = Image.fromarray(portrait())
        main.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[main.resize((64, 64))])
        target = passed_on(tmp_path / "a.jpg", tmp_path / "b.jpg", blacken)
        data = target.read_bytes()
        assert data.count(b"\xff\xd8\xff") == 1
        assert b"MPF" not in data

    @pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
    def test_nothing_of_others_is_left(self, tmp_path: Path, suffix: str) -> None:
        options: dict[str, Any] = {"exif": with_thumbnail(told())}
        if suffix == "png":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", XMP.decode())
            text.add_text("Author", "SECRET-PERSON")
            text.add_text("Thumbnail", thumbnail().hex(), zip=True)
            text.add(b"prVt", thumbnail(), after_idat=True)
            options["pnginfo"] = text
        elif suffix == "webp":
            options["xmp"] = XMP
        else:
            options["tiffinfo"] = {700: XMP, 33723: b"SECRET-PERSON", 34377: b"8BIM" + thumbnail()}
        source = saved(portrait(), tmp_path / f"a.{suffix}", **options)
        if suffix == "webp":  # an unknown chunk at the end
            data = source.read_bytes()
            extra = struct.pack("<4sI", b"prev", len(thumbnail())) + thumbnail()
            extra += bytes(len(extra) % 2)
            size = struct.pack("<I", len(data) + len(extra) - 8)
            source.write_bytes(data[:4] + size + data[8:] + extra)
        assert b"SECRET" in source.read_bytes()
        target = passed_on(source, tmp_path / f"b.{suffix}", blacken)
        assert_silent(target.read_bytes())

    def test_a_tiffs_smaller_pictures_are_gone(self, tmp_path: Path) -> None:
        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            writer.write(portrait(), photometric="rgb", subifds=1)
            writer.write(portrait()[::4, ::4].copy(), photometric="rgb", subfiletype=1)
        target = passed_on(tmp_path / "a.tif", tmp_path / "b.tif", blacken)
        with tifffile.TiffFile(target) as written:
            assert len(written.pages) == 1
            assert 330 not in written.pages[0].tags
        assert portrait()[::4, ::4].copy()[8].tobytes() not in target.read_bytes()

    def test_nothing_of_a_gif_is_left(self, tmp_path: Path) -> None:
        picture = Image.fromarray(portrait())
        picture.save(tmp_path / "a.gif", comment=b"SECRET-NOTE")
        data = (tmp_path / "a.gif").read_bytes()
        xmp = b"\x21\xff\x0bXMP DataXMP" + bytes([len(XMP)]) + XMP + b"\0"
        at = data.index(b"\x21\xfe")
        (tmp_path / "a.gif").write_bytes(data[:at] + xmp + data[at:])
        assert_silent(passed_on(tmp_path / "a.gif", tmp_path / "b.gif").read_bytes())

    def test_nothing_of_a_heic_is_left(self, tmp_path: Path) -> None:
        heif = pytest.importorskip("pillow_heif", reason="needs the extra [heic]")
        file = heif.from_bytes("RGB", (256, 256), portrait().tobytes())
        file.add_frombytes("RGB", (256, 256), portrait()[::-1].tobytes())  # a second picture
        file.save(
            tmp_path / "a.heic", exif=with_thumbnail(told()), xmp=XMP, thumbnails=[64], quality=60
        )
        before = heif.open_heif(tmp_path / "a.heic")
        assert len(before) == 2
        assert before.info["thumbnails"]
        target = passed_on(tmp_path / "a.heic", tmp_path / "b.heic", blacken)
        after = heif.open_heif(target)
        assert len(after) == 1
        assert not after.info["thumbnails"]
        assert not after.info["depth_images"]
        assert not after.info["exif"]
        assert_silent(target.read_bytes())


class TestMetadataOnDemand:
    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "heic"])
    def test_harmless_tags_are_kept_and_nothing_that_shows_a_face(
        self, tmp_path: Path, suffix: str
    ) -> None:
        source = talkative_jpeg(tmp_path / "a.jpg")
        if suffix == "heic":
            pytest.importorskip("pillow_heif", reason="needs the extra [heic]")
        elif suffix != "jpg":
            exif = with_thumbnail(told())
            source = saved(portrait(), tmp_path / f"a.{suffix}", exif=exif)
        target = passed_on(source, tmp_path / f"b.{suffix}", blacken, metadata="keep")
        data = target.read_bytes()
        assert thumbnail()[-200:-2] not in data
        assert b"SECRET-NOTE" not in data
        assert b"SECRET-XMP" not in data
        exif = Image.Exif()
        if suffix == "heic":
            exif.load(
                pytest.importorskip("pillow_heif", reason="needs the extra [heic]")
                .open_heif(target)
                .info["exif"]
            )
        elif suffix == "tif":
            with Image.open(target) as written:
                exif.load(written.getexif().tobytes())
        else:
            exif.load(information(target)["exif"])
        assert exif[ExifTags.Base.Make] == "SECRET-DEVICE"
        camera = exif.get_ifd(ExifTags.IFD.Exif)
        assert camera[ExifTags.Base.DateTimeOriginal] == "2024:05:06 07:08:09"
        assert camera[ExifTags.Base.ExposureTime] == pytest.approx(1 / 250)
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (48, 51, 29)
        assert not exif.get_ifd(ExifTags.IFD.IFD1)

    def test_the_tags_of_each_page_are_kept(self, tmp_path: Path) -> None:
        pages = [Image.fromarray(noise(20, 30, 3, seed=i)) for i in range(2)]
        pages[0].save(
            tmp_path / "a.tif", save_all=True, append_images=pages[1:], exif=told().tobytes()
        )
        target = passed_on(tmp_path / "a.tif", tmp_path / "b.tif", metadata="keep")
        with Image.open(target) as written:
            for index in range(2):
                written.seek(index)
                exif = written.getexif()
                assert exif[ExifTags.Base.Make] == "SECRET-DEVICE"
                assert np.array_equal(np.asarray(written), np.asarray(pages[index]))
            written.seek(0)
            camera = written.getexif().get_ifd(ExifTags.IFD.Exif)
            assert camera[ExifTags.Base.DateTimeOriginal] == "2024:05:06 07:08:09"

    def test_the_orientation_is_not_applied_twice(self, tmp_path: Path) -> None:
        exif = told()
        exif[ExifTags.Base.Orientation] = 6
        source = saved(noise(10, 20, 3), tmp_path / "a.png", exif=exif)
        target = passed_on(source, tmp_path / "b.png", metadata="keep")
        assert frames(target)[0].size == (10, 20)


class TestOtherFormats:
    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "gif", "heic"])
    @pytest.mark.parametrize("shape", [GRAY, RGB, GRAY_ALPHA, RGBA])
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_every_kind_of_pixel_is_written_in_every_format(
        self, tmp_path: Path, suffix: str, shape: tuple[int, ...], dtype: type
    ) -> None:
        if suffix == "heic":
            pytest.importorskip("pillow_heif", reason="needs the extra [heic]")
        smooth = cv2.GaussianBlur(noise(*shape, dtype=dtype), (0, 0), 6)
        (tmp_path / "a.png").write_bytes(png_file(smooth))
        (before,) = frames(tmp_path / "a.png")
        (after,) = frames(passed_on(tmp_path / "a.png", tmp_path / f"b.{suffix}"))
        assert after.size == before.size
        if suffix == "jpg" and before.alpha is not None:
            return  # on white, see below
        seen = np.ones(before.channels[0].shape, bool)
        if before.alpha is not None and suffix == "gif":
            seen = eight_bits(before.alpha) >= 128
        for old, new in zip(in_colors(before), in_colors(after), strict=True):
            difference = eight_bits(old).astype(int) - eight_bits(new)
            assert np.abs(difference[seen]).mean() < 4
        if suffix in ("png", "tif"):
            assert after.layout.bits == before.layout.bits
        if before.alpha is not None and suffix != "gif":
            assert after.alpha is not None
            assert np.abs(eight_bits(before.alpha).astype(int) - eight_bits(after.alpha)).max() < 4

    def test_transparency_becomes_white_in_a_jpeg(self, tmp_path: Path) -> None:
        clear = np.dstack([portrait(), np.zeros((256, 256), np.uint8)])
        target = passed_on(saved(clear, tmp_path / "a.png"), tmp_path / "b.jpg")
        assert pixels(frames(target)[0]).min() > 250

    @pytest.mark.parametrize("suffix", ["jpg", "bmp", "heic"])
    def test_an_animation_is_not_cut_to_one_picture(self, tmp_path: Path, suffix: str) -> None:
        shown = [Image.fromarray(noise(20, 30, 3, seed=i)) for i in range(2)]
        shown[0].save(tmp_path / "a.gif", save_all=True, append_images=shown[1:])
        with pytest.raises(SinkError, match="holds one picture, and the input has 2"):
            passed_on(tmp_path / "a.gif", tmp_path / f"b.{suffix}")
        assert not (tmp_path / f"b.{suffix}").exists()

    def test_the_content_not_the_name_tells_what_an_input_is(self, tmp_path: Path) -> None:
        source = saved(portrait(), tmp_path / "a.png").rename(tmp_path / "a.jpg")
        target = passed_on(source, tmp_path / "b.jpg")
        assert target.read_bytes().startswith(b"\xff\xd8")

    def test_pages_of_several_sizes_do_not_make_an_animation(self, tmp_path: Path) -> None:
        pages = [Image.fromarray(noise(20, 30 + i, 3)) for i in range(2)]
        pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
        with pytest.raises(SinkError, match="pages differ in size"):
            passed_on(tmp_path / "a.tif", tmp_path / "b.gif")
        assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]

    def test_deep_pages_become_an_animation_of_eight_bits(self, tmp_path: Path) -> None:
        pages = noise(2, 20, 30, 3, dtype=np.uint16)
        tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
        written = frames(passed_on(tmp_path / "a.tif", tmp_path / "b.png"))
        for frame, page in zip(written, pages, strict=True):
            assert np.array_equal(pixels(frame), page >> 8)


class TestRefusals:
    def test_a_suffix_that_stands_for_no_picture(self, tmp_path: Path) -> None:
        source = saved(portrait(), tmp_path / "a.png")
        with pytest.raises(SettingsError, match=r"b\.xyz: no picture is written with this suffix"):
            passed_on(source, tmp_path / "b.xyz")

    def test_an_output_that_exists(self, tmp_path: Path) -> None:
        source = saved(portrait(), tmp_path / "a.png")
        (tmp_path / "b.png").write_bytes(b"mine")
        with pytest.raises(SinkError, match="exists already"):
            passed_on(source, tmp_path / "b.png")
        assert (tmp_path / "b.png").read_bytes() == b"mine"
        passed_on(source, tmp_path / "b.png", overwrite=True)
        assert np.array_equal(pixels(frames(tmp_path / "b.png")[0]), portrait())

    def test_nothing_is_left_of_a_failed_run(self, tmp_path: Path) -> None:
        source = saved(portrait(), tmp_path / "a.png")

        def fail(frame: ImageFrame) -> None:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            passed_on(source, tmp_path / "b.png", fail)
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

    def test_a_size_that_the_format_cannot_hold(self, tmp_path: Path) -> None:
        source = saved(noise(2, 20_000), tmp_path / "a.png")
        with pytest.raises(SinkError, match=r"b\.webp: the picture cannot be stored as WEBP") as e:
            passed_on(source, tmp_path / "b.webp")
        assert "\n" not in str(e.value)
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

    def test_no_frame_at_all(self, tmp_path: Path) -> None:
        with (
            ImageReader(saved(portrait(), tmp_path / "a.png")) as source,
            pytest.raises(SinkError, match="no picture to write"),
            ImageWriter(tmp_path / "b.png", source, Settings()),
        ):
            pass
        assert not (tmp_path / "b.png").exists()

    def test_a_frame_that_is_no_picture(self, tmp_path: Path) -> None:
        with (
            ImageReader(saved(portrait(), tmp_path / "a.png")) as source,
            pytest.raises(TypeError),
            ImageWriter(tmp_path / "b.png", source, Settings()) as sink,
        ):
            sink.write(RedactedFrame(object()))  # type: ignore[arg-type]  # wrong on purpose
        assert not (tmp_path / "b.png").exists()

    def test_heic_without_its_package(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = saved(portrait(), tmp_path / "a.png")
        monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
        with pytest.raises(MissingPackageError, match=r"\.\[heic\]"):
            passed_on(source, tmp_path / "b.heic")
        assert not (tmp_path / "b.heic").exists()


class TestComparing:
    def test_before_and_after_lie_beside_each_other(self, tmp_path: Path) -> None:
        (frame,) = frames(saved(portrait(), tmp_path / "a.png"))
        before = frame.view(frame.size)
        blacken(frame)
        side_by_side(tmp_path / "b.png", before, frame.view(frame.size), overwrite=False)
        (written,) = frames(tmp_path / "b.png")
        assert np.array_equal(pixels(written)[:, :256], portrait())
        assert np.array_equal(pixels(written)[:, -256:], pixels(frame))

    def test_an_existing_file_is_not_overwritten(self, tmp_path: Path) -> None:
        view = portrait()[..., ::-1]
        side_by_side(tmp_path / "b.jpg", view, view, overwrite=False)
        with pytest.raises(SinkError, match="exists already"):
            side_by_side(tmp_path / "b.jpg", view, view, overwrite=False)
