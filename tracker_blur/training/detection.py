"""Learning to detect: what `run` needs to train a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tracker_blur.errors import SettingsError
from tracker_blur.training.candidates import TURNS
from tracker_blur.training.data import Batch, MosaicDataset, endless_batches, load_samples
from tracker_blur.training.evaluation.measure import require_pycocotools
from tracker_blur.training.export import make_validator, write_results
from tracker_blur.training.initial_weights import calibrate_normalization, load_initial_weights
from tracker_blur.training.losses import assign_targets, decode_predictions, detection_loss
from tracker_blur.training.mining import HardNegativeMiner
from tracker_blur.training.network import Network, NetworkShape
from tracker_blur.training.onnx_files import require_onnx
from tracker_blur.training.pseudo_labels import add_pseudo_labels
from tracker_blur.training.sheets import contact_sheet, write_jpeg
from tracker_blur.training.task import Lesson, Report, folder_shares
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from tracker_blur.training.checkpoints import TrainingState
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.loop import ProcessGroup
    from tracker_blur.training.recipe import Plan, TrainingData


class DetectionTask:
    """Trains a detector.

    Args:
        plan: What to train on and how.
        data: The images of the plan.

    Raises:
        SettingsError: The plan makes no sense.
        MissingPackageError: A package of the extra "train" is missing.
    """

    shape_type = NetworkShape

    def __init__(self, plan: Plan, data: TrainingData) -> None:
        require_onnx("writing a detector")  # before the end, which may be hours away
        if data.val:  # before the first validation, which may be an hour away
            require_pycocotools()
        self._plan = plan
        self._data = data
        self._shares = folder_shares(plan, data)

    def shape(self) -> NetworkShape:
        """Return the shape of the plan's network."""
        return NetworkShape(len(self._data.classes)).scaled(self._plan.width)

    def network(self, shape: Any, initial_weights: Path | None) -> Network:
        """Return a network of this shape, with random weights or those of a file."""
        network = Network(shape)
        if initial_weights:
            load_initial_weights(network, self._data.classes, initial_weights)
        return network

    def lesson(
        self,
        network: Network,
        state: TrainingState,
        seed: int,
        group: ProcessGroup,
        work: Path,
        report: Report,
    ) -> Lesson[Network]:
        """Return batches and what else the loop needs; write a contact sheet of the images."""
        plan, data = self._plan, self._data
        images = _with_pseudo_labels(plan, data, group, work, report)
        samples = list(load_samples(images, data.classes))
        if group.is_main:
            write_jpeg(contact_sheet(samples), work / "images.jpg")
            report(f"images as read: {work / 'images.jpg'}")
        miner = HardNegativeMiner(samples)
        dataset = MosaicDataset(samples, self._shares, plan.augmentation, seed, miner.boxes)
        batches = endless_batches(dataset, plan.batch, plan.workers)
        if plan.initial_weights and not state.step:
            calibrate_normalization(network, (batch.images for batch in batches))
        geometry = plan.augmentation.geometry
        return Lesson(
            batches,
            detection_losses,
            make_validator(data.val, data.classes, geometry) if data.val else None,
            lambda network: miner.search(network, group.device),
            images,
        )

    def write(
        self,
        state: TrainingState,
        network: Network,
        images: tuple[AnnotatedImage, ...],
        processes: int,
    ) -> None:
        """Write the averaged network and its card."""
        write_results(self._plan, self._data, state, network, images, processes)


def detection_losses(
    learner: nn.Module, batch: Batch, device: torch.device
) -> dict[str, torch.Tensor]:
    """Return the losses of scores and boxes."""
    images = batch.images.to(device, non_blocking=True)
    targets = batch.targets.to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        maps = learner(images.float())
    predictions = decode_predictions(maps)
    scores, boxes = detection_loss(predictions, targets, assign_targets(predictions, targets))
    return {"score_loss": scores, "box_loss": boxes}


def _with_pseudo_labels(
    plan: Plan, data: TrainingData, group: ProcessGroup, work: Path, report: Report
) -> tuple[AnnotatedImage, ...]:
    """Return the images to train on, with what the teachers add."""
    if not plan.teachers:
        return data.train
    if len(data.classes) > 1:
        raise SettingsError("teachers can label datasets of one class only")
    # What seldom turns is not searched for in turned copies, where other things look like it.
    turns = TURNS if plan.augmentation.geometry.any_share else TURNS[:1]
    with group.main_first():
        images = add_pseudo_labels(
            data.train,
            data.classes[0],
            plan.teachers,
            turns,
            Weights(plan.weights_folder),
            work / "candidates.npz",
            report,
        )
    boxes = sum(len(image.objects) for image in images)
    added = [certainty for image in images for certainty in image.certainties]
    ignored = sum(len(image.ignored) for image in images)
    teachers = ", ".join(plan.teachers)
    report(
        f"with pseudo-labels of {teachers}: {boxes} boxes, {ignored} ignored regions; of the boxes "
        f"{len(added)} are added, {sum(one < 1 for one in added)} of them with a soft target"
    )
    return images
