"""Messages that a stream cannot take hold up nothing."""

from __future__ import annotations

import io
import os
import time

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.cli.background_writer import BackgroundWriter


def test_messages_are_written_in_order() -> None:
    stream = io.StringIO()
    writer = BackgroundWriter(stream)
    for number in range(100):
        writer.write(f"{number}\n")
    assert writer.close(PATIENCE_SECONDS)
    assert stream.getvalue().split() == [str(number) for number in range(100)]


def test_a_pipe_that_no_one_reads_holds_up_nothing() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream, os.fdopen(read, "rb") as reader:
        writer = BackgroundWriter(stream)
        began = time.monotonic()
        for _ in range(5000):
            writer.write("x" * 1000)
        assert not writer.close(0.1)
        assert time.monotonic() - began < PATIENCE_SECONDS / 4
        while not writer.close(0.01):
            reader.read1(1 << 16)


def test_a_stream_that_was_closed_is_no_error() -> None:
    stream = io.StringIO()
    stream.close()
    writer = BackgroundWriter(stream)
    writer.write("lost")
    assert writer.close(PATIENCE_SECONDS)
