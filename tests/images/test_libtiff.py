"""What libtiff finds wrong is an error of ours, and not a line of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from tests.image_files import portrait, read_frames
from tracker_blur.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path


def damaged(path: Path, compression: str) -> Path:
    """Write an image whose compressed data is overwritten in its middle."""
    image = Image.fromarray(portrait())
    if compression == "group4":
        image = image.convert("1")
    image.save(path, compression=compression)
    with TiffImagePlugin.TiffImageFile(path) as stored:
        start, size = stored.tag_v2[273][0], stored.tag_v2[279][0]
    data = bytearray(path.read_bytes())
    middle = start + size // 2
    data[middle : middle + 60] = np.random.default_rng(3).bytes(60)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "group4"])
def test_damage_is_reported_once_and_in_our_words(
    tmp_path: Path, compression: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = damaged(tmp_path / "a.tif", compression)
    with pytest.raises(SourceError, match="is damaged or truncated") as caught:
        read_frames(path)
    assert "\n" not in str(caught.value)
    assert "%" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_damage_of_one_file_is_not_that_of_another(tmp_path: Path) -> None:
    bad = damaged(tmp_path / "bad.tif", "group4")
    good = tmp_path / "good.tif"
    Image.fromarray(portrait()).convert("1").save(good, compression="group4")

    def is_read(path: Path) -> bool:
        try:
            return len(read_frames(path)) == 1
        except SourceError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(is_read, [bad, good] * 20)) == [False, True] * 20
