"""Writes a network as an ONNX file that `tracker_blur.detectors.onnx` runs.

Which names the classes of a network can have.

The model card beside a network: what it is, from what, how, how good, and what it is not for.

After Mitchell, Wu, Zaldivar et al., "Model Cards for Model Reporting", FAT* 2019, arXiv 1810.03993.

What a training leaves: NAME.onnx and its card, NAME.md.
"""

from __future__ import annotations

import copy
import hashlib
import io
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tracker_blur.core import plugins
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.files.atomic import replacing
from tracker_blur.training.checkpoints import State
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.evaluation.measure import finds, scores
from tracker_blur.training.loop import Judge
from tracker_blur.training.network import STRIDES, Network
from tracker_blur.training.recipe import Material, Plan, Poses, check_classes

_OPSET = 12  # what OpenCV 4.10 reads without exception
_TRACED_PX = 64


def onnx_bytes(network: Network, classes: Sequence[str]) -> bytes:
    """Return the network as ONNX: normalized pictures in, whose sides are multiples of 32.

    Normalizing is left to who reads the pictures: in OpenCV that costs nothing there, and two
    passes over the picture in the network.

    OpenCV shows of an ONNX file little but the names of its outputs, so these carry what a detector
    must know: "trackblur2/STRIDE/CLASS+CLASS". Normalizations are folded into the convolutions.

    Raises SettingsError as `check_classes` does, and when there are more or fewer classes than the
    network has.
    """
    check_classes(classes)
    if len(classes) != network.shape.classes:
        raise SettingsError(f"{len(classes)} class names: the network has {network.shape.classes}")
    names = [f"trackblur2/{stride}/{'+'.join(classes)}" for stride in STRIDES]
    file = io.BytesIO()
    plain = copy.deepcopy(network).cpu().float().eval()
    picture = torch.zeros(1, 3, _TRACED_PX, _TRACED_PX)
    with warnings.catch_warnings():
        # The newer exporter needs two more packages and writes operators OpenCV cannot read.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Normalized(plain),
            (picture,),
            file,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["picture"],
            output_names=names,
            dynamic_axes={name: {2: "rows", 3: "columns"} for name in ("picture", *names)},
        )
    return file.getvalue()


class _Normalized(nn.Module):
    """The network for pictures that are normalized already."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.network.maps(pictures)


_FROM_PX = 8.0
_MOST_PICTURES = 300  # judging must not outlast learning


def judged(pictures: Sequence[Annotated]) -> Sequence[Annotated]:
    """Return those that are judged: a few hundred, evenly chosen."""
    return pictures[:: max(1, math.ceil(len(pictures) / _MOST_PICTURES))]


def judge(pictures: Sequence[Annotated], classes: Sequence[str], poses: Poses) -> Judge:
    """Return a function that gives a network's average precision, over all classes.

    Pictures are widened by the middle of what training widens them by.
    """
    chosen = judged(pictures)
    widened = math.sqrt(math.prod(poses.widened))

    def reached(network: Network) -> float:
        onnx = plugins.load("tracker_blur.detectors", "onnx")
        detector = onnx.from_content("the network", onnx_bytes(network, classes))
        found = list(finds(detector, chosen, 1.0, widened))
        shares = [scores(chosen, found, label, _FROM_PX).ap50 for label in classes]
        return float(np.nanmean(shares)) if not np.isnan(shares).all() else 0.0

    return reached


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


def network_file(plan: Plan) -> Path:
    """Return where the network is written; the card lies beside it."""
    return plan.folder / f"{plan.name}.onnx"


def check(plan: Plan, goes_on: bool) -> None:
    """Raise SinkError for results that no training of this name has written.

    goes_on   whether there is a checkpoint of this name: the results are its own

    Raises SettingsError when the file to start with would be replaced.
    """
    network = network_file(plan)
    if plan.start and os.path.realpath(plan.start) == os.path.realpath(network):
        raise SettingsError(f"{plan.start}: the result would replace it: choose another --name")
    for path in (network, network.with_suffix(".md")):
        if not goes_on and os.path.lexists(path):
            raise SinkError(
                f"{path}: exists already, and no training of it to go on with: choose another "
                "--name, or move it away"
            )


def write(
    plan: Plan,
    read: Material,
    state: State,
    network: Network,
    pictures: Sequence[Annotated],
    processes: int,
) -> None:
    """Write the network and its card, in place of those of the run before.

    Raises SinkError, and what judging raises.
    """
    path, content = network_file(plan), onnx_bytes(network, read.classes)
    with replacing(path, overwrite=True) as file:
        file.write_bytes(content)
    facts = Facts(
        plan.name,
        read.classes,
        sum(parameter.numel() for parameter in network.parameters()),
        _recipe(plan, state, processes),
        pictures,
        read.val,
        _reached(plan, read, state, network),
        plan.licences,
        (plan.start.name, state.made_from["weights to start with"]) if plan.start else None,
    )
    with replacing(path.with_suffix(".md"), overwrite=True) as file:
        file.write_text(card(facts, content), encoding="utf-8")


def _reached(plan: Plan, read: Material, state: State, network: Network) -> dict[str, float]:
    """Return figures on the validation pictures, as they were judged last, or as judged now."""
    if not read.val:
        return {}
    last = state.history[-1] if state.history else {}
    if last.get("step") == state.step and "ap50" in last:
        ap50 = last["ap50"]
    else:  # it went on from a checkpoint, and there was nothing left to learn
        ap50 = judge(read.val, read.classes, plan.views.poses)(network)
    return {"AP50 (things of 8 px and more)": ap50}


def _recipe(plan: Plan, state: State, processes: int) -> dict[str, object]:
    recipe = asdict(plan.recipe)
    del recipe["steps"], recipe["minutes"]
    return {
        "batches": state.step,
        "asked for": _lengths(state.lengths),
        **recipe,
        "batch": f"{plan.batch} in each of {processes} processes" if processes > 1 else plan.batch,
        "side of a canvas, in pixels": plan.views.side_px,
        "poses": asdict(plan.views.poses),
        "seed": plan.seed,
        "shape": asdict(state.shape),
        "teachers": ", ".join(plan.teachers) or "none",
        "shares of folders": dict(plan.shares) or "equal",
        "PyTorch": torch.__version__,
    }


def _lengths(asked: Sequence[str]) -> str:
    again = " (gone on with: the rate of learning rose again to where each new length put it)"
    return ", then ".join(asked) + again * (len(asked) > 1)
