"""What a training leaves: NAME.onnx and its card, NAME.md."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.files.atomic import replacing
from tracker_blur.training.card import Facts, card
from tracker_blur.training.checkpoints import State
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.judging import judge
from tracker_blur.training.network import Network
from tracker_blur.training.plan import Material, Plan


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
