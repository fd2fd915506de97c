"""A job: one run of the command line, and what is known of it."""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import TypeAdapter

from tracker_blur.settings import Settings
from tracker_blur.web.json_answers import timestamp

Action = Literal["redact", "track", "render", "verify"]
JobState = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]

_ID_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What is to be run.

    Attributes:
        action: The command.
        file: The input, as the page names it.
        arguments: Those of the command line, the command first.
        output: What will be written, as the page names it.
        settings: What the user chose.
        review: The review that the job belongs to, or that its end makes possible.
        is_upload: Whether the input came with a request: it and the output are in the job's own
            folder, not in that of the page, and are deleted with the job.
    """

    action: Action
    file: str
    arguments: tuple[str, ...]
    output: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    review: str | None = None
    is_upload: bool = False


def new_id() -> str:
    """Return an id that no job has."""
    return secrets.token_hex(_ID_BYTES)


def _with_defaults(new: NewJob) -> dict[str, Any]:
    """Return the settings of a job with what it hides, and how, where nothing was chosen."""
    settings = new.settings
    if new.action not in ("redact", "track") or "classes" not in settings:
        return settings
    filled = {**settings, "method": settings.get("method") or Settings().method}
    options = settings.get("options")
    names_detector = isinstance(options, dict) and "detector" in options
    if not settings["classes"] and not names_detector:  # a file of one's own has its own classes
        filled["classes"] = ["faces"]
    return filled


@dataclass(slots=True, kw_only=True)
class Job:
    """A job in the queue, as it is kept on disk. Times are in seconds since 1970.

    Attributes:
        id: 16 hexadecimal digits.
        new: What is to be run.
        state: What has happened to it.
        created: When it was added.
        started: When its process was last started.
        ended: When that ended.
        process: The number of its process while it runs.
        attempts: How often a process was started since a server last ended in order.
        run_seconds: How long its processes have run, pauses left out; the service limits it.
        error: Why it failed, in one line.
        result: What the run said about its result.
        earlier: What an attempt before warned of: files that it wrote are not written again.
        made_folders: How many folders were made for the output: it is in the innermost one.
    """

    id: str
    new: NewJob
    state: JobState = "waiting"
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    process: int | None = None
    attempts: int = 0
    run_seconds: float = 0.0
    error: str | None = None
    result: dict[str, Any] | None = None
    earlier: dict[str, Any] | None = None
    made_folders: int = 0

    @classmethod
    def of(cls, new: NewJob, job_id: str | None = None) -> Job:
        """Return a job that waits; it gets an id unless it has one."""
        return cls(id=job_id or new_id(), new=new)

    @classmethod
    def from_record(cls, record: object) -> Self:
        """Return the job that was kept; raises ValueError if it cannot be shown."""
        job: Self = TypeAdapter(cls).validate_python(record)
        try:
            json.dumps(job.as_dict({}), allow_nan=False)
        except (OverflowError, OSError, RecursionError) as error:  # such as a time after year 9999
            raise ValueError(str(error)) from error
        return job

    def record(self) -> dict[str, Any]:
        """Return what is kept."""
        return dataclasses.asdict(self)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.state in ("done", "failed", "cancelled")

    def as_dict(self, progress: dict[str, float | None]) -> dict[str, Any]:
        """Return what the page shows of it.

        Args:
            progress: How far it is: `progress`, `frames_per_second`, `seconds_left`.
        """
        new = self.new
        return {
            "id": self.id,
            "action": new.action,
            "file": new.file,
            "output": new.output,
            "is_upload": new.is_upload,
            "state": self.state,
            **progress,
            "error": self.error,
            "created": timestamp(self.created),
            "started": None if self.started is None else timestamp(self.started),
            "ended": None if self.ended is None else timestamp(self.ended),
            "settings": _with_defaults(new),
            "result": self.result,
            "review": new.review if self.state == "done" or new.action == "render" else None,
        }
