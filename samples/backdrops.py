"""What is behind and in front of the people: a brick wall, a launch pad at dusk, a hedge.

All are made of photographs in scikit-image that are in the public domain (CC0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import skimage.data

if TYPE_CHECKING:
    from portraits import Pixels

MARGIN_PX = 60  # on each side of the frame: room for a pan


def brick_wall(size: tuple[int, int], seed: int = 0) -> Pixels:
    """Return a sunlit wall of red bricks, BGR, larger than (width, height) by the margin."""
    width, height = (side + 2 * MARGIN_PX for side in size)
    zoom = size[1] / 720
    bricks = cv2.rotate(skimage.data.brick(), cv2.ROTATE_90_CLOCKWISE)
    # ten courses that the photograph shows at an angle
    quad = np.array([(0, 49.5), (511, 85), (511, 423), (0, 466)], np.float32)
    tile_size = 512, 410
    upright = np.array([(0, 0), (512, 0), (512, 410), (0, 410)], np.float32)
    tile = cv2.warpPerspective(bricks, cv2.getPerspectiveTransform(quad, upright), tile_size)
    tile = cv2.resize(tile, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    strip = np.hstack((tile, tile[:, ::-1]))
    across, down = (-(-side // part) for side, part in zip((width, height), strip.shape[1::-1],
                                                          strict=True))  # fmt: skip
    gray = np.tile(strip, (down, across))[:height, :width].astype(np.float32)
    mortar = np.clip((gray - 120) / 40, 0, 1)[..., None]
    red, light = np.array((62, 76, 122)) / 105, np.array((128, 138, 146)) / 165
    wall = gray[..., None] * ((1 - mortar) * red + mortar * light)
    wall *= 1 + 0.12 * _clouds((width, height), 3 * zoom, seed)[..., None]
    wall *= 1 + 0.15 * _clouds((width, height), 40 * zoom, seed + 1)[..., None]
    wall *= 1 + 0.35 * _clouds((width, height), 150 * zoom, seed + 2)[..., None]
    wall *= np.linspace(1.25, 0.85, width)[None, :, None]
    soft = cv2.GaussianBlur(wall, (0, 0), 1.1 * zoom)  # it is out of focus
    return np.clip(soft, 0, 255).astype(np.uint8)


def launch_pad(size: tuple[int, int]) -> Pixels:
    """Return a rocket at dusk, BGR, larger than (width, height) by the margin."""
    width, height = (side + 2 * MARGIN_PX for side in size)
    photo = np.ascontiguousarray(skimage.data.rocket()[..., ::-1])
    scale = max(width / photo.shape[1], height / photo.shape[0])
    large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    left = (large.shape[1] - width) // 2
    return np.ascontiguousarray(large[-height:, left : left + width])


def hedge(size: tuple[int, int], top_px: int, seed: int = 0) -> Pixels:
    """Return a hedge from `top_px` to the bottom of the frame, BGR and alpha."""
    width, height = size
    zoom = height / 720
    leaves = cv2.resize(skimage.data.grass(), None, fx=zoom, fy=zoom).astype(np.float32)
    strip = np.hstack((leaves, leaves[:, ::-1]))
    gray = np.tile(strip, (2, -(-width // strip.shape[1])))[:height, :width]
    rows = np.arange(height)[:, None]
    edge = top_px + 9 * zoom * _clouds((width, height), 14 * zoom, seed)
    edge += (gray - gray.mean()) * 0.22 * zoom
    depth = np.clip((rows - edge) / (0.3 * height), 0, 1)
    shade = 0.55 + 0.75 * (1 - depth) ** 2
    green = np.array((52, 118, 84)) / 115
    color = ((gray - 110) * 1.3 + 95)[..., None] * green * shade[..., None]
    alpha = cv2.GaussianBlur(np.where(rows > edge, 255, 0).astype(np.uint8), (0, 0), 1.0)
    return np.dstack((np.clip(color, 0, 255).astype(np.uint8), alpha))


def with_lamp_post(foreground: Pixels, left_px: int, width_px: int) -> Pixels:
    """Return a foreground with a post from top to bottom, behind the hedge."""
    across = np.linspace(-1, 1, width_px)
    shade = 30 + 70 * np.exp(-(((across + 0.35) / 0.4) ** 2)) + 20 * across**2
    column = np.repeat((shade[:, None] * (0.95, 1.0, 0.9))[None], foreground.shape[0], axis=0)
    hedge_share = foreground[:, left_px : left_px + width_px, 3:] / 255
    standing = foreground.copy()
    part = standing[:, left_px : left_px + width_px]
    part[..., :3] = hedge_share * part[..., :3] + (1 - hedge_share) * column
    part[..., 3] = 255
    return standing


def _clouds(size: tuple[int, int], scale_px: float, seed: int) -> np.ndarray:
    """Return smooth noise between about -1 and 1, with blobs of this size."""
    width, height = size
    small = max(2, round(width / scale_px)), max(2, round(height / scale_px))
    noise = np.random.default_rng(seed).uniform(-1, 1, small[::-1]).astype(np.float32)
    return cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
