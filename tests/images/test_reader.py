"""Images are read completely or refused."""

from __future__ import annotations

import errno
import io
import warnings
import zlib
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, MpoImagePlugin

from tests.image_files import noise, pixels, png_chunk, png_file, portrait, read_frames, save_image
from tests.video_files import write_clip
from tracker_blur.errors import SourceError
from tracker_blur.images.reader import ImageReader

GRAY, RGB, GRAY_ALPHA, RGBA = (7, 9), (7, 9, 3), (7, 9, 2), (7, 9, 4)


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


def test_the_default_image_of_an_apng_is_skipped(tmp_path: Path) -> None:
    shown = [Image.fromarray(noise(8, 8, 3, seed=i)) for i in range(3)]
    shown[0].save(
        tmp_path / "a.png",
        save_all=True,
        append_images=shown[1:],
        default_image=True,
        duration=50,
    )
    read = read_frames(tmp_path / "a.png")
    assert len(read) == 2
    assert np.array_equal(pixels(read[0]), np.asarray(shown[1]))


def test_further_images_in_a_jpeg_are_skipped(tmp_path: Path) -> None:
    main, preview = (Image.fromarray(noise(32, 32, 3, seed=i)) for i in (1, 2))
    main.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[preview])
    with MpoImagePlugin.MpoImageFile(tmp_path / "a.jpg") as stored:
        assert stored.n_frames == 2
    with ImageReader(tmp_path / "a.jpg") as source:
        assert source.info.frame_count == 1
        assert not source.info.is_moving
        assert len(list(source)) == 1


@cache
def complete_files() -> dict[str, bytes]:
    """Return small files of each format, still and with several frames."""
    shown = [Image.fromarray(noise(12, 12, 3, seed=i)) for i in range(3)]
    files = {"deep png": png_file(noise(12, 12, 3, dtype=np.uint16))}
    deep = io.BytesIO()
    tifffile.imwrite(deep, noise(12, 12, 3, dtype=np.uint16), photometric="rgb")
    files["deep tiff"] = deep.getvalue()
    for name in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"):
        still, moving = io.BytesIO(), io.BytesIO()
        shown[0].save(still, name)
        files[name] = still.getvalue()
        if name in ("PNG", "WEBP", "TIFF", "GIF", "AVIF"):
            shown[0].save(moving, name, save_all=True, append_images=shown[1:], duration=50)
            files[f"moving {name}"] = moving.getvalue()
    return files


class TestBadInput:
    def message(self, path: Path, **options: Any) -> str:
        with pytest.raises(SourceError) as caught:
            read_frames(path, **options)
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

    def test_a_file_that_may_not_be_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(self: Path) -> bytes:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))

        (tmp_path / "a.jpg").write_bytes(b"closed")
        monkeypatch.setattr(Path, "read_bytes", refuse)
        problem = "reading is not permitted: change its permissions"
        assert problem in self.message(tmp_path / "a.jpg")

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("a.jpg", "its name is that of an image: rename it, for example to .mp4"),
            ("a.mp4", "is a video: give an image"),
        ],
    )
    def test_a_video(self, name: str, problem: str, tmp_path: Path) -> None:
        clip = write_clip(tmp_path / "clip.mp4", frames=2)
        assert problem in self.message(clip.rename(tmp_path / name))

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").touch()
        assert "is empty" in self.message(tmp_path / "a.jpg")

    @pytest.mark.parametrize("content", [b"text\n" * 100, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
    def test_no_image(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.jpg").write_bytes(content)
        self.message(tmp_path / "a.jpg")

    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "bmp", "gif", "avif"])
    @pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
    @pytest.mark.parametrize("partial", [False, True])
    def test_an_image_that_breaks_off(
        self, tmp_path: Path, suffix: str, share: float, partial: bool
    ) -> None:
        path = save_image(portrait(), tmp_path / f"a.{suffix}")
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        self.message(path, partial=partial)

    @pytest.mark.parametrize("kind", ["png", "tiff"])
    @pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
    def test_a_deep_image_that_breaks_off(
        self, tmp_path: Path, kind: str, share: float, capfd: pytest.CaptureFixture[str]
    ) -> None:
        data = cv2.imencode(f".{kind}", noise(64, 64, 3, dtype=np.uint16))[1].tobytes()
        (tmp_path / "a").write_bytes(data[: int(len(data) * share)])
        self.message(tmp_path / "a")
        assert capfd.readouterr().err == ""

    def test_a_deep_png_with_a_wrong_checksum(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        data = cv2.imencode(".png", noise(64, 64, 3, dtype=np.uint16))[1].tobytes()
        checksum = data.index(b"IEND") - 8
        (tmp_path / "a").write_bytes(data[:checksum] + b"\0" + data[checksum + 1 :])
        assert "(the checksum of its pixels is wrong)" in self.message(tmp_path / "a")
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff", "avif"])
    @pytest.mark.parametrize("cut_bytes", [30, 500])
    def test_truncated_frames(self, tmp_path: Path, suffix: str, cut_bytes: int) -> None:
        path = self.animation(tmp_path / f"a.{suffix}")
        path.write_bytes(path.read_bytes()[:-cut_bytes])
        self.message(path)

    def test_a_gif_truncated_between_two_frames(self, tmp_path: Path) -> None:
        path = self.animation(tmp_path / "a.gif")
        data = path.read_bytes()
        path.write_bytes(data[: data.rindex(b"\x21\xf9\x04")])  # the last frame's control block
        assert "is truncated" in self.message(path)
        with ImageReader(path, partial=True) as source:
            assert len(list(source)) == 3
        assert "is truncated" in source.warnings[0]

    def test_stray_bytes_in_a_gif_are_skipped(self, tmp_path: Path) -> None:
        path = self.animation(tmp_path / "a.gif")
        data = path.read_bytes()
        at = data.rindex(b"\x21\xf9\x04")
        path.write_bytes(data[:at] + bytes(3) + data[at:] + b"after the end")
        assert len(read_frames(path)) == 4

    @pytest.mark.parametrize("suffix", ["gif", "png"])
    def test_the_complete_frames_of_a_broken_animation_are_kept_on_request(
        self, tmp_path: Path, suffix: str
    ) -> None:
        path = self.animation(tmp_path / f"a.{suffix}")
        whole = read_frames(path)
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

    def test_a_decompression_bomb(self, tmp_path: Path) -> None:
        header = (20_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
        (tmp_path / "a.png").write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + png_chunk(b"IHDR", header)
            + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
            + png_chunk(b"IEND", b"")
        )
        text = self.message(tmp_path / "a.png")
        assert "has 20000 x 20000 pixels (400 million), more than the limit of 300 million" in text
        assert text.endswith("or raise the limit with `max_megapixels`")

    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "gif", "avif", "heic"])
    def test_the_limit_of_pixels_is_a_setting(self, tmp_path: Path, suffix: str) -> None:
        image = Image.new("RGB", (2000, 1000), "red")
        if suffix == "heic":
            pillow_heif.from_pillow(image).save(tmp_path / "a.heic")
        else:
            image.save(tmp_path / f"a.{suffix}")
        text = self.message(tmp_path / f"a.{suffix}", max_megapixels=1.9)
        assert "has 2000 x 1000 pixels (2 million), more than the limit of 1.9 million" in text
        assert len(read_frames(tmp_path / f"a.{suffix}", max_megapixels=2)) == 1

    @pytest.mark.parametrize("suffix", ["png", "webp", "gif", "avif"])
    @pytest.mark.parametrize("partial", [False, True])
    def test_so_is_the_limit_for_animations(
        self, tmp_path: Path, suffix: str, partial: bool
    ) -> None:
        shown = [Image.new("RGB", (400, 250), (index * 20, 0, 0)) for index in range(12)]
        path = tmp_path / f"a.{suffix}"
        shown[0].save(path, save_all=True, append_images=shown[1:], duration=50)
        text = self.message(path, max_megapixels=0.11, partial=partial)
        assert "has 12 frames of 400 x 250 pixels (1 million), more than the limit of 1.1" in text
        assert len(read_frames(path, max_megapixels=0.12)) == 12

    def test_a_file_larger_than_the_memory_is_refused(self, tmp_path: Path) -> None:
        with (tmp_path / "a.png").open("wb") as file:
            file.truncate((4 << 30) + (7 << 20))  # takes no space
        assert "has 4103 MB, and images of at most 4096 MB" in self.message(tmp_path / "a.png")

    def test_a_large_image_is_read_without_a_warning(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        path = save_image(noise(60, 60), tmp_path / "a.png")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            assert len(read_frames(path)) == 1
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
    def test_samples_that_could_not_be_written_as_they_were(
        self, tmp_path: Path, array: Any, options: dict[str, Any]
    ) -> None:
        tifffile.imwrite(tmp_path / "a.tif", array, **options)
        self.message(tmp_path / "a.tif")

    @given(data=st.data())
    @settings(max_examples=150)
    def test_any_damage_is_reported_in_one_line(self, tmp_path: Path, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(complete_files())))
        damaged = bytearray(complete_files()[name])
        for _ in range(data.draw(st.integers(0, 4))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place] = data.draw(st.integers(0, 255))
        path = tmp_path / "damaged"
        path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
        try:
            read = read_frames(path, partial=data.draw(st.booleans()))
        except SourceError as error:
            message = str(error)
        else:
            assert read
            return
        assert str(path) in message
        assert "\n" not in message

    def test_other_formats_that_pillow_reads(self, tmp_path: Path) -> None:
        file = io.BytesIO()
        Image.fromarray(noise(*RGB)).save(file, "PPM")
        (tmp_path / "a.png").write_bytes(file.getvalue())
        assert "is not a readable image" in self.message(tmp_path / "a.png")
