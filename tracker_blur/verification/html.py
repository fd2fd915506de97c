"""The verification report: one HTML page with exposed faces first, then the ends of every track.

The page is self-contained: styles and images are inside, it runs no scripts and loads nothing.
"""

from __future__ import annotations

import base64
import html
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from tracker_blur.text import counted, escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.verification.verdict import (
        Check,
        Exposure,
        ExposureRun,
        TrackEndView,
        Verdict,
    )

_MAX_CARDS = 300  # no one reads more
_STYLE = """
:root { color-scheme: light; --line: #d5dae0; --soft: #56616e; --bad: #a3172a; --good: #17663a; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: #fff; color: #1b2129;
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.2rem; }
h3 { margin: 0 0 .5rem; font-size: 1rem; }
p { margin: .4rem 0; }
.soft { color: var(--soft); font-size: .9rem; }
.warning { padding: .6rem .9rem; background: #fff4d6; border-left: .3rem solid #b27b00; }
.verdict { font-size: 1.2rem; font-weight: 600; margin-top: 1rem; }
.bad { color: var(--bad); }
.good { color: var(--good); }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem;
  padding: 0; margin: 0; list-style: none; }
.card { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; }
.strip { display: flex; flex-wrap: wrap; gap: .5rem; }
figure { margin: 0; }
figcaption { color: var(--soft); font-size: .85rem; }
img { display: block; height: 8rem; max-width: 100%; object-fit: contain;
  border-radius: .25rem; background: #eef0f3; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
@media print { .card { break-inside: avoid; } }
"""
_EVIDENCE = {
    "pixels": "A detection counts as exposed if the output still shows what the input shows there.",
    "tracks": "A detection counts as exposed if it lies outside of what the tracks hide, or if the "
    "hidden place still has the fine detail of a face.",
    "detail": "A detection counts as exposed if it has the fine detail of a face. Without the "
    "input this is a guess: give the input (--against) for a reliable result.",
}


def page(verdict: Verdict) -> str:
    """Return the page as HTML text."""
    title = f"Verification of {escaped(PurePath(verdict.output).name)}"
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "img-src data:; style-src 'unsafe-inline'\">",
            '<meta name="robots" content="noindex">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            *_head(verdict),
            *_exposed(verdict.runs),
            *_doubtful(verdict.doubtful),
            *_checks(verdict.checks),
            *_ends(verdict.ends, verdict.omitted_ends),
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


def page_bytes(verdict: Verdict) -> bytes:
    """Return the page as UTF-8; bytes of file names that are not valid text are escaped."""
    return page(verdict).encode("utf-8", "backslashreplace")


def headline(verdict: Verdict) -> str:
    """Return the verdict in one line."""
    parts = []
    if verdict.source_mismatches:
        name = PurePath(verdict.source or "").name
        signs = "; ".join(f"{check.title}: {check.detail}" for check in verdict.source_mismatches)
        parts.append(f"{name} seems to be another video ({signs}): faces were not compared with it")
    if verdict.runs:
        parts.append(_exposed_text(verdict))
    elif not verdict.source_mismatches:
        parts.append(f"no exposed face in {verdict.probed_frames} of {verdict.frames} frames")
    text = "; ".join(parts)
    if verdict.doubtful:
        text += f", and {counted(len(verdict.doubtful), 'doubtful place')}"
    if verdict.failed_checks:
        text += f"; failed checks: {', '.join(check.title for check in verdict.failed_checks)}"
    elif verdict.checks:
        text += "; everything else is intact"
    return text


def _exposed_text(verdict: Verdict) -> str:
    frames, places = counted(verdict.exposed_frames, "frame"), len(verdict.runs)
    first = verdict.runs[0].first.time_code
    if places > 1:
        return f"faces are exposed in {frames}, in {places} places, the first at {first}"
    if verdict.exposed_frames > 1:
        return f"a face is exposed in {frames}, the first at {first}"
    return f"a face is exposed in {frames}, at {first}"


def _head(verdict: Verdict) -> Iterator[str]:
    yield '<p class="warning" role="note"><strong>This page shows faces.</strong> '
    yield "Handle it like the video they come from, and delete it when you are done.</p>"
    yield f"<h1>{html.escape(escaped(PurePath(verdict.output).name))}</h1>"
    if verdict.source is not None:
        name = html.escape(escaped(PurePath(verdict.source).name))
        yield f'<p class="soft">compared with {name}</p>'
    mood, mark = ("good", "✓") if verdict.is_clean else ("bad", "✗")
    yield f'<p class="verdict {mood}">{mark} {html.escape(escaped(headline(verdict)))}</p>'
    names = html.escape(" and ".join(verdict.detectors))
    yield f'<p class="soft">Checked by {names}: {verdict.detections} detections in '
    yield f"{verdict.probed_frames} of {verdict.frames} frames. {_EVIDENCE[verdict.evidence]}</p>"
    if verdict.advice is not None:
        yield f'<p class="warning">{html.escape(verdict.advice, quote=False)}</p>'


def _exposed(runs: tuple[ExposureRun, ...]) -> Iterator[str]:
    if not runs:
        return
    yield f'<h2 id="exposed">Exposed faces ({len(runs)})</h2>'
    yield from _cards(runs, "exposed face")


def _doubtful(runs: tuple[ExposureRun, ...]) -> Iterator[str]:
    if not runs:
        return
    yield f'<h2 id="doubtful">Doubtful places ({len(runs)})</h2>'
    yield '<p class="soft">Detections with low confidence, or with high confidence only once: '
    yield "often a wall, hair or clothes, sometimes a face. Check them.</p>"
    yield from _cards(runs, "possible face")


def _cards(runs: tuple[ExposureRun, ...], what: str) -> Iterator[str]:
    yield '<ul class="sheet">'
    for run in runs[:_MAX_CARDS]:
        yield from _card(run, what)
    yield "</ul>"
    if len(runs) > _MAX_CARDS:
        yield f"<p>{len(runs) - _MAX_CARDS} more are only in the JSON report.</p>"


def _card(run: ExposureRun, what: str) -> Iterator[str]:
    first, last, worst = run.first, run.last, run.worst
    track = "no track" if run.track_id is None else f"track {run.track_id}"
    span = first.time_code if first is last else f"{first.time_code} to {last.time_code}"
    count = len(run.exposures)
    yield '<li class="card">'
    yield f"<h3>{span}</h3>"
    yield from _figure(worst, f"{what} at {worst.time_code}")
    frames = f"frame {first.frame}" if first is last else f"frames {first.frame} to {last.frame}"
    yield f"<p>{track}, {frames}, exposed in {count}</p>"
    yield f'<p class="soft">{html.escape(worst.detector)} {worst.score:.2f}, '
    yield f"{100 * worst.visible:.0f} % visible, {worst.box.width:.0f}x{worst.box.height:.0f} "
    yield f"pixels at {worst.box.left:.0f}, {worst.box.top:.0f}</p>"
    yield "</li>"


def _figure(exposure: Exposure, caption: str) -> Iterator[str]:
    if exposure.crop is None:
        yield "<p>(no image kept)</p>"
    else:
        yield f'<figure><img src="{_data_url(exposure.crop)}" alt="{caption}">'
        yield f"<figcaption>frame {exposure.frame}</figcaption></figure>"


def _checks(checks: tuple[Check, ...]) -> Iterator[str]:
    if not checks:
        return
    yield '<h2 id="rest">Is everything else intact?</h2>'
    yield '<table><thead><tr><th scope="col">Check</th><th scope="col">Intact</th>'
    yield '<th scope="col">Result</th></tr></thead><tbody>'
    for check in checks:
        mood, word = ("good", "✓ yes") if check.passed else ("bad", "✗ no")
        yield f'<tr><th scope="row">{html.escape(check.title)}</th><td class="{mood}">{word}</td>'
        yield f"<td>{html.escape(escaped(check.detail))}</td></tr>"
    yield "</tbody></table>"


def _ends(ends: tuple[TrackEndView, ...], omitted: int) -> Iterator[str]:
    if not ends:
        return
    yield '<h2 id="ends">Where every track begins and ends</h2>'
    yield '<p class="soft">The output one frame before each track, at its first and last frame, '
    yield "and one frame after it.</p>"
    yield '<ul class="sheet">'
    for track_id, views in groupby(ends, key=lambda view: view.track_id):
        yield f'<li class="card"><h3>Track {track_id}</h3><div class="strip">'
        for view in views:
            yield f'<figure><img src="{_data_url(view.crop)}" loading="lazy" '
            yield f'alt="track {track_id}, {view.moment}, frame {view.frame}">'
            yield f"<figcaption>{view.moment}, frame {view.frame}</figcaption></figure>"
        yield "</div></li>"
    yield "</ul>"
    if omitted:
        yield f"<p>{omitted} more tracks are not shown.</p>"


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
