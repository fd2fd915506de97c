"""The report on a redacted file: what was hidden and what not, who decided it, what was checked.

It is data for JSON, and `report_page` makes a page of it. There are two forms. The internal one
names files, people and reasons. The public one, to be handed out, has none of them: it is built
from what may be in it, so what is added to the internal form never gets into it automatically.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from tracker_blur.core.rules import REASONS
from tracker_blur.core.timeline import split
from tracker_blur.core.times import format_seconds, time_text
from tracker_blur.core.tracks import ORIGINS
from tracker_blur.review.decisions import decisions_of, is_changed_since
from tracker_blur.review.file_facts import dropped_metadata, dropped_streams, recoded_streams
from tracker_blur.review.report_public import public, settings_hash
from tracker_blur.settings import method_class_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracker_blur.annotations.track_file import TrackFile
    from tracker_blur.core.rules import Rules
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.review.decisions import Decision, Decisions, JournalLine
    from tracker_blur.review.file_facts import FileFacts, StreamFacts

Form: TypeAlias = Literal["internal", "public"]
"""For those who made the file, or to be handed out."""

FORMAT, VERSION = "trackblur-report", 1

KNOWN_LIMITS = (
    "No detector detects every face: what was neither detected nor drawn is visible.",
    "Clothes, gait, tattoos, places, and what is said, may tell who someone is.",
    "Methods of the class 'cosmetic' are for looks: a program may recognize who is behind them.",
    "The verification searches for faces as trackblur can; it does not prove that none is left.",
    "The hash chain of the journal shows that no line was changed, left out or moved since; "
    "whoever can write the file can write another one.",
)
"""What a report says about itself, in every form."""


@dataclass(frozen=True)
class ReportData:
    """What a report is made of.

    Attributes:
        made: When, as ISO 8601.
        source: The original.
        output: What was made of it.
        versions: Of trackblur and of what it works with, by name.
        content: The track file with all edits; None: there is none.
        models: The hash of each weight file that was used; None: it is not at hand.
        lines: The journal, whose hash chain was checked.
        last_line_sha256: Hash of its last line; None: it has no lines.
        names: The names that a reviewer gave to the people of tracks.
        doubts: Where a reviewer should have looked, as `Doubt.to_dict` says.
        verification: The JSON report of `verify` on the output; None: it was not verified.
        version: The number of the journal's last line when the output was made; None: it is not
            known, and the times of both say whether it shows all decisions.
        numbers: The numbers of the people of tracks, as the page of the review has them.
    """

    made: str
    source: FileFacts
    output: FileFacts
    versions: Mapping[str, str]
    content: TrackFile | None = None
    models: Mapping[str, str | None] = field(default_factory=dict)
    lines: Sequence[JournalLine] = ()
    last_line_sha256: str | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    doubts: Sequence[Mapping[str, Any]] = ()
    verification: Mapping[str, Any] | None = None
    version: int | None = None
    numbers: Mapping[int, int] = field(default_factory=dict)

    @property
    def is_edited_since(self) -> bool:
        """Whether the review was edited after the output was written: then that shows less."""
        version = self.version
        if version is None:
            modified = self.output.modified
            version = sum(datetime.fromisoformat(line.at) <= modified for line in self.lines)
        return is_changed_since(self.lines, version)


def report_of(data: ReportData, form: Form) -> dict[str, Any]:
    """Return the report as data for JSON, without images."""
    report = _internal(data)
    return report if form == "internal" else public(report)


def _internal(data: ReportData) -> dict[str, Any]:
    decisions = decisions_of(data.lines[: data.version])
    seen = decisions_of(data.lines)
    content = data.content
    return {
        "format": FORMAT,
        "version": VERSION,
        "form": "internal",
        "made": data.made,
        "versions": dict(data.versions),
        "source": _file(data.source),
        "output": _file(data.output),
        "dropped": {
            "streams": [_stream(stream) for stream in dropped_streams(data.source, data.output)],
            "metadata": dropped_metadata(data.source, data.output),
            "chapters": max(0, data.source.chapters - data.output.chapters),
            "recoded": [
                {"kind": kind, "from": before, "to": after}
                for kind, before, after in recoded_streams(data.source, data.output)
            ],
        },
        "made_with": None if content is None else _made_with(content, data.models),
        "edited_since_output": data.is_edited_since,
        "tracks": [] if content is None else _tracks(content, decisions, data),
        **(_no_rules() if content is None else _rules(content.tracks.rules, decisions)),
        "journal": {
            "lines": len(data.lines),
            "chain": "intact" if data.lines else None,
            "last_line_sha256": data.last_line_sha256,
            "entries": [_entry(line) for line in data.lines],
        },
        "doubts": [_doubt(doubt, content, seen) for doubt in data.doubts],
        "verification": data.verification and _verification(data.verification, data.doubts, seen),
        "known_limits": list(KNOWN_LIMITS),
    }


def _file(facts: FileFacts) -> dict[str, Any]:
    return {
        "name": facts.name,
        "sha256": facts.sha256,
        "bytes": facts.size_bytes,
        "container": facts.container,
        "seconds": None if facts.seconds is None else round(facts.seconds, 3),
        "streams": [_stream(stream) for stream in facts.streams],
        "chapters": facts.chapters,
        "metadata": list(facts.metadata),
    }


def _stream(stream: StreamFacts) -> dict[str, str]:
    return {"kind": stream.kind, "codec": stream.codec, "details": stream.details}


def _made_with(content: TrackFile, models: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "detector": content.detector,
        "models": [{"name": name, "sha256": models.get(name)} for name in content.models],
        "settings": dict(content.settings),
        "settings_sha256": settings_hash(content.settings),
    }


def _tracks(content: TrackFile, decisions: Decisions, data: ReportData) -> list[dict[str, Any]]:
    tracks = content.tracks
    of_settings = str(content.settings.get("method", "mosaic"))
    hidden, visible = split(tracks)
    hidden_frames = {track.track_id: len(track) for track in hidden}
    reasons: dict[int, Counter[str]] = {}
    for reason, part in visible:
        reasons.setdefault(part.track_id, Counter())[REASONS[reason]] += len(part)
    return [
        {
            "track": track.track_id,
            "class": track.label,
            "number": data.numbers.get(track.track_id),
            "person": data.names.get(track.track_id),
            "first_frame": track.first,
            "last_frame": track.last,
            "from": _time(tracks, track.first),
            "to": _time(tracks, track.last),
            "frames": len(track),
            "hidden": "yes" if track.track_id not in reasons else _how_much(track, hidden_frames),
            "visible_frames": dict(reasons.get(track.track_id, {})),
            "method": track.method or of_settings,
            "method_class": method_class_of(track.method or of_settings),
            "origins": _origins(track),
            "score": round(float(track.scores.max()), 4),
            "decided": _decided(track, decisions, content.settings),
            "changed": [_decision(one) for one in decisions.boxes.get(track.track_id, ())],
        }
        for track in tracks.tracks
    ]


def _how_much(track: Track, hidden_frames: Mapping[int, int]) -> str:
    return "in part" if track.track_id in hidden_frames else "no"


def _origins(track: Track) -> dict[str, float]:
    counts = np.bincount(track.origins, minlength=len(ORIGINS))
    return {
        origin.value: round(int(count) / len(track), 3)
        for origin, count in zip(ORIGINS, counts.tolist(), strict=True)
        if count
    }


def _decided(track: Track, decisions: Decisions, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return who decided that a track is hidden, or that it is not."""
    decision = decisions.hiding.get(track.track_id)
    if decision is not None:
        return _decision(decision)
    why = "what is detected is hidden" if track.hide else "the track file says so"
    if not track.hide and settings.get("keep_people"):
        why = "its face is like that of chosen photos, or the track file says so"
    elif not track.hide and settings.get("hide_people"):
        why = "its face is unlike those of chosen photos, or the track file says so"
    if track.hide and track.is_drawn:
        why = "what is drawn is hidden"
    return {"by": "trackblur", "at": None, "why": why, "what": None, "line": None}


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "by": decision.by,
        "at": decision.at,
        "why": decision.why,
        "what": decision.what,
        "line": decision.line,
    }


def _time(tracks: Tracks, frame: int) -> str:
    return format_seconds(Fraction(int(tracks.times[frame] - tracks.times[0])) * tracks.time_base)


def _no_rules() -> dict[str, Any]:
    return {"zones": [], "sounds": [], "limits": None, "rules_changed": []}


def _rules(rules: Rules, decisions: Decisions) -> dict[str, Any]:
    limits = {
        "min_size": None if rules.min_size is None else str(rules.min_size),
        "max_size": None if rules.max_size is None else str(rules.max_size),
        "from": None if rules.start is None else time_text(rules.start),
        "to": None if rules.end is None else time_text(rules.end),
    }
    return {
        "zones": [{"rule": zone.rule, "where": zone.text} for zone in rules.zones],
        "sounds": [{"effect": span.effect, "where": span.text} for span in rules.audio],
        "limits": limits if any(limits.values()) else None,
        "rules_changed": [_decision(one) for one in decisions.rules],
    }


def _entry(line: JournalLine) -> dict[str, Any]:
    return {
        "n": line.number,
        "at": line.at,
        "who": line.who,
        "edit": line.edit,
        "why": line.why,
        "previous": line.previous,
    }


def _doubt(
    doubt: Mapping[str, Any], content: TrackFile | None, decisions: Decisions
) -> dict[str, Any]:
    seen = decisions.doubts.get(str(doubt["id"]))
    decided = decisions.hiding.get(doubt["track"]) if doubt.get("track") is not None else None
    decision = seen or decided
    times = (
        {}
        if content is None
        else {
            "from": _time(content.tracks, doubt["frame"]),
            "to": _time(content.tracks, doubt["last"]),
        }
    )
    return {
        "kind": doubt["kind"],
        **times,
        "track": doubt.get("track"),
        "risk": doubt["risk"],
        "decided": None if decision is None else _decision(decision),
    }


def _verification(
    verdict: Mapping[str, Any], doubts: Sequence[Mapping[str, Any]], decisions: Decisions
) -> dict[str, Any]:
    places = [
        {
            "id": run.get("id"),
            "finding": finding,
            "class": run.get("label"),
            "from": run.get("from"),
            "to": run.get("to"),
            "track": run.get("track"),
            "decided": _decision_about(run, doubts, decisions),
        }
        for name, finding in (("runs", "exposed"), ("look_here_runs", "look here"))
        for run in verdict.get(name, ())
    ]
    return {
        "verdict": verdict["verdict"],
        "clean": verdict["clean"],
        "detectors": list(verdict.get("detectors", ())),
        "frames": verdict.get("frames"),
        "searched_frames": verdict.get("looked"),
        "accepted_places": verdict.get("dismissed", 0),
        "left_visible": [
            {name: face.get(name) for name in ("track", "from", "to", "frames")}
            for face in verdict.get("left_visible", ())
        ],
        "places": places,
        "checks": [
            {"name": check.get("name"), "passed": bool(check.get("passed"))}
            for check in verdict.get("checks", ())
        ],
    }


def _decision_about(
    run: Mapping[str, Any], doubts: Sequence[Mapping[str, Any]], decisions: Decisions
) -> dict[str, Any] | None:
    """Return who has looked at a place that verification found."""
    frames = run.get("first_frame"), run.get("last_frame")
    for doubt in doubts:
        if doubt["kind"] == "verify" and (doubt["frame"], doubt["last"]) == frames:
            seen = decisions.doubts.get(str(doubt["id"]))
            if seen is not None:
                return _decision(seen)
    return None
