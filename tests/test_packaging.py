"""What is installed, published and put into the container image."""

from __future__ import annotations

import configparser
import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from setuptools import find_packages

from tracker_blur import classifiers

ROOT = Path(__file__).resolve().parents[1]
FIRST, AFTER_LAST = (3, 11), (3, 14)


def config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def run_setup(version: tuple[int, int]) -> subprocess.CompletedProcess[str]:
    """Run setup.py as another Python would."""
    code = (
        f"import sys; sys.version_info = ({version[0]}, {version[1]}, 0, 'final', 0)\n"
        "sys.argv = ['setup.py', '--name']\n"
        f"exec(compile(open({str(ROOT / 'setup.py')!r}).read(), 'setup.py', 'exec'))"
    )
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize("version", [(3, 6), (3, 10), (3, 14)])
def test_another_python_is_refused_in_one_line_that_names_the_right_ones(
    version: tuple[int, int],
) -> None:
    ended = run_setup(version)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("trackblur needs Python 3.11 to 3.13, and this is Python ")
    assert f"this is Python {version[0]}.{version[1]} ({sys.executable})" in line


def test_a_supported_python_installs() -> None:
    ended = run_setup(FIRST)
    assert (ended.returncode, ended.stdout.strip()) == (0, "trackblur")


def test_the_supported_versions_are_the_same_everywhere() -> None:
    metadata = config()
    assert metadata["options"]["python_requires"] == ">=3.11, <3.14"
    for minor in range(FIRST[1], AFTER_LAST[1]):
        assert f"Python :: 3.{minor}\n" in f"{metadata['metadata']['classifiers']}\n"
    assert "You need Python 3.11, 3.12 or 3.13" in (ROOT / "README.md").read_text()
    versions = re.findall(r"^FROM python:3\.(\d+)-slim", (ROOT / "Dockerfile").read_text(), re.M)
    assert len(set(versions)) == 1
    assert FIRST[1] <= int(versions[0]) < AFTER_LAST[1]


def test_an_old_python_gets_as_far_as_setup_py() -> None:
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert any("python_version < '3.8'" in line and ">=" not in line for line in requirements)


def test_every_folder_with_code_is_packaged() -> None:
    packages = set(find_packages(str(ROOT), include=["tracker_blur*"]))
    folders = {file.parent for file in (ROOT / "tracker_blur").rglob("*.py")}
    assert packages == {".".join(folder.relative_to(ROOT).parts) for folder in folders}


def test_every_other_file_of_the_package_is_declared() -> None:
    data = config()["options.package_data"]
    declared = {
        file
        for package, patterns in data.items()
        for pattern in re.split(r"[,\s]+", patterns.strip())
        for file in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    others = {
        file
        for file in (ROOT / "tracker_blur").rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    assert others <= declared


def test_the_license_of_foreign_weights_is_packaged_with_them() -> None:
    name = "LICENSE-Apache-2.0.txt"
    parser = config()
    assert name in parser["options.package_data"]["tracker_blur.models"]
    assert f"models/{name}" in parser["metadata"]["license_files"].split()
    assert "Apache License" in (ROOT / "models" / name).read_text()


def is_ignored(path: str) -> bool:
    """Return whether .dockerignore leaves a file out: the last pattern that matches decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        bare = pattern.lstrip("!").replace("**/", "*")
        if fnmatch.fnmatch(path, bare) or fnmatch.fnmatch(path, f"{bare}/*"):
            ignored = not pattern.startswith("!")
    return ignored


def test_the_image_gets_the_package_and_nothing_private() -> None:
    for path in (
        "setup.py",
        "setup.cfg",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "models/face.onnx",
        "models/plate.onnx",
        *(f"models/{name}" for name in classifiers.FILES.values()),
        "models/__init__.py",
        "models/LICENSE-Apache-2.0.txt",
        "tracker_blur/cli/main.py",
        "tracker_blur/py.typed",
        "tracker_blur/realtime/targets/_page/index.html",
    ):
        assert (ROOT / path).is_file()
        assert not is_ignored(path), path
    for path in (
        ".git/config",
        ".venv/bin/python",
        "in.mp4",
        "samples/people.jpg",
        "tests/conftest.py",
        "models/mine.onnx",
        "models/mine.txt",
        "models/res10.caffemodel",
        "tracker_blur/__pycache__/a.pyc",
        "tracker_blur/cli/__pycache__/a.pyc",
    ):
        assert is_ignored(path), path


def test_the_image_runs_without_privileges() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users[-1].isdigit()
    assert int(users[-1]) > 0
    assert 'ENTRYPOINT ["trackblur"]' in lines
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    for source in (name for names in copied for name in names if not name.startswith(("--", "/"))):
        assert (ROOT / source).exists(), source


def test_every_extra_that_is_named_exists() -> None:
    extras = set(config()["options.extras_require"])
    files = [ROOT / "Dockerfile", ROOT / ".ci" / "run", *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    named = {
        extra.strip()
        for file in files
        for group in re.findall(r"pip install[^\n]*?\.\[([\w, -]+)\]", file.read_text())
        for extra in group.split(",")
    }
    assert "test" in named
    assert named <= extras


def test_the_oldest_versions_are_those_of_setup_cfg() -> None:
    required = re.findall(r"([\w-]+)>=([\d.]+)", config()["options"]["install_requires"])
    pins = (ROOT / ".ci" / "minimum-versions.txt").read_text()
    oldest = dict(re.findall(r"^([\w-]+)==([\d.]+)$", pins, re.MULTILINE))
    assert oldest.keys() == dict(required).keys()
    for name, version in required:
        assert f"{oldest[name]}.".startswith(f"{version}."), name


def test_only_the_job_that_publishes_may_identify_itself_to_pypi() -> None:
    workflow: dict[Any, Any] = yaml.safe_load(
        (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    )
    assert workflow["permissions"] == {}
    assert workflow[True] == {"release": {"types": ["published"]}}  # YAML reads "on" as true
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert build["permissions"] == {"contents": "read"}
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert publish["environment"]["name"] == "pypi"
    commands = " ".join(step.get("run", "") for step in build["steps"])
    assert "python -m build" in commands
    assert "twine check --strict" in commands
    assert "pypi-publish" in publish["steps"][-1]["uses"]
    assert "secrets." not in (ROOT / ".github" / "workflows" / "publish.yml").read_text()
