"""What clients send to add a job, and what they learn about one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError, model_validator

from tracker_blur.web.job_commands import REDACT_OPTIONS, Decisions
from tracker_blur.web.job_routes import ChoiceBody

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

_FLAG = re.compile(r"(?<!\S)--[a-z-]+")
_TEXT_FIELDS = ("action", "method", "care")
_Text = Annotated[str, Field(max_length=4096)]


class JobOptions(ChoiceBody):
    """What is done with a file, and how."""

    action: Literal["redact", "track", "verify"] = Field(
        "redact",
        description="`redact` writes a file in which faces are hidden, and the tracks of a video; "
        "`track` writes the tracks alone; `verify` searches for faces that can be seen.",
    )

    @classmethod
    def of_fields(cls, fields: Mapping[str, str]) -> Self:
        """Return the options that are fields of a form or of a query.

        Args:
            fields: `classes` is a list with commas, `options` is JSON; the others are texts.

        Raises:
            RequestValidationError: A field makes no sense.
        """
        given: dict[str, Any] = dict(fields)
        if "classes" in given:
            given["classes"] = [name.strip() for name in given["classes"].split(",") if name]
        try:
            if "options" in given:
                given["options"] = _json(given["options"])
            return cls.model_validate(given)
        except ValidationError as error:
            raise invalid(error) from None


class JobRequest(JobOptions):
    """A job for a file that is there already: below the service's folder, or at a URL."""

    path: _Text | None = Field(
        None, description="A file or a folder, relative to the folder of `--root`, with slashes."
    )
    url: _Text | None = Field(
        None, description="A file at a host that `--allow-url` names; it is fetched first."
    )
    name: _Text | None = Field(None, description="What the file of a URL is called.")
    decisions: Decisions | None = Field(
        None,
        description="A file that was reviewed on the page is redacted as decided there (`keep`), "
        "or as if no one had decided (`ignore`). Without it, such a file is refused.",
    )

    @model_validator(mode="after")
    def _one_file(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("name one file: as 'path' or as 'url'")
        return self


class JobLinks(BaseModel):
    """Where there is more of a job; paths on this service."""

    self: str
    events: str
    output: str
    tracks: str


class JobAnswer(BaseModel):
    """A job."""

    id: str
    action: Literal["redact", "track", "render", "verify"]
    file: str = Field(description="The input: its name, or its path below the service's folder.")
    output: str | None = Field(description="What is written, named in the same way.")
    is_upload: bool = Field(description="Whether the files are deleted with the job.")
    state: Literal["waiting", "running", "paused", "done", "failed", "cancelled"]
    progress: float | None = Field(description="The share that is done, 0 to 1.")
    frames_per_second: float | None
    seconds_left: float | None
    error: str | None = Field(description="Why it failed, or was ended.")
    created: str = Field(description="As all times: ISO 8601, in UTC.")
    started: str | None
    ended: str | None
    settings: dict[str, Any] = Field(description="What the request chose, with defaults.")
    result: dict[str, Any] | None = Field(description="What the run said about its result.")
    review: str | None = Field(description="Id of its review on the page, if there is one.")
    links: JobLinks


class JobList(BaseModel):
    """All jobs, the oldest first."""

    jobs: list[JobAnswer]


def answer_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what clients learn about a job; a `JobAnswer`.

    Args:
        job: What the page learns.
    """
    own = f"/v1/jobs/{job['id']}"
    error = job["error"] and _FLAG.sub(_option_of, job["error"])
    links = {"self": own, **{name: f"{own}/{name}" for name in ("events", "output", "tracks")}}
    return {**job, "error": error, "links": links}


def _option_of(flag: re.Match[str]) -> str:
    """Return how a request says what a flag of the command line says, if there is a way."""
    return next(
        (f"options.{name}" for name, option in REDACT_OPTIONS.items() if option.flag == flag[0]),
        flag[0],
    )


def invalid(error: ValidationError) -> RequestValidationError:
    """Return the error of a request whose body makes no sense, as FastAPI raises it."""
    errors = error.errors(include_url=False, include_context=False)
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in errors])


_FILE = {"type": "string", "format": "binary"}
_FIELDS = {
    **{name: {"type": "string"} for name in _TEXT_FIELDS},
    "classes": {"type": "string", "description": "`faces`, `plates`, or both with a comma."},
    "options": {"type": "string", "description": "Further options, as a JSON object."},
}

JOB_BODY: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in {
            "name": {"type": "string", "description": "What a body without a form is called."},
            **_FIELDS,
        }.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": JobRequest.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": _FILE, **_FIELDS},
                    "required": ["file"],
                    "additionalProperties": False,
                }
            },
            "video/*": {"schema": _FILE},
            "image/*": {"schema": _FILE},
            "application/octet-stream": {"schema": _FILE},
        },
    },
}
"""The request that adds a job, for OpenAPI."""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # which is then no object
