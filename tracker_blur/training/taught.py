"""Remembers what teachers add to pictures: asking them again would take minutes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tracker_blur.core.box import Box
from tracker_blur.detectors import load_detector
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.files.atomic import replacing
from tracker_blur.settings import DETECTOR_FILE_ENDING
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.pseudo_labels import Added, added
from tracker_blur.weights.store import Weights


def taught(
    pictures: Sequence[Annotated], label: str, names: Sequence[str], weights: Weights, file: Path
) -> tuple[Annotated, ...]:
    """Return the pictures with what the detectors of these names add under this label.

    file   what they said before, and say now

    Raises SettingsError, ModelError and MissingPackageError as `load_detector` does, and what
    `remembered` raises.
    """
    teachers = [load_detector(name, weights)[1] for name in names]
    said = remembered(
        pictures, file, _identity(names, weights), lambda picture: added(picture, teachers)
    )
    return tuple(
        replace(
            picture,
            things=(*picture.things, *((label, box) for box in more.things)),
            ignored=(*picture.ignored, *more.ignored),
        )
        for picture, more in zip(pictures, said, strict=True)
    )


def remembered(
    pictures: Sequence[Annotated], file: Path, teachers: str, ask: Callable[[Annotated], Added]
) -> list[Added]:
    """Return what the teachers add to each picture; asks only for what the file does not hold.

    teachers   tells these from others. Like a picture that is another now, or is labelled
               otherwise, other teachers are asked anew, and what was said before is forgotten

    Raises SettingsError for a file that is none of ours, SourceError for a picture that cannot be
    read, SinkError when the file cannot be written, and what `ask` raises.
    """
    known = _read(file)
    said: dict[str, Added] = {}
    keys = [_key(picture, teachers) for picture in pictures]
    for key, picture in zip(keys, pictures, strict=True):
        said[key] = known[key] if key in known else ask(picture)
    if not said.keys() <= known.keys():
        _write(said, file)
    return [said[key] for key in keys]


def _identity(names: Sequence[str], weights: Weights) -> str:
    """Return what tells these teachers from others: names, and digests of their weights."""
    files = [Path(name).read_bytes() for name in names if name.endswith(DETECTOR_FILE_ENDING)]
    files += [weights.read(name) for name in sorted(weights.used)]
    return json.dumps([*names, *(hashlib.sha256(content).hexdigest() for content in files)])


def _key(picture: Annotated, teachers: str) -> str:
    try:
        content = picture.path.read_bytes()
    except OSError as error:
        raise SourceError(f"{picture.path}: cannot read this picture ({error.strerror})") from error
    labels = [(name, box.as_tuple()) for name, box in picture.things]
    ignored = [box.as_tuple() for box in picture.ignored]
    about = json.dumps([hashlib.sha256(content).hexdigest(), labels, ignored, teachers])
    return hashlib.sha256(about.encode()).hexdigest()


def _read(file: Path) -> dict[str, Added]:
    if not file.is_file():
        return {}
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["added"]
        return {
            key: Added(
                *(tuple(Box(*sides) for sides in row[name]) for name in ("things", "ignored"))
            )
            for key, row in rows.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"{file}: damaged, or of another version: delete it, the teachers are asked again"
        ) from error


def _write(said: dict[str, Added], file: Path) -> None:
    rows = {
        key: {
            "things": [box.as_tuple() for box in more.things],
            "ignored": [box.as_tuple() for box in more.ignored],
        }
        for key, more in said.items()
    }
    with replacing(file, overwrite=True) as partial:
        partial.write_text(json.dumps({"added": rows}), encoding="utf-8")
