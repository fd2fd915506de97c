#!/usr/bin/env python3
"""Make the clips that try trackers, each with one difficulty, and their truth beside them.

trials.py FOLDER    FOLDER/crossing.mp4 and .csv, occlusion.mp4 and .csv, and so on

A person who is seen again within a shot, after a post, the border or the dark, is the same track;
after a change of shot all are new tracks.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from backdrops import brick_wall, hedge, launch_pad, with_lamp_post
from make import BLUE, BROWN, CROWD, GREEN, LIME, NAVY, ORANGE, RATE, VIOLET, WINE, crowd, record
from portraits import Look, Pixels
from scene import Actor, Key, Scene

SIZE = (640, 360)
SECONDS = 4.8
NOISE = 1.5


def crossing() -> tuple[Scene, ...]:
    """Let four people cross, two of them one before the other at the same size."""
    actors = (
        _walking(0, WINE, (60, 150, 48), (560, 152, 48)),
        _walking(1, BLUE, (570, 140, 56), (80, 142, 56)),
        _walking(2, GREEN, (240, 160, 62), (430, 160, 66)),
        _walking(3, ORANGE, (500, 158, 66), (120, 158, 66)),
    )
    return (_shot(actors, brick_wall(SIZE)),)


def occlusion() -> tuple[Scene, ...]:
    """Let three people pass behind two posts; one of them turns back there, unseen."""
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
    """Let three faces fly straight ahead and bounce off the borders, each faster than the last."""
    actors = (
        _bouncing(0, ORANGE, (150, 120), (110, 60), 62),
        _bouncing(1, NAVY, (450, 200), (-240, -110), 56),
        _bouncing(2, BLUE, (320, 90), (420, 190), 50),
    )
    return (_shot(actors, launch_pad(SIZE)),)


def zoom() -> tuple[Scene, ...]:
    """Draw three people near until their faces are 2.6 times as large, and let them go."""
    actors = (
        _walking(0, BLUE, (225, 160, 42), (270, 160, 42)),
        _walking(1, WINE, (330, 165, 44), (300, 165, 44)),
        _walking(2, ORANGE, (420, 165, 46), (400, 165, 46)),
    )
    keys = ((0.4, 1.0), (1.6, 2.6), (2.6, 2.6), (3.6, 1.0))
    return (_shot(actors, brick_wall(SIZE, 2), hedge(SIZE, 270), zoom=keys),)


def fade() -> tuple[Scene, ...]:
    """Turn the light off and on again for three people; then fade from this shot to another."""
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
        for look, x in people:
            actors.append(_walking(track, look, (x, 150, 58), (x + 90, 150, 58)))
            track += 1
        scenes.append(_shot(tuple(actors), backdrop, seconds=SECONDS / len(shots)))
    return tuple(scenes)


def turning() -> tuple[Scene, ...]:
    """Let two people turn their backs and face us again, one walking; a third looks about."""
    away = (
        Key(0, 150, 150, 60), Key(0.8, 160, 150, 60), Key(1.4, 190, 150, 60, 0, 150),
        Key(2.2, 230, 150, 60, 0, 150), Key(2.8, 250, 150, 60), Key(4.8, 260, 150, 60),
    )  # fmt: skip
    standing = (
        Key(0, 400, 155, 66), Key(2, 400, 155, 66), Key(2.8, 402, 155, 66, 0, -140),
        Key(3.4, 402, 155, 66, 0, -140), Key(4.0, 400, 155, 66), Key(4.8, 400, 155, 66),
    )  # fmt: skip
    looking = tuple(
        Key(0.8 * index, 560, 150, 56, 8 * way, 60 * way)
        for index, way in enumerate((0, 1, -1, 1, -1, 0, 0))
    )
    actors = (Actor(0, BLUE, away, 1.8), Actor(1, ORANGE, standing), Actor(2, LIME, looking))
    return (_shot(actors, brick_wall(SIZE, 4)),)


def entering() -> tuple[Scene, ...]:
    """Let people leave on both sides and others enter there soon after; one comes back."""
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
    """Let eight people wander about; again and again one walks before another."""
    return (crowd(len(CROWD) - 2, SIZE, SECONDS, seed=4),)


TRIALS = (crossing, occlusion, bounce, zoom, fade, cut, turning, entering, wandering)


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
    look: Look,
    first: tuple[float, float, float],
    last: tuple[float, float, float],
    seconds: tuple[float, float] = (0.0, SECONDS),
) -> Actor:
    """Return a person who walks from one (x, y, size) to another, and waits before and after."""
    begin, end = seconds
    inner = (Key(begin, *first), Key(end, *last))
    before = (Key(begin - 1, *first),) if begin > 0 else ()
    return Actor(track, look, (*before, *inner, Key(end + 1, *last)), 1.8)


def _bouncing(
    track: int,
    look: Look,
    start: tuple[float, float],
    velocity: tuple[float, float],
    face_px: float,
) -> Actor:
    """Return a face that flies from `start` at `velocity`, in pixels a second, off the borders."""
    keys = []
    for seconds in np.arange(0, SECONDS, 1 / RATE):
        x, y = (
            _reflected(begin + speed * seconds, 0.6 * face_px, side - 0.6 * face_px)
            for begin, speed, side in zip(start, velocity, SIZE, strict=True)
        )
        keys.append(Key(float(seconds), x, y, face_px))
    return Actor(track, look, tuple(keys))


def _reflected(way: float, low: float, high: float) -> float:
    """Return where a ball is that has gone this way between two walls."""
    there_and_back = (way - low) % (2 * (high - low))
    return low + min(there_and_back, 2 * (high - low) - there_and_back)


def main() -> int:
    """Write every trial to a folder."""
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
