"""A registry as a folder: read whole, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from balm.registry.definition import FILE, INSTRUMENTS, default_definition_text
from balm.registry.reading import read_registry, registry_tables
from balm.registry.registry import Registry
from balm.registry.tables import TABLES
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.table_text import write_table

#: Vital signs every five minutes for 10,000 sessions are about 60 MB.
MAX_BYTES = 256 * 1024**2


def load_registry(folder: str | Path) -> Registry:
    """The registry in ``folder``; every problem in it as one :class:`InputError`."""
    registry, problems = checked_registry(folder)
    if registry is None:
        raise InputError(problems)
    return registry


def checked_registry(folder: str | Path) -> tuple[Registry | None, tuple[Problem, ...]]:
    """The registry in ``folder``, or ``None``, and everything wrong with it."""
    return read_registry(folder_bytes(Path(folder)), today=date.today())


def folder_bytes(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of the format that is there."""
    if not folder.is_dir():
        reason = f"there is no registry folder {str(folder)!r}; `balm registry new {folder}` starts one"
        raise InputError(Problem(reason, file=str(folder)))
    names = [FILE, *(t.file for t in TABLES)]
    instruments = folder / INSTRUMENTS
    if instruments.is_dir():
        names += [f"{INSTRUMENTS}{p.name}" for p in sorted(instruments.glob("*.toml"))]
    root, files, problems = folder.resolve(), {}, []
    for name in names:
        path = folder / name
        if not os.path.lexists(path):
            continue
        try:
            if not path.resolve(strict=True).is_relative_to(root):
                problems.append(Problem("is a link that leads out of the registry", file=name))
                continue
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
                problems.append(Problem(f"is no file of at most {MAX_BYTES // 1024**2} MB", file=name))
                continue
            files[name] = path.read_bytes()
        except (OSError, RuntimeError) as error:
            problems.append(Problem(f"cannot be read: {getattr(error, 'strerror', None) or error}", file=name))
    if problems:
        raise InputError(problems)
    return files


def new_registry(folder: str | Path) -> list[str]:
    """Start a registry in a new or empty folder: the definition, and every table with its header."""
    files: dict[str, str | bytes] = {FILE: default_definition_text()}
    files |= {t.file: write_table((), t) for t in TABLES}
    return _started(Path(folder), files)


def new_demonstration(folder: str | Path, *, seed: int | None = None, people: int | None = None) -> list[str]:
    """Make a simulated registry in a new or empty folder; see :mod:`balm.registry.demonstration`."""
    from balm.registry.demonstration import demonstration_files

    options = {name: n for name, n in (("seed", seed), ("people", people)) if n is not None}
    return _started(Path(folder), demonstration_files(**options))


def _started(root: Path, files: Mapping[str, str | bytes]) -> list[str]:
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InputError(Problem("exists and is not an empty folder", file=str(root)))
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(Problem(f"cannot be made: {error.strerror}", file=str(root))) from None
    write_files(root, files)
    return sorted(files)


def save_registry(folder: str | Path, registry: Registry, before: Registry) -> list[str]:
    """Write the tables of ``registry`` that differ from those of ``before``: all of them, or none."""
    was = registry_tables(before)
    changed = {name: text for name, text in registry_tables(registry).items() if was.get(name) != text}
    write_files(Path(folder), changed)
    return sorted(changed)


def write_files(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write every file beside its place first; only when all are on the disk is each moved there."""
    waiting: list[tuple[str, Path]] = []
    try:
        for name, text in files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            waiting.append((beside, target))
            with os.fdopen(handle, "wb") as out:
                out.write(text.encode("utf-8") if isinstance(text, str) else text)
                out.flush()
                os.fsync(out.fileno())
            os.chmod(beside, 0o644)
        while waiting:
            os.replace(*waiting[0])
            waiting.pop(0)
    except OSError as error:
        raise InputError(Problem(f"cannot be written: {error.strerror or error}", file=str(root))) from None
    finally:
        for beside, _ in waiting:
            with contextlib.suppress(OSError):
                os.unlink(beside)
