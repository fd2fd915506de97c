"""Frames wait on the disk without loss, and nothing of them stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.image_files import Array, noise
from tracker_blur.images.frame import Encoding, ImageFrame
from tracker_blur.images.frame_store import FrameStore

if TYPE_CHECKING:
    from pathlib import Path


def frame(samples: Array, alpha: Array | None = None, **fields: Any) -> ImageFrame:
    channels = (samples,) if samples.ndim == 2 else tuple(np.moveaxis(samples, -1, 0).copy())
    return ImageFrame(channels, alpha, **fields)


def test_frames_come_back_as_they_were(tmp_path: Path) -> None:
    frames = [
        frame(noise(9, 7, 3), duration=3, index=0, encoding=Encoding(format="PNG", plays=2)),
        frame(noise(9, 7, dtype=np.uint16), noise(9, 7, dtype=np.uint16), index=1),
        frame(noise(5, 4), index=2),
    ]
    with FrameStore(tmp_path) as store:
        for each in frames:
            store.append(each)
        assert list(tmp_path.iterdir()) == []  # the file has no name
        assert len(store) == 3
        for before, after in zip(frames, store, strict=True):
            assert len(after.channels) == len(before.channels)
            for old, new in zip(before.channels, after.channels, strict=True):
                assert np.array_equal(old, new)
                assert old.dtype == new.dtype
            assert (before.alpha is None) == (after.alpha is None)
            assert (before.duration, before.encoding, before.index) == (
                after.duration,
                after.encoding,
                after.index,
            )
        was, now = frames[1].alpha, store[1].alpha
        assert was is not None
        assert now is not None
        assert np.array_equal(was, now)


def test_it_knows_what_encoders_must_know_first(tmp_path: Path) -> None:
    with FrameStore(tmp_path) as store:
        store.append(frame(noise(9, 7), encoding=Encoding(is_bilevel=True)))
        assert (store.has_color, store.has_alpha, store.is_transparent) == (False, False, False)
        assert store.is_bilevel
        store.append(frame(noise(9, 7, 3), np.full((9, 7), 255, np.uint8)))
        assert (store.has_color, store.has_alpha, store.is_transparent) == (True, True, False)
        assert not store.is_bilevel
        store.append(frame(noise(8, 7), np.full((8, 7), 254, np.uint8)))
        assert store.is_transparent
        assert store.sizes == {(7, 9), (7, 8)}


def test_a_single_frame_stays_in_memory(tmp_path: Path) -> None:
    with FrameStore(tmp_path / "no such folder") as store:
        only = frame(noise(9, 7, 3))
        store.append(only)
        assert store[0] is only
        assert list(store.heads()) == [only]
