"""COCO: what is read of other programs' files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tracker_blur.annotations.formats import coco
from tracker_blur.errors import TrackFileError

if TYPE_CHECKING:
    from tests.annotations.formats.reading import ReadAs

COCO: dict[str, Any] = {
    "images": [{"id": 5, "file_name": "clip/frame_000012.PNG", "width": 640, "height": 360}],
    "categories": [{"id": 1, "name": "head"}],
    "annotations": [
        {"id": 1, "image_id": 5, "category_id": 1, "bbox": [1, 2, 30, 40],
         "attributes": {"track_id": 8, "occluded": False, "rotation": 0.0}},
    ],
}  # fmt: skip


def test_coco_of_cvat_is_read(read_as: ReadAs) -> None:
    (track,) = read_as("coco", json.dumps(COCO)).tracks
    assert (track.track_id, track.label, track.hide, track.first) == (8, "head", True, 12)
    assert track.box(0).as_tuple() == (1, 2, 31, 42)


def test_coco_images_may_have_a_frame_id(read_as: ReadAs) -> None:
    image = {**COCO["images"][0], "frame_id": 30}
    (track,) = read_as("coco", json.dumps({**COCO, "images": [image]})).tracks
    assert track.first == 30


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": 5}, "annotations is 5: give a list"),
        ({"annotations": [{"id": 1}]}, "is not an annotation"),
        ({"images": []}, "there is no image with the id 5"),
        (
            {"images": [{"id": 5, "width": 640, "height": 360, "file_name": "x"}]},
            "has no frame number",
        ),
        ({"images": [5]}, "an item of images is 5"),
        ({"categories": []}, "there is no category with the id 1"),
        ({"annotations": [{**COCO["annotations"][0], "attributes": {}}]}, "track_id is None"),
        ({"annotations": [{**COCO["annotations"][0], "bbox": [1, 2, 3]}]}, "bbox is [1, 2, 3]"),
        ({"annotations": [{**COCO["annotations"][0], "bbox": [1, 2, float("nan"), 4]}]}, "nan"),
        ({"annotations": [{**COCO["annotations"][0], "bbox": [1, 2, 0, 4]}]}, "has no area"),
        ({"tracks": [{"id": 8}, {"id": 8}]}, "described twice"),
        ({"tracks": [{"id": 8, "hide": 0}]}, "hide is 0"),
    ],
)
def test_invalid_coco_is_rejected(
    read_as: ReadAs, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(TrackFileError) as caught:
        read_as("coco", json.dumps({**COCO, **changes}))
    assert message in str(caught.value)


def test_a_coco_file_larger_than_the_memory_is_refused(
    read_as: ReadAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coco, "_MAX_FILE_BYTES", 1 << 20)
    with pytest.raises(TrackFileError, match="has 2 MB, and at most 1 are read"):
        read_as("coco", " " * (2 << 20) + "{}")
