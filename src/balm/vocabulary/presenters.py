"""How a value shows itself without knowing who draws it.

Results of the lower rooms offer ``fit.forest()`` or ``fit.sentence()``, while plots and words live in rooms above.
The package root says where each presenter lives; the value asks for it by name. Nothing is imported until it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

_ADDRESSES: dict[str, str] = {}


def register(addresses: dict[str, str]) -> None:
    """Take ``{"forest": "package.module:function"}``: the name a value asks for, and where it lives."""
    _ADDRESSES.update(addresses)
    presenter.cache_clear()


@cache
def presenter(name: str) -> Callable[..., Any]:
    """The function registered under ``name``."""
    module, _, function = _ADDRESSES[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
