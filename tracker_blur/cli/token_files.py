"""Files with the token that requests must carry."""

from __future__ import annotations

import os
import secrets
import stat
from typing import IO, TYPE_CHECKING

from tracker_blur.errors import SettingsError, reason_of

if TYPE_CHECKING:
    from pathlib import Path

_MAX_LENGTH = 1000  # of a file that may be the wrong one, and have no lines
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TOKEN_BYTES = 32


def read_token(path: Path, *, is_private: bool = False) -> str:
    """Return the first line of a file.

    Args:
        path: The file.
        is_private: Refuse a file of this user's that others may read or write.

    Raises:
        SettingsError: It cannot be read, holds no token, or is not private.
    """
    try:
        with path.open(encoding="utf-8") as file:
            if is_private:
                _check_is_private(path, file)
            line = file.readline(_MAX_LENGTH + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(f"is {path}: cannot be read ({reason_of(error)}): give a text file") from error
    if len(line) > _MAX_LENGTH:
        raise _wrong(
            f"is {path}: its first line has more than {_MAX_LENGTH} characters: write a token into "
            "it that browsers store"
        )
    token = line.strip()
    if not token:
        raise _wrong(
            f"is {path}: its first line is empty: write a token into it that cannot be guessed"
        )
    return token


def generated_token() -> tuple[Path, str]:
    """Return the file with a token that only this user can read, made if it is missing, and it.

    Raises:
        SettingsError: The file is not private, or holds no token.
        SinkError: It cannot be written.
    """
    from tracker_blur.files.atomic import replacing
    from tracker_blur.web.state import make_private_folder, state_folder

    path = state_folder() / "service" / "token"
    if not path.exists():
        make_private_folder(path.parent)
        with replacing(path, overwrite=False, is_private=True) as temporary:
            temporary.write_text(f"{secrets.token_urlsafe(_TOKEN_BYTES)}\n", encoding="utf-8")
    return path, read_token(path, is_private=True)


def _check_is_private(path: Path, file: IO[str]) -> None:
    """Refuse a file that this user has left open to others.

    One that belongs to someone else was handed over by the system (Kubernetes, systemd, Docker),
    which gives its reader a group or an access list: as OpenSSH does, that is not judged. But no
    one hands over what everyone may write.
    """
    if os.name != "posix":
        return
    status = os.fstat(file.fileno())
    if status.st_mode & stat.S_IWOTH:
        raise _wrong(f"is {path}: every user may write it: chmod 600 it, and make a new token")
    if status.st_uid == os.geteuid() and status.st_mode & _OTHERS:
        raise _wrong(f"is {path}: other users may read it: chmod 600 it")


def _wrong(problem: str) -> SettingsError:
    return SettingsError(problem, setting="token_file")
