"""A whole training: data set in, NAME.onnx and NAME.md out; goes on where it was interrupted.

Pictures about a training: what was read, and how it goes.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from tracker_blur.core.frame import Image
from tracker_blur.errors import MissingPackageError, SettingsError, SinkError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.training import checkpoints, export
from tracker_blur.training.augmentation import Boxes, Scene
from tracker_blur.training.checkpoints import State, differences, provenance
from tracker_blur.training.data import Canvases, batches, scenes
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.evaluation.measure import require_library
from tracker_blur.training.export import judge
from tracker_blur.training.loop import Mine, Ranks, train
from tracker_blur.training.network import Network, Shape, measure, start
from tracker_blur.training.pseudo_labels import taught
from tracker_blur.training.recipe import Material, Plan
from tracker_blur.weights.store import Weights

_TILE_PX = 200
_TILES = (8, 5)
_THING, _IGNORED = (0, 255, 0), (0, 0, 255)


def sheet(scenes: Sequence[Scene]) -> Image:
    """Return up to 40 scenes, evenly spread, as one picture: boxes green, ignored regions red."""
    columns, rows = _TILES
    count = min(len(scenes), columns * rows)
    chosen = [scenes[i * len(scenes) // count] for i in range(count)]
    tiles = [_tile(scene) for scene in chosen]
    blank = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tiles += [blank] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.asarray(np.vstack(lines), np.uint8)


def _tile(scene: Scene) -> Image:
    rows, columns = scene.image.shape[:2]
    scale = _TILE_PX / max(rows, columns)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    tile = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(scene.image, size, interpolation=cv2.INTER_AREA)
    _draw(tile, scene.ignored * scale, _IGNORED)
    _draw(tile, scene.boxes * scale, _THING)
    return tile


def _draw(image: Image, boxes: Boxes, color: tuple[int, int, int]) -> None:
    for left, top, right, bottom in np.rint(boxes).astype(int).tolist():
        cv2.rectangle(image, (left, top), (right, bottom), color, 1)


def write_jpeg(image: Image, path: Path) -> None:
    """Write a picture, over one that is there; raises SinkError."""
    _, content = cv2.imencode(".jpg", image)
    with replacing(path, overwrite=True) as file:
        file.write_bytes(content.tobytes())


def require_matplotlib() -> None:
    """Raise MissingPackageError without what `write_curves` needs; otherwise do nothing."""
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise MissingPackageError("matplotlib", "train", "drawing the training curves") from error


def write_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw losses and AP over the steps as a PNG; raises SinkError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    left = figure.subplots()
    steps = [row["step"] for row in history]
    for name in ("score_loss", "box_loss"):
        left.plot(steps, [row[name] for row in history], label=name.replace("_", " "))
    left.set(xlabel="batches", ylabel="loss", yscale="log")
    right = left.twinx()
    judged = [(row["step"], row["ap50"]) for row in history if "ap50" in row]
    right.plot(*zip(*judged, strict=True) if judged else ((), ()), "ko-", label="AP50, validation")
    right.set(ylabel="AP50", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3)
    with replacing(path, overwrite=True) as file:
        figure.savefig(file, format="png", dpi=100)


_SEEDS_APART = 1_000_003  # more than a training has batches


def run(plan: Plan, read: Material, tell: Callable[[str], None]) -> Path:
    """Train; return the ONNX file. Goes on from a checkpoint in NAME.training/ if there is one.

    Started by torchrun, several processes train together, each on batches of its own.

    tell   is given lines about the progress

    Raises SourceError, SettingsError, SinkError, ModelError and MissingPackageError.
    """
    if read.val:  # both are needed for the first judgement, which may be an hour away
        require_library()
        require_matplotlib()
    shares = _shares(plan, read)
    ranks = Ranks.joined(plan.device)
    try:
        tell = tell if ranks.is_first else lambda line: None
        work = plan.folder / f"{plan.name}.training"
        export.check(plan, goes_on=(work / "checkpoint.pt").is_file())
        state = _state(plan, read, work / "checkpoint.pt", ranks.count)
        network = _network(plan, read, state)
        _make(work)
        if state.step:
            tell(f"going on after {state.step} batches and {state.seconds / 60:.0f} minutes")
        try:
            average, pictures = _trained(plan, read, shares, state, network, ranks, work, tell)
        except KeyboardInterrupt:
            if state.step:
                tell(f"kept after {state.step} batches: started with the same words, it goes on")
            raise
    finally:
        ranks.leave()
    if ranks.is_first:
        export.write(plan, read, state, average, pictures, ranks.count)
    return export.network_file(plan)


def _make(folder: Path) -> None:
    """Make a folder; raises SinkError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = reason_of(error)
        raise SinkError(f"{folder}: cannot make this folder ({reason}): choose another") from error


def _state(plan: Plan, read: Material, checkpoint: Path, processes: int) -> State:
    """Return the checkpoint's state, or a new one where there is none.

    Raises SettingsError when the checkpoint is of another training than is asked for.
    """
    asked = provenance(plan, read, processes)
    if not checkpoint.is_file():
        shape = Shape(len(read.classes)).scaled(plan.width)
        return State(shape, read.classes, made_from=asked)
    state = checkpoints.load(checkpoint)
    made_from = state.made_from | {"classes": ", ".join(state.classes)}
    if others := differences(made_from, asked):
        raise SettingsError(
            f"{checkpoint}: was begun with {'; '.join(others)}: go on with the same, choose "
            f"another --name, or delete {checkpoint.parent}"
        )
    state.made_from = asked
    return state


def _network(plan: Plan, read: Material, state: State) -> Network:
    """Return a network to train; its weights are those to start with, if any."""
    torch.manual_seed(plan.seed)
    network = Network(state.shape)
    if plan.start and not state.step:
        start(network, read.classes, plan.start)
    return network


def _trained(
    plan: Plan,
    read: Material,
    shares: Sequence[float],
    state: State,
    network: Network,
    ranks: Ranks,
    work: Path,
    tell: Callable[[str], None],
) -> tuple[Network, tuple[Annotated, ...]]:
    """Return the averaged network, and the pictures it was trained on, as taught."""
    # A training that goes on must not see the first canvases again, nor two processes the same.
    seed = plan.seed + state.step + _SEEDS_APART * ranks.number
    _seed(seed)
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    pictures = _taught(plan, read, ranks, work, tell)
    loaded = list(scenes(pictures, read.classes))
    if ranks.is_first:
        write_jpeg(sheet(loaded), work / "pictures.jpg")
        tell(f"what was read: {work / 'pictures.jpg'}")
    mine = Mine(loaded)
    canvases = Canvases(loaded, shares, plan.views, seed, mine.worst)
    made = batches(canvases, plan.batch, plan.workers)
    if plan.start and not state.step:
        measure(network, (some.pictures for some in made))
    average = train(
        network,
        made,
        plan.recipe,
        state,
        work / "checkpoint.pt",
        ranks,
        judge(read.val, read.classes, plan.views.poses) if read.val else None,
        lambda network: mine.look(network, ranks.device),
        lambda row: _report(row, state.history, work, tell),
    )
    return average, pictures


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _taught(
    plan: Plan, read: Material, ranks: Ranks, work: Path, tell: Callable[[str], None]
) -> tuple[Annotated, ...]:
    """Return the pictures to train on, with what the teachers add."""
    if not plan.teachers:
        return read.train
    if len(read.classes) > 1:
        raise SettingsError("teachers can label data sets of one class only")
    with ranks.first_before_others():
        pictures = taught(
            read.train,
            read.classes[0],
            plan.teachers,
            Weights(plan.weights),
            work / "taught.json",
        )
    things = sum(len(picture.things) for picture in pictures)
    ignored = sum(len(picture.ignored) for picture in pictures)
    tell(f"with what {', '.join(plan.teachers)} add: {things} boxes, {ignored} ignored regions")
    return pictures


def _shares(plan: Plan, read: Material) -> list[float]:
    """Return how often each picture is drawn; raises SettingsError where none would be."""
    folders = [picture.path.parent.name for picture in read.train]
    unknown = set(plan.shares) - set(folders)
    if unknown:
        raise SettingsError(f"no pictures in a folder {', '.join(sorted(unknown))}")
    shares = [plan.shares.get(folder, 1.0) for folder in folders]
    if not any(shares):
        raise SettingsError("--share is 0 for every folder: leave one to draw pictures from")
    return shares


def _report(
    row: dict[str, float],
    history: Sequence[Mapping[str, float]],
    work: Path,
    tell: Callable[[str], None],
) -> None:
    judged = f", AP50 {row['ap50']:.3f}" if "ap50" in row else ""
    tell(
        f"{row['step']:.0f} batches, {row['seconds'] / 60:.1f} minutes: score loss "
        f"{row['score_loss']:.3f}, box loss {row['box_loss']:.3f}{judged}"
    )
    if judged:
        write_curves(history, work / "curves.png")
