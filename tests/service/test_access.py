"""Which requests are answered: every route of the documents is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.service.services import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.services import Served

OPEN = {"/healthz", "/readyz", "/info"}


def routes(served: Served) -> Iterator[tuple[str, str]]:
    """Yield the method and the path of all routes, with values."""
    values = {"job_id": "0" * 16, "model": "yunet", "version": "1"}
    for path, methods in served.client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            yield method.upper(), path.format(**values)


def test_no_route_but_those_of_health_answers_without_the_token(served: Served) -> None:
    for method, path in routes(served):
        for url in (path, f"{path}/", f"/{path}", f"{path}?token={TOKEN}", f"{path}%00"):
            answer = served.unauthenticated.request(method, url)
            assert answer.status_code == (200 if url.partition("?")[0] in OPEN else 401), url
        wrong = {"Authorization": "Bearer wrong"}
        if path not in OPEN:
            assert served.unauthenticated.request(method, path, headers=wrong).status_code == 401, (
                path
            )


def test_no_route_answers_pages_of_other_sites(served: Served) -> None:
    for method, path in routes(served):
        for headers, status in (
            ({"Origin": "https://evil.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Host": "evil.example"}, 421),
        ):
            assert served.client.request(method, path, headers=headers).status_code == status, path


def test_every_error_is_documented_as_a_problem(served: Served) -> None:
    for path, methods in served.client.get("/openapi.json").json()["paths"].items():
        for route in methods.values():
            for status, answer in route["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)
