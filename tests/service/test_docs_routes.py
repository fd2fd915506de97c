"""/docs and /openapi.json: complete, and from this server alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.service.services import Served


def test_the_page_loads_nothing_from_elsewhere(served: Served) -> None:
    page = served.unauthenticated.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert addresses
    for address in addresses:
        if not address.startswith("data:"):
            assert served.unauthenticated.get(address).status_code == 200, address
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["..%2f..%2fcore.py", "redoc.standalone.js", "%00"])
def test_only_its_own_files_are_sent(served: Served, name: str) -> None:
    assert served.client.get(f"/docs/{name}").status_code == 404


def test_every_route_says_what_it_answers_and_which_errors(served: Served) -> None:
    document = served.unauthenticated.get("/openapi.json").json()
    assert {"/v1/predict", "/v1/redact", "/healthz", "/readyz", "/metrics"} <= document[
        "paths"
    ].keys()
    for path in ("/v1/predict", "/v1/redact"):
        operation = document["paths"][path]["post"]
        assert {"200", "401", "408", "413", "415", "422", "503"} <= operation["responses"].keys()
        assert operation["requestBody"]["content"].keys() >= {"multipart/form-data", "image/*"}
        assert all("description" in each for each in operation["parameters"])
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert "ProblemDocument" in document["components"]["schemas"]


@pytest.mark.slow
def test_a_browser_shows_it(served: Served) -> None:
    from tests.chromium import launched
    from tests.web.browsers import expect, opened_tab

    with (
        launched() as browser,
        opened_tab(browser, f"{served.unauthenticated.base_url}docs") as tab,
    ):
        expect(tab.locator(".opblock", has_text="/v1/predict")).to_be_visible()
