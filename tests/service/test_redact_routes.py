"""POST /v1/redact, asked over HTTP."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tracker_blur.api.redactor import Redactor
from tracker_blur.service.redact_routes import _MEDIA_TYPES
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tests.service.services import Served

pillow_heif.register_heif_opener()
PEOPLE = (Path(__file__).resolve().parents[2] / "samples" / "people.jpg").read_bytes()
URL = "/v1/redact"
FACES = 5


def small(file_format: str, **options: object) -> bytes:
    """Return the sample, smaller, in another format."""
    file = io.BytesIO()
    image = Image.open(io.BytesIO(PEOPLE)).resize((240, 160))
    image.save(file, file_format, **options)
    return file.getvalue()


@pytest.mark.parametrize("file_format", _MEDIA_TYPES)
def test_the_answer_has_the_format_of_the_image(served: Served, file_format: str) -> None:
    answer = served.client.post(URL, content=small(file_format))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == _MEDIA_TYPES[file_format]
    assert int(answer.headers["trackblur-hidden"]) >= FACES
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == (file_format, (240, 160))


@pytest.mark.parametrize("method", ["mosaic", "solid"])
def test_it_hides_what_the_library_hides(served: Served, method: str) -> None:
    image = small("PNG")
    expected = Redactor(Settings(method=method)).redact(image)
    for answer in (
        served.client.post(URL, content=image, params={"method": method}),
        served.client.post(URL, files={"file": image}, data={"method": method}),
    ):
        shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert shown is not None
        np.testing.assert_array_equal(shown, expected)


def test_one_image_leaves_no_trace_in_the_next(served: Served) -> None:
    """The tone of a face of a video stays; the first face of another image has its own."""
    image, other = small("PNG"), small("WEBP")
    first = served.client.post(URL, content=image).content
    served.client.post(URL, content=other)
    assert served.client.post(URL, content=image).content == first


def test_nothing_that_may_identify_someone_is_in_the_answer(served: Served) -> None:
    exif = Image.Exif()
    exif[0x010F] = "camera of Alice"
    image = small("JPEG", exif=exif, comment=b"a comment by Alice")
    assert b"Alice" in image
    assert b"Alice" not in served.client.post(URL, content=image).content


def test_images_of_several_frames_belong_to_jobs(served: Served) -> None:
    frames = [Image.new("RGB", (80, 60), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    answer = served.client.post(URL, content=file.getvalue())
    assert answer.status_code == 422
    assert answer.json()["detail"] == "the image: holds several images: send them as a job"


@pytest.mark.parametrize("method", ["image", "no such method", ""])
def test_methods_that_there_are_not_are_named(served: Served, method: str) -> None:
    answer = served.client.post(URL, content=PEOPLE, params={"method": method})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("method: choose one of fog, ")
