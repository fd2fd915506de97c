"""Outcome: what became of one file of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker_blur.cli.console import Message
    from tracker_blur.verification.verdict import Verdict


@dataclass(slots=True)
class Outcome:
    """What became of one file. It can be pickled.

    Attributes:
        source: the input, as the user calls it.
        messages: what is still to be printed about it, in order.
        failure: what failed; None if nothing did.
        is_wrong_usage: whether it failed because of an option's value.
        is_written: whether there is an output; what else was asked for may have failed.
        has_tracks: whether something to hide was found.
        verdict_code: the exit code that verification asks for; None if it was not asked for.
        verdict: what verification found, if a page about it was asked for.
        summary: what the JSON says about the file, if that was asked for.
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
