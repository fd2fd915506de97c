"""Scenes of people before a backdrop, rendered together with the true boxes of their faces.

A scene is data: who is in it, where each face is when, what stands behind and before them. The
same scene renders to the same frames every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from portraits import CutOut, Look, Pixels, Ratios, cut_out, face_span
from scipy.interpolate import PchipInterpolator

VISIBLE_SHARE = 0.5  # of a face must be seen to be in the truth
LARGEST_YAW = 75.0  # degrees; of a face turned further there is nothing left but a cheek
DARKEST_LIGHT = 0.25
SUB_FRAMES = 13  # of an open shutter; odd, so that one of them is in its middle


class Key(NamedTuple):
    """Where a face is at one moment.

    seconds     since the start of the scene
    x, y        center of the face, in pixels of the picture
    size        height of the face, brow to chin, in pixels
    tilt        degrees that the person leans to the right of the picture
    yaw         degrees that the head is turned to the right of the picture
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

    track      number of the track in the truth
    steps_hz   walking pace: how often a second the head bobs, by a twentieth of its size
    """

    track: int
    look: Look
    keys: tuple[Key, ...]
    steps_hz: float = 0.0


@dataclass(frozen=True, eq=False)
class Scene:
    """One shot.

    size         (width, height) in pixels
    rate         frames a second
    backdrop     BGR, at least as large as the picture
    actors       from the farthest to the nearest
    foreground   BGR and alpha, of the picture's size: what stands before all actors
    pan          pixels a second that the backdrop moves by, (x, y)
    sway_px      how far the camera is shaken by the hand that holds it
    noise        standard deviation of the sensor's noise, in levels of 255
    light        (seconds, gain) keys of a fade; empty for steady light
    zoom         (seconds, factor) keys: how much larger the lens shows all, about the middle of
                 the picture; empty for a factor of 1
    camera       (seconds, x, y) keys: where it looks to, in pixels from where it looks to without;
                 it passes smoothly through them. The backdrop must be large enough for that
    shutter      degrees of a turn, the length of a frame, that the shutter is open about the
                 frame's time: what moves meanwhile is blurred; 0 for no blur
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
    """The box of one face: upper left corner, width and height in pixels of the picture."""

    track: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class _Moment:
    """What the camera sees at one moment.

    canvas  BGR, from 0 to 255, without noise
    owner   whose pixel it is: index of the actor from 1, or 0
    boxes   of the faces that there are to see, if nothing covers them, by the actor's index
    """

    canvas: Ratios
    owner: npt.NDArray[np.uint8]
    boxes: dict[int, TrueFace]


def render(scene: Scene) -> Iterator[tuple[Pixels, list[TrueFace]]]:
    """Give each frame as BGR, shape (height, width, 3), with the faces seen in it.

    A face is in the truth while at least half of it is neither covered nor out of the picture.
    Its box is whole where something covers it, and ends where the picture ends. With an open
    shutter the truth is that of the middle of the exposure.
    """
    width, height = scene.size
    generator = np.random.default_rng(scene.seed)
    paths = [_path(actor) for actor in scene.actors]
    camera = _smooth(scene.camera)
    # a few large fields, of which each frame takes some part, are quicker than one for each
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
            _moment(scene, paths, camera, number / scene.rate + aside) for aside in open_seconds
        ]
        middle = moments[len(moments) // 2]
        truth = [
            face
            for index, box in middle.boxes.items()
            for face in _seen(box, middle.owner == index, scene.size)
        ]
        canvas = np.mean([moment.canvas for moment in moments], axis=0)
        picture = np.clip(canvas + 0.5, 0, 255).astype(np.uint8)
        if grain:
            layer = grain[int(generator.integers(len(grain)))]
            x, y = generator.integers(64, size=2)
            layer = layer[y : y + height, x : x + width]
            picture = cv2.add(picture, layer, dtype=cv2.CV_8U)
        yield picture, truth


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
    aside = sway - camera(seconds)
    pan = np.multiply(scene.pan, seconds)
    canvas = _shifted(scene.backdrop, pan + aside, scene.size, zoom).astype(np.float32)
    owner = np.zeros((height, width), np.uint8)
    boxes: dict[int, TrueFace] = {}
    for index, (actor, path) in enumerate(zip(scene.actors, paths, strict=True), 1):
        person, pose = cut_out(actor.look), path(seconds)
        pose = pose._replace(
            x=zoom * (pose.x + aside[0]) + (1 - zoom) * width / 2,
            y=zoom * (pose.y + aside[1]) + (1 - zoom) * height / 2,
            size=zoom * pose.size,
        )
        _paint(canvas, owner, index, person, pose)
        if abs(pose.yaw) <= LARGEST_YAW and gain >= DARKEST_LIGHT:
            boxes[index] = _true_face(actor.track, person, pose)
    if scene.foreground is not None:
        before = _shifted(scene.foreground, 1.5 * aside, scene.size, zoom).astype(np.float32)
        alpha = before[..., 3:] / 255
        canvas += alpha * (before[..., :3] - canvas)
        owner[before[..., 3] > 127] = 0
    return _Moment(canvas * gain, owner, boxes)


def _level(keys: tuple[tuple[float, float], ...], seconds: float) -> float:
    """Return the value at a time, straight from key to key; 1 without keys."""
    return float(np.interp(seconds, *np.transpose(keys))) if keys else 1.0


def _path(actor: Actor) -> Callable[[float], Key]:
    """Return where the actor is at a time in seconds, bobbing with each step."""
    way = _smooth(actor.keys)

    def pose(seconds: float) -> Key:
        x, y, size, tilt, yaw = (float(value) for value in way(seconds))
        bob = abs(np.sin(np.pi * actor.steps_hz * seconds)) * 0.05 * size
        return Key(seconds, x, y + bob, size, tilt, yaw)

    return pose


def _smooth(keys: Sequence[tuple[float, ...]]) -> Callable[[float], npt.NDArray[np.float64]]:
    """Return the values at a time, on a smooth way through keys; zeros without keys."""
    if len(keys) < 2:
        state = np.array(keys[0][1:] if keys else (0.0, 0.0), np.float64)
        return lambda _: state
    times = [key[0] for key in keys]
    way = PchipInterpolator(times, [key[1:] for key in keys])
    return lambda seconds: np.asarray(way(min(max(seconds, times[0]), times[-1])))


def _paint(
    canvas: Ratios, owner: npt.NDArray[np.uint8], index: int, person: CutOut, pose: Key
) -> None:
    """Paint one person and note `index` where its pixels are."""
    center_x, center_y, _, face_height = person.face
    scale = pose.size / face_height
    pixels = person.turned(pose.yaw)
    height, width = pixels.shape[:2]
    halvings = 0
    while scale * 2**halvings < 0.6:  # so that shrinking does not alias
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
    aside = scale * (middle + off_middle + (begin + end) / 2 - center_x)
    cosine, sine = np.cos(np.deg2rad(pose.tilt)), np.sin(np.deg2rad(pose.tilt))
    across, along = scale * (end - begin), pose.size
    width = float(np.hypot(across * cosine, along * sine))
    height = float(np.hypot(across * sine, along * cosine))
    x, y = pose.x + aside * cosine, pose.y + aside * sine
    return TrueFace(track, x - width / 2, y - height / 2, width, height)


def _seen(face: TrueFace, mine: npt.NDArray[np.bool_], size: tuple[int, int]) -> Iterator[TrueFace]:
    """Give the part of the face's box inside the picture, if enough of the face is seen."""
    left, top = max(0.0, face.x), max(0.0, face.y)
    right, bottom = min(size[0], face.x + face.width), min(size[1], face.y + face.height)
    if right <= left or bottom <= top:
        return
    rows, columns = np.ogrid[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
    ellipse = (
        ((columns + 0.5 - face.x) / face.width - 0.5) ** 2
        + ((rows + 0.5 - face.y) / face.height - 0.5) ** 2
    ) <= 0.25
    seen = mine[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] & ellipse
    if seen.sum() >= VISIBLE_SHARE * np.pi / 4 * face.width * face.height:
        yield TrueFace(face.track, left, top, right - left, bottom - top)


def _shifted(
    picture: Pixels, offset: npt.NDArray[np.float64], size: tuple[int, int], zoom: float
) -> Pixels:
    """Return the middle part of a picture, moved by a fraction of pixels and then enlarged."""
    spare = np.subtract(picture.shape[1::-1], size) / 2
    aside = zoom * (offset - spare) + (1 - zoom) * np.divide(size, 2)
    move = np.array([[zoom, 0, aside[0]], [0, zoom, aside[1]]])
    moved = cv2.warpAffine(picture, move, size, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)
