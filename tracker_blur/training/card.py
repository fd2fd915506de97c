"""The model card beside a network: what it is, from what, how, how good, and what it is not for.

After Mitchell, Wu, Zaldivar et al., "Model Cards for Model Reporting", FAT* 2019, arXiv 1810.03993.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracker_blur.training.datasets import Annotated


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card tells.

    recipe    setting and value, as the command line had them
    reached   figure and value, on the pictures set aside for validation
    licences  as the user states them; "not stated" otherwise
    start     name and SHA-256 of the file whose weights it began with; None for random ones
    """

    name: str
    classes: tuple[str, ...]
    parameters: int
    recipe: Mapping[str, object]
    trained_on: Sequence[Annotated]
    validated_on: Sequence[Annotated]
    reached: Mapping[str, float]
    licences: str
    start: tuple[str, str] | None


def card(facts: Facts, network: bytes) -> str:
    """Return the card as Markdown; `network` is the ONNX file's content."""
    lines = [
        f"# {facts.name}",
        "",
        f"Finds: {', '.join(facts.classes)}. {facts.parameters} parameters, "
        f"{len(network)} bytes, made by `trackblur train`.",
        "",
        f"SHA-256 of {facts.name}.onnx: `{hashlib.sha256(network).hexdigest()}`",
        "",
        "## Data",
        "",
        "| folder | pictures to train on | boxes | to validate on |",
        "|---|---|---|---|",
        *_folders(facts),
        "",
        f"Licences: {facts.licences}.",
        "",
        _start(facts),
        "",
        "## Recipe",
        "",
        *(f"- {setting}: {value}" for setting, value in facts.recipe.items()),
        "",
        "## Reached",
        "",
        "On the pictures set aside for validation, which also watched the training; judge it on "
        "others with `trackblur evaluate`.",
        "",
        *(f"- {figure}: {value:.3f}" for figure, value in facts.reached.items()),
        "",
        "## Limits",
        "",
        "It knows what its pictures show. Whoever and whatever is rare in them is found less "
        "often: look at `trackblur evaluate --report` over pictures of your own before you "
        "trust it.",
    ]
    return "\n".join(lines) + "\n"


def _start(facts: Facts) -> str:
    if facts.start is None:
        return "It began with random weights."
    name, digest = facts.start
    return (
        f"It began with the weights of {name} (SHA-256 `{digest}`): what that network was trained "
        "on, and under which licences, counts for this one, too."
    )


def _folders(facts: Facts) -> list[str]:
    trained, validated = _by_folder(facts.trained_on), _by_folder(facts.validated_on)
    rows = []
    for folder in sorted({*trained, *validated}):
        some = trained.get(folder, [])
        boxes = sum(len(picture.things) for picture in some)
        rows.append(f"| {folder} | {len(some)} | {boxes} | {len(validated.get(folder, []))} |")
    return rows


def _by_folder(pictures: Sequence[Annotated]) -> dict[str, list[Annotated]]:
    found: dict[str, list[Annotated]] = {}
    for picture in pictures:
        found.setdefault(picture.path.parent.name, []).append(picture)
    return found
