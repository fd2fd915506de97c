"""What users should know about the settings they gave: those without effect, weak methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.settings import Settings, method_class_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tracker_blur.cli.console import Console
    from tracker_blur.files.paths import MediaKind

_METHODS_OF_SETTING = {
    "tone": ("mosaic",),
    "feather_ratio": ("fog", "gaussian", "image", "pixelated", "solid"),
    "factor": ("gaussian",),
    "blocks": ("pixelated",),
    "image": ("image",),
    "color": ("solid", "image"),
}
_VIDEO_SETTINGS = (
    *("codec", "encoder", "quality", "preset"),
    *("audio", "subtitles", "tracks_kept"),
)


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
            f"{' and '.join(cosmetic)}: only for looks, a program may still recognize who is "
            f"hidden: use mosaic or solid, or add {flag}"
        )


def note_unused_settings(
    settings: Settings, kinds: Collection[MediaKind], console: Console
) -> None:
    """Print a note for each setting that was given but has no effect, so that no one relies on it.

    Args:
        settings: those of the run.
        kinds: what the files to be written are.
        console: prints the notes.
    """
    for name, where in unused_settings(settings, kinds):
        flag = console.flags.get(name, name)
        console.note(f"{flag} has no effect here: it applies only to {where}")


def _listed(names: Sequence[str]) -> str:
    """Return "one", "one or two", "one, two or three"."""
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def unused_settings(settings: Settings, kinds: Collection[MediaKind]) -> Iterator[tuple[str, str]]:
    """Yield each setting that is not the default and has no effect, and where it has one."""
    unused: list[tuple[str, str]] = []
    for name, methods in _METHODS_OF_SETTING.items():
        if settings.method not in methods:
            unused.append((name, f"the method {_listed(methods)}"))
    if not settings.one_pass:
        unused.append(("hold_seconds", "one pass"))
    elif not settings.delay_seconds:
        unused.append(("margin_seconds", "two passes, or to one pass with a delay"))
    if "video" not in kinds:
        unused += [
            (name, "videos: an image keeps its format and quality") for name in _VIDEO_SETTINGS
        ]
    default = Settings()
    return (
        (name, where) for name, where in unused if getattr(settings, name) != getattr(default, name)
    )
