"""Of several programs in a transport stream, one is taken: its video, its audio and its clock."""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING

import av
import pytest

from tests.video.rewriting import packets, read_frames, rewrite, times
from tests.video.test_edit_lists import loudest, whole_audio
from tests.video.transport_streams import multiplexed, write_station
from tracker_blur.settings import Settings
from tracker_blur.video.programs import program_tracks
from tracker_blur.video.track_selection import select_tracks

if TYPE_CHECKING:
    from pathlib import Path

GRAYS, TONES = (60, 200), (1000, 3000)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Return two stations whose clocks are a day apart."""
    stations = [
        write_station(
            tmp_path / f"{number}.ts",
            2,
            gray=GRAYS[number - 1],
            hertz=TONES[number - 1],
            program=number,
            clock=partial(operator.add, 20_000 * number),
        )
        for number in (1, 2)
    ]
    return multiplexed(tmp_path / "in.ts", stations)


def test_each_track_has_its_program(two: Path) -> None:
    with av.open(str(two)) as container:
        assert len(container.streams) == 4
        for video in container.streams.video:
            (audio,) = (stream for stream in container.streams.audio if stream.id - video.id == 1)
            found = program_tracks(two, container, video.index)
            assert found == {video.index, audio.index}


def test_a_recording_that_begins_in_the_middle_of_a_packet(two: Path) -> None:
    cut = two.with_name("cut.ts")
    cut.write_bytes(two.read_bytes()[100:])
    with av.open(str(cut)) as container:
        for video in container.streams.video:
            assert len(program_tracks(cut, container, video.index)) == 2


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_one_program_is_taken_whole(two: Path, name: str) -> None:
    first = read_frames(two)[0].view((64, 48)).mean()
    taken = 0 if abs(first - GRAYS[0]) < abs(first - GRAYS[1]) else 1
    target = rewrite(two, two.with_name(name))
    with av.open(str(target)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
    samples = whole_audio(target)
    assert loudest(samples, TONES[taken]) > 8000
    assert loudest(samples, TONES[1 - taken]) < 200
    assert float(times(target)[0]) == pytest.approx(0, abs=0.1)
    assert float(packets(target, "audio")[0][0]) == pytest.approx(0, abs=0.1)
    assert len(times(target)) == 50


def test_what_is_left_out_is_named(two: Path) -> None:
    with av.open(str(two)) as container:
        video = container.streams.video[0]
        selection = select_tracks(two, container, video.index, Settings())
        (other,) = (s.index for s in container.streams.audio if s.id - video.id != 1)
        assert selection.warnings == (
            f"{two}: track {other} is left out: it belongs to another program",
        )
        everything = Settings(tracks_kept=("audio", other))
        assert len(select_tracks(two, container, video.index, everything).indexes) == 2


def test_a_file_without_programs_keeps_all_tracks(tmp_path: Path) -> None:
    path = write_station(tmp_path / "in.mpg", 1)
    with av.open(str(path)) as container:
        assert program_tracks(path, container, 0) == {0, 1}
