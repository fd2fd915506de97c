"""What users should know about their settings: what they lead to, weak methods, no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.core import plugins
from tracker_blur.settings import FACE, Settings, method_class_of
from tracker_blur.text import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tracker_blur.cli.console import Console
    from tracker_blur.files.paths import MediaKind
    from tracker_blur.pipeline import Engine

_METHODS_OF_SETTING = {
    "tone": ("mosaic",),
    "factor": ("gaussian",),
    "blocks": ("pixelated",),
    "image": ("image",),
    "color": ("solid", "image"),
}
_METHODS_WITHOUT_EDGE = {"mosaic"}
_WEAKER = {"onnx", "haar"}  # detectors
_ENCODER_SETTINGS = ("codec", "encoder", "quality", "preset")
_VIDEO_SETTINGS = (
    *("from_seconds", "to_seconds"),
    *("audio", "mute", "bleep", "subtitles", "tracks_kept"),
)


def describe(engine: Engine, settings: Settings) -> str:
    """Return one line about what is hidden, and how it is detected and tracked."""
    every, tracker = settings.detect_every_frames, settings.tracker
    if every == 1 or tracker == "none":
        schedule = "in every frame"
    elif every == "auto":
        schedule = "at an adaptive interval"
    else:
        schedule = f"in every {_ordinal(every)} frame"
    tracking = "without a tracker" if tracker == "none" else f"tracking with {tracker}"
    text = f"detecting with {engine.detector_name}; videos {schedule}, {tracking}"
    if engine.labels != (FACE,):
        text = f"hiding {', '.join(engine.labels)}; {text}"
    if settings.detector == "auto" and _WEAKER & set(engine.detector_name.split(", ")):
        text += "; for a better detector, run 'trackblur models pull yunet'"
    return text


def _ordinal(number: int) -> str:
    """Return a number such as "2nd"."""
    is_teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def warn_if_cosmetic(settings: Settings, console: Console, methods: Collection[str] = ()) -> None:
    """Warn of methods under which a program may still recognize a face.

    Args:
        settings: those of the run.
        console: prints the warning, unless it is quiet.
        methods: the methods in use, if not just that of the settings.
    """
    cosmetic = sorted(
        name for name in methods or {settings.method} if method_class_of(name) == "cosmetic"
    )
    if cosmetic and not settings.accept_cosmetic:
        flag = console.flags.get("accept_cosmetic", "accept_cosmetic")
        console.caution(
            f"{listed(cosmetic, 'and')}: only for looks, a program may still recognize who is "
            f"hidden: use mosaic or solid, or add {flag}"
        )


def note_unused_settings(
    settings: Settings, kinds: Collection[MediaKind], console: Console
) -> None:
    """Warn of each setting that was given but has no effect, so that no one relies on it.

    Args:
        settings: those of the run.
        kinds: what the files to be written are.
        console: prints the warnings.
    """
    for name, where in unused_settings(settings, kinds):
        flag = console.flags.get(name, name)
        console.warn(f"{flag} has no effect here: it applies only to {where}")


def unused_settings(settings: Settings, kinds: Collection[MediaKind]) -> Iterator[tuple[str, str]]:
    """Yield each setting that is not the default and has no effect, and where it has one."""
    unused: list[tuple[str, str]] = []
    all_methods = plugins.names("tracker_blur.redaction.methods")
    with_edge = tuple(name for name in all_methods if name not in _METHODS_WITHOUT_EDGE)
    for name, methods in {**_METHODS_OF_SETTING, "feather_ratio": with_edge}.items():
        if settings.method not in methods:
            unused.append((name, f"the method {listed(methods)}"))
    if not settings.one_pass:
        unused.append(("hold_seconds", "one pass"))
    elif not settings.delay_seconds:
        unused.append(("margin_seconds", "runs that read ahead, or to one pass with a delay"))
    if "video" not in kinds:
        unused += [(name, "videos") for name in _VIDEO_SETTINGS]
        unused += [
            (name, "videos: an image keeps its format and quality") for name in _ENCODER_SETTINGS
        ]
    default = Settings()
    return (
        (name, where) for name, where in unused if getattr(settings, name) != getattr(default, name)
    )
