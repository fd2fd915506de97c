"""/docs: Swagger UI over /openapi.json, all of it from this server."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

if TYPE_CHECKING:
    from tracker_blur.service.service import Service

_ASSETS = Path(str(resources.files("fastapi_offline") / "static"))
_MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>trackblur: HTTP interface</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
"""
_START = """\
SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true});
"""
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Swagger UI sets styles in its elements, and has its icons in its style sheet."""


def create_router(_service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def show_docs() -> Response:
        headers = {"content-security-policy": _POLICY}
        return Response(_PAGE, media_type="text/html", headers=headers)

    @router.get("/docs/start.js")
    async def send_start() -> Response:
        return Response(_START, media_type="text/javascript")

    @router.get("/docs/{name}")
    async def send_asset(name: str) -> FileResponse:
        if name not in _MEDIA_TYPES:
            raise HTTPException(404)
        return FileResponse(_ASSETS / name, media_type=_MEDIA_TYPES[name])

    return router
