"""Outcome: how one file of a run ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker_blur.cli.console import Message
    from tracker_blur.verification.verdict import Verdict


@dataclass(slots=True)
class Outcome:
    """How one file of a run ended. It can be pickled.

    Attributes:
        source: the input, as the user calls it.
        messages: what is still to be printed about it, in order.
        failure: what failed; None if nothing did.
        is_wrong_usage: whether it failed because of an option's value.
        is_written: whether there is an output; other requested outputs may have failed.
        has_tracks: whether something to hide was found.
        verdict_code: the exit code that verification asks for; None if it was not requested.
        verdict: what verification found, if a page about it was requested.
        summary: what the JSON says about the file, if it was requested.
    """

    source: str
    messages: tuple[Message, ...] = ()
    failure: str | None = None
    is_wrong_usage: bool = False
    is_written: bool = False
    has_tracks: bool = False
    verdict_code: int | None = None
    verdict: Verdict | None = None
    summary: dict[str, Any] | None = None

    @classmethod
    def interrupted(cls, source: str) -> Outcome:
        """Return the outcome of a file that was being redacted when the run was interrupted."""
        return cls(source, failure="interrupted")
