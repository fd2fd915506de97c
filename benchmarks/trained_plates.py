"""Attacks each method with a reader of number plates that learned from its own output.

    python benchmarks/reidentification.py --plates [--only WORD] [--speed N] [--linear]

Plates are drawn: seven letters and digits in a frame, with some light and noise. The reader sees
the hidden area, aligned by the plate's box, of one frame and of 30 frames added up, in which the
box trembles as a detector's does. It learned from 4,000 other plates that were hidden in the same
way. The table counts characters; a guess is right in 2.8 %. With --linear, a linear discriminant
reads them one by one: seconds a method, not minutes.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import cv2
import numpy as np
import torch
from attackers import (
    Canvases,
    Discriminant,
    Figure,
    Floats,
    outputs_of,
    rank_1,
    train_reader,
)
from trained_attack import ADDED_FRAMES, PADDING, SEED, Camera, Picture, chosen_methods

from tracker_blur.core.box import Box

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LENGTH = 7
PLATE_PX = 168, 40
CANVAS = 99, 33  # of the aspect of a plate's hidden area
BORDER_PX = 60
LEARNED, PROBES = 4000, 1000
LINEAR_LEARNED, LINEAR_PROBES = 1500, 300
EPOCHS = 14


def draw(random: np.random.Generator) -> tuple[Picture, list[int]]:
    """Return a plate in front of a car, and its characters' numbers."""
    width, height = PLATE_PX
    characters = random.integers(0, len(ALPHABET), LENGTH).tolist()
    plate = np.full((height, width), random.uniform(180, 250), np.float32)
    ink = random.uniform(10, 60)
    slot = (width - 12) / LENGTH
    for place, number in enumerate(characters):
        text = ALPHABET[number]
        (text_px, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.95, 2)
        at = round(6 + (place + 0.5) * slot - text_px / 2), 31
        cv2.putText(plate, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.95, ink, 2, cv2.LINE_AA)
    cv2.rectangle(plate, (1, 1), (width - 2, height - 2), ink, 1)
    image = np.full((height + 2 * BORDER_PX, width + 2 * BORDER_PX), random.uniform(20, 160))
    image[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = plate
    image += random.normal(0, 4, image.shape)
    gray = np.clip(image, 0, 255).astype(np.uint8)[..., None]
    return Picture(gray, Box.from_xywh(BORDER_PX, BORDER_PX, width, height)), characters


def attack(options: dict[str, Any] | None, speed: float) -> list[Figure]:
    """Return the share of characters that are read, from one frame and from 30."""
    random = np.random.default_rng(SEED)
    camera = Camera(options, label="plate", size=CANVAS)
    drawn = [draw(random) for _ in range(LEARNED + PROBES)]
    texts = np.array([characters for _, characters in drawn])

    def seen(pictures: list[Picture], frames: int) -> list[Floats]:
        return [camera.added(picture, frames, random) for picture in pictures]

    plates = [picture for picture, _ in drawn]
    learned, probes = plates[:LEARNED], plates[LEARNED:]
    variants = np.stack([seen(learned, 1), seen(learned, 6)], axis=1)
    network = train_reader(
        np.rint(variants).astype(np.uint8),
        texts[:LEARNED],
        len(ALPHABET),
        round(EPOCHS / speed),
        SEED,
    )
    figures = []
    for frames in (1, ADDED_FRAMES):
        canvases = np.rint(np.array(seen(probes, frames))).astype(np.uint8)[:, None]
        scores = outputs_of(network, canvases, mirrored=False)[:, 0]
        of_characters = scores.reshape(PROBES * LENGTH, len(ALPHABET))
        truth = texts[LEARNED:].ravel()
        figures.append(rank_1(of_characters, truth, np.arange(PROBES).repeat(LENGTH)))
    return figures


def attack_linear(options: dict[str, Any] | None) -> list[Figure]:
    """Return the share of characters that a linear discriminant reads, from 1 frame and from 30."""
    random = np.random.default_rng(SEED)
    camera = Camera(options, label="plate", size=CANVAS)
    drawn = [draw(random) for _ in range(LINEAR_LEARNED + LINEAR_PROBES)]
    texts = np.array([characters for _, characters in drawn])

    def seen(begin: int, end: int, frames: int) -> Canvases:
        rows = [camera.added(picture, frames, random) for picture, _ in drawn[begin:end]]
        return _slots(np.rint(np.array(rows)).astype(np.uint8))

    learned = seen(0, LINEAR_LEARNED, 1)
    reader = Discriminant(learned, texts[:LINEAR_LEARNED].ravel())
    truth = texts[LINEAR_LEARNED:].ravel()
    plates = np.arange(LINEAR_PROBES).repeat(LENGTH)
    return [
        rank_1(reader.scores(seen(LINEAR_LEARNED, len(drawn), frames))[:, 0], truth, plates)
        for frames in (1, ADDED_FRAMES)
    ]


def _slots(canvases: Canvases) -> Canvases:
    """Return what surrounds each character, shape (plates * LENGTH, 1, channels, height, width)."""
    width, height = PLATE_PX
    scale = CANVAS[0] / (width * (1 + 2 * PADDING))
    slot = (width - 12) / LENGTH
    half = round(0.8 * slot * scale)
    top, bottom = (round(CANVAS[1] / 2 + side * 0.7 * height * scale) for side in (-1, 1))
    centers = [
        round(CANVAS[0] / 2 + (6 + (place + 0.5) * slot - width / 2) * scale)
        for place in range(LENGTH)
    ]
    crops = np.stack([canvases[:, :, top:bottom, x - half : x + half] for x in centers], axis=1)
    return crops.reshape(-1, 1, *crops.shape[2:])


def report(only: str, speed: float, is_linear: bool = False) -> None:
    """Print the table, in Markdown.

    Args:
        only: methods whose name contains this, or one of several words with | between them.
        speed: divides how long the networks learn.
        is_linear: whether a linear discriminant reads instead.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print("| method | characters, one frame | characters, 30 frames | verdict |\n|---|---|---|---|")
    for name, options in chosen_methods(only).items():
        begin = time.monotonic()
        figures = attack_linear(options) if is_linear else attack(options, speed)
        is_at_chance = all(figure.is_at_chance for figure in figures)
        verdict = "**at chance**" if is_at_chance else "above chance"
        print(f"| {name} | {' | '.join(map(str, figures))} | {verdict} |", flush=True)
        print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    print(f"| *chance* | {100 / len(ALPHABET):.1f} | {100 / len(ALPHABET):.1f} | |")
