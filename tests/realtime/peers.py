"""Real peers of live sources: the program ffmpeg as server and sender."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def ffmpeg() -> str:
    """Return the program; skip where it is missing."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the program ffmpeg is missing")
    return program


@contextmanager
def playing(clip: Path, *output: str, loops: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """Have ffmpeg send a clip at its own speed, again and again, while in the block."""
    again = ["-stream_loop", "-1"] if loops else []
    command = [ffmpeg(), "-loglevel", "error", "-nostdin", "-re", *again, "-i", str(clip), *output]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def transport_stream(clip: Path, target: Path, *options: str) -> Path:
    """Write a clip anew as an MPEG transport stream, its first two seconds."""
    command = [ffmpeg(), "-loglevel", "error", "-nostdin", "-y", "-i", str(clip), "-t", "2"]
    command += [*options, "-c:v", "libx264", "-preset", "ultrafast", "-g", "6", "-an", str(target)]
    subprocess.run(command, check=True)
    return target
