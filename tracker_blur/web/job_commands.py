"""What the page offers, as arguments of the command line."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tracker_blur.files.paths import real_path
from tracker_blur.web.folder import link_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.web.job import NewJob

Care = Literal["quick", "normal", "careful"]
Decisions = Literal["keep", "ignore"]
"""Whether files that were reviewed are made as decided there, or as if no one had decided."""

_CARE_FLAGS: dict[Care, tuple[str, ...]] = {
    # One pass would be no faster, and less safe. This detects less often, and only larger faces.
    "quick": ("--detect-every=3", "--view-size=640"),
    "normal": (),
    "careful": ("--careful",),
}
_TRACKS_FLAG = "--tracks"
_LONGEST_VALUE = 500
_OF_FILES = ("/", "\\", ".onnx")  # values for parameters may follow a detector's name
_MOST_VALUES = 100

Kind = Literal["text", "texts", "flag"]


class _Option(NamedTuple):
    flag: str
    kind: Kind = "text"


_DETECTION = {
    "detector": _Option("--detector"),
    "confidence": _Option("--confidence"),
    "detect_every": _Option("--detect-every"),
    "view_size": _Option("--view-size"),
    "tracker": _Option("--tracker"),
    "margin": _Option("--margin"),
    "partial": _Option("--partial", "flag"),
}
_ZONES = {
    "ignore_zones": _Option("--ignore-zone", "texts"),
    "hide_zones": _Option("--hide-zone", "texts"),
    "min_size": _Option("--min-size"),
    "max_size": _Option("--max-size"),
    "from": _Option("--from"),
    "to": _Option("--to"),
}
PEOPLE = {
    "keep_people": _Option("--keep-people"),
    "hide_people": _Option("--hide-people"),
}
"""Options that name a folder with photos of people."""

_SPANS = {"mute": _Option("--mute", "texts"), "bleep": _Option("--bleep", "texts")}
_STREAMS = {
    "audio": _Option("--audio"),
    "subtitles": _Option("--subtitles"),
    "metadata": _Option("--metadata"),
}
_REDACTION = {
    "tone": _Option("--tone"),
    "blocks": _Option("--blocks"),
    "factor": _Option("--factor"),
    "color": _Option("--color"),
    "shape": _Option("--shape"),
    "padding": _Option("--padding"),
    "feather": _Option("--feather"),
    "accept_cosmetic": _Option("--accept-cosmetic", "flag"),
    "codec": _Option("--codec"),
    "quality": _Option("--quality"),
    "verify": _Option("--verify", "flag"),
}

TRACK_OPTIONS = {**_DETECTION, **_ZONES, **PEOPLE}
OVERWRITE = "overwrite"
REDACT_OPTIONS = {
    **TRACK_OPTIONS,
    **_SPANS,
    **_STREAMS,
    **_REDACTION,
    OVERWRITE: _Option("--overwrite", "flag"),
}


class Choice(NamedTuple):
    """What a user chose for some files.

    Attributes:
        classes: What to hide; empty: faces.
        method: How; None: the default.
        care: How carefully.
        options: Further ones, by name.
    """

    classes: tuple[str, ...] = ()
    method: str | None = None
    care: Care = "normal"
    options: Mapping[str, Any] = {}

    def settings(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {**self._asdict(), "classes": list(self.classes), "options": dict(self.options)}


class ChoiceError(ValueError):
    """A choice makes no sense.

    Args:
        problem: Why, and what to do.
        option: The option concerned; the message begins with it.

    Attributes:
        problem: The same.
        option: The same.
    """

    def __init__(self, problem: str, option: str | None = None) -> None:
        self.problem, self.option = problem, option
        super().__init__(problem if option is None else f"{option}: {problem}")


def redact_arguments(
    source: Path, target: Path, choice: Choice, *, is_image: bool, tracks: Path | None
) -> tuple[str, ...]:
    """Return the arguments that redact a file or a folder; raises ChoiceError.

    Args:
        source: The input; absolute, as all paths here, so that none looks like an option.
        target: The output.
        choice: What the user chose.
        is_image: Whether care is about still images, which are searched only once.
        tracks: Where the tracks go, unless there are some by then.
    """
    also_tracks = () if tracks is None else (_TRACKS_FLAG, str(tracks))
    return (
        *("redact", str(source), "-o", str(target)),
        *_hide(choice),
        *_method(choice),
        *_care(choice, is_image=is_image),
        *option_flags(choice.options, REDACT_OPTIONS),
        *also_tracks,
    )


def _method(choice: Choice) -> tuple[str, ...]:
    return () if choice.method is None else (f"--method={choice.method}",)


def track_arguments(source: Path, tracks: Path, choice: Choice) -> tuple[str, ...]:
    """Return the arguments that write a video's track file; raises ChoiceError."""
    return (
        *("track", str(source), "-o", str(tracks)),
        *_hide(choice),
        *_method(choice),
        *_care(choice, is_image=False),
        *option_flags(choice.options, TRACK_OPTIONS),
    )


def verify_arguments(
    output: Path, source: Path | None, made_by: NewJob | None, choice: Choice
) -> tuple[str, ...]:
    """Return the arguments that verify an output; raises ChoiceError.

    Args:
        output: What is searched.
        source: What it was made of, if that is known.
        made_by: The job that made it, if that is known: how it was made says what may differ.
        choice: What to search for.
    """
    tracks = None
    options = dict(choice.options)
    if made_by is not None:
        options = {**made_by.settings.get("options", {}), **options}
        tracks = tracks_of(made_by.arguments)
    known = dict(_STREAMS) if tracks else {**_STREAMS, **_ZONES, **_SPANS}
    return (
        *("verify", str(output)),
        *(() if source is None else ("--against", str(source))),
        *(() if tracks is None else (_TRACKS_FLAG, tracks)),
        *_hide(choice),
        *option_flags({name: options[name] for name in known if name in options}, known),
    )


def startable(job: NewJob) -> NewJob:
    """Return a job as it can be started now: it writes no tracks where there are some by now."""
    tracks = tracks_of(job.arguments) if job.action == "redact" else None
    if tracks is None or not os.path.lexists(tracks):
        return job
    at = job.arguments.index(_TRACKS_FLAG)
    arguments = (*job.arguments[:at], *job.arguments[at + 2 :])
    return dataclasses.replace(job, arguments=arguments)


def leads_inside(arguments: tuple[str, ...], root: Path) -> bool:
    """Return whether all paths below a folder still lead into it: some may be links by now."""
    values = (text.partition("=")[2] if text.startswith("--") else text for text in arguments)
    paths = [Path(value) for value in values if value.startswith(f"{root}{os.sep}")]
    return all(root in real_path(path).parents and link_out(path, root) is None for path in paths)


def tracks_of(arguments: tuple[str, ...]) -> str | None:
    """Return the track file that a job writes, or renders."""
    if arguments[:1] == ("render",):
        return arguments[2]
    return arguments[arguments.index(_TRACKS_FLAG) + 1] if _TRACKS_FLAG in arguments else None


def _hide(choice: Choice) -> tuple[str, ...]:
    return (f"--hide={','.join(choice.classes)}",) if choice.classes else ()


def _care(choice: Choice, *, is_image: bool) -> tuple[str, ...]:
    if is_image and choice.care == "quick":
        return ()
    chosen = {_flag_name(choice.options, name) for name in choice.options}
    return tuple(flag for flag in _CARE_FLAGS[choice.care] if flag.split("=")[0] not in chosen)


def _flag_name(options: Mapping[str, Any], name: str) -> str | None:
    known = TRACK_OPTIONS.get(name)
    return known.flag if known is not None and options[name] is not None else None


def option_flags(options: Mapping[str, Any], known: Mapping[str, _Option]) -> list[str]:
    """Return options as arguments.

    Args:
        options: Their values, by name.
        known: Those that there are.

    Raises:
        ChoiceError: There is no such option, or its value is of another kind.
    """
    flags = []
    for name, value in options.items():
        if name not in known:
            raise ChoiceError("there is no such option for this", name)
        if value is None:
            continue
        option = known[name]
        if option.kind == "flag":
            if not isinstance(value, bool):
                raise ChoiceError(f"is {str(value)[:60]!r}: choose true or false", name)
            flags += [option.flag] if value else []
        elif option.kind == "texts":
            if not isinstance(value, list) or len(value) > _MOST_VALUES:
                raise ChoiceError(f"is no list of up to {_MOST_VALUES} texts", name)
            flags += [f"{option.flag}={_text(name, each)}" for each in value]
        else:
            flags.append(f"{option.flag}={_text(name, value)}")
    return flags


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ChoiceError("is neither a text nor a number", name)
    if isinstance(value, float) and not math.isfinite(value):  # JSON cannot hold it
        raise ChoiceError("is no finite number", name)
    text = str(value)
    if not text or len(text) > _LONGEST_VALUE or not text.isprintable():
        raise ChoiceError("is empty, too long, or holds what is no text", name)
    if name == "detector" and any(part in text.lower() for part in _OF_FILES):
        raise ChoiceError("choose one of those that the page offers", name)
    return text
