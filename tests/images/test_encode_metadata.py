"""Metadata is dropped; harmless tags are kept on request."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from tests.image_files import (
    PROFILE,
    blacken,
    noise,
    pillow_info,
    png_chunk,
    portrait,
    read_frames,
    rewrite,
    save_image,
    thumbnail,
)
from tracker_blur.errors import SourceError
from tracker_blur.images.reader import ImageReader

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = (b"SECRET-DEVICE", b"SECRET-NOTE", b"SECRET-XMP", b"SECRET-PERSON")


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>SECRET-XMP</rdf:RDF></x:xmpmeta>'


def sensitive_exif() -> Image.Exif:
    """Return EXIF tags about device, place and person, with a maker note."""
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


def jpeg_with_metadata_everywhere(path: Path) -> Path:
    """Write a JPEG that shows the face in every place where JPEG files are known to do so."""
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
        + segment(0xE1, with_thumbnail(sensitive_exif()))
        + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
        + segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + b"SECRET-XMP")
        + segment(0xED, b"Photoshop 3.0\0" + photoshop + iptc)
        + segment(0xE4, b"SECRET-NOTE" + small)  # some makers' previews
    )
    data = file.getvalue()
    (length,) = struct.unpack_from(">H", data, 4)  # JFIF comes first
    path.write_bytes(data[: 4 + length] + extra + data[4 + length :] + small)  # one after the end
    return path


def assert_no_metadata(data: bytes) -> None:
    for secret in SECRETS:
        assert secret not in data
    assert thumbnail()[-200:-2] not in data
    assert b"2024:05:06" not in data
    for name in (b"Photoshop", b"8BIM", b"JFXX", b"xmp", b"MPF", b"Exif"):
        assert name not in data


class TestMetadataIsDropped:
    def test_of_a_jpeg_only_pixels_and_profile_are_left(self, tmp_path: Path) -> None:
        source = jpeg_with_metadata_everywhere(tmp_path / "a.jpg")
        planted = source.read_bytes()
        assert planted.count(thumbnail()) == 6
        assert all(secret in planted for secret in SECRETS)
        target = rewrite(source, tmp_path / "b.jpg", blacken)
        assert_no_metadata(target.read_bytes())
        with Image.open(target) as written:
            assert written.info["icc_profile"] == PROFILE
            assert not written.getexif()

    def test_further_images_in_a_jpeg_are_gone(self, tmp_path: Path) -> None:
        main = Image.fromarray(portrait())
        main.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[main.resize((64, 64))])
        target = rewrite(tmp_path / "a.jpg", tmp_path / "b.jpg", blacken)
        data = target.read_bytes()
        assert data.count(b"\xff\xd8\xff") == 1
        assert b"MPF" not in data

    @pytest.mark.parametrize("suffix", ["png", "webp", "tiff", "avif"])
    def test_nothing_of_others_is_left(self, tmp_path: Path, suffix: str) -> None:
        options: dict[str, Any] = {"exif": with_thumbnail(sensitive_exif())}
        if suffix == "png":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", XMP.decode())
            text.add_text("Author", "SECRET-PERSON")
            text.add_text("Thumbnail", thumbnail().hex(), zip=True)
            text.add(b"prVt", thumbnail(), after_idat=True)
            options["pnginfo"] = text
        elif suffix in ("webp", "avif"):
            options["xmp"] = XMP
        else:
            options["tiffinfo"] = {700: XMP, 33723: b"SECRET-PERSON", 34377: b"8BIM" + thumbnail()}
        source = save_image(portrait(), tmp_path / f"a.{suffix}", **options)
        if suffix == "webp":  # an unknown chunk at the end
            data = source.read_bytes()
            extra = struct.pack("<4sI", b"prev", len(thumbnail())) + thumbnail()
            extra += bytes(len(extra) % 2)
            size = struct.pack("<I", len(data) + len(extra) - 8)
            source.write_bytes(data[:4] + size + data[8:] + extra)
        assert b"SECRET" in source.read_bytes()
        target = rewrite(source, tmp_path / f"b.{suffix}", blacken)
        assert_no_metadata(target.read_bytes())

    def test_the_reduced_images_of_a_tiff_are_gone(self, tmp_path: Path) -> None:
        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            writer.write(portrait(), photometric="rgb", subifds=1)
            writer.write(portrait()[::4, ::4].copy(), photometric="rgb", subfiletype=1)
        target = rewrite(tmp_path / "a.tif", tmp_path / "b.tif", blacken)
        with tifffile.TiffFile(target) as written:
            assert len(written.pages) == 1
            assert 330 not in written.pages.first.tags
        assert portrait()[::4, ::4].copy()[8].tobytes() not in target.read_bytes()

    def test_nothing_of_a_gif_is_left(self, tmp_path: Path) -> None:
        image = Image.fromarray(portrait())
        image.save(tmp_path / "a.gif", comment=b"SECRET-NOTE")
        data = (tmp_path / "a.gif").read_bytes()
        xmp = b"\x21\xff\x0bXMP DataXMP" + bytes([len(XMP)]) + XMP + b"\0"
        at = data.index(b"\x21\xfe")
        (tmp_path / "a.gif").write_bytes(data[:at] + xmp + data[at:])
        assert_no_metadata(rewrite(tmp_path / "a.gif", tmp_path / "b.gif").read_bytes())

    def test_nothing_of_a_heic_is_left(self, tmp_path: Path) -> None:
        file = pillow_heif.from_bytes("RGB", (256, 256), portrait().tobytes())
        file.add_frombytes("RGB", (256, 256), portrait()[::-1].tobytes())  # a second image
        file.save(
            tmp_path / "a.heic",
            exif=with_thumbnail(sensitive_exif()),
            xmp=XMP,
            thumbnails=[64],
            quality=60,
        )
        before = pillow_heif.open_heif(tmp_path / "a.heic")
        assert len(before) == 2
        assert before.info["thumbnails"]
        target = rewrite(tmp_path / "a.heic", tmp_path / "b.heic", blacken)
        after = pillow_heif.open_heif(target)
        assert len(after) == 1
        assert not after.info["thumbnails"]
        assert not after.info["depth_images"]
        assert not after.info["exif"]
        assert_no_metadata(target.read_bytes())


class TestMetadataOnRequest:
    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif", "heic"])
    def test_harmless_tags_are_kept_and_nothing_that_shows_a_face(
        self, tmp_path: Path, suffix: str
    ) -> None:
        source = jpeg_with_metadata_everywhere(tmp_path / "a.jpg")
        if suffix not in ("jpg", "heic"):
            block = with_thumbnail(sensitive_exif())
            source = save_image(portrait(), tmp_path / f"a.{suffix}", exif=block)
        target = rewrite(source, tmp_path / f"b.{suffix}", blacken, metadata="keep")
        data = target.read_bytes()
        assert thumbnail()[-200:-2] not in data
        assert b"SECRET-NOTE" not in data
        assert b"SECRET-XMP" not in data
        exif = Image.Exif()
        if suffix == "heic":
            exif.load(pillow_heif.open_heif(target).info["exif"])
        elif suffix == "tif":
            with Image.open(target) as written:
                exif.load(written.getexif().tobytes())
        else:
            exif.load(pillow_info(target)["exif"])
        assert exif[ExifTags.Base.Make] == "SECRET-DEVICE"
        camera = exif.get_ifd(ExifTags.IFD.Exif)
        assert camera[ExifTags.Base.DateTimeOriginal] == "2024:05:06 07:08:09"
        assert camera[ExifTags.Base.ExposureTime] == pytest.approx(1 / 250)
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (48, 51, 29)
        assert not exif.get_ifd(ExifTags.IFD.IFD1)

    def test_the_tags_of_each_page_are_kept(self, tmp_path: Path) -> None:
        pages = [Image.fromarray(noise(20, 30, 3, seed=i)) for i in range(2)]
        pages[0].save(
            tmp_path / "a.tif",
            save_all=True,
            append_images=pages[1:],
            exif=sensitive_exif().tobytes(),
        )
        target = rewrite(tmp_path / "a.tif", tmp_path / "b.tif", metadata="keep")
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
        exif = sensitive_exif()
        exif[ExifTags.Base.Orientation] = 6
        source = save_image(noise(10, 20, 3), tmp_path / "a.png", exif=exif)
        target = rewrite(source, tmp_path / "b.png", metadata="keep")
        assert read_frames(target)[0].size == (10, 20)


def test_exif_data_that_takes_minutes_to_parse_is_refused(tmp_path: Path) -> None:
    path = save_image(noise(8, 8, 3), tmp_path / "in.png")
    content, exif = path.read_bytes(), b"II*\0" + bytes(5 << 20)
    path.write_bytes(content[:33] + png_chunk(b"eXIf", exif) + content[33:])
    with pytest.raises(SourceError, match="has 5 MB of EXIF data: convert it"):
        ImageReader(path)
