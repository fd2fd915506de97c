"""Which settings were given and change nothing, so that nobody relies on them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tracker_blur.files.paths import MediaKind
from tracker_blur.settings import Settings

_OF_METHODS = {
    "factor": ("gaussian",),
    "blocks": ("pixelated",),
    "image": ("image",),
    "color": ("solid", "image"),
}
_OF_VIDEOS = ("codec", "encoder", "quality", "preset")
_DEFAULTS = Settings()


def idle(settings: Settings, kinds: Collection[MediaKind]) -> Iterator[str]:
    """Give a line for each setting that is not as by default and changes nothing.

    kinds  of the files that are to be written
    """
    for name, methods in _OF_METHODS.items():
        if settings.method not in methods:
            yield from _line(settings, name, f"the method {' or '.join(methods)}")
    if not settings.one_pass:
        yield from _line(settings, "hold_seconds", "one pass")
    elif not settings.delay_seconds:
        yield from _line(settings, "margin_seconds", "two passes, and one where frames wait")
    if "video" not in kinds:
        for name in _OF_VIDEOS:
            yield from _line(settings, name, "videos: a picture keeps its kind and quality")


def _line(settings: Settings, name: str, where: str) -> Iterator[str]:
    if getattr(settings, name) != getattr(_DEFAULTS, name):
        yield f"`{name}` changes nothing here: it is for {where}"
