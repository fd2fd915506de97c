"""Runs ByteTrack over finds; called by tracking.py in an environment that has `supervision`.

Reads JSON from stdin: for each frame that was looked at the finds, each (left, top, right, bottom,
score); from which score a find starts a track; how many looks a second there are. Writes JSON: for
each of these frames the faces, each (identity, left, top, right, bottom), and the processor's
seconds spent.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np
import supervision

STARTS_ABOVE = 0.1  # a track starts from a score that much above the activation threshold


def main() -> None:
    """Answer the request on stdin."""
    request = json.load(sys.stdin)
    warnings.simplefilter("ignore", FutureWarning)  # it has moved to another package
    tracker = supervision.ByteTrack(
        track_activation_threshold=request["confidence"] - STARTS_ABOVE,
        frame_rate=request["looks_per_second"],
    )
    frames = []
    started = time.process_time()
    for finds in request["finds"]:
        table = np.array(finds, np.float64).reshape(-1, 5)
        shown = tracker.update_with_detections(
            supervision.Detections(xyxy=table[:, :4], confidence=table[:, 4])
        )
        frames.append(
            [
                (int(identity), *map(float, box))
                for identity, box in zip(shown.tracker_id, shown.xyxy, strict=True)
            ]
        )
    json.dump({"frames": frames, "seconds": time.process_time() - started}, sys.stdout)


if __name__ == "__main__":
    main()
