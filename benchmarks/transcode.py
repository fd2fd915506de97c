"""Decodes and encodes a video and does nothing else: the baseline for a redactor.

    python benchmarks/transcode.py IN OUT.mp4 [--preset veryfast] [--crf 20] [--frames N]

Video becomes H.264 and audio is copied, in one plain loop over PyAV. Decoder and encoder use as
many threads as they like.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import av
from av.video.frame import PictureType


def transcode(source: Path, target: Path, options: dict[str, str], frames: int | None) -> None:
    """Encode the first `frames` frames of the source, or all of them.

    Args:
        source: A video.
        target: The output.
        options: Of libx264.
        frames: How many; None: all.
    """
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        video = reader.streams.video[0]
        video.thread_type = "AUTO"
        encoder = writer.add_stream("libx264", rate=video.average_rate, options=options)
        encoder.width, encoder.height, encoder.pix_fmt = video.width, video.height, video.pix_fmt
        if video.time_base is not None:
            encoder.codec_context.time_base = video.time_base
        copies = {} if frames else {
            stream.index: writer.add_stream_from_template(stream)
            for stream in reader.streams if stream.type == "audio"
        }  # fmt: skip
        number = 0
        for packet in reader.demux():
            if packet.stream is video:
                for frame in video.decode(packet):
                    if frames is not None and number == frames:
                        break
                    frame.pict_type = PictureType.NONE  # the encoder chooses, not the input
                    writer.mux(encoder.encode(frame))
                    number += 1
            elif packet.stream.index in copies and packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                writer.mux(packet)
        writer.mux(encoder.encode(None))


def main() -> int:
    """Transcode the video that the arguments name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT.mp4")
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--crf", default="20")
    parser.add_argument("--frames", type=int, help="stop after so many frames; without audio")
    arguments = parser.parse_args()
    options = {"preset": arguments.preset, "crf": arguments.crf}
    transcode(arguments.source, arguments.target, options, arguments.frames)
    return 0


if __name__ == "__main__":
    sys.exit(main())
