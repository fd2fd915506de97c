"""Runs ByteTrack over detections, for tracking.py, in an environment that has `supervision`.

Reads JSON from stdin: for each detection frame its detections (left, top, right, bottom, score);
the score from which a detection starts a track; the detection frames per second. Writes JSON: for
each of these frames the faces (identity, left, top, right, bottom), and the seconds of processor
time.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np
import supervision

START_MARGIN = 0.1  # a track starts from a score this much above the activation threshold


def main() -> None:
    """Answer the request on stdin."""
    request = json.load(sys.stdin)
    warnings.simplefilter("ignore", FutureWarning)  # ByteTrack moved to another package
    tracker = supervision.ByteTrack(
        track_activation_threshold=request["confidence"] - START_MARGIN,
        frame_rate=request["detection_rate"],
    )
    frames = []
    started = time.process_time()
    for detections in request["detections"]:
        table = np.array(detections, np.float64).reshape(-1, 5)
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
