"""NumPy, loaded when it is first needed; and plain floats in its place where one small analysis does not need it.

Modules that a single analysis goes through say ``from balm.stats.arrays import np`` and are written as for NumPy. The
first use loads it. A process that was started for one analysis (the command line) may instead ask for it
:func:`on_plain_floats`: inside, ``np`` is :mod:`balm.stats.plain_arrays`, a few hundred lines of Python that start in
a tenth of the time and a third of the memory, so every formula and every message stands once and serves both.

>>> float(np.log(np.asarray([1.0]))[0])
0.0
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["ArrayLike", "Bools", "Floats", "Integers", "NDArray", "NeedsNumPy", "np", "of_numpy", "on_plain_floats"]

T = TypeVar("T")

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Integers = NDArray[np.int64]
else:
    # Names of types, for annotations: they are read as text, never looked into.
    ArrayLike = NDArray = Floats = Bools = Integers = Any
    #: A module, so that looking up ``np.log`` costs what it costs in NumPy itself.
    np = ModuleType("balm.stats.arrays.np", "NumPy once loaded; see balm.stats.arrays.")


class NeedsNumPy(Exception):
    """Plain floats were asked for something that they cannot do, or are too slow for."""


def of_numpy(values: Any) -> bool:
    """Whether these are an array of NumPy itself, and not plain floats in its place."""
    return type(values).__module__ == "numpy"


def on_plain_floats(work: Callable[[], T]) -> T:
    """The result of ``work()`` without loading NumPy, where that can be; with NumPy otherwise.

    ``work`` must be one that can be done again from the start: it writes and prints nothing. Where plain floats do not
    reach (matrices, functions of SciPy, very many studies, arithmetic that ends in an infinity) it is done with NumPy.
    Where NumPy is loaded anyway there is nothing to save, and nothing is changed under the feet of other threads.
    """
    if "numpy" in sys.modules:
        return work()
    gc.disable()  # what one small analysis leaves behind is less work than looking for it
    try:
        return plainly(work)
    except (NeedsNumPy, ArithmeticError):
        return work()
    finally:
        gc.enable()


def plainly(work: Callable[[], T]) -> T:
    """The result of ``work()`` on plain floats, come what may; the tests hold it against NumPy's."""
    from balm.stats import plain_arrays

    before = dict(vars(np))
    _become({**vars(plain_arrays), "__getattr__": _refuse})
    try:
        return work()
    finally:
        _become(before)


def _become(names: dict[str, Any]) -> None:
    space = vars(np)
    space.clear()
    space.update(names)


def _load(name: str) -> Any:
    """The first use of ``np``: everything of NumPy is put into it. Later only what NumPy itself finds when asked."""
    import numpy

    vars(np).update({key: value for key, value in vars(numpy).items() if not key.startswith("__")})
    return getattr(numpy, name)


def _refuse(name: str) -> Any:
    raise NeedsNumPy(name)


if not TYPE_CHECKING:
    np.__getattr__ = _load
