"""A self-contained HTML report of an evaluation: figures, worst misses, worst false alarms."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.files.atomic import replacing
from tracker_blur.text import escaped
from tracker_blur.training.datasets.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.evaluation.measure import Outcome, Scores

_MAX_SHOWN = 60  # of each detector's misses and false alarms
_CROP_PX = 160
_MARGIN = 1.5  # of the box's longer side, on each side
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
td, th { padding: .2em .8em; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr:nth-child(even) { background: #8881; }
figure { display: inline-block; margin: .3em; width: 160px; } figure img { display: block; }
figcaption { font-size: 12px; overflow-wrap: anywhere; }
:root { color-scheme: light dark; }
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One detector's part of the report: its name, its scores and the images they are for."""

    name: str
    scores: Scores
    images: Sequence[AnnotatedImage]


def render_report(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], sections: Sequence[Section]
) -> str:
    """Return the report as HTML: a table of figures, then crops of each detector's errors.

    Raises SourceError for an image that cannot be read.
    """
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width'>",
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>",
        f"<h1>{html.escape(title)}</h1>",
        _table(header, rows),
    ]
    for section in sections:
        name = html.escape(section.name)
        missed, false_alarms = section.scores.missed, section.scores.false_alarms
        parts.append(f"<h2>{name}: largest missed objects ({len(missed)} in all)</h2>")
        parts += _figures(missed, section.images)
        parts.append(f"<h2>{name}: best-scored false alarms ({len(false_alarms)} in all)</h2>")
        parts += _figures(false_alarms, section.images)
    return "\n".join(parts) + "</html>\n"


def write_report(path: Path, content: str) -> None:
    """Write the report, over an older one, for its owner only, as it shows faces.

    Raises:
        SinkError: that is not possible.
    """
    with replacing(path, overwrite=True, is_private=True) as file:
        file.write_bytes(content.encode("utf-8", "backslashreplace"))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figures(outcomes: Sequence[Outcome], images: Sequence[AnnotatedImage]) -> list[str]:
    return [_figure(outcome, images[outcome.image_index]) for outcome in outcomes[:_MAX_SHOWN]]


def _figure(outcome: Outcome, annotated: AnnotatedImage) -> str:
    size = f"{outcome.box.width:.0f}x{outcome.box.height:.0f} px"
    score = f", score {outcome.score:.2f}" if outcome.score else ""
    name = escaped("/".join(annotated.path.parts[-2:]))
    crop = _crop(read_image(annotated.path), outcome.box)
    _, content = cv2.imencode(".jpg", crop, (cv2.IMWRITE_JPEG_QUALITY, 80))
    data = base64.b64encode(content.tobytes()).decode("ascii")
    return (
        f"<figure><img width='{_CROP_PX}' height='{_CROP_PX}' alt='{html.escape(name)}' "
        f"src='data:image/jpeg;base64,{data}'>"
        f"<figcaption>{html.escape(name)}, {size}{score}</figcaption></figure>"
    )


def _crop(image: Image, box: Box) -> Image:
    """Return a square of 160 pixels that shows the box, drawn in, and what is around it."""
    side = max(box.width, box.height, 1.0) * (1 + 2 * _MARGIN)
    scale = _CROP_PX / side
    x, y = box.center
    matrix = np.array(
        ((scale, 0, _CROP_PX / 2 - x * scale), (0, scale, _CROP_PX / 2 - y * scale)), np.float64
    )
    crop = cv2.warpAffine(image, matrix, (_CROP_PX, _CROP_PX), flags=cv2.INTER_LINEAR)
    half = round(box.width * scale / 2), round(box.height * scale / 2)
    middle = _CROP_PX // 2
    start, end = (middle - half[0], middle - half[1]), (middle + half[0], middle + half[1])
    return np.asarray(cv2.rectangle(crop, start, end, (0, 255, 255), 1), np.uint8)
