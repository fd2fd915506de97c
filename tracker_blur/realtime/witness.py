"""Sees what a follower does: when it has looked, and which faces it has lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Origin
from tracker_blur.realtime.loss_detector import Losses
from tracker_blur.tracking.lookahead import Stepping
from tracker_blur.tracking.online import Step


class Witness:
    """Stands between a follower and who asks it.

    confidence  the score from which a find is sure
    looked      called each time the detector has looked
    """

    def __init__(self, follower: Stepping, confidence: float, looked: Callable[[], None]) -> None:
        self._follower = follower
        self._losses = Losses(confidence)
        self._looked = looked
        self._pending: deque[set[int]] = deque()

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame."""
        step = self._follower.step(image, seconds)
        if step.is_looked_at:
            self._looked()
        height, width = image.shape[:2]
        lost = self._losses.step(step, (width, height))
        found = {face.track_id for face in step.faces if face.origin is Origin.DETECTED}
        for earlier in self._pending:
            earlier -= found
        self._pending.append(set(lost))
        return step

    def is_face_lost(self) -> bool:
        """Return whether a face was lost in the oldest frame not asked for, and not found since."""
        return bool(self._pending.popleft())
