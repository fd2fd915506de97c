"""Where a video is cut: all frames are in one piece, and none is shorter than it should be."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tracker_blur.cluster.parameters import ClusterParameters
from tracker_blur.cluster.pieces import cut
from tracker_blur.video.key_frames import KeyFrameIndex

STEPS = st.lists(st.integers(1, 400), min_size=1, max_size=120)


@settings(max_examples=60)
@given(STEPS, st.sets(st.integers(1, 119)), st.sampled_from([0.05, 1.0, 4.0]), st.data())
def test_pieces_and_spans_are_made_of_all_frames(
    steps: list[int], keys: set[int], seconds: float, data: st.DataObject
) -> None:
    times = np.cumsum(steps).astype(np.int64) - 500
    cuts = (0, *sorted(key for key in keys if key < len(times)))
    parameters = ClusterParameters(piece_seconds=seconds, span_seconds=2.5 * seconds)
    pieces = cut(KeyFrameIndex(Fraction(1, 1000), times, cuts), parameters)
    assert pieces.frame_count == len(times)
    frames = [range(part.first_frame, part.first_frame + part.frame_count) for part in pieces.parts]
    assert [frame for some in frames for frame in some] == list(range(len(times)))
    for number, (part, some) in enumerate(zip(pieces.parts, frames, strict=True)):
        assert part.first_frame in cuts
        assert part.start == times[part.first_frame]
        assert part.stop == (times[some[-1] + 1] if some[-1] + 1 < len(times) else None)
        assert pieces.starting(part.start) == number
        assert pieces.at(data.draw(st.sampled_from(some))) == number
        if part.stop is not None:
            assert part.stop - part.start >= 1000 * seconds
    assert pieces.spans[0] == 0
    starts = [pieces.parts[span].start for span in pieces.spans]
    assert all(np.diff(starts) >= 2500 * seconds)
