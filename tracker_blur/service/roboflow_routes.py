"""Roboflow's inference protocol, so that its clients work with this service unchanged.

Both modes of the client: API v0 (`POST /MODEL/VERSION` with the image as the body) and v1
(`/model/...`, `POST /infer/object_detection`). A model is a detector. docs/service.md says what is
left out.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from starlette.convertors import Convertor, register_url_convertor

from tracker_blur.core import plugins
from tracker_blur.core.detector_choice import AUTO
from tracker_blur.service.image_requests import ERRORS
from tracker_blur.service.multipart import MEDIA_TYPE as FORM
from tracker_blur.service.multipart import is_multipart
from tracker_blur.service.roboflow_bodies import checked_at_its_beginning, decoded, parsed
from tracker_blur.service.roboflow_documents import (
    CLASS_WORDS,
    DEFAULT_MODEL,
    Inference,
    InferenceQuery,
    LegacyQuery,
    ModelDescription,
    ModelList,
    ModelQuery,
    ServerInfo,
    choice_of,
)
from tracker_blur.service.roboflow_inference import Inferrer
from tracker_blur.version import __version__

if TYPE_CHECKING:
    from pydantic import BaseModel
    from starlette.types import Scope

    from tracker_blur.service.service import Service

_MAX_MODELS = 32  # that are remembered as added: a version is any text

_DETECTORS = "|".join((AUTO, *plugins.names("tracker_blur.detectors")))
_CLASSES = "|".join(CLASS_WORDS)
_MODEL = f"(?:{DEFAULT_MODEL}|(?:{_DETECTORS})(?::[^/]+)?|(?:{_CLASSES})(?:,(?:{_CLASSES}))*)"
_LEGACY_PATH = re.compile(f"/{_MODEL}/[^/]+")
_REGISTRY, _ADD, _INFER = "/model/registry", "/model/add", "/infer/object_detection"

_LEGACY_BODY = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "string", "contentEncoding": "base64"}
            },
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            },
        }
    }
}


class _ModelConvertor(Convertor[str]):
    """Matches names of models only: other paths of two parts belong to other routes."""

    regex = _MODEL

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("model", _ModelConvertor())


def checks_token(scope: Scope) -> bool:
    """Return whether the route of a request checks its token itself: it may be an `api_key`."""
    path: str = scope["path"]
    return path in (_REGISTRY, _ADD, _INFER) or _LEGACY_PATH.fullmatch(path) is not None


def create_router(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["Roboflow's inference protocol"])
    inferrer = Inferrer(service)
    models = _Models()
    server = ServerInfo(name="trackblur", version=__version__, uuid=str(uuid4()))

    @router.get("/info")
    async def describe_server() -> ServerInfo:
        """Say which server this is."""
        return server

    @router.get(_REGISTRY, responses=_errors(401))
    async def list_models(request: Request, api_key: str | None = None) -> ModelList:
        """List the models that were added."""
        service.access.check_key(request.scope, api_key)
        return models.listed()

    @router.post(_ADD, openapi_extra=_json_body(ModelQuery), responses=ERRORS)
    async def add_model(request: Request) -> ModelList:
        """Load a detector, and list it."""
        async with service.bodies.read(_with_key(service, request)) as body:
            query = await parsed(ModelQuery, body.content)
        await service.pool.run(choice_of(query.model_id), lambda _: None, request.is_disconnected)
        return models.add(query.model_id)

    @router.post("/model/remove", openapi_extra=_json_body(ModelQuery), responses=ERRORS)
    async def remove_model(request: Request) -> ModelList:
        """List a model no longer; which detectors stay loaded, the service decides by itself."""
        async with service.bodies.read(request) as body:
            query = await parsed(ModelQuery, body.content)
        return models.remove(query.model_id)

    @router.post("/model/clear", responses=_errors(401))
    async def remove_models() -> ModelList:
        """List no model any more."""
        return models.clear()

    @router.post(_INFER, openapi_extra=_json_body(InferenceQuery), responses=ERRORS)
    async def infer(request: Request) -> Inference | list[Inference]:
        """Detect in an image, or in each of a list; hide nothing."""
        service.pool.check_room()
        async with service.bodies.read(_with_key(service, request)) as body:
            query = await parsed(InferenceQuery, body.content)
            wanted = query.wanted()
            answers = [
                await inferrer.infer_url(request, wanted, image.value)
                if image.type == "url"
                else await inferrer.infer(request, wanted, partial(decoded, image.value.encode()))
                for image in query.images
            ]
        return answers if isinstance(query.image, list) else answers[0]

    @router.post("/{model:model}/{version}", openapi_extra=_LEGACY_BODY, responses=ERRORS)
    async def infer_legacy(
        request: Request, model: str, version: str, query: Annotated[LegacyQuery, Query()]
    ) -> Inference:
        """Detect in an image, and hide nothing; the version may be any.

        The image is the body, in base64, or the file of a form, or what the URL `image` names, if
        the service may fetch from there.
        """
        service.access.check_key(request.scope, query.api_key)
        service.pool.check_room()
        wanted = query.wanted(f"{model}/{version}")
        if query.image is not None:
            return await inferrer.infer_url(request, wanted, query.image)
        is_form = is_multipart(request.headers.get("content-type", ""))
        async with service.bodies.read(request) as body:
            read = partial(bytes if is_form else decoded, body.content)
            return await inferrer.infer(request, wanted, read)

    return router


class _Models:
    """The models that clients have added, the latest last.

    The client asks for them before each image, and adds the one it wants where it is missing.
    """

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def listed(self) -> ModelList:
        """Return all of them."""
        return ModelList(models=[ModelDescription(model_id=each) for each in self._ids])

    def add(self, model_id: str) -> ModelList:
        """Add one, and drop the oldest where there are too many; return all."""
        self._ids.pop(model_id, None)
        self._ids[model_id] = None
        for oldest in list(self._ids)[:-_MAX_MODELS]:
            del self._ids[oldest]
        return self.listed()

    def remove(self, model_id: str) -> ModelList:
        """Remove one, if it is there; return all."""
        self._ids.pop(model_id, None)
        return self.listed()

    def clear(self) -> ModelList:
        """Remove all."""
        self._ids.clear()
        return self.listed()


def _with_key(service: Service, request: Request) -> Request:
    """Return a request whose body is read only if it begins with the token, where one is needed."""

    def check(key: str | None) -> None:
        service.access.check_key(request.scope, request.query_params.get("api_key"), key)

    return checked_at_its_beginning(request, check)


def _json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a body that FastAPI does not read, for OpenAPI."""
    schema = model.model_json_schema(ref_template="{model}")
    inlined = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": inlined}}}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema with its definitions where they are used."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"]], definitions)
    return {name: _inlined(value, definitions) for name, value in schema.items()}


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: ERRORS[status] for status in statuses}
