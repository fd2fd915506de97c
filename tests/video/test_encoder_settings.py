"""Which encoder writes, with which options."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.video.rewriting import (
    names,
    rewrite,
)
from tests.video_files import (
    write_clip,
)
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.settings import Settings
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from pathlib import Path


class TestEncoders:
    """Which encoder writes, with which options."""

    def test_a_codec_may_be_chosen(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3)
        for codec in ("h264", "hevc", "av1", "vp9"):
            target = rewrite(source, tmp_path / f"{codec}.mp4", codec=codec)
            with av.open(str(target)) as container:
                name = container.streams.video[0].codec_context.codec.canonical_name
            assert name == codec

    def test_hevc_is_tagged_for_all_players(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3)
        with av.open(str(rewrite(source, tmp_path / "out.mp4", codec="hevc"))) as container:
            assert container.streams.video[0].codec_context.codec_tag == "hvc1"

    @pytest.mark.slow
    def test_quality_and_preset_reach_the_encoder(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=20, size=(320, 240), noise=True)
        good = rewrite(source, tmp_path / "good.mp4", quality=12)
        poor = rewrite(source, tmp_path / "poor.mp4", quality=40)
        assert good.stat().st_size > 3 * poor.stat().st_size
        slow = rewrite(source, tmp_path / "slow.mp4", preset="slow").read_bytes()
        assert b"subme=8" in slow  # x264 signs with its settings

    @pytest.mark.parametrize(
        ("name", "settings", "reason"),
        [
            ("out.webm", {"codec": "h264"}, "webm files cannot hold h264: choose one of av1, vp8"),
            ("out.mp4", {"encoder": "ffv1"}, "mp4 files cannot hold ffv1"),
            ("out.gif", {"quality": 3}, "no quality scale"),
            ("out.gif", {"preset": "fast"}, "no presets"),
            ("out.avi", {}, "written as .mp4"),
            ("out", {}, "written as .mp4"),
        ],
    )
    def test_impossible_combinations_are_refused_at_once(
        self, tmp_path: Path, name: str, settings: dict[str, Any], reason: str
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with VideoReader(path) as source, pytest.raises(SinkError, match=reason) as caught:
            VideoWriter(tmp_path / name, path, source, Settings(**settings))
        assert str(tmp_path / name) in str(caught.value)

    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            (
                {"encoder": "h265_magic"},
                "`encoder` is 'h265_magic', which FFmpeg does not have here",
            ),
            ({"encoder": "aac"}, "`encoder` is 'aac', which does not encode video"),
            ({"encoder": "ffv1", "quality": 3}, "no quality scale: leave out `quality`"),
            ({"encoder": "ffv1", "preset": "fast"}, "no presets: leave out `preset`"),
            ({"preset": "warp"}, "`preset` is 'warp': libx264 takes one of ultrafast, "),
            ({"quality": 52}, "`quality` is 52: libx264 takes a number from 0 to 51"),
            ({"codec": "hevc", "quality": -1}, "`quality` is -1: libx265 takes"),
            ({"codec": "vp9", "quality": 99.0}, "libvpx-vp9 takes a number from 0 to 63"),
            ({"codec": "av1", "preset": "14"}, "libsvtav1 takes one of 0, 1, "),
        ],
    )
    def test_settings_that_an_encoder_does_not_have_are_usage_errors(
        self, tmp_path: Path, settings: dict[str, Any], reason: str
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with VideoReader(path) as source, pytest.raises(SettingsError, match=reason):
            VideoWriter(tmp_path / "out.mkv", path, source, Settings(**settings))

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("codec", "settings"),
        [
            (codec, settings)
            for codec, qualities, presets in (
                ("h264", (0, 51), ("ultrafast", "placebo")),
                ("hevc", (0, 51), ("ultrafast", "placebo")),
                ("av1", (0, 63), ("0", "13")),
                ("vp9", (0, 63), ("-8", "8")),
            )
            for settings in (
                *({"quality": quality} for quality in qualities),
                *({"preset": preset} for preset in presets),
            )
        ],
    )
    def test_encoders_take_the_ends_of_their_scales(
        self, tmp_path: Path, codec: str, settings: dict[str, Any]
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        rewrite(path, tmp_path / "out.mkv", codec=codec, **settings)
        with VideoReader(tmp_path / "out.mkv") as written:
            assert sum(1 for _ in written) == 3

    @pytest.mark.parametrize("settings", [{"encoder": "h264_nvenc"}])
    def test_an_encoder_that_does_not_work_fails_before_the_first_frame(
        self, tmp_path: Path, settings: dict[str, Any]
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with VideoReader(path) as source:
            sink = VideoWriter(tmp_path / "out.mp4", path, source, Settings(**settings))
            if _has_nvenc():
                pytest.skip("this machine has the encoder that the test wants to be missing")
            with pytest.raises(SinkError, match="does not work here"), sink:
                pass
        assert names(tmp_path) == ["in.mp4"]

    @pytest.mark.slow
    def test_encoders_print_nothing(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3)
        program = (
            "import sys; from pathlib import Path\n"
            "from tracker_blur.video.reader import VideoReader\n"
            "from tracker_blur.video.writer import VideoWriter\n"
            "from tracker_blur.core.frame import RedactedFrame\n"
            "from tracker_blur.settings import Settings\n"
            "path = Path(sys.argv[1])\n"
            "for codec in ('h264', 'hevc', 'av1', 'vp9'):\n"
            "    out = path.with_name(codec + '.mp4')\n"
            "    with VideoReader(path) as source:\n"
            "        with VideoWriter(out, path, source, Settings(codec=codec)) as sink:\n"
            "            for frame in source: sink.write(RedactedFrame(frame))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(source)], capture_output=True, check=True
        )
        assert done.stdout + done.stderr == b""


def _has_nvenc() -> bool:
    try:
        context = av.CodecContext.create("h264_nvenc", "w")
        context.width, context.height, context.pix_fmt = 256, 256, "yuv420p"
        context.time_base = Fraction(1, 25)
        context.open()
    except av.FFmpegError:
        return False
    return True
