"""Chained Ogg files are read to their end, with audio and video in step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.video.rewriting import packets, times
from tests.video.test_track_selection import rewritten
from tests.video_files import AudioTrack, write_clip
from tracker_blur.video import ogg_chain
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path


def link(path: Path, frames: int, audio: str | None = None, **fields: Any) -> bytes:
    """Return an Ogg file of frames at 25 a second."""
    tracks = [AudioTrack(audio)] if audio else []
    fields = {"codec": "libvpx", "container_format": "ogg", **fields}
    return write_clip(path, frames=frames, audio_tracks=tracks, **fields).read_bytes()


def chain(folder: Path, *lengths: int, audio: str | None = None) -> Path:
    path = folder / "in.ogg"
    parts = [link(folder / f"{number}.ogg", length, audio) for number, length in enumerate(lengths)]
    path.write_bytes(b"".join(parts))
    return path


def test_links_are_found_with_their_times(tmp_path: Path) -> None:
    path = chain(tmp_path, 50, 25, 30)
    sizes = [(tmp_path / f"{number}.ogg").stat().st_size for number in range(3)]
    found = ogg_chain.links(path)
    assert [one.start for one in found] == [0, sizes[0], sizes[0] + sizes[1]]
    assert found[-1].end == sum(sizes)
    assert [float(one.offset) for one in found] == pytest.approx([0, 2, 3], abs=0.05)


def test_other_files_have_no_links(tmp_path: Path) -> None:
    assert ogg_chain.links(write_clip(tmp_path / "a.mkv", frames=3)) == ()
    link(tmp_path / "b.ogg", 10, "libopus")
    assert ogg_chain.links(tmp_path / "b.ogg") == ()


def test_frames_of_all_links_follow_each_other(tmp_path: Path) -> None:
    with VideoReader(chain(tmp_path, 50, 30, 20)) as source:
        seconds = [float(frame.pts * frame.time_base) for frame in source]
    assert len(seconds) == 100
    assert np.diff(seconds) == pytest.approx(0.04, abs=0.002)


def test_opus_is_copied_in_step(tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    source = chain(tmp_path, 50, 25, audio="libopus")
    assert rewritten(source, target) == ()
    copied = packets(target, "audio")
    parts = [packets(tmp_path / f"{number}.ogg", "audio") for number in range(2)]
    assert [data for _, data in copied] == [data for part in parts for _, data in part]
    later = [float(time) for time, _ in copied[len(parts[0]) :]]
    assert later[0] == pytest.approx(2, abs=0.05)
    assert later[-1] == pytest.approx(3, abs=0.05)
    assert len(times(target)) == 75


def test_other_audio_is_decoded_by_each_link(tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    source = chain(tmp_path, 50, 25, audio="flac")
    (warning,) = rewritten(source, target)
    assert "is stored as flac: what is needed to decode it changes within the file" in warning
    with av.open(str(target)) as container:
        after = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    before = []
    for number in range(2):
        with av.open(str(tmp_path / f"{number}.ogg")) as container:
            before += [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    assert np.array_equal(after, np.concatenate(before))
