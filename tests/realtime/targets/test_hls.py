"""Playlists: played by any client, short, never over another's files."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.realtime.targets.deliveries import COUNT, FORMAT, SIZE, context, deliveries, send, sounds
from tests.realtime.targets.received import check_pictures, check_step, read
from tracker_blur.errors import SinkError
from tracker_blur.realtime.delivery import Format
from tracker_blur.realtime.targets import open_target
from tracker_blur.settings import Settings


@pytest.mark.parametrize("name", ["live.m3u8", ""])
def test_plays_in_step(tmp_path: Path, name: str) -> None:
    target = open_target(str(tmp_path / name), context())
    target.open(FORMAT)
    send(target, deliveries(), sounds())
    target.close()
    got = read(tmp_path / "live.m3u8")
    assert len(got.pictures) == COUNT
    assert got.intervals == pytest.approx([n / 25 for n in range(COUNT)], abs=0.001)
    check_pictures(got)
    check_step(got)


def test_old_segments_are_removed(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "live.m3u8"), context())
    target.open(Format(SIZE, Fraction(5)))
    pictures = itertools.islice(itertools.cycle(deliveries()), 130)  # 26 seconds
    send(target, [replace(one, seconds=index / 5) for index, one in enumerate(pictures)])
    segments = sorted(path.name for path in tmp_path.glob("*.ts"))
    listed = re.findall(r"^live-.*\.ts$", (tmp_path / "live.m3u8").read_text(), re.MULTILINE)
    assert len(listed) == 6
    assert set(listed) < set(segments)
    assert len(segments) <= 9
    assert "live-000000.ts" not in segments
    target.close()


def test_goes_on_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "live.m3u8"
    target = open_target(str(path), context())
    for turn in range(2):
        target.open(FORMAT)
        send(target, deliveries(begin=turn * 100), sounds(begin=turn * 100))
        target.close()
    text = path.read_text()
    assert "#EXT-X-DISCONTINUITY" in text
    assert len(set(re.findall(r"^live-.*\.ts$", text, re.MULTILINE))) == 2
    assert len(read(path).pictures) == 2 * COUNT


def test_anothers_playlist_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "live.m3u8"
    path.write_text("precious")
    target = open_target(str(path), context())
    for _ in range(2):
        with pytest.raises(SinkError, match="exists already: choose another name, or --overwrite"):
            target.open(FORMAT)
        target.close()
    assert path.read_text() == "precious"


def test_an_existing_playlist_is_replaced_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "live.m3u8"
    path.write_text("precious")
    target = open_target(str(path), context(Settings(overwrite=True)))
    target.open(FORMAT)
    send(target, deliveries(), sounds())
    target.close()
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == COUNT


@pytest.mark.parametrize("opened_before", [0, 1])
def test_nothing_of_anothers_playlist_is_taken_over(tmp_path: Path, opened_before: int) -> None:
    path = tmp_path / "live.m3u8"
    others = [tmp_path / f"raw-{number}.ts" for number in range(9)]
    listed = "".join(f"#EXTINF:2.0,\n{other.name}\n" for other in others)
    path.write_text(f"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n{listed}")
    for other in others:
        other.write_bytes(b"a face")
    target = open_target(str(path), context(Settings(overwrite=True)))
    for _ in range(opened_before):  # without a picture
        target.open(FORMAT)
        target.close()
        assert "raw" in path.read_text()
    for turn in range(3):
        target.open(Format(SIZE, Fraction(5)))
        pictures = itertools.islice(itertools.cycle(deliveries()), 60)  # 12 seconds
        for index, one in enumerate(pictures):
            target.show(replace(one, seconds=12 * turn + index / 5))
            assert not path.exists() or "raw" not in path.read_text()
        target.close()
        assert "raw" not in path.read_text()
    assert [other.read_bytes() for other in others] == [b"a face"] * 9


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "none" / "live.m3u8"), context())
    with pytest.raises(SinkError, match=r"there is no folder .*none: make it"):
        target.open(FORMAT)


def test_a_folder_that_goes_away_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    target = open_target(str(folder / "live.m3u8"), context())
    target.open(FORMAT)
    send(target, deliveries(), sounds())
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(SinkError, match=r"live\.m3u8: cannot be written \(no such file"):
        for turn in range(1, 10):
            send(target, deliveries(begin=12 + turn * 1.2), sounds(begin=12 + turn * 1.2))
    target.close()


def test_segments_that_are_there_stay(tmp_path: Path) -> None:
    segment = tmp_path / "live-000000.ts"
    segment.write_bytes(b"precious")
    target = open_target(str(tmp_path / "live.m3u8"), context())
    with pytest.raises(SinkError, match=r"live-000000\.ts: exists already"):
        target.open(FORMAT)
    target.close()
    assert segment.read_bytes() == b"precious"
