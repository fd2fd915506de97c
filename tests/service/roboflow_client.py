"""Calls a running service with Roboflow's own client, in both of its modes.

The client brings packages that the tests do without, so it has an environment of its own:

    python3 -m venv /tmp/client && /tmp/client/bin/pip install inference-sdk
    trackblur serve --detector haar --token-file token.txt
    /tmp/client/bin/python tests/service/roboflow_client.py http://127.0.0.1:9001 token.txt

With `--record tests/service/roboflow_requests.json`, what it sends is kept. The tests of the routes
send it again; so token.txt must hold the token of those tests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import supervision
from inference_sdk import InferenceConfiguration, InferenceHTTPClient
from inference_sdk.http.errors import HTTPCallErrorError
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = Path(__file__).resolve().parents[2] / "samples" / "people.jpg"
# Rows and columns around one of its faces, which then reaches from 40,34 to 120,126.
FACE = slice(210, 370), slice(480, 640)
MODEL = "haar/1"
KEPT_HEADERS = ("content-type", "authorization")
BASE64 = re.compile(r"[A-Za-z0-9+/]{1000,}=*")


def main() -> None:
    """Run everything; an exception says what does not work."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url", help="of the service")
    parser.add_argument("token_file", type=Path, nargs="?", help="holds its token")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write all requests there")
    options = parser.parse_args()
    token = options.token_file and options.token_file.read_text().strip()
    with recording(options.url.rstrip("/")) as (url, requests):
        check(url, token)
    print(f"{len(requests)} requests were answered as they should be")
    if options.record is not None:
        options.record.write_text(json.dumps(without_repetition(requests), indent=1) + "\n")


def check(url: str, token: str | None) -> None:
    """Call all that the service offers."""
    client = InferenceHTTPClient(api_url=url, api_key=token)
    people = cv2.imread(str(PEOPLE))
    assert people is not None, PEOPLE
    face = people[FACE]
    assert client.get_server_info().name == "trackblur"
    check_models(client)
    check_inference(client, face)
    in_header = InferenceConfiguration(api_key_transport="header")
    with client.use_configuration(in_header):
        assert MODEL not in [each.model_id for each in client.unload_model(MODEL).models]
        assert client.unload_all_models().models == []
        check_one(client.infer(face, model_id=MODEL))
    if token is None:  # API v0 is nothing for this client then
        return
    with client.use_api_v0():
        check_inference(client, face)
        with client.use_configuration(in_header):
            check_one(client.infer(face, model_id=MODEL))
    unauthenticated = InferenceHTTPClient(api_url=url, api_key="a wrong token, but a long one")
    check_refused(unauthenticated, face, 401)
    with unauthenticated.use_api_v0():
        check_refused(unauthenticated, face, 401)


def check_models(client: InferenceHTTPClient) -> None:
    """Add a model and find it."""
    added = client.load_model(MODEL, set_as_default=True).models[-1]
    assert (added.model_id, added.task_type) == (MODEL, "object-detection")
    assert client.selected_model == MODEL
    assert client.get_model_description(MODEL, allow_loading=False) == added
    assert added in client.list_loaded_models().models


def check_inference(client: InferenceHTTPClient, face: Any) -> None:
    """Detect in one image of each kind, and in several."""
    client.select_model(MODEL)
    check_one(client.infer(face))
    check_one(client.infer(Image.fromarray(face[:, :, ::-1])))
    check_one(client.infer(face, model_id="faces/2"))
    check_one(asyncio.run(client.infer_async(face)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.jpg"
        cv2.imwrite(str(path), face, [cv2.IMWRITE_JPEG_QUALITY, 80])
        check_one(client.infer(str(path)))
    several = InferenceConfiguration(
        confidence_threshold=0.1, iou_threshold=0.4, max_detections=1, max_batch_size=2
    )
    with client.use_configuration(several):
        for each in client.infer([face, face, face]):
            check_one(each)
    with client.use_configuration(InferenceConfiguration(confidence_threshold=0.999)):
        assert len(supervision.Detections.from_inference(client.infer(face))) == 0
    reduced = InferenceConfiguration(client_downsizing_disabled=False, default_max_input_size=120)
    with client.use_configuration(reduced):
        check_one(client.infer(face))
    check_refused(client, face, 422, InferenceConfiguration(confidence_threshold=-1))


def check_one(result: Any) -> None:
    """Fail unless this answers the image of one face with its best detection."""
    found = supervision.Detections.from_inference(result)
    assert found.class_id is not None
    assert (found.data["class_name"][0], found.class_id[0]) == ("face", 0), result
    assert result["image"] == {"width": 160, "height": 160}
    left, top, right, bottom = found.xyxy[0]
    assert 20 <= left < 80 < right <= 140, result
    assert 20 <= top < 80 < bottom <= 140, result


def check_refused(
    client: InferenceHTTPClient,
    image: Any,
    status: int,
    configuration: InferenceConfiguration | None = None,
) -> None:
    """Fail unless a request is refused, and the client says why."""
    with client.use_configuration(configuration or InferenceConfiguration()):
        try:
            client.infer(image, model_id=MODEL)
        except HTTPCallErrorError as error:
            if error.status_code == status and error.api_message:
                return
            raise
    raise AssertionError("it was not refused")


@contextmanager
def recording(target: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the address of a server that passes all on to another one, and what it passes on."""
    requests: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {
                name.lower(): value
                for name, value in self.headers.items()
                if name.lower() in KEPT_HEADERS
            }
            status, kind, content = ask(self.command, target + self.path, headers, body)
            requests.append(
                {
                    "method": self.command,
                    "url": self.path,
                    "headers": headers,
                    "body": body.decode(),
                    "status": status,
                }
            )
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815  # names that the base class calls

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", requests
        finally:
            server.shutdown()


def ask(method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
    """Return the status, the content type and the body of an answer."""
    data = body if method == "POST" else None
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers["content-type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["content-type"], error.read()


def without_repetition(requests: list[dict[str, Any]]) -> dict[str, Any]:
    """Return requests in which `$0`, `$1` ... stand for images in base64, and these images."""
    images: list[str] = []

    def name(found: re.Match[str]) -> str:
        if found[0] not in images:
            images.append(found[0])
        return f"${images.index(found[0])}"

    for request in requests:
        request["body"] = BASE64.sub(name, request["body"])
    unique = {json.dumps(request): request for request in requests}
    return {"images": images, "requests": list(unique.values())}


if __name__ == "__main__":
    main()
