#!/usr/bin/env python3
"""Make clips that test trackers, each with one difficulty, and their ground truth next to them.

trials.py FOLDER    FOLDER/crossing.mp4 and .csv, occlusion.mp4 and .csv, and so on

A person who appears again within a shot, after a post, the border or the dark, keeps the track.
After a change of shot, all tracks are new.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from backdrops import brick_wall, hedge, launch_pad, with_lamp_post
from make import BLUE, BROWN, CROWD, GREEN, LIME, NAVY, ORANGE, RATE, VIOLET, WINE, crowd, record
from scene import Actor, Key, Scene

if TYPE_CHECKING:
    from portraits import Appearance, Pixels

SIZE = (640, 360)
SECONDS = 4.8
NOISE = 1.5


def crossing() -> tuple[Scene, ...]:
    """Let four people cross, two of them at the same size."""
    actors = (
        _walking(0, WINE, (60, 150, 48), (560, 152, 48)),
        _walking(1, BLUE, (570, 140, 56), (80, 142, 56)),
        _walking(2, GREEN, (240, 160, 62), (430, 160, 66)),
        _walking(3, ORANGE, (500, 158, 66), (120, 158, 66)),
    )
    return (_shot(actors, brick_wall(SIZE)),)


def occlusion() -> tuple[Scene, ...]:
    """Let three people pass behind two posts; one of them turns around behind one."""
    turning_back = (
        Key(0, 560, 140, 50), Key(1.4, 425, 140, 50), Key(2.1, 410, 140, 50),
        Key(2.8, 425, 140, 50), Key(4.8, 600, 140, 50),
    )  # fmt: skip
    actors = (
        Actor(0, VIOLET, turning_back, 1.8),
        _walking(1, NAVY, (60, 150, 54), (530, 150, 54)),
        _walking(2, LIME, (330, 155, 62), (60, 155, 62)),
    )
    posts = with_lamp_post(with_lamp_post(hedge(SIZE, 290), 170, 40), 370, 84)
    return (_shot(actors, brick_wall(SIZE, 1), posts),)


def bounce() -> tuple[Scene, ...]:
    """Let three faces fly straight and bounce off the borders, each faster than the last."""
    actors = (
        _bouncing(0, ORANGE, (150, 120), (110, 60), 62),
        _bouncing(1, NAVY, (450, 200), (-240, -110), 56),
        _bouncing(2, BLUE, (320, 90), (420, 190), 50),
    )
    return (_shot(actors, launch_pad(SIZE)),)


def zoom() -> tuple[Scene, ...]:
    """Zoom in on three people until their faces are 2.6 times as large, and out again."""
    actors = (
        _walking(0, BLUE, (225, 160, 42), (270, 160, 42)),
        _walking(1, WINE, (330, 165, 44), (300, 165, 44)),
        _walking(2, ORANGE, (420, 165, 46), (400, 165, 46)),
    )
    keys = ((0.4, 1.0), (1.6, 2.6), (2.6, 2.6), (3.6, 1.0))
    return (_shot(actors, brick_wall(SIZE, 2), hedge(SIZE, 270), zoom=keys),)


def fade() -> tuple[Scene, ...]:
    """Turn the light off and on for three people; then fade from this shot to another."""
    standing = (
        _walking(0, GREEN, (130, 150, 56), (190, 150, 56)),
        _walking(1, ORANGE, (330, 150, 60), (290, 150, 60)),
        _walking(2, WINE, (520, 150, 52), (430, 150, 52)),
    )
    others = (
        _walking(3, BLUE, (200, 160, 62), (260, 160, 62)),
        _walking(4, BROWN, (450, 160, 60), (420, 160, 60)),
    )
    blinking = ((0.6, 1), (1.0, 0), (1.3, 0), (1.7, 1), (2.7, 1), (3.1, 0))
    coming = ((0.0, 0), (0.5, 1))
    return (
        _shot(standing, brick_wall(SIZE, 3), light=blinking, seconds=3.1),
        _shot(others, launch_pad(SIZE), light=coming, seconds=1.7),
    )


def cut() -> tuple[Scene, ...]:
    """Cut hard between three shots in which people stand where others stood."""
    shots = (
        ((BLUE, 180), (NAVY, 420)),
        ((WINE, 200), (ORANGE, 320), (GREEN, 440)),
        ((BLUE, 300), (NAVY, 510)),
    )
    scenes, track = [], 0
    for number, people in enumerate(shots):
        backdrop = launch_pad(SIZE) if number == 1 else brick_wall(SIZE)
        actors = []
        for appearance, x in people:
            actors.append(_walking(track, appearance, (x, 150, 58), (x + 90, 150, 58)))
            track += 1
        scenes.append(_shot(tuple(actors), backdrop, seconds=SECONDS / len(shots)))
    return tuple(scenes)


def turning() -> tuple[Scene, ...]:
    """Let two people turn away from the camera and back, one walking; a third looks around."""
    away = (
        Key(0, 150, 150, 60), Key(0.8, 160, 150, 60), Key(1.4, 190, 150, 60, 0, 150),
        Key(2.2, 230, 150, 60, 0, 150), Key(2.8, 250, 150, 60), Key(4.8, 260, 150, 60),
    )  # fmt: skip
    standing = (
        Key(0, 400, 155, 66), Key(2, 400, 155, 66), Key(2.8, 402, 155, 66, 0, -140),
        Key(3.4, 402, 155, 66, 0, -140), Key(4.0, 400, 155, 66), Key(4.8, 400, 155, 66),
    )  # fmt: skip
    looking = tuple(
        Key(0.8 * index, 560, 150, 56, 8 * side, 60 * side)
        for index, side in enumerate((0, 1, -1, 1, -1, 0, 0))
    )
    actors = (Actor(0, BLUE, away, 1.8), Actor(1, ORANGE, standing), Actor(2, LIME, looking))
    return (_shot(actors, brick_wall(SIZE, 4)),)


def entering() -> tuple[Scene, ...]:
    """Let people leave on both sides and others soon enter there; one comes back."""
    back = (
        Key(0, 500, 150, 58), Key(1.2, 700, 150, 58), Key(2.4, 700, 150, 58),
        Key(3.6, 430, 150, 58), Key(4.8, 330, 150, 58),
    )  # fmt: skip
    actors = (
        Actor(0, ORANGE, back, 1.9),
        _walking(1, NAVY, (250, 155, 60), (-60, 155, 60), (0.0, 1.6)),
        _walking(2, BLUE, (-60, 150, 54), (300, 150, 54), (1.7, 4.4)),
        _walking(3, GREEN, (700, 160, 64), (-60, 160, 64), (1.0, 3.8)),
    )
    return (_shot(actors, brick_wall(SIZE, 5)),)


def wandering() -> tuple[Scene, ...]:
    """Let eight people walk about; again and again one passes in front of another."""
    return (crowd(len(CROWD) - 2, SIZE, SECONDS, seed=4),)


def panning() -> tuple[Scene, ...]:
    """Pan over eight people, slowly, faster, back within a second; then let the camera rest."""
    places = ((GREEN, -420, 56), (ORANGE, -150, 60), (BLUE, 110, 52), (WINE, 350, 64),
              (LIME, 610, 58), (NAVY, 800, 66), (VIOLET, 1010, 54), (BROWN, 1230, 60))  # fmt: skip
    actors = tuple(
        _walking(track, appearance, (x, 150, face_px), (x + 30 * (-1) ** track, 152, face_px))
        for track, (appearance, x, face_px) in enumerate(places)
    )
    camera = ((0, -560, 0), (1.0, -460, 4), (2.2, 300, -4), (2.4, 320, 0), (2.9, 760, 4),
              (3.1, 760, 0), (4.2, -500, -4), (4.8, -500, 0))  # fmt: skip
    width, height = SIZE
    wall = brick_wall((width + 2 * 800, height), 6)
    return (replace(_shot(actors, wall), pan=(0, 0), camera=camera, shutter=180),)


def blurred() -> tuple[Scene, ...]:
    """Let three faces fly so fast that they blur; in a second shot, the shutter stays open."""
    slow = (
        _bouncing(0, ORANGE, (150, 120), (190, 60), 62),
        _bouncing(1, NAVY, (450, 200), (-330, -110), 58),
        _bouncing(2, BLUE, (320, 90), (430, 150), 54),
    )
    fast = (
        _bouncing(3, GREEN, (120, 210), (270, -90), 60),
        _bouncing(4, VIOLET, (520, 120), (-450, 130), 64),
    )
    shots = ((slow, brick_wall(SIZE, 7), 180), (fast, launch_pad(SIZE), 360))
    return tuple(
        replace(_shot(actors, backdrop, seconds=SECONDS / 2), shutter=shutter)
        for actors, backdrop, shutter in shots
    )


def shaking() -> tuple[Scene, ...]:
    """Shake the camera to and fro five times per second while people walk by."""
    actors = (
        _walking(0, LIME, (120, 150, 50), (300, 150, 56)),
        _walking(1, BROWN, (560, 155, 60), (330, 155, 54)),
        _walking(2, WINE, (430, 160, 66), (540, 160, 66)),
    )
    generator = np.random.default_rng(8)
    camera = tuple(
        (number / 10, 14 * side * generator.uniform(0.5, 1), 22 * side * generator.uniform(-0.5, 1))
        for number, side in zip(range(round(10 * SECONDS) + 1), itertools.cycle((1, -1)))
    )
    return (replace(_shot(actors, brick_wall(SIZE, 8)), camera=camera, shutter=270),)


def near() -> tuple[Scene, ...]:
    """Let close faces be half outside of the frame, at each of its borders."""
    sides = (
        Key(0, 45, 185, 220), Key(1.0, 30, 180, 230), Key(1.6, 300, 185, 250),
        Key(2.2, 610, 180, 260), Key(3.4, 605, 185, 260),
    )  # fmt: skip
    above_and_below = (
        (ORANGE, (460, 25, 230), (440, 20, 240)),
        (BLUE, (170, 335, 190), (190, 330, 200)),
    )
    return (
        _shot((Actor(0, GREEN, sides),), brick_wall(SIZE, 9), seconds=SECONDS / 2),
        _shot(
            tuple(
                _walking(track, appearance, first, last)
                for track, (appearance, first, last) in enumerate(above_and_below, 1)
            ),
            launch_pad(SIZE),
            seconds=SECONDS / 2,
        ),
    )


def darting() -> tuple[Scene, ...]:
    """Let faces dart in, from the sides and from below, and out within a second."""
    rising = (
        Key(1.9, 330, 440, 70), Key(2.2, 330, 150, 70), Key(2.5, 335, 140, 70),
        Key(2.8, 335, 440, 70),
    )  # fmt: skip
    actors = (
        _walking(0, NAVY, (-60, 140, 58), (700, 150, 58), (0.3, 1.3)),
        _walking(1, ORANGE, (710, 160, 64), (-70, 150, 64), (1.0, 1.8)),
        Actor(2, VIOLET, rising),
        _walking(3, WINE, (-80, 120, 80), (720, 170, 80), (3.0, 3.6)),
        _walking(4, BLUE, (-40, 150, 50), (90, 150, 50), (3.8, 4.1)),
    )
    return (replace(_shot(actors, brick_wall(SIZE, 10)), shutter=180),)


TRIALS = (
    crossing, occlusion, bounce, zoom, fade, cut, turning, entering, wandering, panning, blurred,
    shaking, near, darting,
)  # fmt: skip


def _shot(
    actors: tuple[Actor, ...],
    backdrop: Pixels,
    foreground: Pixels | None = None,
    light: tuple[tuple[float, float], ...] = (),
    zoom: tuple[tuple[float, float], ...] = (),
    seconds: float = SECONDS,
) -> Scene:
    """Return a shot by a hand-held camera."""
    return Scene(
        SIZE, RATE, seconds, backdrop, actors, foreground, (-2, 0), 1.5, NOISE, light, zoom
    )


def _walking(
    track: int,
    appearance: Appearance,
    first: tuple[float, float, float],
    last: tuple[float, float, float],
    seconds: tuple[float, float] = (0.0, SECONDS),
) -> Actor:
    """Return a person who walks from one (x, y, size) to another, and waits before and after."""
    begin, end = seconds
    inner = (Key(begin, *first), Key(end, *last))
    before = (Key(begin - 1, *first),) if begin > 0 else ()
    return Actor(track, appearance, (*before, *inner, Key(end + 1, *last)), 1.8)


def _bouncing(
    track: int,
    appearance: Appearance,
    start: tuple[float, float],
    velocity: tuple[float, float],
    face_px: float,
) -> Actor:
    """Return a face that flies from `start` at `velocity`, in pixels per second, and bounces."""
    keys = []
    for seconds in np.arange(0, SECONDS, 1 / RATE):
        x, y = (
            _reflected(begin + speed * seconds, 0.6 * face_px, side - 0.6 * face_px)
            for begin, speed, side in zip(start, velocity, SIZE, strict=True)
        )
        keys.append(Key(float(seconds), x, y, face_px))
    return Actor(track, appearance, tuple(keys))


def _reflected(distance: float, low: float, high: float) -> float:
    """Return where a ball is that has gone this distance between two walls."""
    there_and_back = (distance - low) % (2 * (high - low))
    return low + min(there_and_back, 2 * (high - low) - there_and_back)


def main() -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for trial in TRIALS:
        clip = folder / f"{trial.__name__}.mp4"
        record(clip, trial(), {"crf": "18", "preset": "veryfast"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
