"""One self-contained HTML page: the figures, the worst misses and the worst false alarms."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.files.atomic import replacing
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.datasets.annotated import read_picture
from tracker_blur.training.evaluation.measure import Outcome, Scores

_SHOWN = 60
_SIDE_PX = 160
_AROUND = 1.5  # of the box's longer side, on each side
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
    """One detector's part of the page: its name, its scores and on which pictures."""

    name: str
    scores: Scores
    pictures: Sequence[Annotated]


def page(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], sections: Sequence[Section]
) -> str:
    """Return the page as HTML: a table of figures, then pictures of each detector's errors.

    Raises SourceError for a picture that cannot be read.
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
        parts.append(
            f"<h2>{name}: largest of the missed ({len(section.scores.missed)} in all)</h2>"
        )
        parts += _figures(section.scores.missed, section.pictures)
        parts.append(f"<h2>{name}: surest false alarms ({len(section.scores.alarms)} in all)</h2>")
        parts += _figures(section.scores.alarms, section.pictures)
    return "\n".join(parts) + "</html>\n"


def write(path: Path, content: str) -> None:
    """Write the page, over one that is there; raises SinkError when that is not possible."""
    with replacing(path, overwrite=True) as file:
        file.write_text(content, encoding="utf-8")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figures(outcomes: Sequence[Outcome], pictures: Sequence[Annotated]) -> list[str]:
    return [_figure(outcome, pictures[outcome.picture]) for outcome in outcomes[:_SHOWN]]


def _figure(outcome: Outcome, picture: Annotated) -> str:
    size = f"{outcome.box.width:.0f}x{outcome.box.height:.0f} px"
    score = f", score {outcome.score:.2f}" if outcome.score else ""
    name = "/".join(picture.path.parts[-2:])
    image = _cut(read_picture(picture.path), outcome.box)
    _, content = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 80))
    data = base64.b64encode(content.tobytes()).decode("ascii")
    return (
        f"<figure><img width='{_SIDE_PX}' height='{_SIDE_PX}' alt='{html.escape(name)}' "
        f"src='data:image/jpeg;base64,{data}'>"
        f"<figcaption>{html.escape(name)}, {size}{score}</figcaption></figure>"
    )


def _cut(image: Image, box: Box) -> Image:
    """Return the box and what is around it, as a square of 160 pixels, the box drawn in it."""
    side = max(box.width, box.height, 1.0) * (1 + 2 * _AROUND)
    scale = _SIDE_PX / side
    x, y = box.center
    matrix = np.array(
        ((scale, 0, _SIDE_PX / 2 - x * scale), (0, scale, _SIDE_PX / 2 - y * scale)), np.float64
    )
    cut = cv2.warpAffine(image, matrix, (_SIDE_PX, _SIDE_PX), flags=cv2.INTER_LINEAR)
    half = round(box.width * scale / 2), round(box.height * scale / 2)
    middle = _SIDE_PX // 2
    start, end = (middle - half[0], middle - half[1]), (middle + half[0], middle + half[1])
    return np.asarray(cv2.rectangle(cut, start, end, (0, 255, 255), 1), np.uint8)
