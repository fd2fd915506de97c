"""Cut-out portraits: the people of the samples, from images that installed packages contain.

Both portraits are in the public domain: Eileen Collins (NASA, in scikit-image) and Grace Hopper
(US Navy, in matplotlib). Each is cut from its backdrop. It may be mirrored, dressed in another
color, given other hair, or narrowed, so that two images make several people. A head is turned by
wrapping it around an upright cylinder.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Ratios = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Portrait:
    """Where the person is in an image; all in pixels of the image.

    Attributes:
        face: (x, y, width, height) of the face, brow to chin, as annotators draw it.
        head: (y, left, right) of the head's outline, from top to neck; this part turns.
        hair: (left, top, right, bottom) of a part that shows only hair, of which the back of the
            head is made; None: the back looks like the front, so turn it only a little.
        chin_y: clothing is below this.
        bottom_y: where the clothing ends that may be continued downward.
        outline: the person, as a polygon that is right to about 10 px.
    """

    face: tuple[float, float, float, float]
    head: tuple[tuple[float, float, float], ...]
    hair: tuple[int, int, int, int] | None
    chin_y: int
    bottom_y: int
    outline: tuple[tuple[int, int], ...]


PORTRAITS = {
    "collins": Portrait(
        face=(178, 65, 90, 112),
        head=((14, 205, 255), (30, 178, 284), (60, 155, 296), (100, 154, 298), (120, 162, 290),
              (134, 176, 276), (150, 184, 264), (166, 187, 258), (186, 188, 256)),
        hair=(184, 30, 276, 58),
        chin_y=186,
        bottom_y=512,
        outline=((185, 33), (200, 22), (232, 14), (265, 20), (290, 42), (299, 75), (301, 105),
                 (287, 128), (272, 138), (262, 150), (262, 172), (287, 193), (304, 222),
                 (308, 240), (330, 250), (346, 275), (353, 310), (361, 337), (380, 342),
                 (410, 344), (445, 361), (475, 394), (493, 435), (496, 455), (509, 470),
                 (512, 512), (30, 512), (25, 470), (21, 430), (22, 400), (25, 350), (40, 310),
                 (55, 270), (75, 243), (108, 215), (111, 190), (121, 170), (138, 152), (162, 147),
                 (184, 150), (180, 132), (165, 117), (153, 95), (151, 70), (165, 48)),
    ),
    "hopper": Portrait(
        face=(180, 126, 172, 207),
        head=((18, 220, 310), (50, 195, 335), (90, 160, 366), (140, 154, 372), (190, 158, 372),
              (250, 164, 364), (285, 178, 352), (310, 200, 332), (345, 206, 325)),
        hair=None,
        chin_y=335,
        bottom_y=578,
        outline=((156, 100), (174, 82), (191, 53), (220, 36), (248, 24), (266, 22), (302, 31),
                 (338, 56), (352, 75), (371, 93), (374, 143), (365, 171), (375, 186), (375, 214),
                 (367, 246), (365, 279), (350, 304), (333, 318), (366, 337), (416, 360),
                 (466, 378), (495, 405), (506, 443), (512, 475), (512, 600), (13, 600), (20, 500),
                 (27, 443), (34, 404), (59, 378), (131, 349), (184, 325), (202, 314), (189, 296),
                 (161, 277), (160, 261), (162, 243), (155, 207), (157, 179), (168, 154),
                 (151, 143)),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Appearance:
    """How a person of a scene looks: which portrait, and how it is varied.

    Attributes:
        portrait: a key of `PORTRAITS`.
        mirrored: whether left and right are swapped.
        cloth: color of the clothes as (blue, green, red); None: their own.
        hair_gain: brightness of the hair; 1 is its own.
        width_gain: width of the person; 1 is their own.
    """

    portrait: str
    mirrored: bool = False
    cloth: tuple[int, int, int] | None = None
    hair_gain: float = 1.0
    width_gain: float = 1.0


@dataclass(frozen=True, eq=False)
class CutOut:
    """A person without a backdrop.

    Attributes:
        front: BGR that extends a little beyond the outline, shape (height, width, 3), 0 to 255.
        back: the same, with the head seen from behind.
        alpha: how much of each pixel is the person, shape (height, width, 1), 0 to 1.
        face: (center x, center y, width, height) of the face.
        head: left and right outline of the head by row, NaN where there is none.
    """

    front: Ratios
    back: Ratios
    alpha: Ratios
    face: tuple[float, float, float, float]
    head: tuple[Ratios, Ratios]

    def turned(self, yaw_degrees: float) -> Ratios:
        """Return BGR times alpha, and alpha: shape (height, width, 4), 0 to 1.

        A positive yaw turns the head to the right of the image. Its outline stays the same, as
        that of a cylinder does.
        """
        color = self.front
        if yaw_degrees != 0:
            color = color.copy()
            rows = np.flatnonzero(np.isfinite(self.head[0]))
            part = np.s_[rows[0] : rows[-1] + 1]
            color[part] = self._wrapped(yaw_degrees, part)
        return np.dstack((color / 255 * self.alpha, self.alpha))

    def _wrapped(self, yaw_degrees: float, rows: slice) -> Ratios:
        """Return these rows of the head, painted on a cylinder that is turned."""
        front, back = self.front[rows], self.back[rows]
        left, right = (side[rows, None] for side in self.head)
        x = np.arange(front.shape[1], dtype=np.float32)[None, :]
        y = np.arange(front.shape[0], dtype=np.float32)[:, None]
        middle, radius = (left + right) / 2, (right - left) / 2
        across = (x - middle) / radius
        inside = np.abs(across) < 1
        angle = np.arcsin(np.where(inside, across, 0)) - np.deg2rad(yaw_degrees)
        source_x = np.where(inside, middle + radius * np.sin(angle), x).astype(np.float32)
        source_y = np.broadcast_to(y, source_x.shape)
        share = _smooth_step((np.cos(angle) + 0.05) / 0.25)[..., None]
        turned = share * cv2.remap(front, source_x, source_y, cv2.INTER_LINEAR)
        turned += (1 - share) * cv2.remap(back, source_x, source_y, cv2.INTER_LINEAR)
        return np.where(inside[..., None], turned, front)


def face_span(yaw_degrees: float, width_ratio: float) -> tuple[float, float]:
    """Return where a turned face begins and ends across the head, each from -1 to 1.

    The face is a strip of the cylinder. Parts that have turned out of sight are left out.

    Args:
        yaw_degrees: how far it is turned to the right.
        width_ratio: the face's width over the head's.
    """
    half = np.arcsin(min(1.0, width_ratio))
    yaw = np.deg2rad(yaw_degrees)
    ends = np.clip((yaw - half, yaw + half), -np.pi / 2, np.pi / 2)
    return float(np.sin(ends[0])), float(np.sin(ends[1]))


@functools.cache
def cut_out(appearance: Appearance) -> CutOut:
    """Cut a portrait from its backdrop and vary it."""
    portrait = PORTRAITS[appearance.portrait]
    image = _image(appearance.portrait)
    alpha = _alpha(image, portrait)
    rows = np.arange(image.shape[0])
    ys, lefts, rights = np.transpose(portrait.head)
    left, right = (np.interp(rows, ys, side, np.nan, np.nan) for side in (lefts, rights))
    image = _dyed(image, portrait, appearance, (left, right))
    front = _filled(image, alpha)
    layers = [front, _back_of_head(front, portrait, (left, right)), alpha]
    x, y, width, height = portrait.face
    center_x = x + width / 2
    # All bodies are as high; the last rows of clothing continue up and down.
    depth = round(y + 4.1 * height)
    wave = np.arange(depth) - portrait.bottom_y
    rows = np.where(wave < 0, wave, -np.abs((wave + 30) % 60 - 30) - 1) + portrait.bottom_y
    layers = [layer[rows] for layer in layers]
    left, right = left[rows], right[rows]
    columns = round(image.shape[1] * appearance.width_gain)
    ratio = columns / image.shape[1]
    layers = [np.asarray(cv2.resize(layer, (columns, depth)), np.float32) for layer in layers]
    left, right, center_x, width = left * ratio, right * ratio, center_x * ratio, width * ratio
    if appearance.mirrored:
        layers = [layer[:, ::-1] for layer in layers]
        left, right, center_x = columns - 1 - right, columns - 1 - left, columns - 1 - center_x
    return CutOut(
        front=np.ascontiguousarray(layers[0]),
        back=np.ascontiguousarray(layers[1]),
        alpha=np.ascontiguousarray(layers[2])[..., None],
        face=(center_x, y + height / 2, width, height),
        head=(left.astype(np.float32), right.astype(np.float32)),
    )


def _image(name: str) -> Pixels:
    """Return the portrait as BGR."""
    if name == "collins":
        import skimage.data

        return np.ascontiguousarray(skimage.data.astronaut()[..., ::-1], np.uint8)
    from matplotlib import cbook

    path = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return np.asarray(cv2.imread(str(Path(str(path)))), np.uint8)


def _alpha(image: Pixels, portrait: Portrait) -> Ratios:
    """Return how much of each pixel is the person, 0 to 1."""
    polygon = np.array(portrait.outline, np.int32)
    solid = cv2.fillPoly(np.zeros(image.shape[:2], np.uint8), [polygon], 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17))
    padded = cv2.copyMakeBorder(solid, 0, 20, 20, 20, cv2.BORDER_REPLICATE)
    inner = cv2.erode(padded, disk)[:-20, 20:-20]
    outer = cv2.dilate(padded, disk)[:-20, 20:-20]
    mask = np.where(solid, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[inner == 1] = cv2.GC_FGD
    mask[outer == 0] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(image, mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 4,
                cv2.GC_INIT_WITH_MASK)  # fmt: skip
    person = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    person[:, :3] = person[:, -3:] = 0  # where the image ends, the person has a soft edge
    opened = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    soft = cv2.GaussianBlur(opened.astype(np.float32), (0, 0), 2.0)
    # Moved inward by about a pixel: the rim has color of the backdrop.
    return _smooth_step((soft - 0.35) / 0.6)


def _dyed(
    image: Pixels, portrait: Portrait, appearance: Appearance, head: tuple[Ratios, Ratios]
) -> Pixels:
    """Return the image with other clothes and hair."""
    rows, columns = (np.arange(size, dtype=np.float32) for size in image.shape[:2])
    dyed = image.astype(np.float32)
    value = dyed.max(axis=2)
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    x, y, width, height = portrait.face
    face = ((columns[None] - x - width / 2) / (0.56 * width)) ** 2 + (
        (rows[:, None] - y - 0.48 * height) / (0.62 * height)
    ) ** 2
    off_face = _smooth_step((face - 0.9) / 0.5)
    if appearance.cloth is not None:
        if appearance.portrait == "collins":  # the orange suit
            cloth = (hsv[..., 0] < 16) & (hsv[..., 1] > 110) & (rows[:, None] > portrait.chin_y)
            brightness = value / 235
        else:  # the navy blue uniform and hat: nearly black
            cloth = (value < 75) & ((rows[:, None] > portrait.chin_y) | (off_face > 0.5))
            brightness = (value + 25) / 70
        share = cv2.GaussianBlur(cloth.astype(np.float32), (0, 0), 1.0)[..., None]
        dyed = (1 - share) * dyed + share * brightness[..., None] * np.array(appearance.cloth)
    if appearance.hair_gain != 1:
        left, right = head
        on_head = (columns[None] > left[:, None] - 6) & (columns[None] < right[:, None] + 6)
        above = _smooth_step((portrait.face[1] + 0.75 * height - rows) / 14)[:, None]
        hair = cv2.GaussianBlur(on_head.astype(np.float32), (0, 0), 3) * above * off_face
        dyed *= 1 + hair[..., None] * (appearance.hair_gain - 1)
    return np.clip(dyed, 0, 255).astype(np.uint8)


def _filled(image: Pixels, alpha: Ratios) -> Ratios:
    """Return the image with the backdrop near the person replaced by the person's colors."""
    inside = (alpha > 0.95).astype(np.float32)[..., None]
    known = cv2.GaussianBlur(image * inside, (0, 0), 5)
    weight = cv2.GaussianBlur(inside, (0, 0), 5)[..., None]
    return np.asarray(inside * image + (1 - inside) * known / np.maximum(weight, 1e-3), np.float32)


def _back_of_head(front: Ratios, portrait: Portrait, head: tuple[Ratios, Ratios]) -> Ratios:
    """Return the front with hair over the whole head, down to the neck."""
    if portrait.hair is None:
        return front
    left, right = head
    height, width = front.shape[:2]
    hair_left, hair_top, hair_right, hair_bottom = portrait.hair
    first, neck = portrait.head[0][0], portrait.face[1] + 0.8 * portrait.face[3]
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None, :]
    across = np.nan_to_num(np.clip((x - left[:, None]) / (right - left)[:, None], 0, 1))
    down = np.broadcast_to(np.clip((y - first) / (neck - first), 0, 1), across.shape)
    hair = cv2.remap(
        front,
        (hair_left + (hair_right - hair_left) * across).astype(np.float32),
        (hair_top + (hair_bottom - hair_top) * down).astype(np.float32),
        cv2.INTER_CUBIC,
    )
    share = np.where(np.isnan(left), 0, _smooth_step((neck - y[:, 0]) / 8 + 1))[:, None, None]
    shade = 0.8  # from behind, the neck is in the shadow
    return np.asarray(share * hair + (1 - share) * shade * front, np.float32)


def _smooth_step(ratio: npt.NDArray[np.floating]) -> Ratios:
    """Return 0 below 0, 1 above 1, and a smooth rise between."""
    clipped = np.clip(ratio, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)
