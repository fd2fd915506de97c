"""The status of a session at one moment, for `--json`, the window, the web page and the metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tracker_blur.text import counted

State = Literal["live", "covered", "reconnecting", "ended"]
TargetState = Literal["opening", "open", "failed", "closed"]


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """The status of one target.

    Attributes:
        name: As the user wrote it, without secrets.
        state: "open": frames get through, as far as is known; a server has taken the first.
        shown: Frames that it took.
        dropped: Frames that it was too slow for.
        failures: How often it failed; it is opened again.
        error: The last error; "" while it works.
    """

    name: str
    state: TargetState
    shown: int = 0
    dropped: int = 0
    failures: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of a session; its fields are the keys of `--json`.

    Attributes:
        state: "live": faces are hidden; "covered" (shown as "blanked"): whole frames are hidden;
            "reconnecting": the same, because the source sends nothing.
        reason: Briefly why it is not "live".
        seconds: Since the start.
        frames_in: Frames captured.
        frames_out: Frames delivered, with repeated and blanked ones.
        dropped: Captured frames that were dropped: a newer one was there, or more came than
            `rate` asks for.
        repeated: Delivered frames that repeat the previous one.
        covers: Delivered frames that were fully hidden.
        rate: Delivered frames per second, lately.
        delay_median_ms: Median time from a frame's capture to its delivery, lately, without the
            look-ahead.
        delay_p95_ms: 95th percentile of the same.
        view_px: Longest side, in pixels, at which faces are detected now.
        faces: Faces hidden now.
        method: How they are hidden.
        strength: In steps; 0 is as the settings say.
        reconnects: How often the source was opened again.
        restarts: How often analysis or output failed and started again.
        error: The last error of source, analysis or output; "" if there was none.
        targets: In the order in which they were named.
    """

    state: State = "covered"
    reason: str = "starting"
    seconds: float = 0.0
    frames_in: int = 0
    frames_out: int = 0
    dropped: int = 0
    repeated: int = 0
    covers: int = 0
    rate: float = 0.0
    delay_median_ms: float = 0.0
    delay_p95_ms: float = 0.0
    view_px: int = 0
    faces: int = 0
    method: str = ""
    strength: int = 0
    reconnects: int = 0
    restarts: int = 0
    error: str = ""
    targets: tuple[TargetStatus, ...] = ()

    @property
    def line(self) -> str:
        """The most important fields in one line."""
        name = "blanked" if self.state == "covered" else self.state
        state = name if name == "live" else f"{name}: {self.reason}"
        speed = f"{self.rate:.1f} fps | {self.delay_median_ms:.0f} ms"
        return f"{state} | {speed} | {counted(self.faces, 'face')} | {self.dropped} dropped"

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dictionary for JSON."""
        return asdict(self)
