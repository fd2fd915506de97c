"""What holds for license plates."""

from __future__ import annotations

from dataclasses import dataclass

from tracker_blur.core.parameters._group import ParameterGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateParameters(ParameterGroup):
    """What holds for license plates instead of the values of faces, which have the same names.

    Plates are flat, and wider than high. They are as fast as vehicles, but seldom near each other.
    They do not turn away, so what is seen once is seen again, and gaps can be interpolated. Any
    lettering looks like a plate. Chosen on moving views of annotated scenes (docs/detectors.md).
    """

    min_interval_frames: int = 3
    """At 25 frames a second, these are the 0.12 seconds after which a new one is seen."""

    start_score_share: float = 0.33
    """Of true plates, 13 % never score that much, of what is none, but scores more than the
    confidence, 80 %."""

    agreeing_detections: int = 2
    """One low-confidence detection is none."""

    agreeing_best_ratio: float = 1.4
    """With this, 10 % fewer tracks that are none start than if both had to reach the confidence,
    and 1 % more true ones."""

    gate_sizes: float = 2.0
    """A vehicle that passes moves by this much between two detection frames."""

    gate_growth_sizes_per_second: float = 6.0

    max_gate_sizes: float = 4.0

    velocity_share: float = 1.0
    """Vehicles do not turn back at once, and boxes of plates do not tremble much."""

    max_speed_sizes: float = 60.0

    low_confidence_seconds: float = 0.6
    """Plates do not turn away: what scores little for longer is something else."""

    link_gate_sizes: float = 1.5
    """`LinkingParameters.gate_sizes`."""

    frame_filling_share: float = 0.6
    """The largest of 444 annotated ones has a size of 0.56 of the frame's shorter side."""

    usual_aspects: tuple[float, float] = (1.25, 6.5)
    """99.7 % of the detections of 444 annotated ones are wider, none is this wide; of those in
    clips without plates, 15 % are narrower."""

    unusual_score_share: float = 0.5
    """Walls and floors that fill the frame score up to 0.68."""

    large_share: float = 0.2
    """From here downwards, true ones in made clips are lost."""

    small_log_odds: float = -1.0
    """With `large_log_odds` and `certain_log_odds`, of 71 plates in made clips one is lost, that
    leaves the frame; of tracks in clips without plates that are left by all the rest, a third. At
    -2.0, these are one more."""

    clear_log_odds: float = -1.0
    """A plate of many pixels needs no better odds than a small one."""

    swollen_face_log_odds: float = 0.0
    """What is better for faces was not measured on plates."""

    large_log_odds: float = 2.0

    certain_log_odds: float = 6.0
    """These are by the best score of a track, from the confidence on."""

    certain_score_share: float = 1.0

    mean_score_share: float = 0.0

    least_still_log_odds: float = -7.0
    """The least that any plate needs: in a still image, there is no other limit."""

    cut_off_log_odds: float = 1.0

    group_log_odds: float = 0.0

    start_log_odds: float = 2.2
