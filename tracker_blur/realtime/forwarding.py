"""Sends an encoded stream from standard input to a server; a program of its own.

The first line of standard input is the address, as JSON: a stream key in it is not for the process
list, which every user of the machine can read. The stream follows.

FFmpeg's network protocols may take long to connect, send and close, and block Python meanwhile. In
a process of their own they can be killed at any time.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

import av

PIPE_FORMAT = "nut"
"""FFmpeg's name of the container format on standard input."""

AT_ONCE = {
    "flush_packets": "1",
    "max_interleave_delta": "500000",  # microseconds that a frame waits for audio
}
"""FFmpeg's options for a container that is written as packets come."""

_STDIN = 0  # file descriptor
_NO_PROBING = {"analyzeduration": "0", "fpsprobesize": "0"}


def first_line(address: str) -> bytes:
    """Return what is written to standard input before the stream."""
    return json.dumps(address).encode() + b"\n"


def forward(muxer: str, address: str, options: dict[str, str]) -> None:
    """Copy standard input to an address; write a line to standard output once it is reached.

    Raises:
        av.FFmpegError: When the address cannot be reached or the input cannot be read.
        OSError: The same.
        ValueError: The same.
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
    """Run as `python -m tracker_blur.realtime.forwarding MUXER [OPTION=VALUE ...]`."""
    muxer, *pairs = sys.argv[1:]
    try:
        forward(muxer, _read_address(), dict(pair.split("=", 1) for pair in pairs))
    except (av.FFmpegError, OSError, ValueError) as error:
        with suppress(OSError):
            sys.stderr.write(f"{getattr(error, 'strerror', None) or error}\n")
        # Without the traceback: it would keep FFmpeg's objects, whose cleanup might wait.
        raise SystemExit(1) from None


def _read_address() -> str:
    """Read the first line, and no byte of the stream behind it."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(_STDIN, 1)
        if not byte:
            raise ValueError("the address is missing")
        line += byte
    return str(json.loads(line))


if __name__ == "__main__":
    main()
