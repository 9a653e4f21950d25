"""Figures written to files: a name that was asked for is replaced, a name we chose never is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from balm.vocabulary.problems import InputError, refuse

ENDINGS = (".svg", ".png", ".pdf")

#: More attempts at a free name than anyone makes by hand.
_MOST_NAMES = 1000


def check_target(path: str | Path, flag: str) -> None:
    """The ending is one we write and the folder exists; asked before anything is computed."""
    target = Path(path)
    if target.suffix.lower() not in ENDINGS:
        refuse(f"{flag} must end in one of {list(ENDINGS)}; got {str(path)!r}")
    if not target.parent.is_dir():
        refuse(f"{flag} {str(path)!r}: there is no folder {str(target.parent)!r}; make it first")
    if target.is_dir():
        refuse(f"{flag} {str(path)!r} is a folder; give a file in it")


def default_name(source: str, kind: str) -> Path:
    """``trials.csv`` -> ``trials-forest.svg`` in the working directory.

    >>> default_name("data/trials.csv", "forest").name
    'trials-forest.svg'
    """
    stem = "table" if source == "-" else Path(source).stem
    return Path(f"{stem}-{kind}.svg")


def write_figure(figure: Any, path: str | Path) -> None:
    """Save ``figure`` at ``path``, replacing what is there: the person named it."""
    try:
        figure.save(str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


def write_beside(figure: Any, path: Path) -> tuple[Path, str]:
    """Save an SVG at ``path`` or, when a different file has that name, at the next free one (``-2``, ``-3`` ...).

    Returns where it is and a note when the name had to change. The same figure again is not written twice.
    """
    content = figure.svg.encode()
    for attempt in range(1, _MOST_NAMES):
        target = path if attempt == 1 else path.with_name(f"{path.stem}-{attempt}{path.suffix}")
        note = "" if attempt == 1 else f" ({path} is another figure and was kept)"
        try:
            with open(target, "xb") as stream:
                stream.write(content)
            return target, note
        except FileExistsError:
            if target.is_file() and target.read_bytes() == content:
                return target, note
        except OSError as error:
            raise InputError(
                f"{target}: cannot be written: {error.strerror or error}; name another place with --forest, or "
                "--no-forest"
            ) from None
    raise InputError(f"{path}: too many figures of this name; name a place with --forest")
