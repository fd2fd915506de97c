"""The limits of a server: no client may take the place, the memory or the time of all others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """How much a server takes from its clients.

    Attributes:
        client_timeout_seconds: How long a client may neither send nor read, and may take for the
            head of a request.
        body_seconds: How long it may take for a body that is no upload; None: the same.
        idle_seconds: How long a connection without a request is kept for the next one.
        linger_seconds: How long a body that no one wants is read on, so that the client gets the
            answer.
        stop_seconds: How long answers may take to end when the server stops.
        head_bytes: The longest head of a request: browsers send the cookies of all servers of
            this machine.
        body_bytes: The longest body that is no upload and no image.
        image_bytes: The longest body that is an image.
        upload_bytes: The longest upload.
        unauthenticated: Connections that have not yet sent an authorized request; from there on, a
            new one takes the place of the oldest.
        requests: Connections with authorized requests; the same.
        streams: Connections with answers without an end; from there on, they are refused.
    """

    client_timeout_seconds: float = 10.0
    body_seconds: float | None = None
    idle_seconds: float = 10.0
    linger_seconds: float = 1.0
    stop_seconds: float = 1.0
    head_bytes: int = 128 << 10
    body_bytes: int = 1 << 20
    image_bytes: int = 20 << 20
    upload_bytes: int = 50 << 30
    unauthenticated: int = 32
    requests: int = 64
    streams: int = 32
