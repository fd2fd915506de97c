"""Status: how a session fares at one moment, for whoever wants to know."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["live", "covered", "reconnecting", "ended"]
TargetState = Literal["opening", "open", "failed", "closed"]


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """How one target fares.

    state     "open": pictures get through, as far as can be told: a server has taken the first
    shown     pictures that it took
    dropped   pictures that it was too slow for
    failures  how often it failed; it is opened again
    error     what failed last, one line; "" while it works
    """

    name: str
    state: TargetState
    shown: int = 0
    dropped: int = 0
    failures: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot.

    state            "live": faces are hidden; "covered": all is; "reconnecting": all is, for the
                     source gives nothing
    reason           why it is not "live", in a few words
    seconds          since the start
    frames_in        that came from the source
    frames_out       that went to the targets, repeated ones and covers included
    dropped          of those that came: not shown, for a newer one was there, or more came than
                     the rate that was asked for
    repeated         of those that went: the one before once more
    covers           of those that went: wholly hidden
    rate             frames out a second, lately
    delay_median_ms  from a frame at hand to the same frame handed to the targets, lately, without
    delay_p95_ms     the look-ahead that was asked for; median and 95th percentile
    view_px          longest side, in pixels, at which pictures are looked at now
    faces            that are hidden now
    method           by which they are
    strength         in steps; 0 is as the settings say
    reconnects       how often the source was opened again
    restarts         how often a stage failed and was started anew
    error            what failed last in source or stages; "" if nothing yet
    targets          in the order they were named
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
        """The most important of it in a line."""
        state = self.state if self.state == "live" else f"{self.state}: {self.reason}"
        faces = "1 face" if self.faces == 1 else f"{self.faces} faces"
        pace = f"{self.rate:.1f} fps | {self.delay_median_ms:.0f} ms"
        return f"{state} | {pace} | {faces} | {self.dropped} dropped"

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON is made of."""
        return asdict(self)
