"""The files of `deploy/` and the container image: all start the same service, with no more rights
than it needs.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tracker_blur.cli.commands import build_parser

if TYPE_CHECKING:
    import argparse

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNIT = (DEPLOY / "trackblur.service").read_text()
USER, PORT = 1000, 9001


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    documents: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return documents


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    deployment = next(each for each in documents if each["kind"] == "Deployment")
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def image(instruction: str) -> str:
    """Return what follows an instruction in the image of the service."""
    service = DOCKERFILE.partition("FROM runtime AS service\n")[2].partition("\nFROM ")[0]
    (found,) = re.findall(f"^{instruction} (.*)$", service, re.MULTILINE)
    return str(found)


def served(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line makes of a command."""
    command, *options = arguments
    return build_parser()[1][command].parse_args(options)


def test_all_of_them_start_a_service_with_a_token(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    started = re.findall(r"^ExecStart=\S+/trackblur (.*)$", UNIT, re.MULTILINE)[0].split()
    for arguments in (ast.literal_eval(image("CMD")), container["args"], started):
        options = served(arguments)
        assert options.port == PORT
        assert options.token_file is not None
    assert served(started).host == "127.0.0.1"


def test_the_container_has_no_more_rights_than_it_needs(compose: dict[str, Any]) -> None:
    service = compose["services"]["trackblur"]
    assert service["build"]["target"] == "service"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]  # nothing is encrypted
    (token,) = service["secrets"]
    assert f"/run/secrets/{token}" in image("CMD")
    assert DEPLOY / compose["secrets"][token]["file"] == DEPLOY / "token.txt"
    folders = {*service["tmpfs"], *(each.partition(":")[2] for each in service["volumes"])}
    assert folders == set(ast.literal_eval(image("VOLUME")))


def test_the_pod_has_no_more_rights_than_it_needs(pod: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == USER
    assert f"\nUSER {USER}\n" in DOCKERFILE
    (container,) = pod["containers"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert container["ports"][0]["containerPort"] == PORT == int(image("EXPOSE"))
    mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    assert set(ast.literal_eval(image("VOLUME"))) <= mounted.keys()
    assert sorted(mounted.values()) == sorted(each["name"] for each in pod["volumes"])


def test_what_the_service_keeps_lies_in_a_volume() -> None:
    variable, _, folder = image("ENV").partition("=")
    assert variable == "TRACKBLUR_STATE"
    assert str(Path(folder).parent) in ast.literal_eval(image("VOLUME"))
    assert "Environment=TRACKBLUR_STATE=%S/trackblur\nStateDirectory=trackblur\n" in UNIT


def test_no_token_is_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/deploy/token.txt" in ignored
