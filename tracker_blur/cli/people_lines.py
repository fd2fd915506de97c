"""What is printed about chosen people: each stretch that stays visible, and what is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.core.people_report import DOUBT_TEXTS
from tracker_blur.text import counted

if TYPE_CHECKING:
    from tracker_blur.core.people_report import PeopleReport, Stretch

_MAX_DOUBTS = 20  # the JSON has all


def visible_lines(people: PeopleReport, *, is_still: bool) -> list[str]:
    """Return a line for each stretch that stays visible; none may be left out."""
    return [
        f"stays visible: {stretch.person or 'not one of the photos'}, "
        f"{_place(stretch, is_still)} ({counted(stretch.faces, 'good face')})"
        for stretch in people.kept
    ]


def doubt_lines(people: PeopleReport, *, is_still: bool) -> list[str]:
    """Return a line for each stretch that is hidden because it is in doubt, the first ones."""
    lines = []
    for stretch in people.doubts[:_MAX_DOUBTS]:
        who = f"perhaps {stretch.person}" if stretch.person else "someone"
        assert stretch.reason is not None  # that is what makes it a doubt
        why = DOUBT_TEXTS[stretch.reason]
        lines.append(f"hidden in doubt: {who}, {_place(stretch, is_still)}: {why}")
    if len(people.doubts) > _MAX_DOUBTS:
        rest = len(people.doubts) - _MAX_DOUBTS
        lines.append(f"{rest} more are hidden in doubt: --json FILE.json lists them")
    return lines


def _place(stretch: Stretch, is_still: bool) -> str:
    return f"face {stretch.track_id}" if is_still else f"track {stretch.track_id}, {stretch.span}"
