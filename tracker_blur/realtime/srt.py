"""How the program ffmpeg gets an SRT address without its secrets in the process list.

PyAV's FFmpeg is built without SRT, and every user of a machine can read the arguments of all
programs.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit, urlunsplit

_SECRETS = ("passphrase", "streamid", "srt_streamid")


def input_arguments(timeout_seconds: float) -> list[str]:
    """Return ffmpeg's arguments to read the address that `input_script` writes to its input."""
    timeout = ["-rw_timeout", f"{timeout_seconds * 1e6:.0f}"]
    # Only what SRT carries: no other protocol, and no other format, is tried.
    limits = ["-protocol_whitelist", "pipe,srt", "-format_whitelist", "concat,mpegts"]
    return [*timeout, *limits, "-f", "concat", "-safe", "0", "-i", "pipe:0"]


def input_script(address: str, timeout_seconds: float) -> bytes:
    """Return what ffmpeg's concat demuxer reads: a list of one address."""
    quoted = address.replace("'", "'\\''")
    lines = ["ffconcat version 1.0", f"file '{quoted}'"]
    lines.append(f"option rw_timeout {timeout_seconds * 1e6:.0f}")
    return ("\n".join(lines) + "\n").encode()


def without_options(address: str) -> tuple[str, bytes]:
    """Return an address to send to without its secrets, and those as a preset file of ffmpeg.

    Raises:
        ValueError: It is no address.
    """
    parts = urlsplit(address)
    kept, secrets = [], []
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        name = name.lower() if name.lower() in _SECRETS else name
        if name in _SECRETS:
            value = value.replace("+", " ")  # as ffmpeg reads it from an address
            value = value if name == "passphrase" else unquote(value)
            secrets.append(f"{name}={value}\n")
        elif pair:
            kept.append(pair)
    place = parts.netloc.rpartition("@")[2]
    bare = urlunsplit((parts.scheme, place, parts.path, "&".join(kept), ""))
    return bare, "".join(secrets).encode()
