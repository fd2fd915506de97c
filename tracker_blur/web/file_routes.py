"""Routes for what can be hidden, and for the files of the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from fastapi import APIRouter

from tracker_blur.core import plugins
from tracker_blur.redaction.methods import names_of
from tracker_blur.version import __version__
from tracker_blur.web.job_commands import Care
from tracker_blur.web.job_routes import CLASSES
from tracker_blur.web.json_answers import JsonAnswer

if TYPE_CHECKING:
    from tracker_blur.web.services import Services


def create_router(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    folder = services.folder

    @router.get("/api/app")
    def show_app() -> JsonAnswer:
        return JsonAnswer(
            {
                "version": __version__,
                "folder": str(folder.root),
                "methods": [
                    {"name": name, "class": kind}
                    for kind in ("destructive", "cosmetic")
                    for name in names_of(kind)
                    if name != "image"  # it needs a file
                ],
                "classes": CLASSES,
                "detectors": ["auto", *plugins.names("tracker_blur.detectors")],
                "care": get_args(Care),
            }
        )

    @router.get("/api/files")
    def list_files(path: str = "") -> JsonAnswer:
        return JsonAnswer({"path": path, "entries": folder.entries(path)})

    return router
