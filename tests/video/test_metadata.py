"""Nothing about place, device and person gets into an output."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image

from tests.video.rewriting import (
    packets,
    rewrite,
    times,
)
from tests.video_files import (
    AudioTrack,
    pattern,
    write_clip,
    write_two_video_tracks,
)
from tracker_blur.video import metadata

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {
    "title": "SECRET birthday",
    "comment": "SECRET comment",
    "artist": "SECRET artist",
    "location": "+47.3769+008.5417/",
    "make": "SECRET make",
    "model": "SECRET model",
    "com.apple.quicktime.location.ISO6709": "+47.3769+008.5417+400.000/",
    "creation_time": "2021-03-04T05:06:07.000000Z",
    "encoder": "SECRET encoder",
}


def with_vorbis(path: Path, comment: bytes) -> Path:
    """Write a video with Vorbis audio that has a comment in its headers."""
    codec = "libvpx" if path.suffix == ".webm" else "mpeg4"
    silent = write_clip(path.with_name(f"silent{path.suffix}"), frames=5, codec=codec)
    encoder = av.CodecContext.create("vorbis", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 44100, "stereo", "fltp"
    encoder.time_base = Fraction(1, 44100)
    encoder.options = {"strict": "experimental"}
    encoder.open()
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 8820)).astype(np.float32)
    encoded = []
    for start in range(0, 8192, 1024):
        part = av.AudioFrame.from_ndarray(noise[:, start : start + 1024], "fltp", "stereo")
        part.sample_rate, part.pts, part.time_base = 44100, start, Fraction(1, 44100)
        encoded += encoder.encode(part)
    encoded += encoder.encode(None)
    headers = metadata.vorbis_headers(encoder.extradata or b"")
    tagged = b"\x03vorbis" + struct.pack("<III", 0, 1, len(comment)) + comment + b"\x01"
    with av.open(str(silent)) as reader, av.open(str(path), "w") as writer:
        video_track = writer.add_stream_from_template(reader.streams.video[0])
        audio_track = writer.add_stream("vorbis", rate=44100, options={"strict": "experimental"})
        audio_track.layout = "stereo"
        audio_track.codec_context.open()
        audio_track.codec_context.extradata = metadata.laced_vorbis_headers(
            headers[0], tagged, headers[2]
        )
        for packet in reader.demux(video=0):
            if packet.dts is not None:
                packet.stream = video_track
                writer.mux(packet)
        for audio in encoded:
            audio.stream = audio_track
            writer.mux(audio)
    silent.unlink()
    return path


class TestPrivacy:
    """Nothing about place, device and person gets through."""

    @pytest.mark.parametrize("name", ["mp4", "mov", "mkv", "webm"])
    def test_tags_are_dropped(self, tmp_path: Path, name: str) -> None:
        options = {"movflags": "use_metadata_tags"} if name in ("mp4", "mov") else {}
        source = write_clip(
            tmp_path / f"in.{name}",
            codec="libvpx" if name == "webm" else "libx264",
            frames=3,
            metadata=SECRETS,
            video_metadata={"title": "SECRET camera", "handler_name": "SECRET handler"},
            container_options=options,
        )
        assert b"SECRET" in source.read_bytes()
        data = rewrite(source, tmp_path / f"out.{name}").read_bytes()
        for secret in (b"SECRET", b"47.3769", b"2021", b"creation", b"locat", b"ISO6709"):
            assert secret not in data
        if name in ("mp4", "mov"):
            header = data.index(b"mvhd") + 8
            assert data[header : header + 8] == bytes(8)  # times of creation and change

    @pytest.mark.parametrize("name", ["mp4", "mov", "mkv"])
    def test_tags_are_kept_on_request(self, tmp_path: Path, name: str) -> None:
        options = {"movflags": "use_metadata_tags"} if name in ("mp4", "mov") else {}
        source = write_clip(
            tmp_path / f"in.{name}", frames=3, metadata=SECRETS, container_options=options
        )
        target = rewrite(source, tmp_path / f"out.{name}", metadata="keep")
        with av.open(str(target)) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
        assert tags["title"] == "SECRET birthday"
        assert tags["model"] == "SECRET model"
        assert tags["com.apple.quicktime.location.iso6709"] == "+47.3769+008.5417+400.000/"
        assert "SECRET encoder" not in tags.values()

    @pytest.mark.parametrize("metadata", ["drop", "keep"])
    def test_cover_art_never_gets_through(self, tmp_path: Path, metadata: str) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3, cover=True, audio_tracks=[AudioTrack()])
        with av.open(str(source)) as container:
            cover = next(bytes(packet) for packet in container.demux(video=1) if packet.size)
        assert cover in source.read_bytes()
        for name in ("out.mp4", "out.mkv"):
            target = rewrite(source, tmp_path / name, metadata=metadata)
            assert cover not in target.read_bytes()
            with av.open(str(target)) as container:
                assert [stream.type for stream in container.streams] == ["video", "audio"]

    def test_images_in_tags_never_get_through(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mkv", frames=3, metadata={"METADATA_BLOCK_PICTURE": "SECRET face"}
        )
        target = rewrite(source, tmp_path / "out.mkv", metadata="keep")
        assert b"SECRET" not in target.read_bytes()

    @pytest.mark.parametrize("metadata", ["drop", "keep"])
    @pytest.mark.parametrize("name", ["mkv", "webm"])
    def test_comments_of_vorbis_never_get_through(
        self, tmp_path: Path, name: str, metadata: str
    ) -> None:
        """They lie in the headers of the audio and may hold a cover image."""
        comment = b"METADATA_BLOCK_PICTURE=" + b"SECRET face" * 10_000
        source = with_vorbis(tmp_path / f"in.{name}", comment)
        assert b"SECRET" in source.read_bytes()
        target = rewrite(source, tmp_path / f"out.{name}", metadata=metadata)
        assert b"SECRET" not in target.read_bytes()
        assert packets(target, "audio") == packets(source, "audio")
        with av.open(str(source)) as before, av.open(str(target)) as after:
            decoded = [
                b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0))
                for container in (before, after)
            ]
        assert decoded[0] == decoded[1] != b""

    @pytest.mark.parametrize("metadata", ["drop", "keep"])
    def test_further_video_tracks_never_get_through(self, tmp_path: Path, metadata: str) -> None:
        path = write_two_video_tracks(tmp_path / "in.mkv")
        with av.open(str(rewrite(path, tmp_path / "out.mkv", metadata=metadata))) as container:
            assert len(container.streams) == 1

    def test_data_tracks_never_get_through(self, tmp_path: Path) -> None:
        # Action cameras log their positions so.
        path = tmp_path / "in.ts"
        with av.open(str(path), "w") as container:
            video = container.add_stream("mpeg2video", rate=25)
            video.width, video.height = 96, 64
            data = container.add_data_stream("klv")
            for index in range(10):
                frame = av.VideoFrame.from_ndarray(pattern(index, (96, 64)), "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(video.encode(frame.reformat(format="yuv420p")))
                packet = av.Packet(b"SECRET place")
                packet.stream = data
                packet.pts = packet.dts = index
                packet.time_base = Fraction(1, 25)
                container.mux(packet)
            container.mux(video.encode(None))
        assert b"SECRET" in path.read_bytes()
        for name in ("out.mp4", "out.mkv"):
            target = rewrite(path, tmp_path / name, metadata="keep")
            assert b"SECRET" not in target.read_bytes()
            with av.open(str(target)) as container:
                assert [stream.type for stream in container.streams] == ["video"]

    @pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
    def test_names_of_services_and_titles_of_tracks_do_not_get_through(
        self, tmp_path: Path, name: str
    ) -> None:
        source = write_clip(
            tmp_path / "in.ts",
            frames=10,
            metadata={"service_name": "SECRET TV", "service_provider": "SECRET broadcaster"},
            audio_tracks=[AudioTrack("aac", language="eng")],
        )
        assert b"SECRET" in source.read_bytes()
        assert b"SECRET" not in rewrite(source, tmp_path / name, metadata="drop").read_bytes()
        titled = write_clip(
            tmp_path / "in.mkv",
            frames=10,
            audio_tracks=[
                AudioTrack("aac", title="SECRET interview"),
                AudioTrack("aac", title="Director's commentary, 5.1 (English)"),
            ],
        )
        target = rewrite(titled, tmp_path / f"titled-{name}")
        assert b"SECRET" not in target.read_bytes()
        assert b"Director's commentary, 5.1 (English)" in target.read_bytes()

    def test_exif_in_frames_does_not_get_through(self, tmp_path: Path) -> None:
        # Motion JPEG: each frame has EXIF of its own, with the place.
        exif = Image.Exif()
        exif[0x010F] = "SECRET make"
        exif.get_ifd(0x8825)[2] = (47.0, 22.0, 36.0)
        path = tmp_path / "in.avi"
        with av.open(str(path), "w") as container:
            stream = container.add_mux_stream("mjpeg", rate=25, width=96, height=64)
            stream.time_base = Fraction(1, 25)
            for index in range(5):
                jpeg = io.BytesIO()
                Image.fromarray(pattern(index, (96, 64))).save(jpeg, "JPEG", exif=exif)
                packet = av.Packet(jpeg.getvalue())
                packet.stream = stream
                packet.pts = packet.dts = index
                packet.time_base = Fraction(1, 25)
                packet.is_keyframe = True
                container.mux(packet)
        assert b"SECRET" in path.read_bytes()
        for encoder in ("mjpeg", "libx264", "ffv1", "libx265"):
            target = rewrite(path, tmp_path / f"{encoder}.mkv", encoder=encoder)
            assert len(times(target)) == 5
            data = target.read_bytes()
            assert b"SECRET" not in data
            assert b"Exif" not in data

    def test_user_data_in_frames_does_not_get_through(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3, options={"crf": "33.25"})
        assert b"crf=33.2" in source.read_bytes()  # x264 signs with its settings
        for encoder in ("libx264", "libx265"):
            target = rewrite(source, tmp_path / f"{encoder}.mp4", encoder=encoder)
            assert b"crf=33.2" not in target.read_bytes()
