"""After any failure nothing half-written is left, and the input is unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.video.rewriting import (
    fingerprint,
    names,
    rewrite,
    times,
)
from tests.video_files import (
    AudioTrack,
    write_clip,
)
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SinkError
from tracker_blur.settings import Settings
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter


class TestFaults:
    """After any failure nothing half-written is left, and the input is unchanged."""

    @pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
    def test_the_input_is_never_the_output(self, tmp_path: Path, link: str) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        before = fingerprint(path)
        target = path if link == "same" else tmp_path / "out.mp4"
        if link == "symbolic":
            target.symlink_to(path)
        elif link == "hard":
            os.link(path, target)
        with (
            VideoReader(path) as source,
            pytest.raises(SinkError, match="is the input itself"),
        ):
            VideoWriter(target, path, source, Settings(overwrite=True))
        assert fingerprint(path) == before

    def test_an_existing_output_is_replaced_only_on_request(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        target = tmp_path / "out.mp4"
        target.write_bytes(b"mine")
        with pytest.raises(SinkError, match="already exists"):
            rewrite(path, target)
        assert target.read_bytes() == b"mine"
        rewrite(path, target, overwrite=True)
        assert len(times(target)) == 3
        assert names(tmp_path) == ["in.mp4", "out.mp4"]

    def test_the_setting_that_an_encoder_lacks_is_named_as_its_reader_does(
        self, tmp_path: Path
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with pytest.raises(SinkError) as caught:
            rewrite(path, tmp_path / "out.gif", quality=20.0)
        problem = f"{tmp_path / 'out.gif'}: encoder gif has no quality scale: leave out"
        assert str(caught.value) == f"{problem} `quality`"
        assert caught.value.text({"quality": "--quality"}) == f"{problem} --quality"

    @pytest.mark.parametrize("dropped", [False, True])
    def test_a_gif_warns_of_what_it_cannot_hold_unless_it_is_not_wanted(
        self, dropped: bool, tmp_path: Path
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3, audio_tracks=[AudioTrack()])
        target = tmp_path / "out.gif"
        settings = Settings(audio="drop" if dropped else "keep")
        warning = f"{target}: gif files hold no audio or subtitles: left out"
        with VideoReader(path) as source, VideoWriter(target, path, source, settings) as sink:
            for frame in source:
                sink.write(RedactedFrame(frame))
            assert sink.warnings == (() if dropped else (warning,))

    def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with pytest.raises(SinkError, match="none does not exist"):
            rewrite(path, tmp_path / "none" / "out.mp4")

    @pytest.mark.slow
    @pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, ValueError, OSError])
    def test_a_failure_midway_leaves_nothing(
        self, tmp_path: Path, suffix: str, error: type[BaseException]
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=10, audio_tracks=[AudioTrack()])
        before = fingerprint(path)
        with (
            pytest.raises(error) as caught,
            VideoReader(path) as source,
            VideoWriter(tmp_path / f"out{suffix}", path, source, Settings()) as sink,
        ):
            for frame in source:
                sink.write(RedactedFrame(frame))
                if frame.index == 6:
                    raise error("midway")
        assert type(caught.value) is error  # not wrapped
        assert names(tmp_path) == ["in.mp4"]
        assert fingerprint(path) == before

    @pytest.mark.slow
    @pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
    def test_a_full_disk_is_reported_in_one_line(self, tmp_path: Path, suffix: str) -> None:
        resource = pytest.importorskip("resource", reason="only Unix limits file sizes")
        assert resource.RLIMIT_FSIZE
        path = write_clip(
            tmp_path / "in.mp4", frames=60, size=(320, 240), noise=True, audio_tracks=[AudioTrack()]
        )
        before = fingerprint(path)
        (tmp_path / "out").mkdir()
        program = (
            "import resource, sys; from pathlib import Path\n"
            "from tests.video.rewriting import rewrite\n"
            "from tracker_blur.errors import SinkError\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            "try: rewrite(Path(sys.argv[1]), Path(sys.argv[2]), quality=None)\n"
            "except SinkError as error: print(error)\n"
        )
        target = tmp_path / "out" / f"out{suffix}"
        done = subprocess.run(
            [sys.executable, "-c", program, str(path), str(target)],
            capture_output=True,
            check=True,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        assert done.stdout == f"{target}: no space left: free some, or choose another folder\n"
        assert done.stderr == ""
        assert names(tmp_path / "out") == []
        assert fingerprint(path) == before

    def test_only_decoded_frames_are_taken(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with VideoReader(path) as source:
            sink = VideoWriter(tmp_path / "out.mp4", path, source, Settings())
            frame = next(iter(source))
            with pytest.raises(ValueError, match="with block"):
                sink.write(RedactedFrame(frame))
            with pytest.raises(TypeError), sink:
                sink.write(RedactedFrame("no frame"))  # type: ignore[arg-type]  # on purpose
        assert isinstance(frame, DecodedFrame)
        assert names(tmp_path) == ["in.mp4"]
