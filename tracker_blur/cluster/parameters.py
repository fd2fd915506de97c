"""How videos are cut, and how often a piece is tried."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterParameters:
    """Tuning values of runs in pieces. Pieces are at least this long, and end at the next cut."""

    piece_seconds: float = 15.0
    """Each piece is encoded apart: its first frame takes the bits of a key frame, and opening the
    file and loading the encoder take 0.2 seconds."""

    span_seconds: float = 120.0
    """Tracking begins again this often; the earlier one continues until both agree: at once where
    the scene changes, after 45 seconds next to a face that stays."""

    attempts: int = 3
    """A piece that fails this often fails its video."""
