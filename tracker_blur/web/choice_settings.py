"""What a client chose, as settings: so a wrong value is refused before there is a job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tracker_blur.core import plugins
from tracker_blur.core.detector_choice import DetectorChoice
from tracker_blur.core.times import seconds_of
from tracker_blur.errors import SettingsError
from tracker_blur.redaction import color
from tracker_blur.settings import Settings
from tracker_blur.web.detector_bounds import check_values
from tracker_blur.web.job_commands import REDACT_OPTIONS, TRACK_OPTIONS, ChoiceError, option_flags

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tracker_blur.web.job_commands import Choice

_OF_IMAGES = frozenset(
    {"detector", "confidence", "partial", "min_size", "max_size", "ignore_zones", "hide_zones"}
)


class _Setting(NamedTuple):
    """A field of `Settings`, and what reads its value from a text; that raises ValueError."""

    name: str
    read: Callable[[str], Any] = str


def _whole_number_or_auto(text: str) -> int | str:
    return text if text == "auto" else int(text)


def _time(text: str) -> float:
    seconds = seconds_of(text)
    if seconds is None:
        raise ValueError(text)
    return float(seconds)


_SETTINGS = {
    "confidence": _Setting("confidence", float),
    "detect_every": _Setting("detect_every_frames", _whole_number_or_auto),
    "view_size": _Setting("view_px", int),
    "margin": _Setting("margin_seconds", float),
    "from": _Setting("from_seconds", _time),
    "to": _Setting("to_seconds", _time),
    "keep_people": _Setting("keep_people", Path),
    "hide_people": _Setting("hide_people", Path),
    "blocks": _Setting("blocks", int),
    "factor": _Setting("factor", float),
    "padding": _Setting("padding_ratio", float),
    "feather": _Setting("feather_ratio", float),
    "quality": _Setting("quality", float),
}
"""Options whose setting has another name, or is no text."""

_FORMS: dict[Callable[[str], Any], str] = {
    float: "a number",
    int: "a whole number",
    _whole_number_or_auto: "a whole number, or 'auto'",
    _time: "seconds (12.5s) or a time (1:02:03.4)",
}
_NOT_SETTINGS = frozenset({"verify"})


def check_choice(choice: Choice) -> None:
    """Check a choice, for any action.

    Raises:
        ChoiceError: There is no such method or option, or a value makes no sense.
    """
    methods = plugins.names("tracker_blur.redaction.methods")
    if choice.method is not None and (choice.method not in methods or choice.method == "image"):
        raise ChoiceError("there is no such method", "method")
    option_flags(choice.options, REDACT_OPTIONS)
    try:
        settings = _settings_of(choice, REDACT_OPTIONS.keys() - _NOT_SETTINGS)
        color.parse(settings.color)
        check_values(DetectorChoice.of(settings.detector))
    except SettingsError as error:
        names = {setting.name: option for option, setting in _SETTINGS.items()} | {
            "hide": "classes"
        }
        option = names.get(str(error.setting), error.setting)
        remedy = error.remedy and names.get(error.remedy, error.remedy)
        raise ChoiceError(" ".join(filter(None, (error.problem, remedy))), option) from error


def image_settings(choice: Choice) -> Settings:
    """Return the settings to detect with in an image that is reviewed.

    Raises:
        ChoiceError: The choice makes no sense.
        SettingsError: The same, from the engine.
    """
    option_flags(choice.options, TRACK_OPTIONS)
    return _settings_of(choice, _OF_IMAGES)


def _settings_of(choice: Choice, names: Collection[str]) -> Settings:
    """Return the settings that a choice with these options stands for."""
    given: dict[str, Any] = {"hide": choice.classes}
    if choice.method is not None:
        given["method"] = choice.method
    for name, value in choice.options.items():
        if value is None or name not in names:
            continue
        setting = _SETTINGS.get(name, _Setting(name))
        if isinstance(value, bool):
            given[setting.name] = value
        elif isinstance(value, list):
            given[setting.name] = tuple(map(str, value))
        else:
            given[setting.name] = _read(name, setting, str(value))
    return Settings(**given)


def _read(name: str, setting: _Setting, text: str) -> Any:
    try:
        return setting.read(text)
    except ValueError:
        raise ChoiceError(f"is '{text[:60]}': give {_FORMS[setting.read]}", name) from None
