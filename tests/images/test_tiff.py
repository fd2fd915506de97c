"""TIFF files as they are written: read back by libtiff (Pillow, OpenCV) and by tifffile."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, TiffImagePlugin

from tests.image_files import PROFILE, Array, noise, portrait, read_frames, rewrite, save_image
from tracker_blur.images import exif, tiff
from tracker_blur.images.tiff import TiffPage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

GRAY, GRAY_ALPHA, RGB, RGBA = (300, 41), (300, 41, 2), (300, 41, 3), (300, 41, 4)
LOSSLESS = ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]
STRUCTURE = {
    "ImageWidth", "ImageLength", "BitsPerSample", "Compression", "PhotometricInterpretation",
    "StripOffsets", "SamplesPerPixel", "RowsPerStrip", "StripByteCounts", "XResolution",
    "YResolution", "ResolutionUnit", "PlanarConfiguration", "Predictor", "ExtraSamples",
    "JPEGTables", "InterColorProfile",
}  # fmt: skip


def encoded(pages: Iterable[TiffPage]) -> bytes:
    file = io.BytesIO()
    tiff.encode(pages, file)
    return file.getvalue()


def read_page(data: bytes, index: int = 0) -> Array:
    """Return a page as libtiff reads it, red first."""
    with TiffImagePlugin.TiffImageFile(io.BytesIO(data)) as image:
        image.seek(index)
        bits = image.tag_v2.get(tiff.BITS_PER_SAMPLE, (1,))
        if bits[0] < 16:
            return np.asarray(image)
    buffer = np.frombuffer(data, np.uint8)
    samples = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED, range=(index, index + 1))[1][0]
    if samples.ndim == 2:
        return samples
    return cv2.cvtColor(
        samples, cv2.COLOR_BGRA2RGBA if samples.shape[2] == 4 else cv2.COLOR_BGR2RGB
    )


def compression_of(data: bytes, index: int = 0) -> Any:
    with Image.open(io.BytesIO(data)) as image:
        image.seek(index)
        return image.info["compression"]


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("shape", [GRAY, GRAY_ALPHA, RGB, RGBA])
def test_eight_bits_are_exact(compression: str, shape: tuple[int, ...]) -> None:
    samples = noise(*shape)
    data = encoded([TiffPage(samples=samples, compression=compression)])
    assert np.array_equal(read_page(data), samples)
    assert compression_of(data) == compression


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("shape", [GRAY, RGB, RGBA])
def test_sixteen_bits_are_exact(compression: str, shape: tuple[int, ...]) -> None:
    samples = noise(*shape, dtype=np.uint16)
    data = encoded([TiffPage(samples=samples, compression=compression)])
    assert np.array_equal(read_page(data), samples)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        assert page.bitspersample == 16
        assert page.compression == {"raw": 1, "tiff_lzw": 5}.get(compression, 8)


@pytest.mark.parametrize("compression", [*LOSSLESS, "group3", "group4"])
def test_black_and_white_is_exact(compression: str) -> None:
    samples = noise(300, 41) > 127
    data = encoded([TiffPage(samples=samples, compression=compression)])
    assert np.array_equal(read_page(data), samples)
    assert compression_of(data) == compression


@pytest.mark.parametrize("samples", [portrait(), portrait()[..., 0].copy()])
def test_jpeg_is_kept(samples: Array) -> None:
    data = encoded([TiffPage(samples=samples, compression="jpeg")])
    assert compression_of(data) == "jpeg"
    assert np.abs(read_page(data).astype(int) - samples).mean() < 2


@pytest.mark.parametrize(
    ("samples", "compression"),
    [
        (noise(*RGB), "group4"),
        (noise(*RGBA), "jpeg"),
        (noise(*GRAY) > 127, "jpeg"),
        (noise(*RGB, dtype=np.uint16), "jpeg"),
        (noise(*RGB, dtype=np.uint16), "packbits"),
    ],
)
def test_a_compression_that_cannot_hold_the_samples_becomes_lossless(
    samples: Array, compression: str
) -> None:
    data = encoded([TiffPage(samples=samples, compression=compression)])
    assert compression_of(data) == tiff.LOSSLESS
    assert np.array_equal(read_page(data), samples)


def test_pages_of_every_kind_lie_in_one_file() -> None:
    pages = [
        TiffPage(samples=noise(30, 21, 3), compression="tiff_lzw", dpi=(300, 150)),
        TiffPage(samples=noise(29, 24, 3, dtype=np.uint16), compression="tiff_lzw"),
        TiffPage(samples=noise(33, 28) > 127, compression="group4"),
        TiffPage(samples=noise(9, 8, 4, dtype=np.uint16), icc_profile=PROFILE, alpha=1),
        TiffPage(samples=noise(24, 24), compression="raw"),
    ]
    data = encoded(pages)
    for index, page in enumerate(pages):
        assert np.array_equal(read_page(data, index), page.samples)
        assert compression_of(data, index) == page.compression
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        stored = [page.aspage() for page in file.pages]
    assert [page.iccprofile for page in stored] == [page.icc_profile for page in pages]
    assert stored[0].get_resolution("INCH") == (300, 150)
    assert stored[3].extrasamples == (1,)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_only_tags_of_structure_are_written(compression: str, dtype: type) -> None:
    page = TiffPage(
        samples=noise(*RGBA, dtype=dtype),
        compression=compression,
        icc_profile=PROFILE,
        dpi=(72, 72),
    )
    with tifffile.TiffFile(io.BytesIO(encoded([page]))) as file:
        assert {tag.name for tag in file.pages.first.tags} <= STRUCTURE


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_each_page_has_its_own_exif_directories(dtype: type) -> None:
    blocks = []
    for number in range(3):
        block = Image.Exif()
        block[ExifTags.Base.Make] = f"maker {number}"
        block[ExifTags.Base.ImageDescription] = "résumé"
        block[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: f"2024:05:06 07:08:0{number}"}
        block[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitude: (48.0, float(number), 29.0)}
        blocks.append(exif.harmless(exif.parse(block.tobytes())))
    data = encoded(
        TiffPage(samples=noise(9, 7, 3, dtype=dtype, seed=number), exif=exif.tags(block))
        for number, block in enumerate(blocks)
    )
    for number in range(3):
        with Image.open(io.BytesIO(data)) as image:
            image.seek(number)
            tags = image.getexif()
            assert tags[ExifTags.Base.Make] == f"maker {number}"
            assert tags[ExifTags.Base.ImageDescription] == "r?sum?"
            camera = tags.get_ifd(ExifTags.IFD.Exif)
            assert camera[ExifTags.Base.DateTimeOriginal] == f"2024:05:06 07:08:0{number}"
            place = tags.get_ifd(ExifTags.IFD.GPSInfo)
            assert place[ExifTags.GPS.GPSLatitude] == (48, number, 29)
        assert np.array_equal(read_page(data, number), noise(9, 7, 3, dtype=dtype, seed=number))


def test_a_file_that_would_be_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(*_: object, **__: object) -> None:
        struct.pack("<I", 1 << 32)

    monkeypatch.setattr(tifffile.TiffWriter, "write", overflow)
    with pytest.raises(ValueError, match="larger than 4 GiB, the limit of TIFF"):
        encoded([TiffPage(samples=noise(*RGB))])


def test_a_tag_that_does_not_fit_is_not_a_matter_of_size() -> None:
    values = {34855: -1 << 40}  # Pillow stores negative numbers in 32 bits
    with pytest.raises(struct.error, match="2147483647"):
        encoded([TiffPage(samples=noise(*RGB), exif={ExifTags.IFD.Exif: values})])


def test_a_directory_beyond_4_gib_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "_MAX_OFFSET", 7)
    page = TiffPage(samples=noise(*RGB), exif={ExifTags.IFD.Exif: {34855: 100}})
    with pytest.raises(ValueError, match="larger than 4 GiB, the limit of TIFF"):
        encoded([page])


def test_an_image_of_another_format_becomes_a_compressed_tiff(tmp_path: Path) -> None:
    target = rewrite(save_image(portrait(), tmp_path / "a.png"), tmp_path / "b.tif")
    assert compression_of(target.read_bytes()) == tiff.LOSSLESS
    assert np.array_equal(read_page(target.read_bytes()), portrait())


def test_no_page_gets_what_another_has(tmp_path: Path) -> None:
    deep = noise(20, 20, 3, seed=1)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        options: dict[str, Any] = {
            "iccprofile": PROFILE,
            "resolution": (300, 300),
            "extratags": [(315, 2, 0, b"Somebody", False)],
        }
        writer.write(portrait(), photometric="rgb", **options)
        writer.write(deep, photometric="rgb")
        writer.write(portrait(), photometric="rgb", iccprofile=PROFILE)
    frames = read_frames(tmp_path / "a.tif")
    assert [bool(frame.encoding.icc_profile) for frame in frames] == [True, False, True]
    assert [b"Somebody" in frame.encoding.exif for frame in frames] == [True, False, False]
    assert frames[0].encoding.dpi == (300, 300)
    assert frames[1].encoding.dpi != (300, 300)
    target = rewrite(tmp_path / "a.tif", tmp_path / "b.tif", metadata="keep")
    with tifffile.TiffFile(target) as stored:
        tags = [{tag.name for tag in page.aspage().tags} for page in stored.pages]
    assert ["InterColorProfile" in names for names in tags] == [True, False, True]
    assert ["Artist" in names for names in tags] == [True, False, False]
