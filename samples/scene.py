"""Scenes of people in front of a backdrop, rendered together with the true boxes of their faces.

A scene is data: who is in it, where each face is at which time, what is behind and in front of
them. The same scene always renders to the same frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from portraits import Appearance, CutOut, Pixels, Ratios, cut_out, face_span
from scipy.interpolate import PchipInterpolator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

VISIBLE_SHARE = 0.5  # of a face must be visible for it to be in the ground truth
LARGEST_YAW = 75.0  # degrees; a face that is turned further is only a cheek
DARKEST_LIGHT = 0.25
SUB_FRAMES = 13  # of an open shutter; odd, so that one of them is in the middle


class Key(NamedTuple):
    """Where a face is at one time.

    Attributes:
        seconds: since the start of the scene.
        x: center of the face, in pixels of the frame.
        y: center of the face, in pixels of the frame.
        size: height of the face, brow to chin, in pixels.
        tilt: degrees that the person leans to the right of the frame.
        yaw: degrees that the head is turned to the right of the frame.
    """

    seconds: float
    x: float
    y: float
    size: float
    tilt: float = 0.0
    yaw: float = 0.0


@dataclass(frozen=True)
class Actor:
    """A person on a smooth path through keys, which never overshoots them; rests before and after.

    Attributes:
        track: number of the track in the ground truth.
        appearance: how the person looks.
        keys: where the face is at which time.
        steps_hz: steps per second; with each, the head bobs by a twentieth of its size.
    """

    track: int
    appearance: Appearance
    keys: tuple[Key, ...]
    steps_hz: float = 0.0


@dataclass(frozen=True, eq=False)
class Scene:
    """One shot.

    Attributes:
        size: (width, height) in pixels.
        rate: frames per second.
        seconds: length.
        backdrop: BGR, at least as large as the frame.
        actors: from the farthest to the nearest.
        foreground: BGR and alpha, of the frame's size: what is in front of all actors.
        pan: pixels per second that the backdrop moves by, (x, y).
        sway_px: how far the hand that holds the camera shakes it.
        noise: standard deviation of the sensor's noise, in levels of 255.
        light: (seconds, gain) keys of a fade; empty for steady light.
        zoom: (seconds, factor) keys of the lens, about the middle of the frame; empty for 1.
        camera: (seconds, x, y) keys of the camera's direction, in pixels from its default. It
            passes smoothly through them. The backdrop must be large enough.
        shutter: shutter angle in degrees, centered on the frame's time: what moves meanwhile is
            blurred; 0 for no blur.
        seed: seed of the noise.
    """

    size: tuple[int, int]
    rate: int
    seconds: float
    backdrop: Pixels
    actors: tuple[Actor, ...]
    foreground: Pixels | None = None
    pan: tuple[float, float] = (0.0, 0.0)
    sway_px: float = 0.0
    noise: float = 0.0
    light: tuple[tuple[float, float], ...] = ()
    zoom: tuple[tuple[float, float], ...] = ()
    camera: tuple[tuple[float, float, float], ...] = ()
    shutter: float = 0.0
    seed: int = 0


class TrueFace(NamedTuple):
    """The box of one face: upper left corner, width and height in pixels of the frame."""

    track: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class _Moment:
    """What the camera sees at one time.

    Attributes:
        canvas: BGR, 0 to 255, without noise.
        owner: whose pixel each is: index of the actor from 1, or 0.
        boxes: boxes of the faces toward the camera, covered or not, by the actor's index.
    """

    canvas: Ratios
    owner: npt.NDArray[np.uint8]
    boxes: dict[int, TrueFace]


def render(scene: Scene) -> Iterator[tuple[Pixels, list[TrueFace]]]:
    """Yield each frame as BGR, shape (height, width, 3), with the visible faces.

    A face is in the ground truth while at least half of it is neither covered nor outside of the
    frame. Its box is complete where something covers it, and ends where the frame ends. With an
    open shutter, the ground truth is that of the middle of the exposure.
    """
    width, height = scene.size
    generator = np.random.default_rng(scene.seed)
    paths = [_path(actor) for actor in scene.actors]
    camera = _smooth(scene.camera)
    # A few large fields, of which each frame takes a part, are faster than one per frame.
    grain = [
        np.round(
            generator.normal(0, scene.noise, (height + 64, width + 64, 1))
            + generator.normal(0, 0.3 * scene.noise, (height + 64, width + 64, 3))
        ).astype(np.int16)
        for _ in range(4 if scene.noise else 0)
    ]
    parts = np.arange(SUB_FRAMES) - SUB_FRAMES // 2 if scene.shutter else np.zeros(1)
    open_seconds = parts / SUB_FRAMES * scene.shutter / 360 / scene.rate
    for number in range(round(scene.seconds * scene.rate)):
        moments = [
            _moment(scene, paths, camera, number / scene.rate + shift) for shift in open_seconds
        ]
        middle = moments[len(moments) // 2]
        truth = [
            face
            for index, box in middle.boxes.items()
            for face in _visible(box, middle.owner == index, scene.size)
        ]
        canvas = np.mean([moment.canvas for moment in moments], axis=0)
        image = np.clip(canvas + 0.5, 0, 255).astype(np.uint8)
        if grain:
            layer = grain[int(generator.integers(len(grain)))]
            x, y = generator.integers(64, size=2)
            layer = layer[y : y + height, x : x + width]
            image = cv2.add(image, layer, dtype=cv2.CV_8U)
        yield image, truth


def _moment(
    scene: Scene,
    paths: Sequence[Callable[[float], Key]],
    camera: Callable[[float], npt.NDArray[np.float64]],
    seconds: float,
) -> _Moment:
    """Return what the camera sees at a time in seconds."""
    width, height = scene.size
    gain, zoom = _level(scene.light, seconds), _level(scene.zoom, seconds)
    sway = scene.sway_px * np.sin(2 * np.pi * seconds * np.array((0.43, 0.31)) + np.array((0, 1)))
    offset = sway - camera(seconds)
    pan = np.multiply(scene.pan, seconds)
    canvas = _shifted(scene.backdrop, pan + offset, scene.size, zoom).astype(np.float32)
    owner = np.zeros((height, width), np.uint8)
    boxes: dict[int, TrueFace] = {}
    for index, (actor, path) in enumerate(zip(scene.actors, paths, strict=True), 1):
        person, pose = cut_out(actor.appearance), path(seconds)
        pose = pose._replace(
            x=zoom * (pose.x + offset[0]) + (1 - zoom) * width / 2,
            y=zoom * (pose.y + offset[1]) + (1 - zoom) * height / 2,
            size=zoom * pose.size,
        )
        _paint(canvas, owner, index, person, pose)
        if abs(pose.yaw) <= LARGEST_YAW and gain >= DARKEST_LIGHT:
            boxes[index] = _true_face(actor.track, person, pose)
    if scene.foreground is not None:
        front = _shifted(scene.foreground, 1.5 * offset, scene.size, zoom).astype(np.float32)
        alpha = front[..., 3:] / 255
        canvas += alpha * (front[..., :3] - canvas)
        owner[front[..., 3] > 127] = 0
    return _Moment(canvas * gain, owner, boxes)


def _level(keys: tuple[tuple[float, float], ...], seconds: float) -> float:
    """Return the value at a time, linear between keys; 1 without keys."""
    return float(np.interp(seconds, *np.transpose(keys))) if keys else 1.0


def _path(actor: Actor) -> Callable[[float], Key]:
    """Return a function from seconds to where the actor is, bobbing with each step."""
    path = _smooth(actor.keys)

    def pose(seconds: float) -> Key:
        x, y, size, tilt, yaw = (float(value) for value in path(seconds))
        bob = abs(np.sin(np.pi * actor.steps_hz * seconds)) * 0.05 * size
        return Key(seconds, x, y + bob, size, tilt, yaw)

    return pose


def _smooth(keys: Sequence[tuple[float, ...]]) -> Callable[[float], npt.NDArray[np.float64]]:
    """Return a function from seconds to values on a smooth path through keys; 0 without keys."""
    if len(keys) < 2:
        state = np.array(keys[0][1:] if keys else (0.0, 0.0), np.float64)
        return lambda _: state
    times = [key[0] for key in keys]
    path = PchipInterpolator(times, [key[1:] for key in keys])
    return lambda seconds: np.asarray(path(min(max(seconds, times[0]), times[-1])))


def _paint(
    canvas: Ratios, owner: npt.NDArray[np.uint8], index: int, person: CutOut, pose: Key
) -> None:
    """Paint one person, and write `index` where its pixels are."""
    center_x, center_y, _, face_height = person.face
    scale = pose.size / face_height
    pixels = person.turned(pose.yaw)
    height, width = pixels.shape[:2]
    halvings = 0
    while scale * 2**halvings < 0.6:  # so that downscaling does not alias
        pixels, halvings = np.asarray(cv2.pyrDown(pixels), np.float32), halvings + 1
    place = cv2.getRotationMatrix2D((center_x, center_y), -pose.tilt, scale)
    place[:, 2] += np.array((pose.x - center_x, pose.y - center_y))
    corners = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float64)
    corners = cv2.transform(corners, place)[0]
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int), owner.shape[::-1])
    if right <= left or bottom <= top:
        return
    place[:, 2] -= left, top
    place[:, :2] *= 2**halvings
    layer = cv2.warpAffine(pixels, place, (int(right - left), int(bottom - top)))
    part = canvas[top:bottom, left:right]
    part *= 1 - layer[..., 3:]
    part += layer[..., :3] * 255
    owner[top:bottom, left:right][layer[..., 3] > 0.5] = index


def _true_face(track: int, person: CutOut, pose: Key) -> TrueFace:
    """Return the box around the ellipse of a face, tilted and turned."""
    center_x, center_y, face_width, face_height = person.face
    left, right = (float(side[round(center_y)]) for side in person.head)
    middle, radius = (left + right) / 2, (right - left) / 2
    off_middle = (center_x - middle) * np.cos(np.deg2rad(pose.yaw))
    begin, end = (radius * edge for edge in face_span(pose.yaw, face_width / 2 / radius))
    scale = pose.size / face_height
    shift = scale * (middle + off_middle + (begin + end) / 2 - center_x)
    cosine, sine = np.cos(np.deg2rad(pose.tilt)), np.sin(np.deg2rad(pose.tilt))
    across, along = scale * (end - begin), pose.size
    width = float(np.hypot(across * cosine, along * sine))
    height = float(np.hypot(across * sine, along * cosine))
    x, y = pose.x + shift * cosine, pose.y + shift * sine
    return TrueFace(track, x - width / 2, y - height / 2, width, height)


def _visible(
    face: TrueFace, mine: npt.NDArray[np.bool_], size: tuple[int, int]
) -> Iterator[TrueFace]:
    """Yield the part of the face's box inside the frame, if enough of the face is visible."""
    left, top = max(0.0, face.x), max(0.0, face.y)
    right, bottom = min(size[0], face.x + face.width), min(size[1], face.y + face.height)
    if right <= left or bottom <= top:
        return
    rows, columns = np.ogrid[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
    ellipse = (
        ((columns + 0.5 - face.x) / face.width - 0.5) ** 2
        + ((rows + 0.5 - face.y) / face.height - 0.5) ** 2
    ) <= 0.25
    visible = mine[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] & ellipse
    if visible.sum() >= VISIBLE_SHARE * np.pi / 4 * face.width * face.height:
        yield TrueFace(face.track, left, top, right - left, bottom - top)


def _shifted(
    image: Pixels, offset: npt.NDArray[np.float64], size: tuple[int, int], zoom: float
) -> Pixels:
    """Return the middle part of an image, moved by a fraction of pixels and then enlarged."""
    spare = np.subtract(image.shape[1::-1], size) / 2
    shift = zoom * (offset - spare) + (1 - zoom) * np.divide(size, 2)
    move = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    moved = cv2.warpAffine(image, move, size, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)
