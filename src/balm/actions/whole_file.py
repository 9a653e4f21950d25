"""A file that appears whole or not at all: written beside its place, flushed to the disk, then moved there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from balm.vocabulary.problems import InputError, Problem


@contextmanager
def whole_file(target: Path, mode: str = "wb", **how: Any) -> Iterator[IO[Any]]:
    """An open file that becomes ``target`` when the block ends well; until then, and after a failure, nothing changes.

    ``mode`` and ``how`` are those of ``open``. A folder that is not there, a target that is one, and every fault of the
    disk is one :class:`InputError`.
    """
    if not target.parent.is_dir():
        raise InputError(Problem(f"there is no folder {str(target.parent)!r}; make it first", file=str(target)))
    if target.is_dir():
        raise InputError(Problem("is a folder; give the name of a file", file=str(target)))
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, mode, **how) as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            os.chmod(beside, 0o644)
            os.replace(beside, target)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(Problem(f"cannot be written: {error.strerror or error}", file=str(target))) from None
