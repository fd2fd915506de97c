"""Color profiles keep their colors, and lose owners, models and serial numbers."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from tests.image_files import png_chunk, png_file, rewrite
from tracker_blur.images import icc

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

SECRET = "SECRET owner, serial 4711"


def profile(primaries: str = "odd", version: int = 2, gamma: float = 1.9) -> bytes:
    """Return the profile of a display, with who owns it, in all places that have room."""
    colors = {
        "odd": ((0.51, 0.25, 0.02), (0.30, 0.66, 0.11), (0.154, 0.09, 0.695)),
        "sRGB": (
            (0.43607, 0.22249, 0.01392),
            (0.38515, 0.71687, 0.09708),
            (0.14307, 0.06061, 0.7141),
        ),
        "P3": (
            (0.51512, 0.2412, -0.00105),
            (0.29198, 0.69225, 0.04189),
            (0.1571, 0.06657, 0.78407),
        ),
    }[primaries]
    if primaries == "odd":
        curve = struct.pack(">4s4xIH", b"curv", 1, round(gamma * 256)) + b"\0\0"
    else:
        terms = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve = struct.pack(">4s4xHH5i", b"para", 3, 0, *(round(term * 65536) for term in terms))
    tags: dict[bytes, bytes] = {
        name: struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in color))
        for name, color in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colors, strict=True)
    }
    tags[b"wtpt"] = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    name = SECRET.encode() + b"\0"
    if version == 2:
        text = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)
    else:
        wide = SECRET.encode("utf-16-be")
        text = struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(wide), 28) + wide
    tags |= dict.fromkeys((b"desc", b"dmnd", b"dmdd", b"dscm"), text)
    tags[b"cprt"] = text if version == 4 else b"text\0\0\0\0" + name
    tags[b"mmod"] = b"mmod\0\0\0\0" + name
    tags[b"vcgt"] = b"vcgt\0\0\0\0" + name
    table, content = b"", b""
    start = 132 + 12 * len(tags)
    for tag, data in tags.items():
        table += struct.pack(">4sII", tag, start + len(content), len(data))
        content += data + bytes(-len(data) % 4)
    header = bytearray(128)
    header[0:4] = struct.pack(">I", start + len(content))
    header[4:8] = b"SECR"
    header[8:24] = bytes([version]) + b"\x20\0\0mntrRGB XYZ "
    header[24:36] = struct.pack(">6H", 2021, 5, 1, 12, 0, 1)
    header[36:40] = b"acsp"
    header[48:56] = b"SECRSECR"
    header[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    header[80:84] = b"SECR"
    return bytes(header) + struct.pack(">I", len(tags)) + table + content


def shown(data: bytes, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return how a viewer shows pixels with a profile on an sRGB display."""
    image = ImageCms.profileToProfile(
        Image.fromarray(pixels),
        ImageCms.ImageCmsProfile(io.BytesIO(data)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert image is not None
    return np.asarray(image)


@pytest.fixture
def pixels() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (40, 50, 3)).astype(np.uint8)


def test_the_profile_of_the_tests_names_someone() -> None:
    for version in (2, 4):
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile(version=version)))
        assert SECRET in ImageCms.getProfileDescription(opened)


@pytest.mark.parametrize("version", [2, 4])
def test_names_go_and_colors_stay(version: int, pixels: npt.NDArray[np.uint8]) -> None:
    before = profile(version=version)
    after = icc.anonymous(before)
    assert after is not None
    for secret in (b"SECR", "SECRET".encode("utf-16-be"), struct.pack(">3H", 2021, 5, 1)):
        assert secret in before or secret[1:2] == b"S"
        assert secret not in after
    opened = ImageCms.ImageCmsProfile(io.BytesIO(after))
    assert ImageCms.getProfileDescription(opened).strip() == "RGB"
    assert np.array_equal(shown(after, pixels), shown(before, pixels))
    assert not np.array_equal(shown(after, pixels), pixels)
    assert icc.anonymous(after) == after


@pytest.mark.parametrize(("primaries", "name"), [("sRGB", "sRGB"), ("P3", "Display P3")])
def test_a_standard_becomes_the_same_for_everyone(
    primaries: str, name: str, pixels: npt.NDArray[np.uint8]
) -> None:
    versions = {icc.anonymous(profile(primaries, version)) for version in (2, 4)}
    (after,) = versions
    assert after is not None
    opened = ImageCms.ImageCmsProfile(io.BytesIO(after))
    assert ImageCms.getProfileDescription(opened).strip() == name
    before = shown(profile(primaries), pixels).astype(int)  # whose numbers have five digits
    assert int(np.abs(shown(after, pixels) - before).max()) <= 1


def test_srgb_by_littlecms_is_srgb(pixels: npt.NDArray[np.uint8]) -> None:
    theirs = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    after = icc.anonymous(theirs)
    assert after == icc.anonymous(profile("sRGB"))
    assert after is not None
    assert np.array_equal(shown(after, pixels), pixels)


def test_gray_profiles_stay() -> None:
    whole = bytearray(profile())
    whole[16:20] = b"GRAY"
    gray = bytes(whole).replace(b"rTRC", b"kTRC")
    after = icc.anonymous(gray)
    assert after is not None
    assert b"kTRC" in after
    assert b"SECR" not in after


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"SECRET",
        bytes(200),
        profile()[:300],
        profile().replace(b"mntr", b"link"),
        profile()[:128] + b"\xff\xff\xff\xff" + profile()[132:],
    ],
)
def test_damaged_profiles_go(damaged: bytes) -> None:
    assert icc.anonymous(damaged) is None


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "avif", "heic"])
def test_in_files(suffix: str, tmp_path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    source = tmp_path / f"in.{suffix}"
    options: dict[str, Any] = {"lossless": True} if suffix == "webp" else {}
    if suffix == "heic":
        pillow_heif.register_heif_opener()
    Image.fromarray(pixels).save(source, icc_profile=profile(), **options)
    for rule in ("drop", "keep"):
        target = rewrite(source, tmp_path / f"{rule}.{suffix}", metadata=rule)
        with Image.open(target) as image:
            assert image.info["icc_profile"] == icc.anonymous(profile())
        assert b"SECR" not in target.read_bytes()


def test_the_name_in_a_png_goes(tmp_path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    chunk = png_chunk(b"iCCP", b"SECRET name\0\0" + zlib.compress(profile()))
    source = tmp_path / "in.png"
    source.write_bytes(png_file(pixels, chunk))
    target = rewrite(source, tmp_path / "out.png")
    assert b"SECR" not in target.read_bytes()
    with Image.open(target) as image:
        assert image.info["icc_profile"] == icc.anonymous(profile())


def test_a_damaged_one_in_a_png_goes(tmp_path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    source = tmp_path / "in.png"
    source.write_bytes(png_file(pixels, png_chunk(b"iCCP", b"a\0\0" + zlib.compress(b"SECRET"))))
    target = rewrite(source, tmp_path / "out.png")
    assert b"iCCP" not in target.read_bytes()
