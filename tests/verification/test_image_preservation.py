"""What is compared between an image and the one that it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from tracker_blur import redact_image
from tracker_blur.errors import SettingsError
from tracker_blur.settings import Settings
from tracker_blur.verification.verifier import Verifier

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.verification.verdict import Verdict


def save(path: Path, size: tuple[int, int] = (96, 64), **options: Any) -> Path:
    noise = np.random.default_rng(3).integers(0, 255, (size[1] // 8, size[0] // 8, 3))
    image = Image.fromarray(noise.astype(np.uint8)).resize(size)
    image.save(path, **options)
    return path


def verified(output: Path, source: Path, **settings: Any) -> Verdict:
    return Verifier(Settings(**settings)).verify(output, source=source)


def failed(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.detail for check in verdict.failed_checks}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif"])
def test_a_copy_is_intact(suffix: str, tmp_path: Path) -> None:
    source, output = save(tmp_path / f"a{suffix}"), save(tmp_path / f"b{suffix}")
    verdict = verified(output, source)
    assert failed(verdict) == {}
    assert {"frames", "shape", "dropped tags"} <= {check.name for check in verdict.checks}


def test_another_size_is_no_copy(tmp_path: Path) -> None:
    source, output = save(tmp_path / "a.png"), save(tmp_path / "b.png", (64, 96))
    assert failed(verified(output, source))["shape"] == "64x96 instead of 96x64"


def test_what_identifies_a_place_a_device_or_a_person_is_found(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "A. Person"
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.BodySerialNumber: "123"}
    source = save(tmp_path / "a.jpg")
    output = save(tmp_path / "b.jpg", exif=exif, comment=b"at home")
    found = failed(verified(output, source))["dropped tags"]
    assert found == "still there: Artist, BodySerialNumber, GPSLatitudeRef, comment"
    assert "dropped tags" not in failed(verified(output, source, metadata="keep"))


def test_xmp_in_a_png_is_found(tmp_path: Path) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    output = save(tmp_path / "b.png", pnginfo=chunks)
    assert "XML:com.adobe.xmp" in failed(verified(output, save(tmp_path / "a.png")))["dropped tags"]


def test_an_image_is_not_compared_with_a_video(tmp_path: Path) -> None:
    image = save(tmp_path / "a.png")
    video = tmp_path / "a.mp4"
    video.write_bytes(b"x")
    for output, source in ((image, video), (video, image)):
        with pytest.raises(SettingsError, match=r"a\.png: is an image, and .*a\.mp4 is not"):
            verified(output, source)


@pytest.mark.parametrize("method", ["mosaic", "solid", "fog"])
def test_a_face_that_fills_its_image_is_compared_with_the_input(
    shared: Path, tmp_path: Path, method: str
) -> None:
    faces, output = shared / "faces" / "lfw_imfdb", tmp_path / "out.jpg"
    source, other = faces / "00001.jpg", faces / "00002.jpg"  # 91 % of the first are hidden
    settings = Settings(method=method, detector="onnx")
    redact_image(source, output, settings)
    verdict = Verifier(settings).verify(output, source=source)
    assert verdict.source_mismatches == ()
    assert verdict.finding == "nothing found"
    assert Verifier(settings).verify(other, source=source).source_mismatches != ()
