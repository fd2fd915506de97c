"""The form of the report that is to be handed out: without names, reasons and anyone's words.

Only what is listed here gets into it. People are numbered in the order in which they appear.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tracker_blur.core import plugins
from tracker_blur.settings import Settings
from tracker_blur.weights.catalog import is_known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWN_CLASSES = {"face", "plate"}
_PATH_SETTINGS = {"models_folder", "image", "keep_people", "hide_people"}
"""Settings that hold a path; only its last name is in a track file, which may name people."""

_COMMON_METADATA = {
    *("title", "artist", "author", "comment", "description", "location", "location-eng", "date"),
    *("creation_time", "make", "model", "software", "copyright", "album", "genre", "keywords"),
    *("com.apple.quicktime.make", "com.apple.quicktime.model", "com.apple.quicktime.software"),
    *("com.apple.quicktime.creationdate", "com.apple.quicktime.location.iso6709"),
    *("com.android.version", "timecode", "rotate", "synopsis", "show", "network"),
}


def public(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form to be handed out: no names, no reasons, no free text of anyone."""
    people = _Pseudonyms()
    verification = report["verification"]
    return {
        "format": report["format"],
        "version": report["version"],
        "form": "public",
        "made": report["made"],
        "versions": dict(report["versions"]),
        "source": _public_file(report["source"]),
        "output": _public_file(report["output"]),
        "dropped": {
            "streams": [dict(stream) for stream in report["dropped"]["streams"]],
            "metadata": _public_metadata(report["dropped"]["metadata"]),
            "chapters": report["dropped"]["chapters"],
            "recoded": [dict(stream) for stream in report["dropped"]["recoded"]],
        },
        "made_with": report["made_with"] and _public_settings(report["made_with"]),
        "edited_since_output": report["edited_since_output"],
        "tracks": [
            {
                **{
                    name: track[name]
                    for name in (
                        *(
                            "track",
                            "number",
                            "first_frame",
                            "last_frame",
                            "from",
                            "to",
                            "frames",
                            "hidden",
                        ),
                        *("visible_frames", "method", "method_class", "origins", "score"),
                    )
                },
                "class": _public_class(track["class"]),
                "decided": people.decision(track["decided"]),
                "changed": [people.decision(one) for one in track["changed"]],
            }
            for track in report["tracks"]
        ],
        "zones": [dict(zone) for zone in report["zones"]],
        "sounds": [dict(sound) for sound in report["sounds"]],
        "limits": report["limits"],
        "rules_changed": [people.decision(one) for one in report["rules_changed"]],
        "journal": {
            "lines": report["journal"]["lines"],
            "chain": report["journal"]["chain"],
            "last_line_sha256": report["journal"]["last_line_sha256"],
            "entries": [people.entry(entry) for entry in report["journal"]["entries"]],
        },
        "doubts": [
            {**doubt, "decided": people.decision(doubt["decided"])} for doubt in report["doubts"]
        ],
        "verification": verification
        and {
            **verification,
            "left_visible": [dict(face) for face in verification["left_visible"]],
            "detectors": [_public_model(name) for name in verification["detectors"]],
            "places": [
                {
                    **place,
                    "class": _public_class(place["class"]),
                    "decided": people.decision(place["decided"]),
                }
                for place in verification["places"]
            ],
        },
        "known_limits": list(report["known_limits"]),
    }


class _Pseudonyms:
    """Numbers people in the order in which they appear."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return a line of the journal without what was typed or drawn.

        Nor with the hash of the line before: together with the rest, it would tell whether a
        guessed name is right. The hash of the last line depends on that of the track file, which no
        one guesses.
        """
        return {
            "n": entry["n"],
            "at": entry["at"],
            "who": self._name(entry["who"]),
            "what": str(entry["edit"].get("op")),
        }

    def decision(self, decision: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return a decision without who made it, and without the reason in words."""
        if decision is None:
            return None
        if decision["line"] is None:  # the program's own words
            return dict(decision)
        return {
            "by": self._name(decision["by"]),
            "at": decision["at"],
            "has_reason": decision["why"] is not None,
            "what": decision["what"],
            "line": decision["line"],
        }

    def _name(self, person: str) -> str:
        return f"reviewer {self._numbers.setdefault(person, len(self._numbers) + 1)}"


def _public_file(facts: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("sha256", "bytes", "container", "seconds", "streams", "chapters")
    return {name: facts[name] for name in kept} | {"metadata": _public_metadata(facts["metadata"])}


def _public_metadata(names: Sequence[str]) -> list[str]:
    """Return the names of metadata that say nothing themselves, and how many others there are."""
    common = [name for name in names if name in _COMMON_METADATA]
    others = len(names) - len(common)
    return [*common, *([f"{others} others"] if others else [])]


def shown_settings(every: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the public form shows; those that name people are in other words."""
    known = {each.name for each in fields(Settings)} - _PATH_SETTINGS
    settings = {name: value for name, value in every.items() if name in known}
    for name in ("detector", "tracker"):
        if name in settings:
            settings[name] = _public_model(str(settings[name]))
    if "hide" in settings:
        words = settings["hide"] if isinstance(settings["hide"], list | tuple) else ()
        settings["hide"] = [_public_class(word) for word in words]
    return settings


def settings_hash(every: Mapping[str, Any]) -> str:
    """Return the SHA-256 of settings, as the public form shows them.

    That of all settings would confirm a guessed name. Both forms have this one, so
    that it can be seen that they are about the same run.
    """
    plain = json.dumps(shown_settings(every), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(plain.encode("ascii")).hexdigest()


def _public_settings(made_with: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "detector": ", ".join(map(_public_model, str(made_with["detector"]).split(", "))),
        "models": [
            {"name": _public_model(model["name"]), "sha256": model["sha256"]}
            for model in made_with["models"]
        ],
        "settings": shown_settings(made_with["settings"]),
        "settings_sha256": made_with["settings_sha256"],
        "chose_people": any(
            made_with["settings"].get(name) for name in ("keep_people", "hide_people")
        ),
    }


def _public_model(name: str) -> str:
    """Return the name of a known network or plug-in; another's file name may name people."""
    plain = name.partition(":")[0]
    known = (*plugins.names("tracker_blur.detectors"), *plugins.names("tracker_blur.trackers"))
    is_public = is_known(plain) or plain in (*known, "auto", "none")
    return name if is_public else "a network of one's own"


def _public_class(label: object) -> str:
    text = str(label)
    return text if text in {*_OWN_CLASSES, "faces", "plates", "zone"} else "another class"
