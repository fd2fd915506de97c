"""Attacks each method with networks that learned from its own output.

    python benchmarks/reidentification.py --trained [--shared FOLDER] [--only WORD] [--linear]

The attacker sees the hidden area and nothing else, aligned by the face's box, and may redact as
many faces as wanted to learn from. Everything is seeded. Attacks:

- closed: who of 118 people is it? The networks learn from eight redacted pictures of each and name
  the rest. *30 frames*: the boxes tremble as a detector's do, and the attacker adds up 30 frames,
  aligned by their boxes, on a finer grid than the blocks' (shift and add).
- open: whose clear face is it? The networks learn on 1,300 other people what a recognizer makes of
  the clear face, and then compare a redacted face with clear pictures of people they never saw, and
  with the same pictures redacted by the attacker.
- recording: which of the tracks in the annotated clips, those of color, is it? It learns from the
  frames of the first third of each track and names those of the last third. *mean color*: by that
  alone.

A frame shows how large a face is, whatever hides it, so all faces are scaled to one size before
they are redacted. What their size alone reveals in a recording is the last line.

With --linear, only a linear discriminant attacks the closed set: seconds a method, not minutes.

Controls: the clear face, the recognizer itself, a flat color, and what surrounds the hidden area.
Intervals are of 95 %, from drawing people (or tracks) again.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import torch
from attackers import (
    EMBEDDING,
    Canvases,
    Discriminant,
    Figure,
    Floats,
    Network,
    Perceptron,
    equal_error_rate,
    joined,
    log_shares,
    outputs_of,
    rank_1,
    train_classifier,
    train_embedder,
    with_new_head,
)

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame, Image, Orientation, PixelLayout, Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.redaction.areas import hidden_area, turns
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import FACE, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

METHODS: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("clear", None),
    *(
        (f"pixelated, {blocks} blocks", {"method": "pixelated", "blocks": blocks})
        for blocks in (20, 12, 5, 3, 2)
    ),
    ("gaussian, factor 3", {"method": "gaussian", "factor": 3.0}),
    ("fog", {"method": "fog"}),
    *(
        (f"mosaic, {tone}", {"method": "mosaic", "tone": tone})
        for tone in ("neutral", "scene", "mean")
    ),
    ("solid", {"method": "solid"}),
    ("context only", {"method": "solid"}),
)
CONTEXT = "context only"
CANVAS = 36, 48  # width and height
BORDER_PX = 70  # around a picture: the hidden area may reach beyond it
LEARNED_PICTURES = 8
VARIANTS = 4  # of each picture to learn from: as it is, with trembling boxes, and an average
ADDED_FRAMES = 30
SHIFT = 0.02  # standard deviation of a trembling box, as a share of its size
TRACK_FRAMES = 24
PADDING = Settings().padding_ratio
AREA_PX = 79.99  # height of a hidden area after scaling; 80 once rounded
GRAY_CLIPS = "david.mp4", "faceocc2.mp4"  # that they are gray shows in all of a frame
SEED = 13

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """A face.

    Attributes:
        image: shape (height, width, channels), 1 or 3 (red, green, blue).
        box: of the face in it.
    """

    image: Pixels
    box: Box


class PixelFrame(Frame):
    """An array as a frame; it is redacted in place."""

    def __init__(self, image: Pixels, index: int) -> None:
        self.index, self.pts, self.time_base = index, index, Fraction(1, 25)
        self.layout = PixelLayout("rgb" if image.shape[2] == 3 else "gray")
        self.orientation = Orientation.UPRIGHT
        self._image = image

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self._image.shape[1], self._image.shape[0]

    def view(self, size: tuple[int, int]) -> Image:
        """Not needed: nothing is detected here."""
        raise NotImplementedError

    def planes(self) -> tuple[Plane, ...]:
        """Return the array's channels."""
        return tuple(Plane(self._image[..., i]) for i in range(self._image.shape[2]))


class Camera:
    """Shows an attacker what a method leaves of faces.

    Args:
        options: of the method; None: the clear face.
        is_context: whether the surroundings are shown instead of the hidden area.
        label: the target class.
        size: (width, height) of what the attacker gets.
    """

    def __init__(
        self,
        options: dict[str, Any] | None,
        is_context: bool = False,
        label: str = FACE,
        size: tuple[int, int] = CANVAS,
    ) -> None:
        self._is_context = is_context
        self._label = label
        self._size = size
        self._redactor: FrameRedactor | None = None
        if options is not None:
            self._redactor = FrameRedactor(Settings(**options, feather_ratio=0.0))
        self._index = 0

    def start(self) -> None:
        """Begin with another face: the redactor forgets what it kept."""
        self._index = 0

    def canvas(self, picture: Picture, box: Box | None = None) -> Floats:
        """Return what is seen of the next frame of a face, shape (channels, height, width)."""
        box = picture.box if box is None else box
        image = picture.image
        if self._redactor is not None:
            image = image.copy()
            frame = PixelFrame(image, self._index)
            # One number for all faces: it spares the attacker what differs for no reason.
            self._redactor.redact(frame, [Face(0, box, 1.0, Origin.DETECTED, label=self._label)])
        self._index += 1
        area = _area(box, self._label)
        if self._is_context:
            area = area.padded(0.35)
        width, height = self._size
        scale_x, scale_y = width / area.width, height / area.height
        left, top, right, bottom = area.padded(0.1).clipped(*image.shape[1::-1]).outward()
        crop = image[top:bottom, left:right]
        if not self._is_context:
            crop = self._hidden_part(crop, area.moved(-left, -top))
        if scale_x < 0.7:  # sampling would alias
            crop = cv2.GaussianBlur(crop, (0, 0), 0.4 / scale_x, borderType=cv2.BORDER_REPLICATE)
        matrix = np.array(
            [
                [scale_x, 0, (left - area.left + 0.5) * scale_x - 0.5],
                [0, scale_y, (top - area.top + 0.5) * scale_y - 0.5],
            ]
        )
        seen = cv2.warpAffine(crop, matrix, self._size, borderMode=cv2.BORDER_REPLICATE)
        seen = seen.reshape(height, width, -1).astype(np.float32)
        return np.ascontiguousarray(seen.transpose(2, 0, 1))

    def _hidden_part(self, crop: Pixels, area: Box) -> Pixels:
        """Return the crop without what is not hidden, before any filter mixes the two."""
        x = (np.arange(crop.shape[1], dtype=np.float32) + 0.5 - area.center[0]) / area.width * 2
        y = (np.arange(crop.shape[0], dtype=np.float32) + 0.5 - area.center[1]) / area.height * 2
        if self._label == FACE:
            is_hidden = x**2 + y[:, None] ** 2 <= 1
        else:
            is_hidden = np.maximum(np.abs(x), np.abs(y)[:, None]) <= 1
        return np.where(is_hidden[..., None], crop, np.uint8(128))

    def exact(self, picture: Picture) -> Floats:
        """Return the face as it is seen in a picture of its own."""
        self.start()
        return self.canvas(picture)

    def added(self, picture: Picture, frames: int, random: np.random.Generator) -> Floats:
        """Return the mean of frames in which the box trembles."""
        self.start()
        total = sum(self.canvas(picture, _trembling(picture.box, random)) for _ in range(frames))
        return np.asarray(total / frames, np.float32)

    def variants(self, pictures: Sequence[Picture], seed: int) -> Canvases:
        """Return each picture several times; first as it is, and at last an average."""
        random = np.random.default_rng(seed)
        return _canvases(
            [
                [
                    self.exact(picture),
                    *(self.added(picture, 1, random) for _ in range(VARIANTS - 2)),
                    self.added(picture, 8, random),
                ]
                for picture in pictures
            ]
        )


def _area(box: Box, label: str) -> Box:
    return hidden_area(box, label, PADDING, turns(box, label, None))


def _trembling(box: Box, random: np.random.Generator) -> Box:
    x, y, grow = random.normal(0, SHIFT, 3) * box.size
    return Box(box.left + x - grow, box.top + y - grow, box.right + x + grow, box.bottom + y + grow)


def _canvases(rows: list[list[Floats]]) -> Canvases:
    return np.asarray(np.clip(np.rint(np.array(rows)), 0, 255), np.uint8)


@dataclass(frozen=True)
class People:
    """Pictures of people.

    Attributes:
        pictures: all of them.
        who: the number of each picture's person, from 0.
        place: which of the person's pictures it is, from 0.
        clear: embeddings of the clear faces by the recognizer.
    """

    pictures: list[Picture]
    who: npt.NDArray[np.intp]
    place: npt.NDArray[np.intp]
    clear: Floats


def read_people(
    folder: Path, detector: Any, recognizer: Any | None = None, step: int = 1
) -> People:
    """Read the folders of gray pictures of every `step`-th person.

    Without a recognizer, there are no embeddings.
    """
    pictures, who, place, crops = [], [], [], []
    folders = sorted(path for path in folder.iterdir() if path.is_dir())[::step]
    for number, person in enumerate(folders):
        for count, file in enumerate(sorted(person.glob("*.jpg"))):
            gray = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            gray = cv2.copyMakeBorder(gray, *[BORDER_PX] * 4, cv2.BORDER_REPLICATE)
            rgb = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
            detector.setInputSize(gray.shape[::-1])
            faces = detector.detect(rgb)[1]
            if faces is None:
                continue
            # The face in the middle: others may look in from the side.
            face = min(faces, key=lambda f: abs(f[0] + f[2] / 2 - gray.shape[1] / 2))
            box = Box.from_xywh(*map(float, face[:4]))
            pictures.append(_scaled(gray[..., None], box))
            who.append(number)
            place.append(count)
            crops.append(_recognizer_crop(rgb, box))
    clear = np.empty((0, EMBEDDING), np.float32)
    if recognizer is not None:
        clear = recognizer.features(crops)
    return People(pictures, np.array(who), np.array(place), clear)


def _recognizer_crop(rgb: Pixels, box: Box) -> Pixels:
    from reidentification import Sample, attacked

    return attacked(Sample(rgb, box), None)


@dataclass(frozen=True)
class Gallery:
    """Pictures of known people, for comparison.

    Attributes:
        clear: embeddings of the clear pictures.
        redacted: the same pictures, redacted by the attacker, one variant each.
        who: the number of each picture's person, from 0.
    """

    clear: Floats
    redacted: Canvases
    who: npt.NDArray[np.intp]


def fit_of(
    networks: Sequence[Any],
    probes: Canvases,
    cohort: Canvases,
    gallery: Gallery,
) -> Floats:
    """Return how well each redacted face fits each person of a gallery.

    Args:
        networks: embedders.
        probes: redacted faces, one variant each.
        cohort: redacted faces of other people: how any face fits a person.
        gallery: the people; no picture of it may be a probe, nor may it depend on one.
    """
    parts = []
    for network in networks:
        found, others, views = (
            _unit(outputs_of(network, part)[:, 0]) for part in (probes, cohort, gallery.redacted)
        )
        usual = others.mean(axis=0)
        parts.append(0.3 * fit(found, others, gallery.clear, gallery.who))
        centered = (_unit(part - usual) for part in (found, others, views))
        parts.append(fit(*centered, gallery.who))
    return np.asarray(sum(parts), np.float32)


def fit(
    found: Floats,
    others: Floats,
    gallery: Floats,
    who: npt.NDArray[np.intp],
) -> Floats:
    """Return the fit of embeddings to people's means, relative to that of other people's."""
    sums = np.zeros((int(who.max()) + 1, gallery.shape[1]), np.float32)
    np.add.at(sums, who, gallery)
    templates = _unit(sums)
    scores, usual = found @ templates.T, others @ templates.T
    return np.asarray((scores - usual.mean(axis=0)) / (usual.std(axis=0) + 1e-3), np.float32)


def _unit(rows: Any) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-6), np.float32)


@dataclass(frozen=True)
class Recording:
    """Faces of the tracks in the annotated clips, scaled to one size.

    Attributes:
        first: those of the first third of each track.
        last: those of the last third.
        sizes: median size of the hidden area in pixels, before; shape (2, tracks).
    """

    first: list[list[Picture]]
    last: list[list[Picture]]
    sizes: Floats


def read_recording(folder: Path) -> Recording:
    """Read the clips' tracks."""
    from reidentification import CLIPS, _wanted_frames

    found: dict[tuple[str, str], dict[str, list[Picture]]] = defaultdict(lambda: defaultdict(list))
    sizes: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for clip in sorted({*CLIPS} - {*GRAY_CLIPS}):
        wanted = _wanted_frames(folder / f"{Path(clip).stem}.csv")
        with av.open(str(folder / clip)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                if index not in wanted:
                    continue
                image = frame.to_ndarray(format="rgb24")
                for track, part, box in wanted[index]:
                    sizes[clip, track][part].append(_area(box, FACE).height)
                    found[clip, track][part].append(_scaled(image, box))
    tracks = sorted(found)
    medians = [[np.median(sizes[key][part]) for key in tracks] for part in ("first", "last")]
    return Recording(
        [found[key]["first"] for key in tracks],
        [found[key]["last"] for key in tracks],
        np.array(medians, np.float32),
    )


def _scaled(image: Pixels, box: Box) -> Picture:
    """Return a face in the middle of a picture that also shows what the scene's color is."""
    ratio, side = AREA_PX / _area(box, FACE).height, round(3.6 * AREA_PX)
    left, top, right, bottom = box.padded(3).clipped(*image.shape[1::-1]).outward()
    crop = image[top:bottom, left:right]
    if ratio < 0.7:  # sampling would alias
        crop = cv2.GaussianBlur(crop, (0, 0), 0.4 / ratio)
    x, y = box.center[0] - left, box.center[1] - top
    matrix = np.array([[ratio, 0, side / 2 - x * ratio], [0, ratio, side / 2 - y * ratio]])
    scaled = cv2.warpAffine(crop, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    middle = side / 2, side / 2
    scaled = scaled.reshape(side, side, -1)
    return Picture(scaled, Box.around(middle, box.width * ratio, box.height * ratio))


def attack_recording(camera: Camera, recording: Recording, epochs: int) -> list[Figure]:
    """Return rank-1 of the trained attacker on frames and on whole tracks, and by mean color."""
    parts = []
    for tracks in (recording.first, recording.last):
        rows = []
        for pictures in tracks:
            camera.start()  # an appearance of its own
            rows.append([camera.canvas(picture) for picture in pictures[:TRACK_FRAMES]])
        parts.append(rows)
    count = len(recording.first)
    learned = _canvases([[seen] for rows in parts[0] for seen in rows])
    who = np.repeat(np.arange(count), [len(rows) for rows in parts[0]])
    probes = _canvases([[seen] for rows in parts[1] for seen in rows])
    truth = np.repeat(np.arange(count), [len(rows) for rows in parts[1]])
    torch.manual_seed(SEED)
    network = Network(3, count)
    # Mirrored light is another one, so pictures stay as they are.
    train_classifier(network, learned, who, epochs, SEED, mirrored=False)
    votes = joined(
        [
            log_shares(outputs_of(network, probes)[:, 0]),
            log_shares(Discriminant(learned, who, 40).scores(probes)[:, 0], 10.0),
        ]
    )
    together = np.stack([votes[truth == track].mean(axis=0) for track in range(count)])
    colors = [np.array([np.mean(rows, axis=(0, 2, 3)) for rows in part]) for part in parts]
    near = -np.linalg.norm(colors[1][:, None] - colors[0][None], axis=2)
    tracks = np.arange(count)
    return [
        rank_1(votes, truth, truth),
        rank_1(together, tracks, tracks),
        rank_1(near.astype(np.float32), tracks, tracks),
    ]


def report_linear(shared: Path, only: str) -> None:
    """Print what a linear discriminant names in the closed set, in Markdown.

    Args:
        shared: folder with test material.
        only: as in `report`.
    """
    cv2.setNumThreads(1)
    known = read_people(shared / "identities" / "known", _detector(shared))
    learns = known.place < LEARNED_PICTURES
    truth, who = known.who[~learns], known.who[learns]
    print("| method | closed rank-1 | closed EER | verdict |\n|---|---|---|---|")
    for name, options in chosen_methods(only).items():
        camera, random = Camera(options, name == CONTEXT), np.random.default_rng(SEED)
        learned = _canvases(
            [
                [camera.exact(known.pictures[i]), camera.added(known.pictures[i], 1, random)]
                for i in np.flatnonzero(learns)
            ]
        )
        seen = _canvases([[camera.exact(known.pictures[i])] for i in np.flatnonzero(~learns)])
        scores = Discriminant(learned, who).scores(seen)[:, 0]
        figures = rank_1(scores, truth, truth), equal_error_rate(scores, truth, truth)
        is_at_chance = all(figure.is_at_chance for figure in figures)
        verdict = "**at chance**" if is_at_chance else "above chance"
        print(f"| {name} | {figures[0]} | {figures[1]} | {verdict} |", flush=True)
    print(f"| *chance* | {100 / (known.who.max() + 1):.1f} | 50 | |")


def _detector(shared: Path) -> Any:
    model = shared / "models" / "face_detection_yunet_2023mar.onnx"
    return cv2.FaceDetectorYN.create(str(model), "", (320, 320), 0.6)


def chosen_methods(only: str) -> dict[str, dict[str, Any] | None]:
    """Return the methods whose name contains a word, or one of several with | between them."""
    return {name: options for word in only.split("|") for name, options in METHODS if word in name}


def report(shared: Path, only: str, speed: float) -> None:
    """Print the table, in Markdown.

    Args:
        shared: folder with test material.
        only: methods whose name contains this, or one of several words with | between them.
        speed: divides how long the networks learn; its root, from how many other people.
    """
    from reidentification import Recognizer

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    recognizer = Recognizer(shared / "models")
    detector = _detector(shared)
    known = read_people(shared / "identities" / "known", detector, recognizer)
    step = max(1, round(speed**0.5))
    others = read_people(shared / "identities" / "others", detector, recognizer, step)
    recording = read_recording(shared / "videos")
    learns = known.place < LEARNED_PICTURES
    print(
        f"{known.who.max() + 1} people, {len(known.who)} pictures, {(~learns).sum()} probes of the "
        f"closed set; {len(others.who)} pictures of {others.who.max() + 1} others; "
        f"{len(recording.first)} tracks\n"
    )
    columns = (
        "closed rank-1", "closed, 30 frames", "open rank-1", "open EER", "open, 30 frames", "EER",
        "recording: frame", "recording: track", "recording: mean color",
    )  # fmt: skip
    print(f"| method | {' | '.join(columns)} | verdict |\n|{'---|' * (len(columns) + 2)}")
    scores = fit(known.clear[~learns], others.clear, known.clear[learns], known.who[learns])
    truth = known.who[~learns]
    figures = [rank_1(scores, truth, truth), equal_error_rate(scores, truth, truth)]
    print(f"| clear, the recognizer | | | {figures[0]} | {figures[1]} | | | | | | |", flush=True)
    for name, options in chosen_methods(only).items():
        begin = time.monotonic()
        figures = attack(Camera(options, name == CONTEXT), known, others, recording, speed)
        above = [column for column, f in zip(columns, figures, strict=True) if not f.is_at_chance]
        verdict = f"above chance: {', '.join(above)}" if above else "**at chance**"
        print(f"| {name} | {' | '.join(map(str, figures))} | {verdict} |", flush=True)
        print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    one_of, track_of = (
        f"{100 / count:.1f}" for count in (known.who.max() + 1, len(recording.first))
    )
    chances = [one_of, one_of, one_of, "50", one_of, "50", track_of, track_of, track_of, ""]
    print(f"| *chance* | {' | '.join(chances)} |")
    first, last = np.log(recording.sizes)
    tracks = np.arange(len(first))
    by_size = rank_1(-np.abs(last[:, None] - first[None]), tracks, tracks)
    print(f"\nBy its size alone, a track of a recording is named in {by_size} %.")


def attack(
    camera: Camera, known: People, others: People, recording: Recording, speed: float
) -> list[Figure]:
    """Return the figures of one method, in the order of the table's columns."""
    learns = known.place < LEARNED_PICTURES
    people = int(known.who.max()) + 1
    random = np.random.default_rng(SEED)
    probes = [known.pictures[i] for i in np.flatnonzero(~learns)]
    truth, who = known.who[~learns], known.who[learns]
    of_others = camera.variants(others.pictures, SEED)
    learned = camera.variants([known.pictures[i] for i in np.flatnonzero(learns)], SEED + 1)
    exact = _canvases([[camera.exact(picture)] for picture in probes])
    many = _canvases([[camera.added(picture, ADDED_FRAMES, random)] for picture in probes])

    torch.manual_seed(SEED)
    shape = learned.shape[2:]
    network, perceptron = Network(shape[0], EMBEDDING), Perceptron(shape, EMBEDDING)
    train_embedder(network, of_others, others.clear, others.who, round(14 / speed), SEED)
    train_embedder(perceptron, of_others, others.clear, others.who, round(25 / speed), SEED)
    embedders = network, perceptron
    fits = [
        fit_of(
            embedders,
            seen,
            of_others[:, variant : variant + 1],
            Gallery(known.clear[learns], learned[:, variant : variant + 1], who),
        )
        for seen, variant in ((exact, 0), (many, VARIANTS - 1))
    ]
    figures = [
        measure(fitting, truth, truth) for fitting in fits for measure in (rank_1, equal_error_rate)
    ]

    torch.manual_seed(SEED)
    classifiers = with_new_head(network, people), Perceptron(shape, people)
    for classifier in classifiers:
        train_classifier(classifier, learned, who, round(40 / speed), SEED)
    discriminant = Discriminant(learned, who)
    closed = []
    for seen, fitting in zip((exact, many), fits, strict=True):
        votes = [log_shares(outputs_of(classifier, seen)[:, 0]) for classifier in classifiers]
        votes.append(log_shares(discriminant.scores(seen)[:, 0], 10.0))
        closed.append(rank_1(joined([2 * joined(votes[:1]), *votes[1:], fitting]), truth, truth))
    return [*closed, *figures, *attack_recording(camera, recording, round(40 / speed))]
