"""Cleans Advanced SubStation Alpha subtitles: what is shown stays, what is not goes.

Headers name the author, accounts and paths of files; `[Graphics]` and `[Fonts]` hold whole files.
Events name who speaks, in a field or by their style, and editors keep notes as comments.

Events are in Matroska's form: ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect,
Text.
"""

from __future__ import annotations

import re

_INFO = re.compile(  # how lines are laid out
    r"(?:ScriptType|PlayRes[XY]|LayoutRes[XY]|WrapStyle|ScaledBorderAndShadow|Collisions"
    r"|YCbCr Matrix|Kerning|Timer)\s*:\s*[\w.+ %-]{1,24}$",
    re.IGNORECASE,
)
_STYLES = re.compile(r"\[v4\+*(?: styles\+*)?\]", re.IGNORECASE)
_SECTIONS = ("[script info]", "[events]")
_DEFAULT_STYLE = "Default"
_EVENTS = (
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"  # Matroska's
)
_EFFECTS = re.compile(r"(?:Karaoke|Banner|Scroll (?:up|down))(?:;\d+)*$", re.IGNORECASE)
_FIELDS = 9
_OVERRIDES = re.compile(r"\{[^}]*\}?")
_TAG = re.compile(  # the overrides that players know
    r"\\(?:(?:t|clip|iclip|move|pos|org|fad|fade)\([^()]*(?:\([^()]*\)[^()]*)*\)"
    r"|fn[^\\{}()]*|[1-4]?c(?:&?H?[0-9A-F]*&?)?|(?:[1-4]a|alpha)(?:&?H?[0-9A-F]*&?)?"
    r"|(?:[xy]?bord|[xy]?shad|fs[cp]?[xy]?|fr[xyz]?|fa[xy]|fe|an?|[ius]|blur|be?|k[fot]?|q|pbo|p)"
    r"[-+.\d]*|r[^\\{}()]*)",
    re.IGNORECASE,
)


class AssCleaner:
    """Cleans a track's header and its events, which refer to each other's styles.

    Args:
        header: The track's setup data.

    Attributes:
        header: The same, cleaned.
    """

    def __init__(self, header: bytes) -> None:
        self._styles = {_DEFAULT_STYLE.lower(): _DEFAULT_STYLE}
        self.header = self._cleaned_header(header.decode("utf-8", "replace")).encode()

    def event(self, event: str) -> str:
        """Return an event without notes and the names of who speaks; empty if it is none."""
        fields = event.split(",", _FIELDS - 1)
        if len(fields) < _FIELDS:
            return ""
        order, layer, style, _, *margins, effect, text = fields
        kept = effect if _EFFECTS.match(effect.strip()) else ""
        numbers = [number if number.strip().isdigit() else "0" for number in (order, layer)]
        sides = [margin if margin.strip().lstrip("-").isdigit() else "0" for margin in margins]
        return ",".join([*numbers, self._style(style), "", *sides, kept, self.text(text)])

    def text(self, text: str) -> str:
        """Return a text whose braces hold nothing but overrides."""
        return _OVERRIDES.sub(lambda match: self._overrides(match[0]), text.rstrip("\r\n"))

    def _overrides(self, block: str) -> str:
        kept = ""
        for tag in _TAG.findall(block):
            if tag[:2].lower() == r"\r":
                kept += r"\r" + (self._style(tag[2:]) if tag[2:].strip() else "")
            else:
                kept += tag
        return f"{{{kept}}}" if kept else ""

    def _style(self, name: str) -> str:
        return self._styles.get(name.strip().lstrip("*").lower(), _DEFAULT_STYLE)

    def _cleaned_header(self, header: str) -> str:
        """Return the header with its layout and its styles, which get numbers for names."""
        lines = ["[Script Info]"]
        section = ""
        styles: list[str] = []
        for line in map(str.strip, header.replace("\0", "").splitlines()):
            if line.startswith("["):
                section = line.lower()
                if _STYLES.match(section):
                    styles.append(line)
            elif section == _SECTIONS[0] and _INFO.match(line):
                lines.append(line)
            elif _STYLES.match(section) and line[:7].lower() == "format:":
                styles.append(line)
            elif _STYLES.match(section) and line[:6].lower() == "style:":
                name, _, rest = line[6:].partition(",")
                styles.append(f"Style: {self._number(name)},{rest}")
        return "\n".join([*lines, "", *styles, "", "[Events]", _EVENTS, ""])

    def _number(self, name: str) -> str:
        key = name.strip().lstrip("*").lower()
        return self._styles.setdefault(key, f"Style{len(self._styles)}")
