"""Roboflow's inference protocol: what its client really sends, sent again, and what else may come.

`roboflow_client.py` recorded the requests.
"""

from __future__ import annotations

import base64
import json
import pickle
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import supervision

from tests.service.services import TOKEN, serving
from tests.waiting import PATIENCE_SECONDS
from tracker_blur.api.redactor import Redactor
from tracker_blur.service.addresses import AllowedHost
from tracker_blur.service.job_settings import JobSettings
from tracker_blur.service.settings import ServiceLimits
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.service.services import Served

RECORDED: dict[str, Any] = json.loads(
    Path(__file__).with_name("roboflow_requests.json").read_text()
)
IMAGES: list[str] = RECORDED["images"]
FACE = base64.b64decode(IMAGES[0])
INFER = "/infer/object_detection"
LEGACY = "/haar/1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site with the image of a face: its host and port."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "face.jpg").write_bytes(FACE)
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def local(site: str) -> Iterator[Served]:
    """A service of this machine, which needs no token, and fetches from the site."""
    with serving(jobs=JobSettings(allowed_hosts=(AllowedHost.parse(site),))) as served:
        yield served


@pytest.fixture(scope="module")
def expected() -> list[dict[str, float]]:
    """What the library predicts for the image of a face."""
    document = Redactor(Settings(detector="haar")).predict(FACE).to_dict()
    return places(document)


def places(document: dict[str, Any]) -> list[dict[str, float]]:
    names = ("x", "y", "width", "height", "confidence", "class", "class_id")
    return [{name: each[name] for name in names} for each in document["predictions"]]


def query(**fields: Any) -> dict[str, Any]:
    image = {"type": "base64", "value": IMAGES[0]}
    return {"model_id": "haar/1", "image": image} | fields


def detail(answer: httpx.Response, status: int) -> str:
    """Return what a problem says."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    "recorded",
    RECORDED["requests"],
    ids=[f"{n}-{each['url'].partition('?')[0]}" for n, each in enumerate(RECORDED["requests"])],
)
def test_what_the_client_sends_is_answered_as_it_expects(
    served: Served, recorded: dict[str, Any]
) -> None:
    body: str = recorded["body"]
    for number, image in enumerate(IMAGES):
        body = body.replace(f"${number}", image)
    answer = served.unauthenticated.request(
        recorded["method"], recorded["url"], headers=recorded["headers"], content=body
    )
    assert answer.status_code == recorded["status"]
    if answer.status_code != 200:
        return
    result = answer.json()
    if recorded["url"] == "/info":
        assert result.keys() == {"name", "version", "uuid"}
    elif recorded["url"].startswith("/model"):
        assert all(each["task_type"] == "object-detection" for each in result["models"])
    elif "0.999" not in recorded["url"] + recorded["body"]:
        for each in result if isinstance(result, list) else [result]:
            detections = supervision.Detections.from_inference(each)
            assert {str(name) for name in detections.data["class_name"]} == {"face"}


def test_both_modes_report_what_the_library_does(
    local: Served, expected: list[dict[str, float]]
) -> None:
    new = local.client.post(INFER, json=query()).json()
    old = local.client.post(LEGACY, content=IMAGES[0]).json()
    assert len(expected) >= 1
    assert places(new) == places(old) == expected
    assert new["image"] == old["image"] == {"width": 160, "height": 160}
    assert 0 < new["time"] < PATIENCE_SECONDS
    assert new["inference_id"] != old["inference_id"]


@pytest.mark.parametrize(
    "body",
    [
        f"data:image/jpeg;base64,{IMAGES[0]}",
        base64.encodebytes(FACE).decode(),  # lines of 76 characters, as `base64` writes them
    ],
)
def test_the_legacy_body_may_be_a_data_url_or_have_lines(local: Served, body: str) -> None:
    answer = local.client.post(
        LEGACY, content=body, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert len(answer.json()["predictions"]) >= 1


def test_the_legacy_body_may_be_a_form(local: Served, expected: list[dict[str, float]]) -> None:
    answer = local.client.post(LEGACY, files={"file": ("face.jpg", FACE, "image/jpeg")})
    assert places(answer.json()) == expected


def test_from_1_on_a_legacy_threshold_is_in_percent(local: Served) -> None:
    def count(**parameters: float | str) -> int:
        answer = local.client.post(LEGACY, params=parameters, content=IMAGES[0])
        return len(answer.json()["predictions"])

    assert count(confidence=99) == 0
    assert count(confidence=30, overlap=30) == count(confidence=0.3, overlap=0.3) >= 1
    assert count(confidence="best") == count() >= 1


def test_only_classes_of_the_filter_are_reported(local: Served) -> None:
    both = query(model_id="faces,plates/1")
    assert (
        local.client.post(INFER, json=both | {"class_filter": ["plate"]}).json()["predictions"]
        == []
    )
    faces = local.client.post(INFER, json=both | {"class_filter": ["face"]}).json()
    assert {each["class"] for each in faces["predictions"]} == {"face"}


def test_an_image_may_be_a_url_of_a_host_that_is_allowed(
    local: Served, site: str, expected: list[dict[str, float]]
) -> None:
    url = f"http://{site}/face.jpg"
    new = query(image={"type": "url", "value": url})
    assert places(local.client.post(INFER, json=new).json()) == expected
    assert places(local.client.post(LEGACY, params={"image": url}).json()) == expected
    for other in (f"http://127.0.0.1:{local.port}/metrics", url.replace("127.0.0.1", "localhost")):
        new = query(image={"type": "url", "value": other})
        assert "send the file itself" in detail(local.client.post(INFER, json=new), 403)
        assert detail(local.client.post(LEGACY, params={"image": other}), 403)


def test_a_site_that_does_not_answer_holds_no_request_for_long() -> None:
    limits = ServiceLimits(image_seconds=0.6, queue_seconds=0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as clients:
        site = f"127.0.0.1:{silent.getsockname()[1]}"
        jobs = JobSettings(allowed_hosts=(AllowedHost.parse(site),))
        with serving(limits=limits, jobs=jobs) as served:
            image = {"image": f"http://{site}/face.jpg"}
            asked = [clients.submit(served.client.post, LEGACY, params=image) for _ in range(5)]
            statuses = sorted(one.result(PATIENCE_SECONDS).status_code for one in asked)
    assert statuses == [503, 504, 504, 504, 504]


def test_a_list_of_one_image_gives_a_list(local: Served) -> None:
    (answer,) = local.client.post(INFER, json=query(image=[query()["image"]])).json()
    assert len(answer["predictions"]) >= 1


def test_parameters_of_a_detector_are_part_of_its_name(local: Served) -> None:
    strict = local.client.post("/haar:min_size=150/1", content=IMAGES[0])
    assert strict.json()["predictions"] == []
    assert "min_sizes" in detail(local.client.post("/haar:min_sizes=1/1", content=IMAGES[0]), 422)


@pytest.mark.parametrize("model", ["coco/3", "/etc/passwd.onnx", "badge.onnx/1", "haar.onnx"])
def test_a_model_that_there_is_not_is_refused(local: Served, model: str) -> None:
    problem = detail(local.client.post(INFER, json=query(model_id=model)), 422)
    assert "choose one of auto, centerface" in problem
    assert detail(local.client.post("/model/add", json={"model_id": model}), 422) == problem
    assert "haar" not in local.client.get("/model/registry").json()


def test_paths_that_name_no_model_are_left_to_other_routes(local: Served) -> None:
    assert "nothing at this address" in detail(local.client.post("/coco/3", content="/9j/"), 404)


def test_what_would_execute_code_is_refused(local: Served) -> None:
    pickled = base64.b64encode(pickle.dumps(np.zeros((8, 8, 3), np.uint8))).decode()
    image = {"type": "numpy", "value": pickled}
    detail(local.client.post(INFER, json=query(image=image)), 422)
    detail(local.client.post(f"{LEGACY}?image_type=numpy", content=pickled), 422)
    no_image = local.client.post(LEGACY, content=pickled)
    assert "no image" in detail(no_image, 415)


@pytest.mark.parametrize(
    "field",
    ["class_agnostic_nms", "visualize_predictions", "disable_preproc_auto_orient"],
)
def test_what_is_not_done_is_refused_not_ignored(local: Served, field: str) -> None:
    assert field in detail(local.client.post(INFER, json=query(**{field: True})), 422)


def test_raw_bytes_are_no_legacy_body(local: Served) -> None:
    assert "base64" in detail(local.client.post(LEGACY, content=FACE), 422)
    assert "there is no image" in detail(local.client.post(LEGACY), 422)


def test_there_may_be_only_so_many_images(local: Served) -> None:
    images = [{"type": "base64", "value": ""}] * 65
    assert "64" in detail(local.client.post(INFER, json=query(image=images)), 422)
    assert detail(local.client.post(INFER, json=query(image=[])), 422)


@pytest.mark.parametrize("url", [INFER, "/model/add", "/model/remove"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"model_id": "haar/1", "class_filter": [' + b'"",' * 10_000 + b'""]}',
            "too many values",
        ),
        (b"[" * 9_000, "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b'{"model_id": 1' + b"0" * 9_000 + b"}", "number out of range"),
    ],
)
def test_json_that_takes_much_to_read_is_refused(
    local: Served, url: str, body: bytes, said: str
) -> None:
    assert said in detail(local.client.post(url, content=body), 422)


def test_only_the_latest_models_are_remembered(local: Served) -> None:
    for number in range(33):
        local.client.post("/model/add", json={"model_id": f"haar/{number}"})
    local.client.post("/model/add", json={"model_id": "haar/7"})
    listed = [each["model_id"] for each in local.client.get("/model/registry").json()["models"]]
    assert len(listed) == 32
    assert listed[0] == "haar/1"
    assert listed[-2:] == ["haar/32", "haar/7"]


def test_a_wrong_key_is_refused_before_its_image_is_read(served: Served) -> None:
    for url in (INFER, "/model/add"):
        body = json.dumps(query(api_key="a wrong token, but a long one"))
        head = (
            f"POST {url} HTTP/1.1\r\nhost: 127.0.0.1:{served.port}\r\n"
            "content-type: application/json\r\ncontent-length: 50000000\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", served.port), PATIENCE_SECONDS) as client:
            client.sendall((head + body).encode())  # the rest never comes
            assert client.recv(1000).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "body",
    [
        query(),
        query() | {"api_key": TOKEN},  # not at its beginning
        {"api_key": None} | query(),
        {"nested": {"api_key": TOKEN}} | query(),
        [{"api_key": TOKEN}],
    ],
)
def test_a_body_without_the_key_at_its_beginning_is_refused(served: Served, body: Any) -> None:
    assert "token" in detail(served.unauthenticated.post(INFER, json=body), 401)


@pytest.mark.parametrize("key", [b"\xff\xfe", b"\xed\xa0\x80", b"a\nb\0", b""])
def test_a_key_that_is_no_text_is_a_wrong_one(served: Served, key: bytes) -> None:
    answer = served.unauthenticated.post(
        "/infer/object_detection", content=b'{"api_key": "%b"}' % key
    )
    assert answer.status_code == 401


def test_each_way_to_send_the_key_works_alone(served: Served) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}"}
    key = {"api_key": TOKEN}
    assert served.unauthenticated.post(INFER, json=query(), headers=bearer).status_code == 200
    assert served.unauthenticated.post(INFER, json=query(), params=key).status_code == 200
    assert served.unauthenticated.post(INFER, json=key | query()).status_code == 200
    assert served.unauthenticated.post(LEGACY, content=IMAGES[0], headers=bearer).status_code == 200
    assert served.unauthenticated.post(LEGACY, content=IMAGES[0], params=key).status_code == 200
    assert served.unauthenticated.post(LEGACY, content=IMAGES[0]).status_code == 401
    assert (
        served.unauthenticated.post("/model/remove", json={"model_id": "haar/1"}).status_code == 401
    )
    assert served.unauthenticated.post("/v1/predict", content=FACE, params=key).status_code == 401


def test_a_site_cannot_use_a_service_without_a_token(local: Served) -> None:
    from_elsewhere = {"origin": "https://example.org"}
    answer = local.client.post(LEGACY, content=IMAGES[0], headers=from_elsewhere)
    assert answer.status_code == 403


def test_openapi_describes_the_bodies(local: Served) -> None:
    document = local.client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for reference in set(json.dumps(document).split('"#/components/schemas/')[1:]):
        assert reference.partition('"')[0] in schemas
    (body,) = document["paths"][INFER]["post"]["requestBody"]["content"].values()
    assert "iou_threshold" in body["schema"]["properties"]
    parameters = document["paths"]["/{model}/{version}"]["post"]["parameters"]
    assert {"model", "version", "confidence", "overlap"} <= {each["name"] for each in parameters}
