"""How a training learns: how long and how fast, and from which views of the pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracker_blur.training.mosaic import Poses


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
