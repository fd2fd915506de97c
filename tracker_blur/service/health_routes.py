"""Routes for monitoring: is the service alive, is it ready, what does it do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from tracker_blur.service.problems import ProblemDocument, unavailable
from tracker_blur.version import __version__

if TYPE_CHECKING:
    from tracker_blur.service.service import Service


class Health(BaseModel):
    """That the service is well."""

    status: Literal["ok"] = "ok"
    version: str = __version__


def create_router(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["health"])

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", summary="Alive?")
    async def is_alive() -> Health:
        """Say that the server answers; needs no token."""
        return Health()

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", summary="Ready?", responses={503: {"model": ProblemDocument}})
    async def is_ready() -> Health:
        """Say whether the service takes requests: not while it stops; needs no token."""
        if service.is_stopping:
            raise unavailable("the service stops", 10)
        return Health()

    @router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    def show_metrics(request: Request) -> Response:  # in a thread: the queue of jobs has a lock
        """Return the figures for Prometheus."""
        accept = " ".join(request.headers.get("accept", "").split())
        data, content_type = service.metrics.exposition(accept)
        return Response(data, headers={"content-type": content_type})

    return router
