"""A drawn mosaic: looks like pixels of a face, and holds nothing of it.

The blocks are a drawing of no one: dark hair, the band of the eyes, a mouth. It lies on the box,
varies with the track's number, and has one color, `settings.tone`. With the neutral tone, the
samples inside the mask follow from the box and the track's number alone, except for whether the
film has color. So an attacker has nothing to recognize, and nothing to subtract.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.redaction import color
from tracker_blur.redaction.blocks import spread
from tracker_blur.redaction.methods import _tones as tones
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from tracker_blur.core.frame import Orientation, PixelLayout, Samples
    from tracker_blur.redaction.methods import Patch
    from tracker_blur.settings import Settings, Tone

CLASS = "destructive"

_Blocks = npt.NDArray[np.float32]

_ROWS, _COLUMNS = 12, 9  # square in the area of a face, and few of them jut out of its ellipse
_DETAIL = 8  # points of the drawing along each side of a block
_TURN = 0.16  # of half the width: how far a face looks to one side, at most
_NOD = 0.03  # of the height
_HAIR_LIGHT = (0.34, 0.58)  # of the tone's
_BACKGROUND_LIGHT = (0.50, 0.66)  # dark: what surrounds a head is taken for hair, or its shadow
_BACKGROUND_DEVIATION = 0.12
_GRADIENT = 0.12  # of the light from one side to the other, at most
_BLOCK_DEVIATION = 0.07
_RED_GREEN_BLUE = np.array([0.06, -0.07, -0.09], np.float32)  # of a warmth of 1

_LONGER_SIDE = 12  # blocks of whatever else is hidden, such as a plate
_FIELD_DEVIATION = 0.14


def make(settings: Settings) -> Mosaic:
    """Return the method."""
    return Mosaic(settings.tone)


class Mosaic:
    """Fills a patch with drawn blocks of one color."""

    def __init__(self, tone: Tone) -> None:
        self._tone = tone

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return the drawing, at the size of the box; its blocks are the same in all planes."""
        blocks = self.blocks(patch)
        planes = _drawing(
            tones.settled(patch, self._tone),
            abs(patch.seed),
            patch.label == FACE,
            blocks,
            patch.orientation,
            patch.layout,
        )
        fills = []
        for plane, values in zip(patch.planes, planes, strict=True):
            step = plane.x_step, plane.y_step
            fill = spread(values, patch.size, patch.window, patch.grid, step)
            height, width = plane.samples.shape  # of an odd side, the last cell is cut
            fills.append(fill[:height, :width])
        return tuple(fills)

    def blocks(self, patch: Patch) -> tuple[int, int]:
        """Return how many blocks lie down and across the box, as stored."""
        width, height = patch.size
        if patch.label == FACE:
            return (_COLUMNS, _ROWS) if width > height else (_ROWS, _COLUMNS)
        block = max(width, height) / _LONGER_SIDE
        return max(1, round(height / block)), max(1, round(width / block))


@lru_cache(maxsize=2048)  # one for each face of a crowd; some 400 bytes each
def _drawing(
    tone: color.Color,
    seed: int,
    is_face: bool,
    blocks: tuple[int, int],
    orientation: Orientation,
    layout: PixelLayout,
) -> tuple[Samples, ...]:
    """Return the blocks, one sample each, as stored.

    Args:
        tone: the color that they vary.
        seed: how they vary it.
        is_face: whether a face is drawn.
        blocks: (rows, columns) as stored.
        orientation: how the frame is turned.
        layout: what the samples mean.
    """
    random = np.random.default_rng(seed)
    rows, columns = blocks[::-1] if orientation.swaps_sides else blocks
    if is_face:
        light, warmth = _face(random)
        if columns > rows:  # a lying head; to which side is not known
            light, warmth = (np.rot90(part, 1 + 2 * (seed % 2)) for part in (light, warmth))
    else:
        field = random.standard_normal((_LONGER_SIDE, _LONGER_SIDE), np.float32)
        light = field[:rows, :columns] * _FIELD_DEVIATION + 1
        warmth = np.zeros((rows, columns), np.float32)
    base = np.array(tone, np.float32)
    # What has no color gains none.
    vividness = min(1.0, float(base.max() - base.min()) / 40)
    tint = 1 + vividness * np.maximum(warmth, 0)[..., None] * _RED_GREEN_BLUE
    gray = np.clip(-warmth, 0, 1)[..., None]
    colors = (base + gray * (tones.gray(tone)[0] - base)) * tint
    image = np.clip(np.rint(colors * light[..., None]), 0, 255).astype(np.uint8)
    return color.to_planes(np.ascontiguousarray(orientation.stored(image)), layout)


def _face(random: np.random.Generator) -> tuple[_Blocks, _Blocks]:
    """Draw a face that is no one's, and return its blocks' light and warmth, relative to a tone.

    Light is a share of the tone's. A warmth of 1 is as red as lips, one of -1 is gray.
    """
    columns, rows = _COLUMNS * _DETAIL, _ROWS * _DETAIL
    across = (np.arange(columns, dtype=np.float32) + 0.5) / columns * 2 - 1
    down = (np.arange(rows, dtype=np.float32) + 0.5) / rows
    turn, nod = random.uniform(-_TURN, _TURN), random.uniform(-_NOD, _NOD)
    x, y = np.meshgrid(across, down - nod)
    inner = x - turn  # features move further than the head's outline
    hair_light = random.uniform(*_HAIR_LIGHT)
    hair_length, fringe = random.uniform(0.42, 0.85), random.uniform(0.19, 0.27)
    parting = random.uniform(-0.08, 0.08)

    # What lies next to a head differs from block to block, and is gray, as it suits most scenes.
    background = np.float32(random.uniform(*_BACKGROUND_LIGHT)) + _noise(
        random, _BACKGROUND_DEVIATION
    )
    light = background.repeat(_DETAIL, axis=0).repeat(_DETAIL, axis=1)
    warmth = np.full_like(x, -0.7)
    is_neck = (np.abs(x) < 0.42) & (y > 0.6)
    light[is_neck], warmth[is_neck] = 0.72, 0.0
    is_hair = ((x / 0.80) ** 2 + ((y - 0.46) / 0.43) ** 2 < 1) & (y < hair_length)
    light[is_hair], warmth[is_hair] = hair_light, -0.45
    is_skin = ((x - turn / 2) / 0.62) ** 2 + ((y - 0.46) / 0.35) ** 2 < 1
    is_skin &= y > fringe + 0.10 * (inner + parting) ** 2
    light[is_skin], warmth[is_skin] = 1.0, 0.15

    def spot(x_center: float, y_center: float, width: float, height: float) -> _Blocks:
        at = np.square((inner - x_center) / width) + np.square((y - y_center) / height)
        return np.asarray(np.exp(-at), np.float32)

    eyes = spot(-0.27, 0.43, 0.17, 0.045) + spot(0.27, 0.43, 0.17, 0.045)
    cheeks = spot(-0.28, 0.56, 0.2, 0.08) + spot(0.28, 0.56, 0.2, 0.08)
    mouth, chin = spot(0, 0.675, 0.22, 0.04), spot(0, 0.82, 0.5, 0.05)
    nose, brow = spot(0, 0.52, 0.1, 0.09), spot(0, 0.3, 0.35, 0.07)
    light += 0.13 * brow + 0.14 * nose + 0.10 * cheeks - 0.40 * eyes - 0.28 * mouth - 0.22 * chin
    warmth += mouth + 0.3 * cheeks
    light *= 1 + across * np.float32(_GRADIENT * random.uniform(-1, 1))
    light_of_blocks, warmth_of_blocks = (
        np.asarray(cv2.resize(values, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA), np.float32)
        for values in (light, warmth)
    )
    light_of_blocks += light_of_blocks * _noise(random, _BLOCK_DEVIATION)
    return light_of_blocks, warmth_of_blocks


def _noise(random: np.random.Generator, deviation: float) -> _Blocks:
    blocks = random.standard_normal((_ROWS, _COLUMNS), np.float32)
    return np.float32(deviation) * np.clip(blocks, -2, 2)  # no block stands out
