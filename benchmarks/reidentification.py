"""Measures how often a redacted face is still recognized, for each method.

    python benchmarks/reidentification.py [--trained | --plates] [--shared FOLDER] [--only WORD]

With --trained, networks that learned from redacted faces attack: see trained_attack.py. With
--plates, they read plates: see trained_plates.py. Without, no one learned anything, and the figures
say little about who did.

Attackers, after McPherson et al. 2016 (arXiv 1609.00408): each redacted face, the probe, is
compared with a gallery of known faces, and the nearest one names it (top-1).

- clear: a face recognizer (MobileFaceNet) against clear faces.
- parrot: the same, against faces that were redacted in the same way.
- pixels: correlation of 24x24 pixels, against faces that were redacted in the same way.
- frames: as clear, but a probe is the average of up to 24 frames of a face (videos only).

Data, all from the folder with test material next to the checkout:

- photos: people photographed on different occasions. They show what the face itself still reveals.
  The recognizer, on clear images aligned by landmarks, decided who is the same person; the result
  was checked by eye. People with a single photo are bystanders.
- videos: tracks of the annotated clips. The gallery is the first third of each track, the probes
  are its last third. Light, hair and clothes are the same in both. They show what links two
  appearances in one recording.

The attacker knows the face's box and sees only the hidden area, never the surroundings.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame, Image, Orientation, PixelLayout, Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARED = Path(__file__).resolve().parents[2] / "shared"
CLIPS = (  # not montage_cuts, which consists of others, and no_faces
    "dancer.mp4", "david.mp4", "faceocc2.mp4", "portrait_turning.mp4", "runner_portrait.mp4",
    "signer.mkv", "street_crowd.mp4", "two_heads.mp4", "walkers_1080p.mp4", "walking_pause.mp4",
    "webcam.mp4",
)  # fmt: skip
MIN_FACE_PX = 32
MIN_TRACK_FRAMES = 24
VIEWS_PER_TRACK = 4
COMBINED_FRAMES = 24
SAME_PERSON_COSINE = 0.5
SAME_RECORDING_CORRELATION = 0.5
TEMPLATE = np.array(  # landmarks in the recognizer's 112x112 input (ArcFace)
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]], np.float32,
)  # fmt: skip
METHODS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"gaussian, factor {f:g}", {"method": "gaussian", "factor": f}) for f in (6, 3, 1.5)),
    *(
        (f"pixelated, blocks {blocks}", {"method": "pixelated", "blocks": blocks})
        for blocks in (20, 16, 12, 10, 8, 6, 5, 4, 3)
    ),
    ("fog", {"method": "fog"}),
    ("solid", {"method": "solid"}),
)
# Hard edges and wide padding, so that the attacker sees nothing clear.
HIDING = {"shape": "rectangle", "padding_ratio": 0.4, "feather_ratio": 0.0}

Pixels = npt.NDArray[np.uint8]
Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """One appearance of a person: an image (red, green, blue) and the face's box in it."""

    image: Pixels
    box: Box


@dataclass(frozen=True)
class Trial:
    """Who is compared with whom.

    Attributes:
        entries: the samples of each probe and gallery entry: one, or frames to be averaged.
        allowed: (i, j): whether entry j is in the gallery when entry i is the probe.
        same: (i, j): whether both show the same person.
    """

    entries: list[list[int]]
    allowed: npt.NDArray[np.bool_]
    same: npt.NDArray[np.bool_]

    @property
    def probes(self) -> npt.NDArray[np.bool_]:
        """Which entries can be recognized: their gallery has the same person."""
        found: npt.NDArray[np.bool_] = (self.allowed & self.same).any(axis=1)
        return found

    @property
    def chance(self) -> float:
        """How often a random pick from the gallery is right."""
        right = (self.allowed & self.same)[self.probes].sum(axis=1)
        return float((right / self.allowed[self.probes].sum(axis=1)).mean())

    def images(self, crops: Sequence[Pixels]) -> list[Pixels]:
        """Return each entry's image."""
        means = [np.mean([crops[i] for i in entry], axis=0) for entry in self.entries]
        return [np.rint(mean).astype(np.uint8) for mean in means]

    def top1(self, probes: Features, gallery: Features) -> float:
        """Return the share of probes whose nearest gallery entry is the same person."""
        nearest = np.where(self.allowed, probes @ gallery.T, -np.inf).argmax(axis=1)
        right = self.same[np.arange(len(nearest)), nearest]
        return float(right[self.probes].mean())


class ArrayFrame(Frame):
    """An RGB array as a frame."""

    def __init__(self, image: Pixels) -> None:
        self.index, self.pts, self.time_base = 0, 0, Fraction(1)
        self.layout, self.orientation = PixelLayout("rgb"), Orientation.UPRIGHT
        self._image = image

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self._image.shape[1], self._image.shape[0]

    def view(self, size: tuple[int, int]) -> Image:
        """Return the image, scaled."""
        return np.asarray(cv2.resize(self._image[..., ::-1], size), np.uint8)

    def planes(self) -> tuple[Plane, ...]:
        """Return the array's channels."""
        return tuple(Plane(self._image[..., channel]) for channel in range(3))


class Recognizer:
    """MobileFaceNet: 128 numbers that are similar for one person."""

    def __init__(self, models: Path) -> None:
        self._network = cv2.dnn.readNetFromONNX(str(models / "mobilefacenet.onnx"))

    def features(self, crops: Sequence[Pixels]) -> Features:
        """Return unit vectors, one row for each 112x112 RGB crop."""
        rows = []
        for start in range(0, len(crops), 32):
            batch = list(crops[start : start + 32])
            blob = cv2.dnn.blobFromImages(batch, 1 / 128, (112, 112), (127.5, 127.5, 127.5))
            self._network.setInput(blob)
            rows.append(self._network.forward().reshape(len(batch), -1))
        return _unit(np.vstack(rows))


def pixel_features(crops: Sequence[Pixels], side: int = 24) -> Features:
    """Return reduced crops as unit vectors with mean 0: their product is the correlation."""
    small = [cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA) for crop in crops]
    rows = np.stack(small).reshape(len(crops), -1).astype(np.float32)
    return _unit(rows - rows.mean(axis=1, keepdims=True))


def _unit(rows: npt.NDArray[Any]) -> Features:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-6), np.float32)


def attacked(sample: Sample, redactor: FrameRedactor | None) -> Pixels:
    """Return what the attacker sees, aligned for the recognizer as well as a box allows.

    In the median of the 428 faces of the photos, the recognizer's input is a square of 1.19 times
    the box's size, with its center 0.42 down the box.
    """
    image, box = sample.image, sample.box
    if redactor is not None:
        image = image.copy()
        redactor.redact(ArrayFrame(image), [Face(0, box, 1.0, Origin.DETECTED)])
    scale = 112 / (1.19 * box.size)
    x, y = box.center[0], box.top + 0.42 * box.height
    matrix = np.array([[scale, 0, 56 - x * scale], [0, scale, 56 - y * scale]], np.float32)
    if scale < 0.7:  # bilinear sampling would alias
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    return np.asarray(
        cv2.warpAffine(image, matrix, (112, 112), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _cropped(image: Pixels, box: Box) -> Sample:
    left, top, right, bottom = box.padded(0.4).clipped(*image.shape[1::-1]).outward()
    return Sample(np.ascontiguousarray(image[top:bottom, left:right]), box.moved(-left, -top))


def read_videos(folder: Path) -> tuple[list[Sample], Trial, Trial]:
    """Return appearances in the clips, the trial of single frames, and that of averages."""
    samples: list[Sample] = []
    parts: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for clip in CLIPS:
        wanted = _wanted_frames(folder / f"{Path(clip).stem}.csv")
        with av.open(str(folder / clip)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                for track, part, box in wanted.get(index, ()):
                    parts[clip, track, part].append(len(samples))
                    samples.append(_cropped(frame.to_ndarray(format="rgb24"), box))
    singles = [
        (key, [found[i]])
        for key, found in parts.items()
        for i in np.linspace(0, len(found) - 1, VIEWS_PER_TRACK).astype(int)
    ]
    return samples, _last_against_first(singles), _last_against_first(list(parts.items()))


def _wanted_frames(truth: Path) -> dict[int, list[tuple[str, str, Box]]]:
    tracks: dict[str, list[tuple[int, Box]]] = defaultdict(list)
    with truth.open(newline="") as file:
        for row in csv.DictReader(file):
            box = Box.from_xywh(*(float(row[name]) for name in "xywh"))
            if box.width >= MIN_FACE_PX:
                tracks[row["track"]].append((int(row["frame"]), box))
    wanted: dict[int, list[tuple[str, str, Box]]] = defaultdict(list)
    for track, found in tracks.items():
        third = len(found) // 3
        if len(found) >= MIN_TRACK_FRAMES:
            for frame, box in found[:third][:COMBINED_FRAMES]:
                wanted[frame].append((track, "first", box))
            for frame, box in found[-third:][-COMBINED_FRAMES:]:
                wanted[frame].append((track, "last", box))
    return wanted


def _last_against_first(entries: list[tuple[tuple[str, str, str], list[int]]]) -> Trial:
    people = [key[:2] for key, _ in entries]
    is_first = np.array([key[2] == "first" for key, _ in entries])
    same = np.array([[one == other for other in people] for one in people])
    return Trial([found for _, found in entries], np.outer(~is_first, is_first), same)


def read_photos(folder: Path, models: Path, recognizer: Recognizer) -> tuple[list[Sample], Trial]:
    """Return one face of each photo, and the trial of each against all other occasions."""
    detector = cv2.FaceDetectorYN.create(
        str(models / "face_detection_yunet_2023mar.onnx"), "", (320, 320), 0.6
    )
    samples, aligned, scenes = [], [], []
    files = [*folder.glob("deepface_tests/*.jpg"), *folder.glob("youtube_faces_p1/*.jpg")]
    for file in sorted(files):
        image = cv2.imread(str(file))
        detector.setInputSize(image.shape[1::-1])
        faces = detector.detect(image)[1]
        if faces is None or (len(faces) > 1 and file.parent.name == "deepface_tests"):
            continue
        face = max(faces, key=lambda found: float(found[2] * found[3]))
        image = np.ascontiguousarray(image[..., ::-1])
        samples.append(_cropped(image, Box.from_xywh(*map(float, face[:4]))))
        landmarks = face[4:14].reshape(5, 2)
        matrix, _ = cv2.estimateAffinePartial2D(landmarks, TEMPLATE, method=cv2.LMEDS)
        aligned.append(np.asarray(cv2.warpAffine(image, matrix, (112, 112)), np.uint8))
        scenes.append(image)
    mirrored = [np.ascontiguousarray(face[:, ::-1]) for face in aligned]
    features = _unit(recognizer.features(aligned) + recognizer.features(mirrored))
    _, people = connected_components(features @ features.T > SAME_PERSON_COSINE)
    same = people[:, None] == people
    scene = pixel_features(scenes, 32)
    one_recording = same & (scene @ scene.T > SAME_RECORDING_CORRELATION)
    return samples, Trial([[i] for i in range(len(samples))], ~one_recording, same)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with test material")
    parser.add_argument("--only", default="", help="only methods whose name contains this")
    parser.add_argument("--trained", action="store_true", help="attackers that learned")
    parser.add_argument("--plates", action="store_true", help="readers of plates that learned")
    parser.add_argument("--linear", action="store_true", help="only a linear attacker")
    parser.add_argument("--speed", type=float, default=1.0, help="learn this much shorter")
    arguments = parser.parse_args()
    if arguments.plates:
        import trained_plates

        trained_plates.report(arguments.only, arguments.speed, arguments.linear)
        return
    if arguments.trained:
        from trained_attack import report, report_linear

        if arguments.linear:
            report_linear(arguments.shared, arguments.only)
            return
        report(arguments.shared, arguments.only, arguments.speed)
        return
    models = arguments.shared / "models"
    recognizer = Recognizer(models)
    photos, occasions = read_photos(arguments.shared / "faces", models, recognizer)
    videos, frames, tracks = read_videos(arguments.shared / "videos")
    people = len({tuple(row) for row in occasions.same[occasions.probes]})
    print(f"photos: {people} people, {occasions.probes.sum()} probes, {len(photos)} in the gallery")
    print(f"videos: {tracks.probes.sum()} tracks, {frames.probes.sum()} probes\n")
    print(f"{'top-1, percent':22}|{'photos: clear parrot pixels':>28} |", end="")
    print(f"{'videos: clear parrot pixels frames':>35}")

    clear: dict[int, Features] = {}  # features of the clear faces, by trial
    for name, choice in (("none", None), *METHODS):
        if choice is not None and arguments.only not in name:
            continue
        redactor = None if choice is None else FrameRedactor(Settings(**HIDING, **choice))
        figures = []
        of_photos = [attacked(sample, redactor) for sample in photos]
        of_videos = [attacked(sample, redactor) for sample in videos]
        for index, (trial, crops) in enumerate(
            ((occasions, of_photos), (frames, of_videos), (tracks, of_videos))
        ):
            images = trial.images(crops)
            features, pixels = recognizer.features(images), pixel_features(images)
            figures.append(trial.top1(features, clear.setdefault(index, features)))
            if trial is not tracks:
                figures.append(trial.top1(features, features))
                figures.append(trial.top1(pixels, pixels))
        cells = [f"{100 * figure:7.0f}" for figure in figures]
        print(f"{name:22}|{''.join(cells[:3]):>28} |{''.join(cells[3:]):>35}", flush=True)
    chances = [100 * trial.chance for trial in (occasions, frames, tracks)]
    print(f"\nchance: photos {chances[0]:.1f}, videos {chances[1]:.1f}, frames {chances[2]:.1f}")


if __name__ == "__main__":
    main()
