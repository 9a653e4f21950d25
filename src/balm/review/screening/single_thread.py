"""One thread for small matrix products: with a second one, handing over costs more than is gained."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

#: What OpenBLAS calls its setting in the builds that NumPy comes with.
_SUFFIXES = ("64_", "", "_64")
_PREFIXES = ("scipy_openblas", "openblas")


@lru_cache(1)
def _setting() -> tuple[Any, Any] | None:
    """The functions that read and set OpenBLAS's threads; ``None`` with another library."""
    import numpy.linalg

    try:
        library = ctypes.CDLL(numpy.linalg._umath_linalg.__file__)
    except (OSError, AttributeError, TypeError):
        return None
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            try:
                read = getattr(library, f"{prefix}_get_num_threads{suffix}")
                write = getattr(library, f"{prefix}_set_num_threads{suffix}")
            except AttributeError:
                continue
            read.restype, read.argtypes = ctypes.c_int, []
            write.restype, write.argtypes = None, [ctypes.c_int]
            return read, write
    return None


@contextmanager
def single_thread() -> Iterator[None]:
    """Matrix products of NumPy in one thread while this lasts, where its library can be told so.

    For products of vectors with matrices of a few thousand rows two threads have been up to four times slower than one.
    The numbers do not depend on it beyond rounding.
    """
    found = _setting()
    if found is None:
        yield
        return
    read, write = found
    before = read()
    write(1)
    try:
        yield
    finally:
        write(before)
