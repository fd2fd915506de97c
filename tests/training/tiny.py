"""A tiny network, and options for a training that takes a second."""

from __future__ import annotations

from tracker_blur.training.network import NetworkShape

TINY = NetworkShape(1, (4, 4), (8, 8, 8), (0, 0, 0, 0), 8, 1)

QUICK = ["--batch", "2", "--side", "64", "--workers", "0", "--width", "0.3", "--device", "cpu"]
