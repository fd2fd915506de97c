"""Attacks each method with a reader of number plates that learned from its own output.

    python benchmarks/reidentification.py --plates [--only WORD] [--speed N]

Plates are drawn: seven letters and digits in a frame, with some light and noise. The reader sees
the hidden area, aligned by the plate's box, of one frame and of 30 frames added up, in which the
box trembles as a detector's does. It learned from 4,000 other plates that were hidden in the same
way. The table counts characters; a guess is right in 2.8 %.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import cv2
import numpy as np
import torch
from attackers import Figure, Floats, outputs_of, rank_1, train_reader
from trained_attack import ADDED_FRAMES, METHODS, SEED, Camera, Picture

from tracker_blur.core.box import Box

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LENGTH = 7
PLATE_PX = 168, 40
CANVAS = 98, 24
BORDER_PX = 60
LEARNED, PROBES = 4000, 1000
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


def report(only: str, speed: float) -> None:
    """Print the table, in Markdown.

    Args:
        only: methods whose name contains this, or one of several words with | between them.
        speed: divides how long the networks learn.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print("| method | characters, one frame | characters, 30 frames | verdict |\n|---|---|---|---|")
    chosen = {
        name: options for word in only.split("|") for name, options in METHODS if word in name
    }
    for name, options in chosen.items():
        begin = time.monotonic()
        figures = attack(options, speed)
        is_at_chance = all(figure.is_at_chance for figure in figures)
        verdict = "**at chance**" if is_at_chance else "above chance"
        print(f"| {name} | {' | '.join(map(str, figures))} | {verdict} |", flush=True)
        print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    print(f"| *chance* | {100 / len(ALPHABET):.1f} | {100 / len(ALPHABET):.1f} | |")
