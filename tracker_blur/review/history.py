"""The history of a review: its journal folded into states, with undo and redo without end."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracker_blur.errors import SettingsError, TrackFileError
from tracker_blur.review import operations
from tracker_blur.review.operations import StaleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.review.journal import Journal, Line
    from tracker_blur.review.state import ReviewState

_UNDO, _REDO = "undo", "redo"


@dataclass(frozen=True, slots=True)
class _Step:
    """A line of the journal, and the state after it."""

    line: Line
    state: ReviewState


@dataclass(frozen=True, slots=True)
class Done:
    """What an edit, undo or redo has done; consistent even if others edit meanwhile.

    Attributes:
        edit: the complete edit that was made, taken back or made again.
        version: the number of the journal's last line after it.
        before: the state before it.
        after: the state after it.
        is_written: whether it was written down.
    """

    edit: dict[str, Any]
    version: int
    before: ReviewState
    after: ReviewState
    is_written: bool = True


class History:
    """The states of a review. Any thread may use it.

    Args:
        journal: where edits are kept.
        first: the state before any edit.

    Raises:
        TrackFileError: the journal cannot be read, or does not belong to these tracks.
    """

    def __init__(self, journal: Journal, first: ReviewState) -> None:
        self._journal = journal
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._first = first
        self._problem: TrackFileError | None = None
        self._lock = threading.RLock()
        if journal.path.exists():
            try:
                with journal.held() as lines:
                    self._fold(lines)
            except OSError:  # a folder that may only be read
                self._fold(journal.news())

    @property
    def state(self) -> ReviewState:
        """The state now."""
        with self._lock:
            return self._done[-1].state if self._done else self._first

    @property
    def version(self) -> int:
        """The number of the journal's last line; 0 before the first one."""
        return len(self._journal.lines)

    def snapshot(self) -> tuple[int, ReviewState]:
        """Return the version and the state after it: consistent even if others edit meanwhile.

        Raises:
            TrackFileError: the journal was damaged meanwhile.
        """
        with self._lock:
            if self._problem is not None:
                raise self._problem
            return self.version, self.state

    @property
    def last_edit(self) -> dict[str, Any] | None:
        """The edit that would be undone; None: there is none."""
        with self._lock:
            return self._done[-1].line.edit if self._done else None

    @property
    def can_redo(self) -> bool:
        """Whether an undone edit can be done again."""
        return bool(self._undone)

    @property
    def in_force(self) -> set[int]:
        """The numbers of the journal's lines whose edits count: that were not undone."""
        with self._lock:
            return {step.line.number for step in self._done}

    @property
    def edits(self) -> list[dict[str, Any]]:
        """The edits that count, in their order."""
        with self._lock:
            return [step.line.edit for step in self._done]

    @property
    def lines(self) -> list[Line]:
        """The journal so far."""
        with self._lock:
            return list(self._journal.lines)

    @property
    def notes(self) -> list[str]:
        """What the user should know of the journal."""
        return list(self._journal.notes)

    def refresh(self) -> bool:
        """Take over what other processes wrote; returns whether there was anything.

        Raises:
            TrackFileError: the journal was damaged meanwhile.
        """
        if self._problem is not None:
            raise self._problem
        if not self._journal.has_news:
            return False
        with self._lock:
            lines = self._journal.news()
            self._fold(lines)
            return bool(lines)

    def add(
        self,
        complete: Callable[[ReviewState], dict[str, Any]],
        who: str,
        why: str | None,
        base: int | None,
    ) -> Done:
        """Apply an edit and write it down; returns what was done.

        One that changes nothing is not written down, unless it has a reason: undo would change
        nothing either, and no one has decided anything.

        Args:
            complete: returns the complete edit for the state that it is applied to.
            who: who decided it.
            why: the reason, if one was given.
            base: the version that the edit was made for; None: any.

        Raises:
            SettingsError: the edit makes no sense there; nothing was changed.
            StaleError: there is another version by now.
            SinkError: it cannot be written down; nothing was changed.
        """
        with self._lock, self._journal.held() as lines:
            self._fold(lines)
            if base is not None and base != self.version:
                raise StaleError
            before = self.state
            edit = complete(before)
            state = operations.apply(before, edit)
            if not why and state.is_as(before):
                return Done(edit, self.version, before, before, is_written=False)
            self._done.append(_Step(self._journal.append(edit, who, why), state))
            self._undone.clear()
            return Done(edit, self.version, before, state)

    def undo(self, who: str, base: int | None = None) -> Done:
        """Take back the last edit, no matter whose; raises as `add`."""
        return self._step(_UNDO, who, base)

    def redo(self, who: str, base: int | None = None) -> Done:
        """Do the edit again that was taken back last; raises as `add`."""
        return self._step(_REDO, who, base)

    def _step(self, name: str, who: str, base: int | None) -> Done:
        with self._lock, self._journal.held() as lines:
            self._fold(lines)
            if base is not None and base != self.version:
                raise StaleError
            steps = self._done if name == _UNDO else self._undone
            if not steps:
                raise SettingsError(f"there is nothing to {name}")
            edit, before = steps[-1].line.edit, self.state
            self._journal.append({"op": name}, who, None)
            self._move(name)
            return Done(edit, self.version, before, self.state)

    def _move(self, name: str) -> None:
        if name == _UNDO:
            self._undone.append(self._done.pop())
        else:
            self._done.append(self._undone.pop())

    def _fold(self, lines: list[Line]) -> None:
        if self._problem is not None:  # lines after one that was not understood do not count
            raise self._problem
        for line in lines:
            name = line.edit.get("op")
            try:
                if name in (_UNDO, _REDO):
                    self._move(str(name))
                else:
                    self._done.append(_Step(line, operations.apply(self.state, line.edit)))
                    self._undone.clear()
            except (SettingsError, IndexError) as error:
                self._problem = TrackFileError(
                    f"{self._journal.path}: line {line.number} makes no sense for these tracks "
                    f"({error}): restore the journal, or move it away to begin again"
                )
                raise self._problem from error
