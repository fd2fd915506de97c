"""Real senders for live sources: the program ffmpeg as server, client and muxer."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def ffmpeg_program() -> str:
    """Return the path of ffmpeg; skip the test if it is not installed."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the program ffmpeg is not installed")
    return program


@contextmanager
def sending(clip: Path, *output: str) -> Iterator[None]:
    """Send a clip in a loop at its own speed while in the block."""
    command = [ffmpeg_program(), "-loglevel", "error", "-nostdin"]
    command += ["-re", "-stream_loop", "-1", "-i", str(clip), *output]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def remuxed(clip: Path, target: Path, *options: str) -> Path:
    """Copy a clip's streams into a file of another format."""
    command = [ffmpeg_program(), "-loglevel", "error", "-nostdin", "-i", str(clip), "-c", "copy"]
    subprocess.run([*command, *options, str(target)], check=True)
    return target


def transport_stream(clip: Path, target: Path, *options: str) -> Path:
    """Encode the first two seconds of a clip as an MPEG transport stream."""
    command = [ffmpeg_program(), "-loglevel", "error", "-nostdin", "-y", "-i", str(clip)]
    command += ["-t", "2", *options, "-c:v", "libx264", "-preset", "ultrafast", "-g", "6", "-an"]
    subprocess.run([*command, str(target)], check=True)
    return target
