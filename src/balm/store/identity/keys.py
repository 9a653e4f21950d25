"""One key a person, in a file of its own under ``BALM_HOME``: apart from the database, so that no copy or backup of
the database reads a name, and destroying the file erases the person from every copy at once.

Back the folder ``identity-keys`` up apart from the database, and delete a destroyed key from that backup, too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,79}", re.ASCII)


def _path(clinic_key: str, participant: str) -> Path:
    for name in (clinic_key, participant):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a key")
    return Path(settings.IDENTITY_KEYS) / clinic_key / f"{participant}.key"


def new_key(clinic_key: str, participant: str) -> bytes:
    """The person's key, drawn at random on the first call; readable by the server's owner only."""
    path = _path(clinic_key, participant)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as out:
        key = Fernet.generate_key()
        out.write(key)
        out.flush()
        os.fsync(out.fileno())
    return key


def key_of(clinic_key: str, participant: str) -> bytes | None:
    """The person's key, or ``None`` where there is none (any more)."""
    try:
        return _path(clinic_key, participant).read_bytes()
    except FileNotFoundError:
        return None


def destroy_key(clinic_key: str, participant: str) -> None:
    """Overwrite and remove the key; a second time does nothing."""
    path = _path(clinic_key, participant)
    try:
        with path.open("r+b") as out:
            out.write(os.urandom(path.stat().st_size))
            out.flush()
            os.fsync(out.fileno())
        path.unlink()
    except FileNotFoundError:
        return


def put_key(clinic_key: str, participant: str, key: bytes) -> None:
    """A key that comes back with an archive; another key in its place is refused."""
    Fernet(key)  # a key that is none is refused here
    path = _path(clinic_key, participant)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.read_bytes() != key:
            raise ValueError(f"there is another key of {participant} on this server") from None
        return
    with os.fdopen(handle, "wb") as out:
        out.write(key)
        out.flush()
        os.fsync(out.fileno())
