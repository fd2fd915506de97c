"""Sends an encoded stream from standard input to a server; a program of its own.

FFmpeg's network protocols may take long to connect, to send and to end, and Python stands still
meanwhile. So they run in another process, which can be ended at any time.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import av

PIPE_FORMAT = "nut"
"""FFmpeg's name of what is to be given on standard input."""

AT_ONCE = {
    "flush_packets": "1",
    "max_interleave_delta": "500000",  # microseconds that a picture waits for sound
}
"""FFmpeg's options for what is written as it comes."""

_NO_PROBING = {"analyzeduration": "0", "fpsprobesize": "0"}


def forward(muxer: str, address: str, options: dict[str, str]) -> None:
    """Copy all of standard input to an address; tells on standard output that it is reached.

    Raises av.FFmpegError, OSError or ValueError when it cannot be reached or read.
    """
    with av.open("pipe:0", format=PIPE_FORMAT, container_options=_NO_PROBING) as source:
        output = av.open(address, "w", format=muxer, container_options={**AT_ONCE, **options})
        streams = {
            stream.index: output.add_stream_from_template(stream) for stream in source.streams
        }
        output.start_encoding()
        is_reached = False
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                output.mux(packet)
                if not is_reached:
                    is_reached = True
                    sys.stdout.write("reached\n")
                    sys.stdout.flush()
        output.close()


def main() -> None:
    """Run as `python -m tracker_blur.realtime.forwarding MUXER ADDRESS [OPTION=VALUE ...]`."""
    muxer, address, *pairs = sys.argv[1:]
    try:
        forward(muxer, address, dict(pair.split("=", 1) for pair in pairs))
    except (av.FFmpegError, OSError, ValueError) as error:
        with suppress(OSError):
            sys.stderr.write(f"{getattr(error, 'strerror', None) or error}\n")
        # The rest of standard input is of no use, nor are FFmpeg's objects, which might wait.
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
