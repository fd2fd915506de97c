"""The verification report: one HTML page for one file or several.

Exposed faces come first, then places to look at, then the ends of every track. The page is
self-contained: styles and images are inside, it runs no scripts and loads nothing.
"""

from __future__ import annotations

import base64
import html
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from tracker_blur.text import counted, escaped, html_page, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.verification.exposures import Exposure, ExposureRun, TrackEndView
    from tracker_blur.verification.verdict import Check, Verdict

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


def page(*verdicts: Verdict) -> str:
    """Return the page of one verdict or several as HTML text."""
    names = [escaped(PurePath(verdict.output).name) for verdict in verdicts]
    title = f"Verification of {names[0] if len(names) == 1 else counted(len(names), 'file')}"
    return html_page(title, _STYLE, _content(verdicts))


def _content(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield '<p class="warning" role="note"><strong>This page shows faces.</strong> '
    yield "Handle it like the files they come from, and delete it when you are done.</p>"
    if len(verdicts) > 1:
        yield from _contents(verdicts)
    for section in _sections(verdicts):
        yield from section


def page_bytes(*verdicts: Verdict) -> bytes:
    """Return the page as UTF-8; bytes of file names that are not valid text are escaped."""
    return page(*verdicts).encode("utf-8", "backslashreplace")


def _contents(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield a table of the files, with links to their sections."""
    yield '<table><thead><tr><th scope="col">File</th><th scope="col">Verdict</th></tr></thead>'
    yield "<tbody>"
    for number, verdict in enumerate(verdicts, 1):
        name = html.escape(escaped(verdict.output))
        mood, mark = _mood(verdict)
        yield f'<tr><td><a href="#file-{number}">{name}</a></td><td class="{mood}">{mark} '
        yield f"{html.escape(escaped(headline(verdict)))}</td></tr>"
    yield "</tbody></table>"


def _sections(verdicts: Sequence[Verdict]) -> Iterator[Iterator[str]]:
    for number, verdict in enumerate(verdicts, 1):
        prefix = f"file-{number}-" if len(verdicts) > 1 else ""
        yield _section(verdict, f"file-{number}", prefix)


def _section(verdict: Verdict, name: str, prefix: str) -> Iterator[str]:
    yield f'<section id="{name}">'
    yield from _head(verdict)
    yield from _exposed(verdict.runs, prefix)
    yield from _look_here(verdict.look_here, prefix)
    yield from _how_to_accept(verdict)
    yield from _checks(verdict.checks, prefix)
    yield from _ends(verdict.ends, verdict.omitted_ends, prefix)
    yield "</section>"


def headline(verdict: Verdict) -> str:
    """Return the verdict in one line."""
    parts = []
    if verdict.source_mismatches:
        name = PurePath(verdict.source or "").name
        signs = "; ".join(f"{check.title}: {check.detail}" for check in verdict.source_mismatches)
        kind = "image" if verdict.frames == 1 else "video"
        parts.append(
            f"{name} seems to be another {kind} ({signs}): faces were not compared with it"
        )
    places = counted(len(verdict.look_here), "place")
    if verdict.runs:
        parts.append(_exposed_text(verdict))
    elif verdict.look_here:
        verb = "shows" if len(verdict.look_here) == 1 else "show"
        parts.append(f"look here: {places} perhaps {verb} {_kinds(verdict.look_here)}")
    elif not verdict.source_mismatches:
        parts.append(f"nothing found in {verdict.probed_frames} of {verdict.frames} frames")
    text = "; ".join(parts)
    if verdict.runs and verdict.look_here:
        text += f", and {places} to look at"
    if verdict.dismissed:
        text += f"; {counted(verdict.dismissed, 'accepted place')} left out"
    if verdict.left_visible:
        faces = counted(len(verdict.left_visible), "face")
        text += f"; {faces} left visible by choice"
    if verdict.failed_checks:
        text += f"; failed checks: {', '.join(check.title for check in verdict.failed_checks)}"
    elif verdict.checks:
        text += "; everything else is intact"
    return text


def _exposed_text(verdict: Verdict) -> str:
    frames, places = counted(verdict.exposed_frames, "frame"), len(verdict.runs)
    first = verdict.runs[0].first.time_code
    if places > 1:
        labels = listed([f"{label}s" for label in _labels(verdict.runs)], "and")
        return f"{labels} are exposed in {frames}, in {places} places, the first at {first}"
    at = "the first at" if verdict.exposed_frames > 1 else "at"
    return f"{_kinds(verdict.runs)} is exposed in {frames}, {at} {first}"


def _labels(runs: tuple[ExposureRun, ...]) -> list[str]:
    return sorted({run.label for run in runs})


def _kinds(runs: tuple[ExposureRun, ...]) -> str:
    """Return what some places show, such as "a face or a plate"."""
    return listed(
        [f"{'an' if label[:1] in set('aeiou') else 'a'} {label}" for label in _labels(runs)]
    )


def _head(verdict: Verdict) -> Iterator[str]:
    yield f"<h1>{html.escape(escaped(PurePath(verdict.output).name))}</h1>"
    if verdict.source is not None:
        name = html.escape(escaped(PurePath(verdict.source).name))
        yield f'<p class="soft">compared with {name}</p>'
    mood, mark = _mood(verdict)
    yield f'<p class="verdict {mood}">{mark} {html.escape(escaped(headline(verdict)))}</p>'
    names = html.escape(" and ".join(verdict.detectors))
    yield f'<p class="soft">Checked by {names}: {verdict.detections} detections in '
    yield f"{verdict.probed_frames} of {verdict.frames} frames. {_EVIDENCE[verdict.evidence]}</p>"
    if verdict.advice is not None:
        yield f'<p class="warning">{html.escape(verdict.advice, quote=False)}</p>'


def _mood(verdict: Verdict) -> tuple[str, str]:
    """Return the style and the mark of a verdict."""
    if not verdict.is_clean:
        return "bad", "✗"
    return ("soft", "?") if verdict.look_here else ("good", "✓")


def _exposed(runs: tuple[ExposureRun, ...], prefix: str) -> Iterator[str]:
    if not runs:
        return
    yield f'<h2 id="{prefix}exposed">Exposed faces ({len(runs)})</h2>'
    yield from _cards(runs, "exposed face")


def _look_here(runs: tuple[ExposureRun, ...], prefix: str) -> Iterator[str]:
    if not runs:
        return
    yield f'<h2 id="{prefix}look-here">Look here ({len(runs)})</h2>'
    yield '<p class="soft">Each of these perhaps shows a face, or hair, a hand, clothes, a wall. '
    yield "They are no failure, but only a person can tell.</p>"
    yield from _cards(runs, "possible face")


def _how_to_accept(verdict: Verdict) -> Iterator[str]:
    if verdict.places:
        yield '<p class="soft">If a place is fine as it is, run the same command again with '
        yield "<code>--accept accepted.jsonl --dismiss NAME</code>, with the name below its image. "
        yield "From then on, <code>--accept accepted.jsonl</code> leaves it out.</p>"


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
    count = len(run.exposures)
    yield '<li class="card">'
    yield f"<h3>{run.span}</h3>"
    yield from _figure(worst, f"{what} at {worst.time_code}")
    frames = f"frame {first.frame}" if first is last else f"frames {first.frame} to {last.frame}"
    yield f"<p>{track}, {frames}, exposed in {count}</p>"
    yield f"<p><code>{run.place_id}</code>{_chance(run)}</p>"
    yield f'<p class="soft">{html.escape(worst.detector)} {worst.score:.2f}, '
    yield f"{100 * worst.visible:.0f} % visible, {worst.box.width:.0f}x{worst.box.height:.0f} "
    yield f"pixels at {worst.box.left:.0f}, {worst.box.top:.0f}</p>"
    yield "</li>"


def _chance(run: ExposureRun) -> str:
    if run.log_odds is None:
        return ""
    return f", {100 * run.chance:.0f} % likely a {html.escape(run.label)}"


def _figure(exposure: Exposure, caption: str) -> Iterator[str]:
    if exposure.crop is None:
        yield "<p>(no image kept)</p>"
    else:
        yield f'<figure><img src="{_data_url(exposure.crop)}" alt="{caption}">'
        yield f"<figcaption>frame {exposure.frame}</figcaption></figure>"


def _checks(checks: tuple[Check, ...], prefix: str) -> Iterator[str]:
    if not checks:
        return
    yield f'<h2 id="{prefix}rest">Is everything else intact?</h2>'
    yield '<table><thead><tr><th scope="col">Check</th><th scope="col">Intact</th>'
    yield '<th scope="col">Result</th></tr></thead><tbody>'
    for check in checks:
        mood, word = ("good", "✓ yes") if check.passed else ("bad", "✗ no")
        yield f'<tr><th scope="row">{html.escape(check.title)}</th><td class="{mood}">{word}</td>'
        yield f"<td>{html.escape(escaped(check.detail))}</td></tr>"
    yield "</tbody></table>"


def _ends(ends: tuple[TrackEndView, ...], omitted: int, prefix: str) -> Iterator[str]:
    if not ends:
        return
    yield f'<h2 id="{prefix}ends">Where every track begins and ends</h2>'
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
