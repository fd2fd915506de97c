"""HLS playlists: playable by any client, short, and never over another's files."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest

from tests.realtime.targets.decoding import check_images, check_sync, decode
from tests.realtime.targets.deliveries import (
    COLOR,
    COUNT,
    FORMAT,
    SIZE,
    make_audio,
    make_context,
    make_deliveries,
    send,
)
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime.delivery import Format
from tracker_blur.realtime.targets import open_target
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["live.m3u8", ""])
def test_playlist_is_complete_and_in_sync(tmp_path: Path, name: str) -> None:
    target = open_target(str(tmp_path / name), make_context())
    target.open(FORMAT)
    send(target, make_deliveries(), make_audio())
    target.close()
    decoded = decode(tmp_path / "live.m3u8")
    assert len(decoded.images) == COUNT
    assert decoded.intervals == pytest.approx([n / 25 for n in range(COUNT)], abs=0.001)
    check_images(decoded)
    check_sync(decoded)


@pytest.mark.parametrize("folder", ["to-%d", "100%", "%06d %%", "c:a%s", "a%v"])
@pytest.mark.parametrize("stem", ["live", "5% %%"])
def test_a_name_is_not_a_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, stem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / folder).mkdir()
    target = open_target(f"{folder}/{stem}.m3u8", make_context())
    target.open(Format(SIZE, Fraction(5), color=COLOR))
    deliveries = itertools.islice(itertools.cycle(make_deliveries()), 75)  # 15 seconds
    send(target, [replace(one, seconds=index / 5) for index, one in enumerate(deliveries)])
    target.close()
    playlist = tmp_path / folder / f"{stem}.m3u8"
    listed = re.findall(r"^[^#].*\.ts$", playlist.read_text(), re.MULTILINE)
    assert listed[-1] == f"{stem}-{len(listed) + 1:06}.ts"  # older ones were deleted
    assert {path.name for path in playlist.parent.iterdir()} >= {playlist.name, *listed}
    assert f"{stem}-000000.ts" not in listed
    assert [path.name for path in tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize("stem", ["a%d", "%03D", "a%v"])
def test_a_name_that_ffmpeg_cannot_write_is_refused(tmp_path: Path, stem: str) -> None:
    with pytest.raises(SettingsError, match="as a pattern of numbers: choose another name"):
        open_target(f"{tmp_path}/{stem}.m3u8", make_context())


def test_old_segments_are_deleted(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "live.m3u8"), make_context())
    target.open(Format(SIZE, Fraction(5)))
    deliveries = itertools.islice(itertools.cycle(make_deliveries()), 130)  # 26 seconds
    send(target, [replace(one, seconds=index / 5) for index, one in enumerate(deliveries)])
    segments = sorted(path.name for path in tmp_path.glob("*.ts"))
    listed = re.findall(r"^live-.*\.ts$", (tmp_path / "live.m3u8").read_text(), re.MULTILINE)
    assert len(listed) == 6
    assert set(listed) < set(segments)
    assert len(segments) <= 9
    assert "live-000000.ts" not in segments
    target.close()


def test_playlist_continues_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "live.m3u8"
    target = open_target(str(path), make_context())
    for turn in range(2):
        target.open(FORMAT)
        send(target, make_deliveries(begin=turn * 100), make_audio(begin=turn * 100))
        target.close()
    text = path.read_text()
    assert "#EXT-X-DISCONTINUITY" in text
    assert len(set(re.findall(r"^live-.*\.ts$", text, re.MULTILINE))) == 2
    assert len(decode(path).images) == 2 * COUNT


def test_existing_playlist_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "live.m3u8"
    path.write_text("precious")
    target = open_target(str(path), make_context())
    for _ in range(2):
        with pytest.raises(
            SinkError, match="already exists: choose another name or use `overwrite`"
        ):
            target.open(FORMAT)
        target.close()
    assert path.read_text() == "precious"


def test_existing_segment_is_not_replaced(tmp_path: Path) -> None:
    segment = tmp_path / "live-000000.ts"
    segment.write_bytes(b"precious")
    target = open_target(str(tmp_path / "live.m3u8"), make_context())
    with pytest.raises(SinkError, match=r"live-000000\.ts: already exists"):
        target.open(FORMAT)
    target.close()
    assert segment.read_bytes() == b"precious"


def test_existing_playlist_is_replaced_with_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "live.m3u8"
    path.write_text("precious")
    target = open_target(str(path), make_context(Settings(overwrite=True)))
    target.open(FORMAT)
    send(target, make_deliveries(), make_audio())
    target.close()
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == COUNT


@pytest.mark.slow
@pytest.mark.parametrize("opened_before", [0, 1])
def test_replaced_playlist_leaves_no_segment_in_the_new_one(
    tmp_path: Path, opened_before: int
) -> None:
    path = tmp_path / "live.m3u8"
    others = [tmp_path / f"raw-{number}.ts" for number in range(9)]
    listed = "".join(f"#EXTINF:2.0,\n{other.name}\n" for other in others)
    path.write_text(f"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n{listed}")
    for other in others:
        other.write_bytes(b"a face")
    target = open_target(str(path), make_context(Settings(overwrite=True)))
    for _ in range(opened_before):  # without a frame
        target.open(FORMAT)
        target.close()
        assert "raw" in path.read_text()
    for turn in range(3):
        target.open(Format(SIZE, Fraction(5)))
        deliveries = itertools.islice(itertools.cycle(make_deliveries()), 60)  # 12 seconds
        for index, delivery in enumerate(deliveries):
            target.show(replace(delivery, seconds=12 * turn + index / 5))
            assert not path.exists() or "raw" not in path.read_text()
        target.close()
        assert "raw" not in path.read_text()
    assert [other.read_bytes() for other in others] == [b"a face"] * 9


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    target = open_target(str(tmp_path / "none" / "live.m3u8"), make_context())
    with pytest.raises(SinkError, match=r"the folder .*none does not exist: create it"):
        target.open(FORMAT)


def test_folder_that_disappears_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    target = open_target(str(folder / "live.m3u8"), make_context())
    target.open(FORMAT)
    send(target, make_deliveries(), make_audio())
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(SinkError, match=r"live\.m3u8: cannot be written \(no such file"):
        for turn in range(1, 10):
            begin = 12 + turn * 1.2
            send(target, make_deliveries(begin=begin), make_audio(begin=begin))
    target.close()
