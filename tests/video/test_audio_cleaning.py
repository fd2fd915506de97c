"""What lies next to the samples of copied audio, where containers have room for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest

from tests.video_files import AudioTrack, write_clip
from tracker_blur.video.audio_cleaning import clean_setup

from .rewriting import packets, rewrite

if TYPE_CHECKING:
    from pathlib import Path

SECRET = b"Anna, 52.5163 N 13.3777 E"
ALAC = bytes([0, 0, 0, 36]) + b"alac" + bytes(28)
OPUS = b"OpusHead" + bytes([1, 2, 56, 1, 0x80, 0xBB, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("codec", "setup"),
    [
        ("pcm_s16le", b""),
        ("ac3", b""),
        ("mp3", b""),
        ("opus", OPUS),
        ("opus", OPUS[:9] + b"\6" + OPUS[10:18] + b"\1" + bytes([4, 2, 0, 4, 1, 2, 3, 5])),
        ("alac", ALAC),
        ("alac", b"\0\0\0\x3c" + ALAC[4:] + b"\0\0\0\x18chan" + bytes(16)),
    ],
)
def test_what_follows_the_setup_data_goes(codec: str, setup: bytes) -> None:
    assert clean_setup(codec, setup) == setup
    planted = setup + SECRET
    if codec == "alac":  # its first four bytes state the size, as Matroska's reader makes it
        planted = len(planted).to_bytes(4, "big") + planted[4:]
    assert clean_setup(codec, planted) == setup


@pytest.mark.parametrize("codec", ["libopus", "flac", "alac", "aac", "ac3", "libmp3lame"])
def test_additions_to_blocks_go_and_the_sound_stays(codec: str, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", frames=10, audio_tracks=[AudioTrack(codec)])
    alpha = write_clip(
        tmp_path / "alpha.webm", frames=1, codec="libvpx-vp9", pixel_format="yuva420p"
    )
    with av.open(str(alpha)) as container:
        addition = next(container.demux(video=0)).get_sidedata("matroska_block_additional")
        assert addition
    source = tmp_path / "in.mkv"
    with av.open(str(clip)) as given, av.open(str(source), "w") as planted:
        targets = [planted.add_stream_from_template(stream) for stream in given.streams]
        for packet in given.demux():
            if packet.size:
                if packet.stream.type == "audio":
                    packet.set_sidedata(addition)
                packet.stream = targets[packet.stream.index]
                planted.mux(packet)
    assert _has_additions(source)
    output = rewrite(source, tmp_path / "out.mkv")
    assert not _has_additions(output)
    assert packets(output, "audio") == packets(clip, "audio")
    with av.open(str(output)) as written, av.open(str(clip)) as given:
        ends = [container.streams.audio[0].duration for container in (written, given)]
        assert ends[0] == ends[1]
        samples = [
            sum(frame.samples for frame in container.decode(audio=0))
            for container in (written, given)
        ]
        assert samples[0] == samples[1]


def _has_additions(path: Path) -> bool:
    with av.open(str(path)) as container:
        return any(
            packet.has_sidedata("matroska_block_additional") for packet in container.demux(audio=0)
        )
