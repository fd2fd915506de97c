"""Rendered pieces: packets come back as they were, and follow each other in decoding."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from tests.video_files import write_clip
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SinkError, SourceError
from tracker_blur.settings import Settings
from tracker_blur.video.containers import container_format
from tracker_blur.video.key_frames import KeyFrameIndex
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.rendered import RenderedPiece, joined_packets, write_piece

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CODECS = [
    ("a.mp4", "libx264", {"bf": "3", "x264-params": "scenecut=0:keyint=8:min-keyint=8"}),
    ("a.mkv", "libx265", {"x265-params": "open-gop=0:keyint=8:min-keyint=8"}),
    ("a.webm", "libvpx-vp9", {"g": "8"}),
    ("a.mkv", "ffv1", {"g": "1"}),
]


def pieces_of(path: Path, starts: Sequence[int] | None = None) -> list[RenderedPiece]:
    """Render a clip in pieces that begin at all of its cuts, or at these of them."""
    index = KeyFrameIndex.of(path)
    assert index is not None
    chosen = index.cuts if starts is None else [index.cuts[start] for start in starts]
    ends = (*chosen[1:], len(index.times))
    pieces = []
    for first, end in zip(chosen, ends, strict=True):
        target = path.with_name(f"{first}.piece")
        with VideoReader(path, part=index.part(first, end)) as reader:
            frames = map(RedactedFrame, reader)
            info = write_piece(target, frames, reader, container_format(path), Settings())
        pieces.append(RenderedPiece.of(target))
        assert pieces[-1].info == info
        assert info.frames == end - first
        assert (info.first_pts, info.last_pts) == (index.times[first], index.times[end - 1])
    return pieces


@pytest.mark.parametrize(
    ("name", "codec", "options"), CODECS, ids=[codec for _, codec, _ in CODECS]
)
def test_pieces_begin_with_key_frames_and_ascend_in_decoding(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = write_clip(tmp_path / name, frames=25, codec=codec, options=options)
    pieces = pieces_of(path)
    assert len(pieces) > 2
    setup = bytes.fromhex(pieces[0].info.setup)
    packets = list(joined_packets(pieces, setup, step=40))
    assert len(packets) == 25
    stamps = [(packet.dts or 0, packet.pts or 0) for packet in packets]
    assert all(dts <= pts for dts, pts in stamps)
    decoding = [dts for dts, _ in stamps]
    assert decoding == sorted(set(decoding))
    assert all(next(piece.packets()).is_keyframe for piece in pieces)
    index = KeyFrameIndex.of(path)
    assert index is not None
    assert sorted(pts for _, pts in stamps) == index.times.tolist()


def test_a_piece_that_was_encoded_otherwise_is_refused(tmp_path: Path) -> None:
    pieces = pieces_of(write_clip(tmp_path / "a.mp4", frames=12, options=CODECS[0][2]))
    with pytest.raises(SourceError, match="is encoded otherwise than on this machine"):
        list(joined_packets(pieces, b"other", step=40))


def test_a_damaged_piece_is_refused(tmp_path: Path) -> None:
    (piece,) = pieces_of(write_clip(tmp_path / "a.mp4", frames=5))
    content = bytearray(piece.path.read_bytes())
    content[50] ^= 1
    piece.path.write_bytes(content)
    with pytest.raises(SourceError, match="is damaged"):
        RenderedPiece.of(piece.path)
    with pytest.raises(SourceError, match="is damaged"):
        list(piece.packets())


def test_a_piece_without_frames_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", frames=5)
    with VideoReader(path) as reader, pytest.raises(SinkError, match="has no frames"):
        write_piece(tmp_path / "0.piece", [], reader, container_format(path), Settings())
    assert not (tmp_path / "0.piece").exists()


def test_the_same_frames_become_the_same_bytes(tmp_path: Path) -> None:
    # At this size, x264 writes different files with AVX-512 and weighted prediction.
    path = write_clip(tmp_path / "a.mp4", frames=75, rate=Fraction(5), noise=True)
    made = {pieces_of(path, [0])[0].path.read_bytes() for _ in range(6)}
    assert len(made) == 1
