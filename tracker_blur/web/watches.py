"""Watched folders: what appears in one is redacted into another."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from tracker_blur.errors import TrackerBlurError, reason_of
from tracker_blur.files.paths import is_file, is_media, is_output, mirrored_output, real_path
from tracker_blur.files.writers import is_being_written
from tracker_blur.web.job_commands import Choice, ChoiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tracker_blur.web.folder import Folder
    from tracker_blur.web.state import State

_FILE = "watches"
_POLL_SECONDS = 1.0
_STABLE_SECONDS = 5.0
"""A file is whole when it has not changed for this long: recorders and copies write all the time.
One that is whole only seemingly fails, and is redacted when it has changed."""

Identity = tuple[int, int]
"""The size and the time of the last change of a file."""


@dataclass
class Watch:
    """One watched folder.

    Attributes:
        folder: What is watched, as the page names it.
        target: Where outputs go.
        choice: How files are redacted.
        handled: The files that have a job, in the state they had then.
        seen: The files that have none yet, and since when they are as they are.
    """

    folder: str
    target: str
    choice: Choice
    handled: dict[str, Identity] = field(default_factory=dict)
    seen: dict[str, tuple[Identity, float]] = field(default_factory=dict)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Watch:
        """Return the watch that was kept; raises ValueError if it is none."""
        try:
            settings = record["settings"]
            choice = Choice(**{**settings, "classes": tuple(settings["classes"])})
            handled = {name: (size, time) for name, (size, time) in record["handled"].items()}
            return cls(str(record["folder"]), str(record["target"]), choice, handled)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(error) from error

    def as_dict(self) -> dict[str, Any]:
        """Return what the page shows of it."""
        return {
            "folder": self.folder,
            "target": self.target,
            "settings": self.choice.settings(),
        }


class Watches:
    """Looks at watched folders now and then, and adds jobs; survives the server.

    Args:
        state: Where they are kept.
        folder: That of the page.
        redact: Adds the job that redacts a file into another, of this name if it is free, or if
            what is there was made of the file as it was before.
        warn: Called with a line when a folder cannot be watched, from the thread.
        notify: Called when `all` has something new to say, from the thread.
    """

    def __init__(
        self,
        state: State,
        folder: Folder,
        redact: Callable[[Path, Path, Choice], object],
        warn: Callable[[str], None],
        notify: Callable[[], None],
    ) -> None:
        self._state = state
        self._folder = folder
        self._redact = redact
        self._warn = warn
        self._notify = notify
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._problems: dict[str, str] = {}
        self._watches: list[Watch] = []
        for record in state.read_list(_FILE):
            with suppress(ValueError):  # one that was not kept whole
                self._watches.append(Watch.from_record(record))
        self._thread = threading.Thread(target=self._run, name="trackblur watches", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._is_over.set()
        self._thread.join()

    def all(self) -> list[dict[str, Any]]:
        """Return all watches, as the page shows them, each with why it is stalled, or None."""
        with self._lock:
            return [
                {**watch.as_dict(), "problem": self._problems.get(watch.folder) or None}
                for watch in self._watches
            ]

    def add(self, folder: str, target: str, choice: Choice) -> dict[str, Any]:
        """Watch a folder, with what is in it already; replaces the watch that it had."""
        watch = Watch(folder, target, choice)
        with self._lock:
            self._watches = [each for each in self._watches if each.folder != folder]
            self._watches.append(watch)
            self._problems.pop(folder, None)
            self._keep()
        return watch.as_dict()

    def remove(self, folder: str) -> bool:
        """Watch a folder no more; return whether it was watched."""
        with self._lock:
            count = len(self._watches)
            self._watches = [each for each in self._watches if each.folder != folder]
            self._keep()
            return len(self._watches) < count

    def _run(self) -> None:
        while not self._is_over.wait(_POLL_SECONDS):
            with self._lock:
                for watch in self._watches:
                    self._look_safely(watch)

    def _look_safely(self, watch: Watch) -> None:
        """Look at a watched folder; what fails there, for now or for good, stops no other."""
        try:
            self._look(watch)
        except (OSError, TrackerBlurError, ChoiceError) as error:
            problem = reason_of(error)
        except HTTPException as error:
            problem = error.detail
        except Exception as error:  # noqa: BLE001  # a bug; the others continue
            problem = f"{type(error).__name__}: {error}"
        else:
            problem = ""
        if self._problems.get(watch.folder, "") == problem:
            return
        self._problems[watch.folder] = problem
        if problem:
            self._warn(f"{watch.folder}: cannot be watched ({problem})")
        self._notify()

    def _look(self, watch: Watch) -> None:
        root, target = (self._folder.root / name for name in (watch.folder, watch.target))
        seen = {}
        for path in self._files(root, target):
            name = path.relative_to(root).as_posix()
            status = path.stat()
            identity = status.st_size, status.st_mtime_ns
            if watch.handled.get(name) == identity:
                continue
            before, since = watch.seen.get(name, (None, 0.0))
            now = time.monotonic()
            since = since if before == identity else now
            is_young = now - since < _STABLE_SECONDS or not status.st_size
            if is_young or is_being_written(path):
                seen[name] = identity, since
                continue
            output = mirrored_output(target / name)
            if name in watch.handled or not os.path.lexists(output):
                self._redact(path, output, watch.choice)
            watch.handled[name] = identity
            self._keep()
        watch.seen = seen

    def _files(self, root: Path, target: Path) -> Iterator[Path]:
        """Yield the inputs below a folder, without outputs and what links lead to elsewhere."""
        for folder, folders, files in os.walk(root):
            here = root / folder
            folders[:] = [
                name
                for name in folders
                if not name.startswith(".") and real_path(here / name) != real_path(target)
            ]
            for path in (here / name for name in sorted(files)):
                is_ours = is_media(path) and not path.name.startswith(".") and is_file(path)
                if is_ours and self._folder.holds(path) and not is_output(path):
                    yield path

    def _keep(self) -> None:
        records = [{**watch.as_dict(), "handled": watch.handled} for watch in self._watches]
        self._state.write(_FILE, records)
