"""Which frames are read, and what is refused."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from tests.video.rewriting import (
    read_frames,
)
from tests.video_files import (
    AudioTrack,
    write_clip,
    write_two_video_tracks,
)
from tracker_blur.errors import SourceError
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from collections.abc import Iterator


def seconds_of(path: Path) -> list[float]:
    return [frame.seconds for frame in read_frames(path)]


class TestFrames:
    """Which frames are read, and their times."""

    def test_each_frame_comes_once_with_its_time(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=30)
        with VideoReader(path) as source:
            frames = list(source)
        assert [frame.index for frame in frames] == list(range(30))
        assert [frame.pts * frame.time_base for frame in frames] == [
            Fraction(index, 25) for index in range(30)
        ]
        assert source.info.size == (96, 64)
        assert source.info.rate == 25
        assert source.info.frame_count == 30
        assert not source.is_partial
        assert source.warnings == ()

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("name", "codec", "pixel_format"),
        [
            ("a.mp4", "libx264", "yuv420p"),
            ("a.mov", "libx265", "yuv420p"),
            ("a.mkv", "libsvtav1", "yuv420p"),
            ("a.webm", "libvpx-vp9", "yuv420p"),
            ("b.webm", "libvpx", "yuv420p"),
            ("a.avi", "mpeg4", "yuv420p"),
            ("a.mpg", "mpeg2video", "yuv420p"),
            ("a.ts", "libx264", "yuv420p"),
            ("a.flv", "libx264", "yuv420p"),
            ("b.mkv", "ffv1", "yuv420p"),
            ("b.mov", "prores_ks", "yuv422p10le"),
            ("c.mov", "mjpeg", "yuvj420p"),
            ("a.gif", "gif", "rgb8"),
        ],
    )
    def test_a_complete_file_of_any_format_passes(
        self, tmp_path: Path, name: str, codec: str, pixel_format: str
    ) -> None:
        path = write_clip(tmp_path / name, codec=codec, frames=30, pixel_format=pixel_format)
        assert len(read_frames(path)) == 30

    def test_variable_frame_rates_keep_every_time(self, tmp_path: Path) -> None:
        pts = [0, 1, 40, 41, 42, 130, 131, 300, 1000, 1001]
        path = write_clip(tmp_path / "a.mkv", frames=10, time_base=Fraction(1, 1000), pts=pts)
        assert seconds_of(path) == pytest.approx([tick / 1000 for tick in pts])

    def test_uneven_frames_have_their_mean_rate(self, tmp_path: Path) -> None:
        # As browsers record: the file states no rate, and FFmpeg guesses the clock's thousand.
        pts = np.cumsum(np.random.default_rng(1).choice([59, 67, 71, 83, 101], 120)).tolist()
        stated = write_clip(
            tmp_path / "a.webm", codec="libvpx", frames=120, time_base=Fraction(1, 1000), pts=pts
        )
        path = tmp_path / "b.webm"
        with av.open(str(stated)) as source, av.open(str(path), "w") as target:
            track = target.add_stream_from_template(source.streams.video[0], opaque=True)
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = track
                    target.mux(packet)
        with VideoReader(path) as video:
            assert float(video.info.rate) == pytest.approx(1000 / np.diff(pts).mean(), rel=0.1)
            assert video.info.frame_count == pytest.approx(120, rel=0.1)

    def test_a_start_offset_is_kept(self, tmp_path: Path) -> None:
        path = write_clip(
            tmp_path / "a.mp4", frames=5, pts=range(10, 15), audio_tracks=[AudioTrack(seconds=0.6)]
        )
        assert seconds_of(path) == pytest.approx([0.4, 0.44, 0.48, 0.52, 0.56])

    def test_times_strictly_increase_where_the_file_has_none(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.h264", frames=20, container_format="h264")
        steps = np.diff(seconds_of(path))
        assert len(steps) == 19
        assert (steps > 0).all()

    def test_later_frames_of_another_size_get_the_size_of_the_first(self, tmp_path: Path) -> None:
        # Two raw streams in one file: the decoder gets new parameters in between.
        first = write_clip(tmp_path / "a.h264", frames=5, container_format="h264")
        second = write_clip(tmp_path / "b.h264", frames=5, size=(48, 32), container_format="h264")
        path = tmp_path / "both.h264"
        path.write_bytes(first.read_bytes() + second.read_bytes())
        frames = read_frames(path)
        assert len(frames) == 10
        assert {frame.size for frame in frames} == {(96, 64)}

    @pytest.mark.slow
    @pytest.mark.shared
    @pytest.mark.parametrize(
        ("name", "size", "count"),
        [("signer.mkv", (640, 480), 73), ("two_heads.mp4", (480, 270), 56)],
    )
    def test_shared_clips(self, shared: Path, name: str, size: tuple[int, int], count: int) -> None:
        with VideoReader(shared / "videos" / name) as source:
            assert source.info.size == size
            assert sum(1 for _ in source) == count


class TestRefusals:
    """What is refused, in one line."""

    def refused(self, path: Path, reason: str) -> None:
        with pytest.raises(SourceError, match=reason) as caught:
            VideoReader(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_no_such_file(self, tmp_path: Path) -> None:
        self.refused(tmp_path / "none.mp4", "no such file")

    def test_a_folder(self, tmp_path: Path) -> None:
        self.refused(tmp_path, "is a folder")

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").touch()
        self.refused(tmp_path / "a.mp4", rf"^{tmp_path}/a\.mp4: is empty: get the complete file$")

    @pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.nfo", "a"])
    def test_text(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("Nothing to see here.\n" * 500)
        self.refused(tmp_path / name, "is not a readable video|is an image, a text or a playlist")

    def test_a_jpeg(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "a.jpg"), noise)
        message = "is an image, a text or a playlist, not a video: give a video file"
        self.refused(tmp_path / "a.jpg", message)

    def test_random_bytes(self, tmp_path: Path) -> None:
        data = np.random.default_rng(1).integers(0, 256, 100_000, np.uint8).tobytes()
        (tmp_path / "a.mkv").write_bytes(data)
        with pytest.raises(SourceError):
            read_frames(tmp_path / "a.mkv")

    def test_audio_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mka"
        with av.open(str(path), "w", format="matroska") as container:
            stream = container.add_stream("pcm_s16le", rate=48000)
            stream.layout = "mono"
            audio = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
            audio.sample_rate = 48000
            container.mux(stream.encode(audio))
        self.refused(path, "has no video track")

    def test_cover_art_is_no_video_track(self, tmp_path: Path) -> None:
        path = write_clip(
            tmp_path / "a.mp4", frames=0, cover=True, audio_tracks=[AudioTrack(seconds=1)]
        )
        self.refused(path, "has no video track|holds no frames")

    def test_cover_art_is_not_taken_for_the_video(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=5, cover=True)
        with VideoReader(path) as source:
            assert source.info.size == (96, 64)
            assert source.warnings == ()

    def test_an_unknown_codec(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.avi", codec="mpeg4", frames=5)
        data = path.read_bytes().replace(b"FMP4", b"Zq7!")
        path.write_bytes(data)
        self.refused(path, "video codec is unknown|is not a readable video")

    def test_further_video_tracks_are_named(self, tmp_path: Path) -> None:
        path = write_two_video_tracks(tmp_path / "a.mkv")
        with VideoReader(path) as source:
            assert len(list(source)) == 5
        (warning,) = source.warnings
        assert "track 1 is left out: a further video track" in warning


class Requests(http.server.BaseHTTPRequestHandler):
    """Counts requests."""

    count = 0

    def do_GET(self) -> None:
        type(self).count += 1
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    Requests.count = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Requests) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


class TestQuiet:
    """Only the file itself is read: no network, no other files; and nothing is printed."""

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            (
                "a.m3u8",
                "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
            ),
            ("a.ffconcat", "ffconcat version 1.0\nfile '{url}/a.mp4'\n"),
            (
                "a.mpd",
                '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
                'type="static"><Period><BaseURL>{url}/</BaseURL><AdaptationSet><Representation '
                'id="1"><SegmentList><SegmentURL media="a.mp4"/></SegmentList></Representation>'
                "</AdaptationSet></Period></MPD>",
            ),
        ],
    )
    def test_playlists_of_addresses_are_refused_without_requests(
        self, tmp_path: Path, server: int, name: str, text: str
    ) -> None:
        path = tmp_path / name
        path.write_text(text.format(url=f"http://127.0.0.1:{server}"))
        with pytest.raises(SourceError):
            VideoReader(path)
        assert Requests.count == 0

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n"),
            ("a.mkv", "ffconcat version 1.0\nfile {other}\n"),
        ],
    )
    def test_nothing_that_a_file_names_is_opened(
        self, tmp_path: Path, name: str, text: str
    ) -> None:
        other = tmp_path / "other.ts"
        os.mkfifo(other)  # opening it blocks forever
        path = tmp_path / name
        path.write_text(text.format(other=other.name))
        with pytest.raises(SourceError, match=r"a text or a playlist|is not a readable video"):
            VideoReader(path)

    def test_playlists_of_local_files_are_refused(self, tmp_path: Path) -> None:
        write_clip(tmp_path / "other.ts", frames=5)
        path = tmp_path / "a.m3u8"
        path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n")
        with pytest.raises(SourceError, match="a text or a playlist"):
            VideoReader(path)

    def test_a_name_like_an_address_is_only_a_name(
        self, tmp_path: Path, server: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SourceError, match="is not a file"):
            VideoReader(Path(f"http://127.0.0.1:{server}/a.mp4"))
        write_clip(tmp_path / "real.mp4", frames=3).rename(tmp_path / "concat:a|b%03d.mp4")
        assert len(read_frames(Path("concat:a|b%03d.mp4"))) == 3
        assert Requests.count == 0

    @pytest.mark.slow
    def test_damage_is_not_reported_on_the_terminal(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=40, noise=True)
        data = bytearray(path.read_bytes())
        data[2000:4000] = bytes(2000)
        path.write_bytes(data)
        program = (
            "import sys; from pathlib import Path\n"
            "from tracker_blur.video.reader import VideoReader\n"
            "with VideoReader(Path(sys.argv[1]), partial=True) as source: list(source)\n"
            "assert source.is_partial\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, check=True
        )
        assert done.stdout + done.stderr == b""
