"""HDR metadata in the words of each encoder that can write it."""

from __future__ import annotations

from fractions import Fraction

from tracker_blur.video.side_data import Light, Mastering

_CHROMATICITY_UNIT = Fraction(1, 50_000)  # ITU-T H.265, D.3.28
_LUMINANCE_UNIT = Fraction(1, 10_000)


def hdr_options(encoder: str, mastering: Mastering | None, light: Light | None) -> str:
    """Return settings to add to those of libx264, libx265 or libsvtav1; empty for the others."""
    names = {
        "libx264": ("mastering-display", "cll"),
        "libx265": ("master-display", "max-cll"),
        "libsvtav1": ("mastering-display", "content-light"),
    }.get(encoder)
    if names is None:
        return ""
    settings = []
    if mastering is not None:
        as_text = _decimal if encoder == "libsvtav1" else _integer
        settings.append(f"{names[0]}={as_text(mastering)}")
    if light is not None:
        settings.append(f"{names[1]}={light.max_content},{light.max_frame_average}")
    return ":".join(settings)


def _integer(mastering: Mastering) -> str:
    """As SMPTE ST 2086 counts: the units of the bit streams."""
    primaries = [
        f"({round(x / _CHROMATICITY_UNIT)},{round(y / _CHROMATICITY_UNIT)})"
        for x, y in mastering.primaries
    ]
    low, high = (round(value / _LUMINANCE_UNIT) for value in mastering.luminance)
    return _joined(primaries, f"({high},{low})")


def _decimal(mastering: Mastering) -> str:
    primaries = [f"({float(x):.5f},{float(y):.5f})" for x, y in mastering.primaries]
    low, high = (float(value) for value in mastering.luminance)
    return _joined(primaries, f"({high:.4f},{low:.4f})")


def _joined(primaries: list[str], luminance: str) -> str:
    red, green, blue, white = primaries
    return f"G{green}B{blue}R{red}WP{white}L{luminance}"
