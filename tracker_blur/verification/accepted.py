"""Places that a person has looked at and accepted, and the journal that remembers them.

The journal is text, one JSON object a line. A line says which file it is about (by the hashes of
the output and of its input, and by its name and shape), where the place is and when, who accepted
it and why. A place stays accepted in other outputs of the same input.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.text import counted
from tracker_blur.verification.verdict import VerifiedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tracker_blur.verification.exposures import ExposureRun

_MAX_POINTS = 60  # of a place's path; between them, it is interpolated
_TOLERANCE_SECONDS = 0.25  # a detection may begin some frames earlier with other options
_MIN_IOU = 0.3
_TEXTS = ("output", "output_sha256", "label")


@dataclass(frozen=True, slots=True)
class AcceptedPlace:
    """A place that a person has accepted.

    Attributes:
        file: the file in which it was seen.
        place_id: its name there, as in `ExposureRun`.
        label: the target class for which it was taken.
        path: (seconds, left, top, right, bottom) of its frames, ascending; not of all in a long
            one.
        by: who accepted it; "" if not stated.
        why: why; "" if not stated.
    """

    file: VerifiedFile
    place_id: str
    label: str
    path: tuple[tuple[float, float, float, float, float], ...]
    by: str = ""
    why: str = ""

    @classmethod
    def of(cls, run: ExposureRun, file: VerifiedFile, by: str = "", why: str = "") -> AcceptedPlace:
        """Return a place of a verdict as an accepted one."""
        exposures = run.exposures
        rows = np.linspace(0, len(exposures) - 1, min(len(exposures), _MAX_POINTS)).round()
        path = tuple(
            (
                round(float(exposures[row].time), 3),
                *(round(edge, 1) for edge in exposures[row].box.as_tuple()),
            )
            for row in rows.astype(int).tolist()
        )
        return cls(file, run.place_id, run.label, path, by, why)

    def covers(self, seconds: float, box: Box) -> bool:
        """Return whether a box is this place at this time."""
        times = [point[0] for point in self.path]
        if not times[0] - _TOLERANCE_SECONDS <= seconds <= times[-1] + _TOLERANCE_SECONDS:
            return False
        _, *edges = (np.interp(seconds, times, values) for values in zip(*self.path, strict=True))
        return Box(*map(float, edges)).iou(box) >= _MIN_IOU

    def within(self, size: tuple[int, int]) -> AcceptedPlace:
        """Return the place in frames of this (width, height)."""
        x, y = size[0] / self.file.size[0], size[1] / self.file.size[1]
        path = tuple(
            (seconds, left * x, top * y, right * x, bottom * y)
            for seconds, left, top, right, bottom in self.path
        )
        return replace(self, path=path)

    def to_dict(self) -> dict[str, Any]:
        """Return the place as a line of the journal."""
        return {
            "output": self.file.name,
            "output_sha256": self.file.sha256,
            "source_sha256": self.file.source_sha256,
            "size": list(self.file.size),
            "frames": self.file.frame_count,
            "id": self.place_id,
            "label": self.label,
            "from": self.path[0][0],
            "to": self.path[-1][0],
            "path": [list(point) for point in self.path],
            "by": self.by,
            "why": self.why,
        }

    @classmethod
    def from_dict(cls, line: Mapping[str, Any]) -> AcceptedPlace:
        """Return the place that a line of the journal stands for.

        Raises:
            ValueError: a field is missing, or is not what it should be.
        """
        for name in _TEXTS:
            if not isinstance(line.get(name), str):
                raise ValueError(f"'{name}' is no text")
        frames, source = line.get("frames"), line.get("source_sha256")
        if not (frames is None or isinstance(frames, int)):
            raise ValueError("'frames' is no whole number")
        if not (source is None or isinstance(source, str)):
            raise ValueError("'source_sha256' is no text")
        size = _numbers(line.get("size"), 2, "size")
        points = line.get("path")
        if not isinstance(points, list) or not points:
            raise ValueError("'path' has no boxes")
        path = [_numbers(point, 5, "path") for point in points]
        if any(box[1] >= box[3] or box[2] >= box[4] for box in path):
            raise ValueError("'path' has a box without an area")
        if any(one[0] > other[0] for one, other in itertools.pairwise(path)):
            raise ValueError("'path' goes back in time")
        if min(size) < 1:
            raise ValueError("'size' is less than a pixel")
        return cls(
            VerifiedFile(
                line["output"],
                line["output_sha256"],
                (round(size[0]), round(size[1])),
                frames,
                source,
            ),
            str(line.get("id", "")),
            line["label"],
            tuple((point[0], point[1], point[2], point[3], point[4]) for point in path),
            str(line.get("by", "")),
            str(line.get("why", "")),
        )


def _numbers(value: object, count: int, name: str) -> list[float]:
    if not isinstance(value, list) or len(value) != count:
        raise ValueError(f"'{name}' has not {counted(count, 'number')}")
    for number in value:
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not math.isfinite(number):
            raise ValueError(f"'{name}' has something else than finite numbers")
    return [float(number) for number in value]


def read_journal(path: Path) -> tuple[AcceptedPlace, ...]:
    """Return the places that a journal holds.

    Raises:
        SourceError: it cannot be read, or a line makes no sense.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise SourceError(
            f"{path}: no such journal: check the name, or dismiss a place to begin one"
        ) from error
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path}: is not a text file in UTF-8, as journals are: check the name"
        ) from error
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read as a journal of accepted places ({reason_of(error)}): check "
            "the file"
        ) from error
    places = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            if not isinstance(fields, dict):
                raise ValueError("is no JSON object")
            places.append(AcceptedPlace.from_dict(fields))
        except (ValueError, RecursionError) as error:
            raise SourceError(
                f"{path}: line {number} is no accepted place ({reason_of(error)}): mend or delete "
                "that line"
            ) from error
    return tuple(places)


def write_journal(path: Path, places: Iterable[AcceptedPlace]) -> None:
    """Write a journal, whole or not at all, over the one that is there.

    Raises:
        SinkError: it cannot be written.
    """
    lines = (json.dumps(place.to_dict(), ensure_ascii=False) for place in places)
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
