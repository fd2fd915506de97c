"""Candidates: everything that detectors take for an object in an image, down to low scores.

A verifier learns from what it will be asked about, and teachers show a detector what people left
unlabeled. So the detectors also see enlarged and turned copies, as they do in videos, where a head
that lies down is searched for.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.detector_choice import DetectorChoice
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.settings import FACE
from tracker_blur.training.datasets.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.weights.store import Weights

Candidates = npt.NDArray[np.float32]
"""Rows of left, top, right, bottom in the image's pixels, score, and number of the source."""

TURNS = (0, 1, 2, 3)
"""Quarter turns, counterclockwise, at which detectors see an image."""

_OWN_FILES = {FACE: "face.onnx", "plate": "plate.onnx"}
_SCALES = (1.0, 1.6)
_ENLARGED_BELOW_PX = 500  # longer side; larger images show small objects large enough
_LOWEST_SCORE, _LOWEST_TURNED_SCORE = 0.1, 0.15  # far below what counts as a detection
_SAVE_EVERY = 500  # images
_COLUMNS = 6


def load_proposers(label: str, names: Sequence[str], weights: Weights) -> dict[str, Detector]:
    """Return the detectors whose detections a verifier of this class learns from, by name.

    Args:
        label: The class to verify.
        names: Detectors besides our own.
        weights: Where their weights come from.

    Raises:
        SettingsError: There is no detector of this class, or of a name.
        ModelError: Weights are missing or damaged.
        MissingPackageError: A detector needs a package that is missing.
    """
    own = _OWN_FILES.get(label)
    detectors = {}
    if own is not None:
        detectors[own] = load_detector(str(weights.path(own)), weights)[1]
    detectors |= {name: load_detector(name, weights)[1] for name in names}
    if not detectors:
        raise SettingsError(
            f"no detector of ours knows the class '{label}': name the file of one with --teachers"
        )
    return detectors


def find_candidates(
    image: Image,
    detectors: Sequence[Detector],
    label: str | None,
    turns: Sequence[int] = TURNS,
    widening: float = 1.0,
) -> Candidates:
    """Return what the detectors take for objects of a class, in all scales and turns.

    A detector's turned copies count as a source of their own: what it sees upright and lying is
    hardly there by chance.

    Args:
        image: A BGR image.
        detectors: The detectors.
        label: The class; None: whatever they detect.
        turns: Quarter turns at which they see the image; the first is 0.
        widening: How many times wider than stored they see the image.
    """
    scales = _SCALES if max(image.shape[:2]) < _ENLARGED_BELOW_PX else _SCALES[:1]
    rows: list[tuple[float, ...]] = []
    for number, detector in enumerate(detectors):
        views = [(scale, 0) for scale in scales] + [(1.0, turn) for turn in turns[1:]]
        for scale, turn in views:
            source = 2 * number + (turn > 0)
            lowest = _LOWEST_TURNED_SCORE if turn else _LOWEST_SCORE
            seen = turned(_scaled(image, scale, widening), turn)
            ratios = [a / b for a, b in zip(_size(image, turn), _size(seen, 0), strict=True)]
            for detection in detector.detect(seen, lowest):
                if label in (None, detection.label):
                    box = turned_back(detection.box.scaled(*ratios), turn, _size(image, 0))
                    rows.append((*box.as_tuple(), detection.score, source))
    return np.array(rows, np.float32).reshape(-1, _COLUMNS)


def _scaled(image: Image, scale: float, widening: float) -> Image:
    if scale == widening == 1.0:
        return image
    columns, rows = _size(image, 0)
    width, height = columns * scale * math.sqrt(widening), rows * scale / math.sqrt(widening)
    size = max(1, round(width)), max(1, round(height))
    return np.asarray(cv2.resize(image, size), np.uint8)


def _size(image: Image, turn: int) -> tuple[int, int]:
    """Return width and height of an image after quarter turns."""
    rows, columns = image.shape[:2]
    return (rows, columns) if turn % 2 else (columns, rows)


def turned(image: Image, turn: int) -> Image:
    """Return the image after a number of quarter turns, counterclockwise."""
    return np.ascontiguousarray(np.rot90(image, turn)) if turn else image


def turned_back(box: Box, turn: int, size: tuple[int, int]) -> Box:
    """Return a box of a turned image in the image before.

    Args:
        box: A box in the turned image.
        turn: Quarter turns, counterclockwise.
        size: Width and height of the image before.
    """
    width, height = size
    left, top, right, bottom = box.as_tuple()
    if turn == 1:
        left, top, right, bottom = width - bottom, left, width - top, right
    elif turn == 2:
        left, top, right, bottom = width - right, height - bottom, width - left, height - top
    elif turn == 3:
        left, top, right, bottom = top, height - right, bottom, height - left
    return type(box)(left, top, right, bottom)


def cached_candidates(
    images: Sequence[AnnotatedImage],
    cache: Path,
    proposers: str,
    find: Callable[[Image], Candidates],
    report: Callable[[str], None],
) -> list[Candidates]:
    """Return the candidates of each image; searches only images that the cache does not hold.

    It is saved now and then, and when it is interrupted: searching takes seconds for ten images.

    Args:
        images: The images.
        cache: An .npz file. What is not needed for these images is dropped from it.
        proposers: Identity of the detectors. Others, or other pixels, make another entry.
        find: Returns the candidates of an image.
        report: Called with lines about the progress.

    Raises:
        SettingsError: The cache is damaged.
        SourceError: An image cannot be read.
        SinkError: The cache cannot be written.
    """
    keys = [_key(image, proposers) for image in images]
    known = _read(cache)
    current = {key: known[key] for key in keys if key in known}
    missing = [(key, image) for key, image in zip(keys, images, strict=True) if key not in known]
    try:
        for number, (key, image) in enumerate(missing, 1):
            current[key] = find(read_image(image.path))
            if number % _SAVE_EVERY == 0:
                _write(current, cache)
                report(f"searched {number} of {len(missing)} images for candidates")
    finally:
        if missing and current:
            _write(current, cache)
    return [current[key] for key in keys]


def identity(names: Sequence[str], weights: Weights, *settings: object) -> str:
    """Return what distinguishes these detectors, with these settings, from others."""
    choices = map(DetectorChoice.of, names)
    files = [Path(choice.name).read_bytes() for choice in choices if choice.is_file]
    files += [weights.read(name) for name in sorted(weights.used)]
    digests = [hashlib.sha256(content).hexdigest() for content in files]
    return json.dumps([list(names), digests, *map(str, settings)])


def _key(image: AnnotatedImage, proposers: str) -> str:
    try:
        content = image.path.read_bytes()
    except OSError as error:
        raise SourceError(f"{image.path}: cannot read this image ({reason_of(error)})") from error
    return hashlib.sha256(content + proposers.encode()).hexdigest()


def _read(file: Path) -> dict[str, Candidates]:
    if not file.is_file():
        return {}
    try:
        with np.load(file, allow_pickle=False) as arrays:
            keys, ends, rows = arrays["keys"], arrays["ends"], arrays["rows"]
        parts = np.split(rows.reshape(-1, _COLUMNS), ends[:-1])
        return dict(zip(keys.tolist(), parts, strict=True))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise SettingsError(
            f"{file}: damaged, or of another version: delete it, and the images are searched again"
        ) from error


def _write(entries: Mapping[str, Candidates], file: Path) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        keys=np.array(list(entries)),
        ends=np.cumsum([len(rows) for rows in entries.values()]),
        rows=np.concatenate(list(entries.values())),
    )
    with replacing(file, overwrite=True) as partial:
        partial.write_bytes(buffer.getbuffer())
