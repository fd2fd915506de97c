"""POST /v1/predict, asked over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tracker_blur.api.redactor import Redactor

if TYPE_CHECKING:
    from tests.service.services import Served

PEOPLE = (Path(__file__).resolve().parents[2] / "samples" / "people.jpg").read_bytes()
URL = "/v1/predict"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return Redactor().predict(PEOPLE).to_dict()


@pytest.mark.parametrize("kind", ["image/jpeg", "application/octet-stream", "text/plain", None])
def test_a_raw_body_gives_what_the_library_predicts(
    served: Served, expected: dict[str, Any], kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = served.client.post(URL, content=PEOPLE, headers=headers)
    assert answer.status_code == 200
    document = answer.json()
    assert document.pop("seconds") > 0
    assert document == {**expected, "detector": "onnx"}
    assert len(document["predictions"]) >= 3


def test_a_form_gives_the_same_whatever_its_fields_are_called(
    served: Served, expected: dict[str, Any]
) -> None:
    answer = served.client.post(URL, files={"picture": ("no name.txt", PEOPLE, "text/plain")})
    assert answer.json()["predictions"] == expected["predictions"]
