"""Decodes and encodes a video and does nothing else: the floor that a redactor is measured against.

    python benchmarks/transcode.py IN OUT.mp4 [--preset veryfast] [--crf 20] [--frames N]

Picture to H.264, other tracks copied, in one plain loop over PyAV; decoder and encoder use as many
threads as they like.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import av
from av.video.frame import PictureType


def transcode(source: Path, target: Path, options: dict[str, str], frames: int | None) -> None:
    """Encode the first `frames` frames of the source, or all, with these options of libx264."""
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
                    frame.pict_type = (
                        PictureType.NONE
                    )  # the encoder's own choice, not the decoder's report
                    writer.mux(encoder.encode(frame))
                    number += 1
            elif packet.stream.index in copies and packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                writer.mux(packet)
        writer.mux(encoder.encode(None))


def main() -> int:
    """Transcode what the arguments name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT.mp4")
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--crf", default="20")
    parser.add_argument("--frames", type=int, help="stop after so many; without sound")
    arguments = parser.parse_args()
    options = {"preset": arguments.preset, "crf": arguments.crf}
    transcode(arguments.source, arguments.target, options, arguments.frames)
    return 0


if __name__ == "__main__":
    sys.exit(main())
