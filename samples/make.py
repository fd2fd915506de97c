#!/usr/bin/env python3
"""Make the samples again, or a clip with many faces for a benchmark.

make.py                      the files of this folder
make.py --faces 10 OUT.mp4   a crowd, and OUT.csv with its ground truth
make.py --faces 200 --stands OUT.mp4   small faces side by side, as in a stadium
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import numpy.typing as npt
from backdrops import brick_wall, hedge, launch_pad, with_lamp_post
from portraits import Appearance, Pixels
from scene import Actor, Key, Scene, TrueFace, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RATE = 25
SAMPLE_RATE = 44_100

ORANGE = Appearance("collins")
NAVY = Appearance("hopper")
BLUE = Appearance("collins", mirrored=True, cloth=(150, 110, 40), hair_gain=0.45, width_gain=0.94)
WINE = Appearance("hopper", mirrored=True, cloth=(60, 35, 120), width_gain=0.95)
GREEN = Appearance("hopper", cloth=(70, 95, 70), hair_gain=0.8, width_gain=1.05)
LIME = Appearance("collins", cloth=(60, 150, 110), hair_gain=0.65, width_gain=1.05)
VIOLET = Appearance("collins", mirrored=True, cloth=(150, 60, 120), hair_gain=1.15, width_gain=0.97)
GRAY = Appearance("hopper", mirrored=True, cloth=(110, 105, 100), width_gain=1.02)
BLACK = Appearance("collins", cloth=(55, 50, 50), hair_gain=0.3)
BROWN = Appearance("hopper", cloth=(45, 70, 100), width_gain=0.92)
CROWD = (ORANGE, NAVY, BLUE, WINE, LIME, GREEN, VIOLET, GRAY, BLACK, BROWN)


def crossing() -> tuple[Scene, ...]:
    """Return the two shots of the sample clip: people cross in front of a wall; one comes near."""
    size = (1280, 720)
    wine = (
        Key(0.0, 380, 262, 90),
        Key(0.5, 240, 264, 90, -2),
        Key(1.6, -110, 266, 90),
        Key(2.9, -110, 266, 94),
        Key(4.0, 105, 268, 94, 3),
        Key(5.2, 110, 268, 94, -3, 12),
    )
    blue = (
        Key(0.0, 1130, 288, 104, 2),
        Key(1.0, 1120, 286, 104, -3),
        Key(1.7, 1110, 286, 104, 0, 140),
        Key(2.6, 1100, 286, 104, 0, 150),
        Key(3.3, 1110, 286, 104, 0, -10),
        Key(4.2, 1185, 286, 104, 4),
        Key(5.2, 1190, 286, 104),
    )
    orange = (
        Key(0.0, -70, 292, 116),
        Key(1.0, 240, 292, 116, 3, 20),
        Key(2.3, 600, 292, 118),
        Key(3.6, 880, 292, 118, -2, 25),
        Key(4.6, 1010, 292, 118),
        Key(5.2, 1015, 292, 118, 5),
    )
    navy = (
        Key(0.0, 940, 300, 126, 0, -12),
        Key(1.0, 850, 300, 126, -3),
        Key(2.2, 640, 300, 128),
        Key(3.2, 420, 300, 130, 2, -15),
        Key(4.4, 290, 300, 130),
        Key(5.2, 285, 300, 130, -3, 12),
    )
    courtyard = Scene(
        size,
        RATE,
        5.2,
        brick_wall(size),
        (
            Actor(3, WINE, wine, 1.8),
            Actor(2, BLUE, blue),
            Actor(0, ORANGE, orange, 1.9),
            Actor(1, NAVY, navy, 1.7),
        ),
        with_lamp_post(hedge(size, 575), 800, 34),
        pan=(-4, 0),
        sway_px=2.5,
        noise=1.2,
        seed=1,
    )
    passing = (Key(0.0, 1380, 330, 126, 0, -15), Key(1.3, 760, 328, 124), Key(2.8, 560, 326, 122))
    smiling = (
        Key(0.0, 940, 350, 170, 4),
        Key(0.9, 960, 348, 172, -4, -30),
        Key(1.8, 950, 350, 172, 3, 20),
        Key(2.8, 960, 350, 174, -3),
    )
    nearing = (
        Key(0.0, 330, 350, 150),
        Key(0.6, 340, 350, 170, 2),
        Key(1.9, 390, 380, 320, -3),
        Key(2.8, 380, 385, 330, 2),
    )
    pad = Scene(
        size, RATE, 2.8, launch_pad(size),
        (Actor(4, BLUE, passing, 1.9), Actor(5, ORANGE, smiling), Actor(6, GREEN, nearing)),
        pan=(6, 0), sway_px=3, noise=1.2, seed=2,
    )  # fmt: skip
    return courtyard, pad


def people() -> Scene:
    """Return the scene of the sample image, one frame long."""
    size = (1200, 800)
    places = ((GREEN, Key(0, 560, 290, 92, 2)), (WINE, Key(0, 1010, 300, 100, -3)),
              (BLUE, Key(0, 800, 320, 118, 4, -12)), (ORANGE, Key(0, 170, 325, 124, -3)),
              (NAVY, Key(0, 400, 330, 132, 1)))  # fmt: skip
    actors = tuple(
        Actor(track, appearance, (key,)) for track, (appearance, key) in enumerate(places)
    )
    return Scene(size, 1, 1, brick_wall(size, 5), actors, hedge(size, 650, 5), noise=1.0)


def crowd(faces: int, size: tuple[int, int], seconds: float, seed: int = 0) -> Scene:
    """Return people who walk about in front of a wall, each face always within the frame's width.

    At 720 lines, the faces are 90 to 160 px high if there are one or two, 60 to 100 px if ten.
    """
    generator = np.random.default_rng(seed)
    width, height = size
    zoom = height / 720
    smallest = np.interp(faces, (2, 10), (90, 60)) * zoom
    largest = np.interp(faces, (2, 10), (160, 100)) * zoom
    actors = []
    for track, face_px in enumerate(np.sort(generator.uniform(smallest, largest, faces))):
        appearance = CROWD[track % len(CROWD)]
        widest_yaw = 45 if appearance.portrait == "collins" else 20
        keys = []
        x = width * (track % faces + 0.5) / faces
        for second in np.arange(0, seconds + 1.5, 1.5):
            y = height * generator.uniform(0.36, 0.42)
            tilt, yaw = generator.uniform(-6, 6), generator.uniform(-widest_yaw, widest_yaw)
            keys.append(Key(float(second), x, y, face_px, tilt, yaw))
            x += generator.choice((-1, 1)) * generator.uniform(0.1, 0.3) * width
            x = min(max(x, 0.16 * width - x), 1.84 * width - x)  # turns back 8 % from either side
        actors.append(Actor(track, appearance, tuple(keys), generator.uniform(1.5, 2)))
    return Scene(size, RATE, seconds, brick_wall(size, seed), tuple(actors),
                 hedge(size, round(0.66 * height), seed), pan=(5 * zoom, 0), sway_px=3 * zoom,
                 noise=2.0, seed=seed)  # fmt: skip


def stands(faces: int, size: tuple[int, int], seconds: float, seed: int = 0) -> Scene:
    """Return people on the stands of a stadium: small faces side by side, of which some pass.

    However many there are, the faces are as large as 200 of them need: 22 to 30 px at 720 lines.
    """
    generator = np.random.default_rng(seed)
    width, height = size
    rows = math.ceil(max(faces, 200) / 20)
    columns = 20
    across, down = width / columns, height / (rows + 0.5)
    actors = []
    for track, place in enumerate(np.sort(generator.permutation(rows * columns)[:faces])):
        row, column = divmod(int(place), columns)
        face_px = generator.uniform(0.3, 0.42) * down
        reach = 1.5 if track % 10 == 0 else 0.12  # in places: a tenth of them walk
        keys = [
            Key(
                float(second),
                across * (column + 0.5 + generator.uniform(-reach, reach)),
                down * (row + 0.5 + generator.uniform(-0.06, 0.06)),
                face_px,
                generator.uniform(-8, 8),
                generator.uniform(-20, 20),
            )
            for second in np.arange(0, seconds + 1.5, 1.5)
        ]
        actors.append(Actor(track, CROWD[track % len(CROWD)], tuple(keys)))
    return Scene(size, RATE, seconds, brick_wall(size, seed), tuple(actors), sway_px=2.0,
                 noise=2.0, seed=seed)  # fmt: skip


def melody(seconds: float, bells: Iterable[float]) -> npt.NDArray[np.float32]:
    """Return a tune of plucked notes, and a bell at each of the given seconds; one channel."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    samples = np.zeros_like(time)
    scale = 220 * 2 ** (np.array((0, 4, 7, 11, 12, 11, 7, 4, -3, 0, 4, 9, 12, 9, 4, 0)) / 12)
    notes = [(0.25 * k, scale[k % 16], 0.16, 3.0) for k in range(int(4 * seconds))]
    notes += [(start, pitch, 0.2, 5.0) for start in bells for pitch in (1318.5, 1760.0)]
    for start, pitch, loudness, decay in notes:
        since = time - start
        wave = np.sin(2 * np.pi * pitch * since) + 0.3 * np.sin(4 * np.pi * pitch * since)
        samples += np.where(since >= 0, loudness * wave * np.exp(-decay * np.abs(since)), 0)
    return np.asarray(np.clip(samples * np.clip((seconds - time) * 5, 0, 1), -1, 1), np.float32)


def record(
    path: Path, scenes: tuple[Scene, ...], options: dict[str, str], bells: tuple[float, ...] = ()
) -> None:
    """Write the scenes one after the other as H.264 with audio, and their ground truth as CSV."""
    rows: list[tuple[int, TrueFace]] = []
    with av.open(
        str(path), "w", options={"movflags": "faststart", "fflags": "+bitexact"}
    ) as container:
        video = container.add_stream("libx264", rate=scenes[0].rate, options=options)
        video.width, video.height = scenes[0].size
        video.pix_fmt = "yuv420p"
        context = video.codec_context
        context.color_range, context.colorspace = 1, 1  # video range, BT.709
        context.color_primaries = context.color_trc = 1
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        audio.bit_rate = 64_000
        for number, (image, faces) in enumerate(_frames(scenes)):
            rows += [(number, face) for face in faces]
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            frame.pts, frame.time_base = number, Fraction(1, scenes[0].rate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        samples = melody(sum(scene.seconds for scene in scenes), bells)
        block = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(audio.encode(block))
        container.mux(audio.encode(None))
    write_truth(path.with_suffix(".csv"), rows)


def write_truth(path: Path, rows: Iterable[tuple[int, TrueFace]]) -> None:
    """Write a CSV with the columns frame, track, x, y, w and h; boxes are in pixels."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("frame", "track", "x", "y", "w", "h"))
        for number, face in rows:
            writer.writerow((number, face.track, *(f"{value:.1f}" for value in face[1:])))


def _frames(scenes: tuple[Scene, ...]) -> Iterator[tuple[Pixels, list[TrueFace]]]:
    for scene in scenes:
        yield from render(scene)


def main() -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT.mp4")
    parser.add_argument("--faces", type=int, default=2)
    parser.add_argument("--stands", action="store_true", help="on the stands of a stadium")
    parser.add_argument("--size", default="1280x720", metavar="WxH")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.out is not None:
        width, height = (int(side) for side in arguments.size.split("x"))
        make = stands if arguments.stands else crowd
        scene = make(arguments.faces, (width, height), arguments.seconds, arguments.seed)
        record(arguments.out, (scene,), {"crf": "18", "preset": "veryfast"})
        return 0
    folder = Path(__file__).resolve().parent
    record(folder / "crossing.mp4", crossing(), {"crf": "25", "preset": "slow"}, (2.2, 5.2))
    image, faces = next(render(people()))
    cv2.imwrite(str(folder / "people.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    write_truth(folder / "people.csv", ((0, face) for face in faces))
    return 0


if __name__ == "__main__":
    sys.exit(main())
