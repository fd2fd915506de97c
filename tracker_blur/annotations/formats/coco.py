"""COCO JSON, as most annotation programs read it: images, annotations with a track_id, tracks.

Each frame is an image ("frame_000012.png", from 0, as CVAT names them, with a "frame_index"). What
COCO has no field for is in keys of ours, which other programs may leave out: "hide" and "method" in
"tracks" (a list that TAO introduced), "score" and "origin" in annotations. It can carry everything
except the times of frames. Files without our keys carry what MOTChallenge does, and labels.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from tracker_blur.annotations.reading import reading
from tracker_blur.annotations.rows import FARTHEST_PX, LARGEST_ID, TrackCollector, rotated, rows
from tracker_blur.annotations.values import (
    InvalidValueError,
    check_same_video,
    invalid,
    items,
    name_text,
    number,
    shown,
    whole_number,
)
from tracker_blur.files.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracker_blur.core.tracks import Tracks

_MAX_ID = 2**53


def write(tracks: Tracks, path: Path, overwrite: bool) -> None:
    """Write one object; its long lists have one item on each line."""
    labels = sorted({track.label for track in tracks.tracks} | {"face"})
    categories = {label: index for index, label in enumerate(labels, start=1)}
    with (
        replacing(path, overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        file.write('{"info":{"description":"faces, by trackblur"},"licenses":[],\n')
        categories_list = ({"id": key, "name": label} for label, key in categories.items())
        _write_list(file, "categories", categories_list)
        file.write(",\n")
        _write_list(file, "images", _images(tracks))
        file.write(",\n")
        _write_list(file, "tracks", _tracks(tracks, categories))
        file.write(",\n")
        _write_list(file, "annotations", _annotations(tracks, categories))
        file.write("}\n")


def read(path: Path, like: Tracks) -> Tracks:
    """Read annotations, images, categories and tracks; all else is ignored."""
    collector = TrackCollector(like.frame_count)
    with reading(path):
        content = _content(path)
        frames = dict(_frames(content, like))
        labels = {
            whole_number(item.get("id"), "a category's id", 0, _MAX_ID): name_text(
                item.get("name"), "a category's name"
            )
            for item in _dicts(content, "categories")
        }
        track_labels = dict[int, str]()
        for found in items(content["annotations"], "annotations"):
            if not isinstance(found, _Annotation):
                raise InvalidValueError(
                    f"{shown(found)} is not an annotation: give it an image_id and a bbox"
                )
            track_id = whole_number(found.track_id, "track_id", 0, LARGEST_ID)
            if not isinstance(found.image_id, int) or found.image_id not in frames:
                raise InvalidValueError(f"there is no image with the id {shown(found.image_id)}")
            label = labels.get(found.category_id) if isinstance(found.category_id, int) else None
            if label is None:
                raise InvalidValueError(
                    f"there is no category with the id {shown(found.category_id)}"
                )
            track_labels.setdefault(track_id, label)
            collector.add(
                track_id, frames[found.image_id], _edges(found), found.score, found.origin
            )
        _describe(collector, content, track_labels)
    return replace(like, tracks=collector.tracks())


_MAX_FILE_BYTES = 1 << 30


class _Annotation(NamedTuple):
    """The relevant keys of an annotation, in a tenth of the memory; not validated yet."""

    image_id: object
    track_id: object
    category_id: object
    bbox: object
    rotation: object
    score: object
    origin: object


def _write_list(file: TextIO, name: str, items: Iterator[dict[str, Any]]) -> None:
    file.write(f'"{name}":[')
    separator = "\n"
    for item in items:
        file.write(separator)
        file.write(json.dumps(item, allow_nan=False, separators=(",", ":")))
        separator = ",\n"
    file.write("]")


def _images(tracks: Tracks) -> Iterator[dict[str, Any]]:
    width, height = tracks.size
    for frame in range(tracks.frame_count):
        yield {
            "id": frame + 1,
            "file_name": f"frame_{frame:06}.png",
            "width": width,
            "height": height,
            "frame_index": frame,
        }


def _tracks(tracks: Tracks, categories: dict[str, int]) -> Iterator[dict[str, Any]]:
    for track in tracks.tracks:
        yield {
            "id": track.track_id,
            "category_id": categories[track.label],
            "hide": track.hide,
            "method": track.method,
        }


def _annotations(tracks: Tracks, categories: dict[str, int]) -> Iterator[dict[str, Any]]:
    key = 0
    for track in tracks.tracks:
        for row in rows(track):
            key += 1
            box = row.x_y_width_height
            yield {
                "id": key,
                "image_id": row.frame + 1,
                "category_id": categories[track.label],
                "track_id": track.track_id,
                "bbox": box,
                "area": round(box[2] * box[3], 4),
                "segmentation": [],
                "iscrowd": 0,
                "score": row.score,
                "origin": row.origin.value,
            }


def _content(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if size > _MAX_FILE_BYTES:  # it is read as a whole, into several times as much memory
        raise InvalidValueError(
            f"has {size >> 20} MB, and at most {_MAX_FILE_BYTES >> 20} are read: use a track file, "
            "CVAT or MOT"
        )
    try:
        with path.open(encoding="utf-8-sig") as file:
            content = json.load(file, object_hook=_compact)
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        reason = str(error).partition(":")[0].lower()
        raise InvalidValueError(
            f"is not valid JSON ({reason}): check that it is the right file"
        ) from error
    if not isinstance(content, dict) or "annotations" not in content:
        raise InvalidValueError("is not a COCO file: it has no annotations")
    return content


def _compact(item: dict[str, Any]) -> object:
    if "bbox" not in item or "image_id" not in item:
        return item
    attributes = item.get("attributes")
    if not isinstance(attributes, dict):
        attributes = {}
    return _Annotation(
        item["image_id"],
        item.get("track_id", attributes.get("track_id")),
        item.get("category_id"),
        item["bbox"],
        attributes.get("rotation", 0.0),
        item.get("score", 1.0),
        item.get("origin", "drawn"),
    )


def _dicts(content: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    for item in items(content.get(name, []), name):
        if not isinstance(item, dict):
            raise invalid(f"an item of {name}", item, "an object in braces")
        yield item


def _frames(content: dict[str, Any], like: Tracks) -> Iterator[tuple[int, int]]:
    for image in _dicts(content, "images"):
        key = whole_number(image.get("id"), "an image's id", 0, _MAX_ID)
        for name, expected in zip(("width", "height"), like.size, strict=True):
            check_same_video(image.get(name), expected, f"the {name} of image {key}")
        frame = image.get("frame_index", image.get("frame_id"))
        if frame is None:
            digits = re.findall("[0-9]+", str(image.get("file_name")).rpartition(".")[0])
            if not digits:
                raise InvalidValueError(
                    f"image {key} has no frame number: give it a frame_index, from 0"
                )
            frame = int(digits[-1][:18])
        yield key, whole_number(frame, f"the frame of image {key}", 0, like.frame_count - 1)


def _edges(found: _Annotation) -> tuple[float, ...]:
    bbox = items(found.bbox, "bbox", 4, "[left, top, width, height]")
    x, y, width, height = (number(value, "bbox", -FARTHEST_PX, FARTHEST_PX) for value in bbox)
    rotation = number(found.rotation, "rotation", -360, 360)
    return rotated((x, y, x + width, y + height), rotation)


def _describe(
    collector: TrackCollector, content: dict[str, Any], track_labels: dict[int, str]
) -> None:
    for item in _dicts(content, "tracks"):
        track_id = whole_number(item.get("id"), "a track's id", 0, LARGEST_ID)
        label = track_labels.pop(track_id, "face")
        collector.describe(track_id, item.get("hide", True), item.get("method"), label)
    for track_id, label in track_labels.items():
        collector.describe(track_id, label=label)
