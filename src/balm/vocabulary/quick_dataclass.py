"""``dataclass`` for the classes that one analysis on the command line declares, at a tenth of the cost at import.

The standard decorator writes and compiles methods for every class, and importing it brings ``inspect``, ``ast`` and
``dis``: together more than half of the time in which ``balm pool`` reads a table, pools it and draws. Here the methods
are shared closures. Type checkers see the standard one, and what the standard library keeps on a class
(``__dataclass_fields__``, the signature) is there as soon as somebody looks, so ``dataclasses.fields``, ``replace`` and
``asdict``, copies and pickles work as ever. Instances are made as fast. ``slots`` is accepted and has no effect.

>>> @dataclass(frozen=True)
... class Arm:
...     events: int
...     n: int = 10
>>> Arm(3), Arm(3) == Arm(events=3, n=10), replace(Arm(3), n=7).n
(Arm(events=3, n=10), True, 7)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field", "replace"]


class _Factory:
    """A default that is made anew for each instance."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


class _Standard:
    """An attribute of a class that the standard library gives, found on the class when it is first looked at."""

    def __init__(self, name: str, find: Callable[[type], Any]) -> None:
        self.name = name
        self.find = find

    def __get__(self, instance: Any, owner: type) -> Any:
        for holder in owner.__mro__:
            if holder.__dict__.get(self.name) is self:
                owner = holder
        found = self.find(_twin(owner))
        setattr(owner, self.name, found)
        return found


def _twin(cls: type) -> type:
    """The same fields as a standard data class."""
    import dataclasses
    import inspect

    types: dict[str, Any] = {}
    for holder in reversed(cls.__mro__):
        types |= inspect.get_annotations(holder)
    parts = []
    for name in cls.__match_args__:  # type: ignore[attr-defined]
        default = cls._defaults.get(name, dataclasses.MISSING)  # type: ignore[attr-defined]
        if isinstance(default, _Factory):
            parts.append((name, types[name], dataclasses.field(default_factory=default.make)))
        else:
            parts.append((name, types[name], dataclasses.field(default=default)))
    return dataclasses.make_dataclass(cls.__name__, parts)


def _signature(cls: type) -> Any:
    import inspect

    return inspect.signature(cls)


def _declare(cls: Any, *, init: bool, repr: bool, eq: bool, frozen: bool) -> Any:
    own = cls.__dict__
    before = getattr(cls, "__match_args__", ())
    added = tuple(name for name in own["__annotations__"] if name not in before)
    names = (*before, *added)
    defaults = {**getattr(cls, "_defaults", {}), **{name: own[name] for name in added if name in own}}
    for name in added:
        if isinstance(own.get(name), _Factory):
            delattr(cls, name)
    if init:
        cls.__init__ = _initialiser(cls.__name__, names, defaults)
    return declared(cls, names, defaults, signed=init, repr=repr, eq=eq, frozen=frozen)


def declared(
    cls: Any,
    names: tuple[str, ...],
    defaults: dict[str, Any],
    *,
    signed: bool = True,
    repr: bool = True,
    eq: bool = True,
    frozen: bool = True,
) -> Any:
    """``cls`` with everything of a data class but its ``__init__``."""
    own = cls.__dict__
    cls.__match_args__ = names  # type: ignore[misc]
    cls._defaults = defaults
    cls.__dataclass_fields__ = _Standard("__dataclass_fields__", lambda twin: twin.__dataclass_fields__)  # type: ignore[attr-defined]
    if signed:
        cls.__signature__ = _Standard("__signature__", _signature)
    if repr and "__repr__" not in own:
        cls.__repr__ = _represented
    if eq and "__eq__" not in own:
        cls.__eq__ = _equal
        if "__hash__" not in own or own["__hash__"] is None:
            cls.__hash__ = _hashed if frozen else None
    if frozen:
        cls.__setattr__, cls.__delattr__ = _cannot_assign, _cannot_delete
    return cls


def _initialiser(owner: str, names: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., None]:
    count, known = len(names), frozenset(names)
    plain = {name: default for name, default in defaults.items() if not isinstance(default, _Factory)}
    made = {name: default.make for name, default in defaults.items() if isinstance(default, _Factory)}

    def __init__(self: Any, *given: Any, **named: Any) -> None:
        values = self.__dict__
        if not given and known.issuperset(named):
            values.update(plain)
            values.update(named)
            if len(values) != count:
                for name, make in made.items():
                    if name not in named:
                        values[name] = make()
            if len(values) == count:
                return
            values.clear()
        values.update(zip(names, given))  # noqa: B905 - fewer are given than there are names
        values.update(named)
        if len(given) + len(named) != count or not known.issuperset(named) or len(values) != count:
            complete(owner, names, defaults, values, given, named)

    return __init__


def complete(
    owner: str,
    names: tuple[str, ...],
    defaults: dict[str, Any],
    values: dict[str, Any],
    given: tuple[Any, ...],
    named: dict[str, Any],
) -> None:
    """Fill what ``values`` lack of ``names`` from the defaults, or say what is wrong with the call, as Python does."""
    if len(given) > len(names):
        raise TypeError(f"{owner}() takes {len(names)} positional arguments but {len(given)} were given")
    for name in named:
        if name not in names:
            raise TypeError(f"{owner}() got an unexpected keyword argument {name!r}")
        if name in names[: len(given)]:
            raise TypeError(f"{owner}() got multiple values for argument {name!r}")
    for name in names:
        if name not in values:
            if name not in defaults:
                raise TypeError(f"{owner}() missing a required argument: {name!r}")
            default = defaults[name]
            values[name] = default.make() if isinstance(default, _Factory) else default


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])


def _represented(self: Any) -> str:
    inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{type(self).__qualname__}({inside})"


def _equal(self: Any, other: Any) -> Any:
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hashed(self: Any) -> int:
    return hash(_values(self))


def _cannot_assign(self: Any, name: str, value: Any) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _cannot_delete(self: Any, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:

    def dataclass(
        *, init: bool = True, repr: bool = True, eq: bool = True, frozen: bool = False, slots: bool = False
    ) -> Callable[[type], type]:
        """As the standard decorator; a class may add fields with defaults to those that it inherits."""
        return lambda cls: _declare(cls, init=init, repr=repr, eq=eq, frozen=frozen)

    def field(*, default: Any = None, default_factory: Callable[[], Any] | None = None) -> Any:
        """A default, or one that is made anew for each instance."""
        return default if default_factory is None else _Factory(default_factory)

    def replace(instance: Any, /, **changes: Any) -> Any:
        """A copy with other values in some fields."""
        from dataclasses import replace as standard

        return standard(instance, **changes)
