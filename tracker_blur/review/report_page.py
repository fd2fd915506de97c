"""The page of a report: self-contained, without scripts; it loads nothing."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

from tracker_blur.text import counted, escaped, html_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_STYLE = """
:root { color-scheme: light; --line: #d5dae0; --soft: #56616e; --bad: #a3172a; --good: #17663a; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1.5rem; background: #fff; color: #1b2129;
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
p { margin: .4rem 0; }
.soft { color: var(--soft); font-size: .9rem; }
.warning { padding: .6rem .9rem; background: #fff4d6; border-left: .3rem solid #b27b00; }
.bad { color: var(--bad); }
.good { color: var(--good); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--line); }
th { white-space: nowrap; }
td.hash { min-width: 17ch; overflow-wrap: anywhere;
  font-family: ui-monospace, monospace; font-size: .8rem; }
img { display: block; height: 4.5rem; border-radius: .25rem; background: #eef0f3; }
@media print { tr { break-inside: avoid; } }
"""
_OF_PEOPLE = ("track", "tracks", "person", "people")
_CONTAINERS = {  # FFmpeg's names, in plain words
    "mov,mp4,m4a,3gp,3g2,mj2": "MP4 or MOV",
    "matroska,webm": "Matroska or WebM",
}
_KINDS = {"face": "Person", "plate": "Number plate"}
_VERDICTS = {
    "nothing found": ("good", "✓ nothing found"),
    "look here": ("soft", "? places to look at"),
    "exposed": ("bad", "✗ a face is exposed"),
}


def page_of(report: Mapping[str, Any], faces: Mapping[int, bytes]) -> str:
    """Return a report as HTML text.

    Args:
        report: As `report_of` returns it.
        faces: A JPEG of each track, by its number; only the internal form shows them.
    """
    is_internal = report["form"] == "internal"
    name = report["output"].get("name") if is_internal else None
    title = f"Report on {escaped(name)}" if name else "Report on a redacted file"
    shown = faces if is_internal else {}
    called = {track["track"]: _called(track) for track in report["tracks"]}
    content = (
        *(_warning() if is_internal else ()),
        f"<h1>{_text(title)}</h1>",
        f'<p class="soft">made {_text(report["made"])} with trackblur '
        f"{_text(report['versions'].get('trackblur'))}</p>",
        *_edited_since(report),
        *_files(report),
        *_dropped(report["dropped"]),
        *_verification(report["verification"], called),
        *_tracks(report["tracks"], shown, called),
        *_rules(report),
        *_doubts(report["doubts"], called),
        *_made_with(report),
        *_journal(report["journal"], called),
        "<h2>Known limits</h2>",
        "<ul>",
        *(f"<li>{_text(limit)}</li>" for limit in report["known_limits"]),
        "</ul>",
    )
    return html_page(title, _STYLE, content)


def _called(track: Mapping[str, Any]) -> str:
    """Return how the page of the review calls the person of a track, without a given name."""
    label, number = str(track["class"]), track["number"]
    return f"track {track['track']}" if number is None else f"{_KINDS.get(label, label)} {number}"


def _name(track: int | None, called: Mapping[int, str]) -> str:
    return "" if track is None else _text(called.get(track, f"track {track}"))


def _text(value: object) -> str:
    return html.escape(escaped(str(value)))


def _warning() -> Iterator[str]:
    yield '<p class="warning" role="note"><strong>This report shows faces and names people.'
    yield "</strong> It is for those who made the file. Hand out the public form.</p>"


def _edited_since(report: Mapping[str, Any]) -> Iterator[str]:
    if report["edited_since_output"]:
        yield '<p class="warning">The redacted file is older than the last edit of the review: it '
        yield "does not show all decisions below. Render it again.</p>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table; the cells are HTML."""
    yield '<div class="wide"><table><thead><tr>'
    yield from (f'<th scope="col">{head}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(
            cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in row
        )
        yield "</tr>"
    yield "</tbody></table></div>"


def _files(report: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Files</h2>"
    files = [("original", report["source"]), ("redacted", report["output"])]
    rows = [
        (
            what if "name" not in file else f"{what}: {_text(file['name'])}",
            f'<td class="hash">{_text(file["sha256"])}</td>',
            f"{file['bytes']:,}",
            _text(_CONTAINERS.get(file["container"], file["container"])),
            "" if file["seconds"] is None else f"{file['seconds']:.3f} s",
            "<br>".join(map(_stream, file["streams"])),
        )
        for what, file in files
    ]
    yield from _table(("File", "SHA-256", "Bytes", "Format", "Duration", "Streams"), rows)


def _stream(stream: Mapping[str, str]) -> str:
    return _text(" ".join(filter(None, (stream["kind"], stream["codec"], stream["details"]))))


def _dropped(dropped: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>What was dropped or stored in another format</h2>"
    items = [f"stream: {_stream(stream)}" for stream in dropped["streams"]]
    items += [
        f"{_text(stream['kind'])}: {_text(stream['from'])} became {_text(stream['to'])}"
        for stream in dropped["recoded"]
    ]
    items += [f"metadata: {_text(name)}" for name in dropped["metadata"]]
    if dropped["chapters"]:
        items.append(counted(dropped["chapters"], "chapter"))
    yield (
        f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>" if items else "<p>Nothing.</p>"
    )


def _verification(found: Mapping[str, Any] | None, called: Mapping[int, str]) -> Iterator[str]:
    yield "<h2>Verification</h2>"
    if found is None:
        yield '<p class="bad">The output was not verified.</p>'
        return
    mood, words = _VERDICTS.get(found["verdict"], ("bad", _text(found["verdict"])))
    where = f", {found['searched_frames']} of {found['frames']} frames searched"
    yield f'<p class="{mood}">{words}{_text(where) if found["searched_frames"] else ""}'
    yield f" with {_text(', '.join(found['detectors']))}; " if found["detectors"] else "; "
    yield f"{counted(found['accepted_places'], 'accepted place')}.</p>"
    if found["left_visible"]:
        left = [_name(face["track"], called) or "a face" for face in found["left_visible"]]
        yield f'<p class="bad">Left visible by choice: {", ".join(dict.fromkeys(left))}.</p>'
    failed = [check["name"] for check in found["checks"] if not check["passed"]]
    if failed:
        yield f'<p class="bad">Not intact: {_text(", ".join(map(str, failed)))}.</p>'
    if found["places"]:
        rows = [
            (
                _text(place["finding"]),
                _span(place),
                _text(place["class"]),
                _name(place["track"], called),
                _decision(place["decided"], "open"),
            )
            for place in found["places"]
        ]
        yield from _table(("Finding", "When", "Class", "Who", "Decided"), rows)


def _tracks(
    tracks: Sequence[Mapping[str, Any]], faces: Mapping[int, bytes], called: Mapping[int, str]
) -> Iterator[str]:
    yield f"<h2>What was detected or drawn ({len(tracks)})</h2>"
    if not tracks:
        yield "<p>There is no track file, or it has no tracks.</p>"
        return
    heads = (
        *("Who", "Track", "When", "Frames", "Class", "Hidden", "Method", "From", "Score"),
        "Decided",
    )
    rows = []
    for track in tracks:
        face = faces.get(track["track"])
        name = f"<br>{_text(track['person'])}" if track.get("person") else ""
        visible = "".join(
            f"<br>{count} frames visible {_text(reason)}"
            for reason, count in track["visible_frames"].items()
        )
        mood = "good" if track["hidden"] == "yes" else "bad"
        origins = ", ".join(
            f"{word} {100 * share:.0f} %" for word, share in track["origins"].items()
        )
        changed = "".join(f"<br>{_decision(one, '')}" for one in track["changed"])
        rows.append(
            (
                f"{_name(track['track'], called)}{name}{_face(face, track['track'])}",
                f"{track['track']}",
                _span(track),
                f"{track['frames']}",
                _text(track["class"]),
                f'<td class="{mood}">{_text(track["hidden"])}{visible}</td>',
                "" if track["hidden"] == "no" else _method(track),
                _text(origins),
                f"{track['score']:.2f}",
                f"{_decision(track['decided'], '')}{changed}",
            )
        )
    yield from _table(heads, rows)


def _method(track: Mapping[str, Any]) -> str:
    return f"{_text(track['method'])} ({_text(track['method_class'])})"


def _face(jpeg: bytes | None, track_id: int) -> str:
    if jpeg is None:
        return ""
    data = base64.b64encode(jpeg).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{data}" alt="track {track_id}">'


def _span(item: Mapping[str, Any]) -> str:
    if item.get("from") is None:
        return ""
    same = item["from"] == item["to"]
    return _text(item["from"] if same else f"{item['from']} to {item['to']}")


def _decision(decision: Mapping[str, Any] | None, otherwise: str) -> str:
    if decision is None:
        return otherwise
    parts = [str(decision["by"])]
    if decision["at"]:
        parts.append(f"{decision['what']}, {decision['at']}")
    if decision.get("why"):
        parts.append(str(decision["why"]))
    elif decision.get("has_reason"):
        parts.append("with a reason")
    return _text(": ".join(parts))


def _rules(report: Mapping[str, Any]) -> Iterator[str]:
    zones, sounds, limits = report["zones"], report["sounds"], report["limits"]
    if not (zones or sounds or limits):
        return
    yield "<h2>Zones, limits and sound</h2>"
    rows = [(f"{_text(zone['rule'])} zone", _text(zone["where"])) for zone in zones]
    rows += [(_text(sound["effect"]), _text(sound["where"])) for sound in sounds]
    rows += [(_text(name), _text(value)) for name, value in (limits or {}).items() if value]
    yield from _table(("What", "Where and when"), rows)
    for decision in report["rules_changed"]:
        yield f'<p class="soft">{_decision(decision, "")}</p>'


def _doubts(doubts: Sequence[Mapping[str, Any]], called: Mapping[int, str]) -> Iterator[str]:
    if not doubts:
        return
    still_open = sum(doubt["decided"] is None for doubt in doubts)
    yield f"<h2>Doubts ({len(doubts)}, {still_open} open)</h2>"
    rows = [
        (
            _text(doubt["kind"].replace("_", " ")),
            _span(doubt),
            _name(doubt["track"], called),
            f"{doubt['risk']:.2f}",
            _decision(doubt["decided"], "open"),
        )
        for doubt in doubts
    ]
    yield from _table(("What", "When", "Who", "Risk", "Decided"), rows)


def _made_with(report: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Made with</h2>"
    rows = [(_text(name), _text(version)) for name, version in report["versions"].items()]
    made = report["made_with"]
    if made is not None:
        rows.append(("detector", _text(made["detector"])))
        rows += [
            (
                _text(model["name"]),
                f'<td class="hash">{_text(model["sha256"] or "not at hand")}</td>',
            )
            for model in made["models"]
        ]
        rows.append(("settings", f'<td class="hash">{_text(made["settings_sha256"])}</td>'))
        rows += [
            (_text(name), _text(value))
            for name, value in sorted(made["settings"].items())
            if value not in (None, [], False)
        ]
    yield from _table(("What", "Version, hash or value"), rows)


def _journal(journal: Mapping[str, Any], called: Mapping[int, str]) -> Iterator[str]:
    yield "<h2>Journal</h2>"
    if not journal["lines"]:
        yield "<p>No one has changed anything in a review.</p>"
        return
    has_hashes = all("previous" in entry for entry in journal["entries"])
    yield f"<p>{counted(journal['lines'], 'line')}; each carries the hash of the previous one, and "
    yield f"the chain is {_text(journal['chain'])}. Hash of the last line: "
    yield f"<code>{_text(journal['last_line_sha256'])}</code></p>"
    rows = [
        (
            f"{entry['n']}",
            _text(entry["at"]),
            _text(entry["who"]),
            _text(_words(entry["edit"], called) if "edit" in entry else entry["what"]),
            _text(entry.get("why") or ""),
            *([f'<td class="hash">{_text(entry["previous"])}</td>'] if has_hashes else ()),
        )
        for entry in journal["entries"]
    ]
    hashes = ("Hash of the line before",) if has_hashes else ()
    yield from _table(("", "When", "Who", "What", "Why", *hashes), rows)


def _words(edit: Mapping[str, Any], called: Mapping[int, str]) -> str:
    """Return an edit in short: long lists of boxes are only counted, tracks and people called."""
    parts = [str(edit.get("op"))]
    for name, value in edit.items():
        if name == "op" or value is None:
            continue
        if name in _OF_PEOPLE:
            ids = value if isinstance(value, list) else [value]
            value = ", ".join(called.get(one, f"{one}") for one in ids)
        is_long = isinstance(value, dict | list) and len(value) > 8
        parts.append(f"{name} {f'({len(value)})' if is_long else value}")
    return ", ".join(parts)
