"""How a training learns: how long and how fast, and from which views of the pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tracker_blur.settings import Shape as Outline


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast is learned.

    steps         batches in all; the learning rate falls to almost zero over them
    minutes       where set, the time in all, over all runs, instead of `steps`
    rate          the highest learning rate, reached after `warmup` steps, or a tenth of `steps`
    weight_decay  of AdamW (Loshchilov, Hutter, ICLR 2019, arXiv 1711.05101)
    report_every  steps between two rows of the history
    save_every_s  seconds between two checkpoints
    judge_every   steps between two judgements on the validation pictures
    mine_every    steps between two looks for false alarms
    """

    steps: int = 20_000
    minutes: float | None = None
    rate: float = 2e-3
    weight_decay: float = 0.03
    warmup: int = 300
    report_every: int = 50
    save_every_s: float = 180.0
    judge_every: int = 1000
    mine_every: int = 500


@dataclass(frozen=True, slots=True)
class Poses:
    """How pictures are turned, mirrored and stretched.

    usual_deg       standard deviation of the small turns
    tilted_share    how often a picture is turned by up to `tilted_deg` instead
    any_share       and how often by any angle
    mirrored_share  how often it is mirrored
    widened         from and up to how many times as wide as it is stored: some data sets hold
                    pictures squeezed into squares
    outline         of the things: a turned ellipse needs a smaller box than a turned rectangle
    """

    usual_deg: float = 7.0
    tilted_share: float = 0.1
    tilted_deg: float = 45.0
    any_share: float = 0.05
    mirrored_share: float = 0.5
    widened: tuple[float, float] = (1.0, 1.0)
    outline: Outline = "ellipse"

    def width(self, rng: np.random.Generator) -> float:
        """Return how many times as wide a picture becomes."""
        low, high = self.widened
        return math.exp(rng.uniform(math.log(low), math.log(high)))


UPRIGHT = Poses(usual_deg=1.0, tilted_share=0.05, tilted_deg=15.0, any_share=0.0)
"""For things that hang, stand or drive upright.

They are hardly turned: the box around a turned box is larger than the one around the turned thing,
where that was turned already, and a network learns to draw boxes that are too large.
"""


@dataclass(frozen=True, slots=True)
class Views:
    """How canvases are made.

    side_px      width and height
    crowd_share  how often small things are pasted in
    poses        how pictures are turned and stretched
    mined_share  how often a picture is one with a false alarm, where such are known
    """

    side_px: int = 256
    crowd_share: float = 0.3
    poses: Poses = field(default_factory=Poses)
    mined_share: float = 0.1
