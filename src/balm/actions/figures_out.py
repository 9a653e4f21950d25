"""Figures written to files: a name that was asked for is replaced, a name we chose never is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from balm.vocabulary.problems import InputError, refuse

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS = (".svg", ".png", ".pdf")

#: More attempts at a free name than anyone makes by hand.
_MOST_NAMES = 1000


def check_target(path: str | Path, flag: str) -> None:
    """The ending is one we write and the folder exists; asked before anything is computed."""
    folder = os.path.dirname(path) or "."
    if os.path.splitext(path)[1].lower() not in ENDINGS:
        refuse(f"{flag} must end in one of {list(ENDINGS)}; got {str(path)!r}")
    if not os.path.isdir(folder):
        refuse(f"{flag} {str(path)!r}: there is no folder {folder!r}; make it first")
    if os.path.isdir(path):
        refuse(f"{flag} {str(path)!r} is a folder; give a file in it")


def default_name(source: str, kind: str) -> str:
    """``trials.csv`` -> ``trials-forest.svg`` in the working directory.

    >>> default_name("data/trials.csv", "forest")
    'trials-forest.svg'
    """
    stem = "table" if source == "-" else os.path.splitext(os.path.basename(source))[0]
    return f"{stem}-{kind}.svg"


def write_figure(figure: Any, path: str | Path) -> None:
    """Save ``figure`` at ``path``, replacing what is there: the person named it."""
    try:
        figure.write(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


def write_beside(figure: Any, path: str) -> tuple[str, str]:
    """Save an SVG at ``path`` or, when a different file has that name, at the next free one (``-2``, ``-3`` ...).

    Returns where it is and a note when the name had to change. The same figure again is not written twice.
    """
    content = figure.svg.encode()
    for attempt in range(1, _MOST_NAMES):
        target = path if attempt == 1 else "{0}-{2}{1}".format(*os.path.splitext(path), attempt)
        note = "" if attempt == 1 else f" ({path} is another figure and was kept)"
        try:
            with open(target, "xb") as stream:
                stream.write(content)
            return target, note
        except FileExistsError:
            if os.path.isfile(target) and _bytes_of(target) == content:
                return target, note
        except OSError as error:
            raise InputError(
                f"{target}: cannot be written: {error.strerror or error}; name another place with --forest, or "
                "--no-forest"
            ) from None
    raise InputError(f"{path}: too many figures of this name; name a place with --forest")


def _bytes_of(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()
