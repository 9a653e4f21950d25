"""``dataclass(frozen=True, slots=True)`` for the few classes of which one process makes millions.

As :mod:`balm.vocabulary.quick_dataclass`, it brings nothing of the standard library's ``inspect``; here every instance
is as small as its values. Type checkers see the standard decorator.

>>> @dataclass(frozen=True, slots=True)
... class Arm:
...     events: int
...     n: int = 10
>>> Arm(3), Arm(3) == Arm(events=3, n=10), hasattr(Arm(3), "__dict__")
(Arm(events=3, n=10), True, False)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from balm.vocabulary.quick_dataclass import complete, declared

__all__ = ["dataclass"]


def _slotted(cls: Any) -> Any:
    names = tuple(cls.__annotations__)
    defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    body = {name: held for name, held in cls.__dict__.items() if name not in {"__dict__", "__weakref__", *defaults}}
    made = type(cls)(cls.__name__, cls.__bases__, {**body, "__slots__": names, "__qualname__": cls.__qualname__})
    declared(made, names, defaults)
    setters = [made.__dict__[name].__set__ for name in names]

    def __init__(self: Any, *given: Any, **named: Any) -> None:
        values = dict(zip(names, given), **named)  # noqa: B905 - fewer are given than there are names
        complete(made.__name__, names, defaults, values, given, named)
        for name, put in zip(names, setters, strict=True):
            put(self, values[name])

    def __setstate__(self: Any, state: list[Any]) -> None:
        for put, value in zip(setters, state, strict=True):
            put(self, value)

    made.__init__, made.__setstate__, made.__getstate__ = __init__, __setstate__, _state
    return made


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__match_args__]


if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """As the standard decorator, for frozen classes with slots that inherit no fields."""
        assert frozen and slots
        return _slotted
