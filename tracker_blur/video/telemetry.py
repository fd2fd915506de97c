"""Tells telemetry in text tracks from subtitles of speech.

Drones, dashcams and action cameras write position, time, speed and exposure as subtitles, in
notations of their own. So no list of formats decides, but what is left of a cue when everything
that machines write is taken out of it: words, or next to nothing. In doubt, a cue is telemetry.

A single cue is telemetry if it states a position, a time to the second or several readings, and
has hardly a word besides. A whole track is, if half of its cues are, or if half of them are one
template in which only numbers change: a clock, or a format that no one here knows.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from contextlib import suppress
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TRACK_SHARE = 0.5  # of a track's cues; songs and lists of numbers stay below it
_FEWEST_ALIKE = 3  # cues of one template; two may be chance
_WORDS_AT_STAMP = 3  # such as the name of the camera, or of the road
_WORDS_AT_LABEL = 12  # next to "Location: 52.5163, 13.3777", which no one says: an address
_WORDS_PER_READING = 2  # next to a position: cameras write addresses, too
_BLOB_LENGTH = 40  # characters without a space: no word is so long
_PART_LENGTH = 1000  # characters judged at once: most patterns take time by the square of a length

_NUMBER = r"[-+]?\d+(?:[.,]\d+)?"
_DEGREES = r"[-+]?\d{1,3}[.,]\d{4,}"  # with three digits it may be a number of thousands
_DATE = (
    r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}|(?:19|20)\d{6}"
    r"|\d{4}年\d{1,2}月\d{1,2}日)"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_LONG_DATE = rf"(?:\d{{1,2}}[-\s]?{_MONTH}[-\s,]+\d{{2,4}}|{_MONTH}\s+\d{{1,2}},?\s+\d{{4}})"
_WEEKDAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
_ZONE = r"\s*(?:Z\b|[AP]\.?M\b\.?|UTC|GMT|[-+]\d{2}:?\d{2}\b)?"
_SECONDS = rf"\d{{1,2}}[:时時]\d{{2}}[:分]\d{{2}}秒?(?:[.,:]\d+)*{_ZONE}"
_CLOCK = rf"(?:{_SECONDS}|\d{{1,2}}:\d{{2}}{_ZONE})"
_SEXAGESIMAL = (
    r"\d{1,3}\s*(?:°|deg\b)\s*\d{1,2}(?:[.,]\d+)?\s*(?:'|min\b)?"
    r"\s*(?:\d{1,2}(?:[.,]\d+)?\s*(?:\"|''|sec\b)?)?"
)
_HEMISPHERE = r"(?-i:[NSEWO])"
_POSITION_KEYS = (
    r"gps|home|latt?(?:itude)?|lon|lng|longt?(?:itude)?|coord\w*|position|location|pos"
    r"|breitengrad|längengrad|latitud|longitud|широта|долгота|纬度|经度|緯度|経度"
)
_KEYS = (  # of readings, in the words of cameras
    r"iso|shutter|ss|ev|fnum|f-?num(?:ber)?|f-?stop|aperture|awb|color_?md|focal_?len(?:gth)?"
    r"|dzoom\w*|zoom|delta|rel_?alt|abs_?alt|alt|altitude|height|höhe|altitud|высота|高度|海拔"
    r"|barometer|baro|framecnt|srtcnt|difftime|h\.s|v\.s|speed|spd|velocity|vel|geschwindigkeit"
    r"|velocidad|vitesse|скорость|速度|heading|hdg|course|bearing|azimuth|kurs|yaw|pitch|roll"
    r"|(?:gb|[fg])[._](?:yaw|pitch|roll|pry)|acc\w*|gyro\w*|gravity|g-?(?:force|sensor)|satellites"
    r"|sats?|hdop|pdop|fix|distance|dist|temp\w*|pressure|batt?(?:ery)?|volt\w*|rpm|throttle|rssi"
    r"|uav|drone|camera|cam|serial|s/?n|vin|timestamp|datetime|utc"
)
_UNITS = (
    r"km/?h|kmh|kph|mph|mi/h|m/s|ft/s|kts?|knots?|km|m|ft|mi|mm|°[CF]?|℃|℉|hpa|mbar|kpa|psi"
    r"|g|deg|%|m?v|m?a|mah|kw|rpm|k?hz|ms|s|dbm?|lux|k|fps|bpm"
)


class Evidence(Enum):
    """What a cue says about itself."""

    NONE = 0
    WEAK = 1
    """Readings, as cameras write them, but people may, too."""
    STRONG = 2
    """Telemetry."""


_SENTENCE = re.compile(r"[$!][A-Z][A-Z-]{3,9}(?:,[^,\s]*){2,}|\bG[PNLAB][A-Z]{3},[\d,]")  # NMEA
_TOKENS = (  # in this order: each takes its text out of the cue
    ("position", r"(?:https?://)?(?:www\.)?(?:maps\.|google\.\w+/maps|goo\.gl/maps)\S*"),
    ("position", r"\bgeo:[-+\d.,]+\S*"),
    ("position", r"[-+]\d{2,6}\.\d+[-+]\d{3,7}\.\d+(?:[-+][\d.]+)?/?"),  # ISO 6709
    ("position", r"[-+]\d{2,6}[-+]\d{3,7}(?:[-+][\d.]+)?/"),
    (
        "label",
        rf"\b(?:{_POSITION_KEYS})[\"'\]\s]*[:=(\[\s][\"'\s(\[]*"
        r"[-+]?(?:\d{1,3}[.,]\d\d|\d{6})[\d,. +-]*",
    ),
    ("label", rf"\b(?:lat|lon|lng)[\"']?\s?[:=]\s?{_NUMBER}"),
    (
        "label",
        r"(?-i:\b(?:S/N|SN|VIN|IMEI|Serial(?: No\.?)?)[:\s#]*(?=[A-Z-]*\d)[A-Z0-9-]{6,})",
    ),
    ("stamp", rf"\b{_DATE}[\sT_,|-]*(?:{_WEEKDAY}[\s,]*)?{_CLOCK}|\b{_SECONDS}[\s,|-]+{_DATE}"),
    ("stamp", rf"\b{_LONG_DATE}[\s,|-]*{_SECONDS}|{_MONTH}\s+\d{{1,2}}\s+{_SECONDS}\s+\d{{4}}"),
    ("stamp", r"\b(?:19|20)\d{6}[T_-]?\d{6}\b"),
    ("position", rf"\b{_HEMISPHERE}\s*:?\s*{_SEXAGESIMAL}|{_SEXAGESIMAL}\s*{_HEMISPHERE}\b"),
    (
        "position",
        rf"\b{_HEMISPHERE}\s*:?\s*[-+]?\d{{1,3}}[.,]\d{{3,}}°?"
        rf"|\d{{1,3}}[.,]\d{{3,}}°?,?\s*{_HEMISPHERE}\b",
    ),
    ("position", r"\b\d{4,5}\.\d{2,},\s*[NSEW]\b"),
    ("position", rf"{_DEGREES}°?\s*[,;/|\s]\s*{_DEGREES}°?"),
    ("position", r"(?-i:\b\d{1,2}[C-X]\s?[A-Z]{2}\s?\d{3,5}\s?\d{3,5}\b)"),  # MGRS
    ("position", r"(?-i:\b\d{1,2}\s?[C-X]\s+\d{6}(?:\.\d+)?\s*m?E?[,\s]+\d{7}(?:\.\d+)?)"),
    ("position", r"(?-i:\b[2-9CFGHJMPQRVWX]{8}\+[2-9CFGHJMPQRVWX]{2,3}\b)"),  # plus codes
    ("reading", rf"\[\s*[\w .]{{1,24}}\s*:\s*{_NUMBER}[^\]\[]{{0,16}}\]"),
    ("reading", rf"\b(?:{_KEYS})[\"'\s]*[:=(][\"'\s]*{_NUMBER}[\w/.°%]*\)?"),
    ("reading", r"\bISO\s?\d{2,6}\b|\bf/?\d{1,2}\.\d\b|\b1/\d{2,5}(?:\.\d+)?s?\b"),
    ("reading", rf"(?-i:\b(?:SS|EV|D|H|H\.S|V\.S|DZOOM)\s{_NUMBER})(?:m/s|m)?"),
    ("pair", rf"\b[^\W\d]\w{{0,23}}[\"']?\s?[:=]\s?[\"']?{_NUMBER}(?:\s?(?:{_UNITS})\b)?"),
    ("speed", rf"{_NUMBER}\s?(?:km/?h|kmh|kph|mph|mi/h|m/s|ft/s|kts?|knots?)\b"),
    ("date", rf"\b{_DATE}"),
    ("time", _CLOCK),
    ("quantity", rf"{_NUMBER}\s?(?:{_UNITS})(?!\w)"),
)
_KNOWN_WORDS = (
    rf"\b(?:{_KEYS}|{_POSITION_KEYS}|{_UNITS}|longtitude|default|auto|none|null|nan|date|time"
    r"|[nsew]{1,3}|am|pm|gmt|mon|tue|wed|thu|fri|sat|sun)\b"
)
_WORD = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]|[^\W\d_\u3040-\u9fff\uac00-\ud7af]{2,}")
_TAG = re.compile(r"<[^<>]*>")
_LONG_NUMBER = re.compile(rf"\d{{{_BLOB_LENGTH}}}")
_NAMES = re.compile(
    r"\b(?:dji|gopro|gpmf|gps|nmea|insta360|telemetr\w*|flight.?(?:log|data))\b", re.I
)
_QUOTES = str.maketrans("\u2032\u2019\u2018\u2033\u201d\u201c\u00ba\u02da\u2212", "'''\"\"\"°°-")


@cache
def _patterns() -> tuple[tuple[tuple[str, re.Pattern[str]], ...], re.Pattern[str]]:
    """Return the compiled tokens and known words. It takes 20 ms, and few videos hold text."""
    tokens = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _TOKENS)
    return tokens, re.compile(_KNOWN_WORDS, re.IGNORECASE)


def evidence(text: str) -> Evidence:
    """Return what a cue's text says; markup may still be in it. The longest ones go by parts."""
    text = _normalized(text)
    if text and _is_data(text):
        return Evidence.STRONG
    found = Evidence.NONE
    for part in _parts(text):
        found = max(found, _evidence(part), key=lambda one: one.value)
        if found is Evidence.STRONG:
            break
    return found


def _parts(text: str) -> Iterator[str]:
    """Yield a normalized text in parts that end between words, unless a word is too long."""
    start = 0
    while start < len(text):
        end = start + _PART_LENGTH
        if end < len(text):
            end = (text.rfind(" ", start, end) + 1) or end
        yield text[start:end]
        start = end


def _evidence(text: str) -> Evidence:
    if _SENTENCE.search(text):
        return Evidence.STRONG
    counts: Counter[str] = Counter()
    tokens_of_kinds, known_words = _patterns()
    for kind, pattern in tokens_of_kinds:
        text, count = pattern.subn(" ", text)
        counts[kind] += count
    words = len(_WORD.findall(known_words.sub(" ", text)))
    tokens = sum(counts.values())
    positions, stamps, readings = counts["position"], counts["stamp"], counts["reading"]
    if counts["label"] and words <= _WORDS_AT_LABEL:
        return Evidence.STRONG
    if positions and words <= max(_WORDS_AT_STAMP, _WORDS_PER_READING * tokens):
        return Evidence.STRONG
    if stamps and words <= max(_WORDS_AT_STAMP, tokens):
        return Evidence.STRONG
    if (readings > 1 or counts["pair"] > 2) and words <= tokens:
        return Evidence.STRONG
    return Evidence.WEAK if tokens and words <= 1 else Evidence.NONE


def is_telemetry_track(cues: Iterable[str], names: Sequence[str]) -> bool:
    """Return whether a text track is telemetry as a whole.

    Args:
        cues: Its texts.
        names: Its title and its handler's name.
    """
    if any(_NAMES.search(name.replace(".", " ").replace("_", " ")) for name in names):
        return True
    count = 0
    found: Counter[Evidence] = Counter()
    templates: Counter[str] = Counter()
    for cue in cues:
        text = _normalized(cue)
        if text:
            count += 1
            found[evidence(cue)] += 1
            templates[re.sub(r"\W*\d+", "#", text[:_PART_LENGTH])] += 1
    if found[Evidence.STRONG] and found[Evidence.STRONG] >= _TRACK_SHARE * count:
        return True
    if count >= _FEWEST_ALIKE and count - found[Evidence.NONE] >= _TRACK_SHARE * count:
        return True
    template, alike = max(templates.items(), key=lambda item: item[1], default=("", 0))
    return template.count("#") > 1 and alike >= max(_FEWEST_ALIKE, _TRACK_SHARE * count)


def _normalized(text: str) -> str:
    text = unicodedata.normalize("NFKC", _TAG.sub(" ", text)).translate(_QUOTES)
    return " ".join(text.replace("\\N", " ").replace("\0", " ").split())


def _is_blob(word: str) -> bool:
    return (
        len(word) >= _BLOB_LENGTH
        and any(map(str.isdecimal, word))
        and any(map(_is_latin_letter, word))
    )


def _is_latin_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _is_data(text: str) -> bool:
    """Return whether a text is for programs: JSON, encoded bytes, or bytes that are no text."""
    if any(unicodedata.category(character) in ("Cc", "Co", "Cn") for character in text):
        return True
    if any(map(_is_blob, text.split(" "))) and "://" not in text:
        return True
    if _LONG_NUMBER.search(text):
        return True
    if text[0] == "{" and text[-1] == "}":
        with suppress(ValueError):
            try:
                return isinstance(json.loads(text), dict)
            except RecursionError:
                return True
    return False
