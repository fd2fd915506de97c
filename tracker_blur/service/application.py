"""The application: the routes of each part, and errors as problem documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from tracker_blur.service import (
    docs_routes,
    health_routes,
    job_routes,
    predict_routes,
    redact_routes,
    roboflow_routes,
)
from tracker_blur.service.problems import add_handlers, describe_errors
from tracker_blur.version import __version__

if TYPE_CHECKING:
    from tracker_blur.service.service import Service

_DESCRIPTION = """\
Detects and hides faces in images and videos. Errors are problem documents (RFC 9457). Where the
service has a token, send it as `Authorization: Bearer TOKEN`.
"""


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        is_new = self.openapi_schema is None
        document = super().openapi()
        if is_new:
            describe_errors(document)
        return document


def create_application(service: Service) -> FastAPI:
    """Return the application; its server decides which requests it gets."""
    app = _Application(
        title="trackblur",
        description=_DESCRIPTION,
        version=__version__,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        # For the documents; the server of the application checks the token.
        dependencies=[Security(HTTPBearer(auto_error=False))],
    )
    for module in (predict_routes, redact_routes, health_routes, docs_routes):
        app.include_router(module.create_router(service))
    app.include_router(job_routes.create_router(service.jobs))
    app.include_router(roboflow_routes.create_router(service))  # last: it takes POST /{any}/{any}
    add_handlers(app, service.report)
    return app
