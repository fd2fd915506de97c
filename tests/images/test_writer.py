"""What ImageWriter refuses, and images for comparing."""

from __future__ import annotations

import errno
import tracemalloc
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.image_files import (
    blacken,
    noise,
    pixels,
    portrait,
    read_frames,
    rewrite,
    save_image,
)
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.images import writer
from tracker_blur.images.frame import upper_8_bits
from tracker_blur.images.reader import ImageReader
from tracker_blur.images.writer import ImageWriter, side_by_side
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.images.frame import ImageFrame


class TestRefusals:
    def test_a_suffix_that_stands_for_no_image(self, tmp_path: Path) -> None:
        source = save_image(portrait(), tmp_path / "a.png")
        with pytest.raises(SettingsError, match=r"b\.xyz: .* suffix: choose one of"):
            rewrite(source, tmp_path / "b.xyz")

    def test_an_output_that_exists(self, tmp_path: Path) -> None:
        source = save_image(portrait(), tmp_path / "a.png")
        (tmp_path / "b.png").write_bytes(b"mine")
        with pytest.raises(SinkError, match="already exists"):
            rewrite(source, tmp_path / "b.png")
        assert (tmp_path / "b.png").read_bytes() == b"mine"
        rewrite(source, tmp_path / "b.png", overwrite=True)
        assert np.array_equal(pixels(read_frames(tmp_path / "b.png")[0]), portrait())

    def test_nothing_is_left_of_a_failed_run(self, tmp_path: Path) -> None:
        source = save_image(portrait(), tmp_path / "a.png")

        def fail(frame: ImageFrame) -> None:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            rewrite(source, tmp_path / "b.png", fail)
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

    def test_a_size_that_the_format_cannot_hold(self, tmp_path: Path) -> None:
        source = save_image(noise(2, 20_000), tmp_path / "a.png")
        with pytest.raises(SinkError, match=r"b\.webp: the image cannot be stored as WEBP") as e:
            rewrite(source, tmp_path / "b.webp")
        assert "\n" not in str(e.value)
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

    def test_no_frame_at_all(self, tmp_path: Path) -> None:
        with (
            ImageReader(save_image(portrait(), tmp_path / "a.png")) as source,
            pytest.raises(SinkError, match="no image to write"),
            ImageWriter(tmp_path / "b.png", source, Settings()),
        ):
            pass
        assert not (tmp_path / "b.png").exists()

    def test_a_frame_that_is_no_image(self, tmp_path: Path) -> None:
        with (
            ImageReader(save_image(portrait(), tmp_path / "a.png")) as source,
            pytest.raises(TypeError),
            ImageWriter(tmp_path / "b.png", source, Settings()) as sink,
        ):
            sink.write(RedactedFrame(object()))  # type: ignore[arg-type]  # wrong on purpose
        assert not (tmp_path / "b.png").exists()


class TestComparing:
    def test_before_and_after_are_next_to_each_other(self, tmp_path: Path) -> None:
        (frame,) = read_frames(save_image(portrait(), tmp_path / "a.png"))
        before = frame.view(frame.size)
        blacken(frame)
        side_by_side(tmp_path / "b.png", before, frame.view(frame.size), overwrite=False)
        (written,) = read_frames(tmp_path / "b.png")
        assert np.array_equal(pixels(written)[:, :256], portrait())
        assert np.array_equal(pixels(written)[:, -256:], pixels(frame))

    def test_an_existing_file_is_not_overwritten(self, tmp_path: Path) -> None:
        view = portrait()[..., ::-1]
        side_by_side(tmp_path / "b.jpg", view, view, overwrite=False)
        with pytest.raises(SinkError, match="already exists"):
            side_by_side(tmp_path / "b.jpg", view, view, overwrite=False)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.avif", "a.heic", "deep.png"])
def test_colors_that_transparency_hides_are_not_stored(tmp_path: Path, name: str) -> None:
    array = np.dstack([portrait(), np.full((256, 256), 255, np.uint8)])
    array[64:180, 86:180, 3] = 0  # the face
    source = save_image(array, tmp_path / "in.png")
    if name == "deep.png":
        deep = array[..., [2, 1, 0, 3]].astype(np.uint16) * 257
        source.write_bytes(cv2.imencode(".png", deep)[1].tobytes())
    (written,) = read_frames(rewrite(source, tmp_path / name))
    assert written.alpha is not None
    assert not written.alpha[70:170, 92:170].any()
    assert max(int(channel[70:170, 92:170].max()) for channel in written.channels) <= 6
    red = upper_8_bits(written.channels[0])[:50].astype(int)
    assert np.abs(red - portrait()[:50, :, 0]).mean() < 4


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "avif", "tif"])
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path: Path, suffix: str) -> None:
    peaks = []
    for count in (2, 3, 12):  # the first use loads what stays
        shown = [Image.new("RGB", (600, 500), (index, 0, 0)) for index in range(count)]
        shown[0].save(tmp_path / "a.png", save_all=True, append_images=shown[1:], duration=50)
        del shown
        tracemalloc.start()
        try:
            target = rewrite(tmp_path / "a.png", tmp_path / f"b.{suffix}", overwrite=True)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert len(read_frames(target)) == count
    assert peaks[2] < peaks[1] + 600 * 500 * 3  # one frame, not nine


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), OSError("12288 requested and 0 written")],
)
@pytest.mark.parametrize("suffix", [".tif", ".png", ".gif"])
def test_a_full_disk_is_not_blamed_on_the_format(
    error: OSError, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(*_: object) -> None:
        raise error

    monkeypatch.setattr(writer, "encode", encode)
    source = save_image(noise(8, 8, 3), tmp_path / "in.png")
    target = tmp_path / f"out{suffix}"
    with pytest.raises(SinkError) as caught:
        rewrite(source, target)
    expected = f"{target}: cannot be written (no space left on device): free some space"
    assert str(caught.value).startswith(expected)
    assert sorted(tmp_path.iterdir()) == [source]
