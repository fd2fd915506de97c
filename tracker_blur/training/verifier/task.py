"""Learning to verify: what `run` needs to train a verifier."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.training.augmentation import Sample, no_boxes
from tracker_blur.training.candidates import (
    TURNS,
    Candidates,
    cached_candidates,
    find_candidates,
    identity,
    load_proposers,
)
from tracker_blur.training.card import CardFacts, common_settings, model_card
from tracker_blur.training.data import load_image
from tracker_blur.training.export import network_file
from tracker_blur.training.initial_weights import calibrate_normalization
from tracker_blur.training.odds import RECALLS, score_odds
from tracker_blur.training.onnx_files import require_onnx
from tracker_blur.training.recipe import is_backbone
from tracker_blur.training.sheets import contact_sheet, write_jpeg
from tracker_blur.training.task import Lesson, Report, folder_shares
from tracker_blur.training.verifier.backbone import load_backbone
from tracker_blur.training.verifier.calibration import fit_calibration
from tracker_blur.training.verifier.crops import (
    CropBatch,
    CropDataset,
    CropSample,
    endless_crop_batches,
)
from tracker_blur.training.verifier.export import verifier_bytes
from tracker_blur.training.verifier.joining import joined
from tracker_blur.training.verifier.labels import label_candidates
from tracker_blur.training.verifier.mining import HardExampleMiner
from tracker_blur.training.verifier.naming import label_of
from tracker_blur.training.verifier.network import (
    VerifierNetwork,
    VerifierShape,
    load_verifier_weights,
)
from tracker_blur.training.verifier.validation import Validator
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from tracker_blur.core.frame import Image
    from tracker_blur.training.checkpoints import TrainingState
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.loop import ProcessGroup
    from tracker_blur.training.recipe import Plan, TrainingData

_CROPS_SHOWN = 40
_UPRIGHT_DEG = 90.0
_CACHES = "candidates.npz", "val_candidates.npz"


class VerifierTask:
    """Trains a verifier.

    Args:
        plan: What to train on and how.
        data: The images of the plan.

    Raises:
        SettingsError: The plan makes no sense.
        SourceError: The verifier to join cannot be read.
        ModelError: It is none, or a detector's weights are missing or damaged.
        MissingPackageError: A package of the extra "train" is missing.
    """

    shape_type = VerifierShape

    def __init__(self, plan: Plan, data: TrainingData) -> None:
        require_onnx("writing a verifier")  # before the end, which may be hours away
        self._plan = plan
        self._data = data
        self._label = data.classes[0]
        self._joined = _read_verifier(plan.joined_with, self._label) if plan.joined_with else None
        self._shares = folder_shares(plan, data)
        weights = Weights(plan.weights_folder)
        self._detectors = load_proposers(self._label, plan.teachers, weights)
        # The program does not search turned copies for what stands upright.
        self._turns = TURNS if plan.crops.turned_deg > _UPRIGHT_DEG else TURNS[:1]
        settings = self._label, plan.crops.widened, self._turns
        self._identity = identity(plan.teachers, weights, *settings)
        self._validator: Validator | None = None
        self._counts = 0, 0

    def shape(self) -> VerifierShape:
        """Return the shape of the plan's network."""
        return VerifierShape().scaled(self._plan.width)

    def network(self, shape: Any, initial_weights: Path | None) -> VerifierNetwork:
        """Return a network of this shape, with random weights or those of a file."""
        network = VerifierNetwork(shape)
        if initial_weights:
            load = load_backbone if is_backbone(initial_weights) else load_verifier_weights
            load(network, initial_weights)
        return network

    def lesson(
        self,
        network: VerifierNetwork,
        state: TrainingState,
        seed: int,
        group: ProcessGroup,
        work: Path,
        report: Report,
    ) -> Lesson[VerifierNetwork]:
        """Return batches and what else the loop needs; write a sheet of the crops."""
        plan, data = self._plan, self._data
        with group.main_first():
            samples = self._samples(data.train, self._shares, work / _CACHES[0], report)
            validated = self._samples(data.val, [1.0] * len(data.val), work / _CACHES[1], report)
        dataset = CropDataset(samples, self._label, plan.crops, seed)
        self._counts = len(dataset.object_places), len(dataset.alarm_places)
        report(f"to learn from: {self._counts[0]} objects, {self._counts[1]} false alarms")
        if group.is_main:
            write_jpeg(crop_sheet(dataset, seed), work / "images.jpg")
            report(f"crops, those of objects framed: {work / 'images.jpg'}")
        miner = HardExampleMiner(samples, dataset, group.device, plan.seed)
        batches = endless_crop_batches(dataset, plan.batch, plan.workers)
        start = plan.initial_weights
        if start and not is_backbone(start) and not state.step:
            calibrate_normalization(network, (batch.images for batch in batches))
            miner.search(network)
        self._validator = Validator(validated, group.device) if validated else None
        return Lesson(
            batches,
            self._losses,
            self._validator.figures if self._validator else None,
            miner.search,
            data.train,
        )

    def _samples(
        self,
        images: Sequence[AnnotatedImage],
        shares: Sequence[float],
        cache: Path,
        report: Report,
    ) -> list[CropSample]:
        """Return the images with what is known of the detectors' candidates in them."""
        widening = math.sqrt(math.prod(self._plan.crops.widened))
        detectors = list(self._detectors.values())

        def find(image: Image) -> Candidates:
            return find_candidates(image, detectors, self._label, self._turns, widening)

        found = cached_candidates(images, cache, self._identity, find, report)
        return [
            CropSample(
                *scaled_to_memory(annotated, candidates, self._label, self._plan.partly_labelled),
                share,
            )
            for annotated, candidates, share in zip(images, found, shares, strict=True)
        ]

    def _losses(
        self, learner: nn.Module, batch: CropBatch, device: torch.device
    ) -> dict[str, torch.Tensor]:
        """Return the loss of the answers to a batch of crops."""
        images = batch.images.to(device, non_blocking=True)
        smoothing = self._plan.crops.smoothing
        wanted = batch.labels.to(device) * (1 - 2 * smoothing) + smoothing
        is_cpu = device.type == "cpu"  # which computes depthwise convolutions faster in 32 bits
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=not is_cpu):
            answers = learner(images.float())
        return {"loss": binary_cross_entropy_with_logits(answers[:, 0].float(), wanted)}

    def write(
        self,
        state: TrainingState,
        network: VerifierNetwork,
        images: tuple[AnnotatedImage, ...],
        processes: int,
    ) -> None:
        """Write the averaged network, calibrated, and its card."""
        plan, data = self._plan, self._data
        is_object = np.zeros(0, bool) if self._validator is None else self._validator.is_object
        answers = np.zeros(0) if self._validator is None else self._validator.answers(network)
        calibration = fit_calibration(answers, is_object)
        content = verifier_bytes(network, self._label, calibration, len(answers))
        start, other = plan.initial_weights, plan.joined_with
        if self._joined:
            content = joined(content, self._joined)
        path = network_file(plan)
        with replacing(path, overwrite=True) as file:
            file.write_bytes(content)
        settings = common_settings(plan, state, processes) | {
            "crops": asdict(plan.crops),
            "folders labeled in part": ", ".join(plan.partly_labelled) or "none",
            "calibration": f"{calibration.scale:.3f} x answer + {calibration.offset:.3f}",
            "other network in the file": other.name if other else "none",
        }
        objects, alarms = self._counts
        notes = []
        if start and is_backbone(start):
            notes.append(f"{start.name} holds EfficientNet-Lite0 (Apache License 2.0).")
        if other and self._joined:
            digest = hashlib.sha256(self._joined).hexdigest()
            notes.append(
                f"The file also holds {other.name} (SHA-256 `{digest}`), and answers with the mean "
                "of both: what that verifier was trained on, and under which licenses, applies to "
                "this one, too."
            )
        facts = CardFacts(
            plan.name,
            f"Says whether a detection shows: {self._label}",
            sum(parameter.numel() for parameter in network.parameters()),
            settings,
            images,
            data.val,
            _metrics(calibration.scale * answers + calibration.offset, is_object),
            plan.licences,
            (start.name, state.made_from["weights to start with"]) if start else None,
            (
                f"{objects} boxes of objects and {alarms} false alarms, from the labels and from "
                f"what {', '.join(self._detectors)} detected in the images, also enlarged and "
                "turned.",
                *notes,
            ),
        )
        with replacing(path.with_suffix(".md"), overwrite=True) as file:
            file.write_text(model_card(facts, content), encoding="utf-8")


def _read_verifier(file: Path, label: str) -> bytes:
    """Return the file of a verifier of this class."""
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = reason_of(error)
        raise SourceError(f"{file}: cannot read this verifier ({reason}): check --join") from error
    own = label_of(str(file), content)
    if own != label:
        raise SettingsError(f"{file}: is a verifier of '{own}': --join needs one of '{label}'")
    return content


def scaled_to_memory(
    annotated: AnnotatedImage, candidates: Candidates, label: str, partly_labelled: Sequence[str]
) -> tuple[Image, Any]:
    """Return an image as it is kept in memory, and what is known of the candidates in it."""
    known = label_candidates(annotated, candidates, label, partly_labelled)
    image, scale = load_image(annotated.path)
    return image, known.scaled(scale)


def _metrics(odds: np.ndarray[Any, Any], is_object: np.ndarray[Any, Any]) -> dict[str, float]:
    if not len(odds):
        return {}
    scores = score_odds(odds, is_object)
    return {
        "area under the ROC curve": scores.auc,
        **{
            f"false positives at a recall of {recall:.1%}": share
            for recall, share in zip(RECALLS, scores.false_positives, strict=True)
        },
        "expected calibration error": scores.calibration_error,
    }


def crop_sheet(dataset: CropDataset, seed: int) -> Image:
    """Return a contact sheet of random crops; those of objects have a green frame."""
    rng = np.random.default_rng(seed)
    samples = []
    for _ in range(_CROPS_SHOWN):
        crop, is_object = dataset.make_crop(rng)
        side = float(len(crop))
        frame = np.array([[1, 1, side - 2, side - 2]], np.float32) if is_object else no_boxes()
        ones = np.ones(len(frame), np.float32)
        samples.append(Sample(crop, frame, np.zeros(len(frame), np.int64), ones, no_boxes()))
    return contact_sheet(samples)
