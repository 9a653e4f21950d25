"""A converted number that remembers where it came from, and the table of everything that can be converted."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ParamSpec, TypeAlias

from balm.vocabulary.problems import InputError

P = ParamSpec("P")

#: A float, a sequence of floats (one entry a study), or a :class:`Converted` from an earlier conversion.
Number: TypeAlias = Any

#: The words for a value known only as a bound, and what they become where a result falls as the input grows.
AT_MOST, AT_LEAST = "at most", "at least"
OPPOSITE = {AT_MOST: AT_LEAST, AT_LEAST: AT_MOST}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Converted:
    """The result of one conversion: its values by name, and all that is needed to check them by hand.

    ``values``: name -> float (an array when the inputs were arrays); each is also an attribute (``c.sd``).
    ``value``: the value, when there is only one; ``float(c)`` is the same.
    ``formula``, ``source``, ``inputs``, ``assumptions``: what was done, where it is published, with which numbers, and
    what has to hold for it to be right. ``cautions``: what in these very numbers asks for a second look.
    ``bounds``: value name -> "at most" or "at least" where the report gave only a bound, such as P < 0.05.
    An input may itself be a ``Converted``: :meth:`walk` then lists the whole chain.

    >>> from balm.stats import convert
    >>> se = convert.se_of_difference_from_t(difference=3.8, t=2.78)
    >>> sd = convert.sd_from_se_of_difference(se=se, n_1=25, n_2=22)
    >>> [step.function for step in sd.walk()]
    ['se_of_difference_from_t', 'sd_from_se_of_difference']
    >>> round(float(sd), 2)
    4.68
    """

    function: str
    values: Mapping[str, Any]
    formula: str
    source: str
    inputs: Mapping[str, Any]
    assumptions: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    bounds: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("values", "inputs", "bounds"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (dict(self.inputs), self.assumptions, self.cautions, dict(self.bounds))
        return Converted, (self.function, dict(self.values), self.formula, self.source, *parts)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        values: Mapping[str, Any] = object.__getattribute__(self, "values")
        if name in values:
            return values[name]
        raise AttributeError(f"{self.function} gives {', '.join(values)}; it has no {name!r}")

    @property
    def value(self) -> Any:
        """The one value; an error when the conversion gives several."""
        if len(self.values) != 1:
            raise InputError(f"{self.function} gives {len(self.values)} values ({', '.join(self.values)}): ask for one")
        return next(iter(self.values.values()))

    def __float__(self) -> float:
        return float(self.value)

    def only(self, name: str) -> Converted:
        """The same conversion narrowed to one of its values, to hand on to the next one with its chain.

        >>> from balm.stats import convert
        >>> found = convert.mean_sd_from_quantiles(q1=4, median=6, q3=9, n=30)
        >>> float(convert.se_from_sd(sd=found.only("sd"), n=30)) == found.sd / 30 ** 0.5
        True
        """
        if name not in self.values:
            raise InputError(f"{self.function} gives {', '.join(self.values)}; got {name!r}")
        parts = (self.inputs, self.assumptions, self.cautions)
        bounds = {name: self.bounds[name]} if name in self.bounds else {}
        return Converted(self.function, {name: self.values[name]}, self.formula, self.source, *parts, bounds)

    def walk(self) -> tuple[Converted, ...]:
        """Every conversion behind this number, the earliest first and this one last."""
        seen: dict[int, Converted] = {}
        for given in self.inputs.values():
            for item in given if isinstance(given, (list, tuple)) else (given,):
                if isinstance(item, Converted):
                    seen.update({id(step): step for step in item.walk()})
        return (*seen.values(), self)

    def audit(self) -> str:
        """The chain in words, one numbered step a conversion."""
        lines = []
        for number, step in enumerate(self.walk(), 1):
            given = ", ".join(f"{name} = {_shown(value)}" for name, value in step.inputs.items() if value is not None)
            lines.append(f"{number}. {step!r}")
            lines += [f"   formula: {step.formula}", f"   inputs: {given}", f"   source: {step.source}"]
            lines += [f"   assumes: {text}" for text in step.assumptions]
            lines += [f"   caution: {text}" for text in step.cautions]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, nested as the conversions are: ready for JSON."""
        return {
            "function": self.function,
            "values": {name: _jsonable(value) for name, value in self.values.items()},
            "bounds": {name: _jsonable(value) for name, value in self.bounds.items()},
            "formula": self.formula,
            "source": self.source,
            "inputs": {name: _jsonable(value) for name, value in self.inputs.items()},
            "assumptions": list(self.assumptions),
            "cautions": list(self.cautions),
        }

    def __repr__(self) -> str:
        shown = []
        for name, value in self.values.items():
            bound = self.bounds.get(name)
            shown.append(f"{name} {bound} {_shown(value)}" if isinstance(bound, str) else f"{name} = {_shown(value)}")
        return f"{self.function}: {', '.join(shown)}"


def _shown(value: Any) -> str:
    if isinstance(value, Converted):
        first = next(iter(value.values.values())) if len(value.values) == 1 else None
        return f"{_shown(first)} (from {value.function})" if first is not None else repr(value)
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if hasattr(value, "tolist"):
        return _shown(value.tolist())
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_shown(v) for v in value)}]"
    return str(value)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Converted):
        return value.to_dict()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_jsonable(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Inf" if value > 0 else "-Inf")
    return value


class NotReported(InputError):
    """Nothing to convert from: an error for one study, a missing result for one entry of an array."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the arithmetic of one conversion hands back, before it is joined to its inputs."""

    values: dict[str, Any]
    assumptions: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    bounds: dict[str, str] = field(default_factory=dict)
    formula: str = ""
    source: str = ""


def found(
    values: Mapping[str, Any] | None = None,
    /,
    *,
    assumes: Sequence[str] = (),
    cautions: Sequence[str] = (),
    bounds: Mapping[str, str] | None = None,
    formula: str = "",
    source: str = "",
    **named: Any,
) -> Found:
    """The values of a conversion with what they rest on; ``formula`` and ``source`` where they depend on the inputs."""
    kept = {name: bound for name, bound in (bounds or {}).items() if bound}
    return Found({**(values or {}), **named}, tuple(assumes), tuple(cautions), kept, formula, source)


@dataclass(frozen=True, slots=True)
class Conversion:
    """One row of the table of conversions."""

    name: str
    topic: str
    formula: str
    source: str
    arrays: bool
    function: Callable[..., Converted]

    @property
    def gives(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]


#: Every conversion by name. The docs and a test walk this table.
CONVERSIONS: dict[str, Conversion] = {}


def conversion(
    *,
    topic: str,
    formula: str,
    source: str,
    sequences: Sequence[str] = (),
    optional: Sequence[str] = (),
    increasing: Sequence[str] = (),
    arrays: bool = True,
) -> Callable[[Callable[P, Found]], Callable[P, Converted]]:
    """Turn the arithmetic of one conversion into a public function that returns :class:`Converted`.

    The wrapped function sees plain numbers only. ``sequences``: arguments that are lists by nature (arms to combine).
    ``optional``: arguments whose missing entries in an array mean "not reported"; any other missing entry makes the
    results of that entry ``nan``. ``increasing``: arguments in which every result grows, so that a bound on them is a
    bound on the result. ``arrays=False`` for conversions of one study at a time.
    """

    def decorate(arithmetic: Callable[P, Found]) -> Callable[P, Converted]:
        signature = inspect.signature(arithmetic)
        name = arithmetic.__name__

        @functools.wraps(arithmetic)
        def public(*args: P.args, **kwargs: P.kwargs) -> Converted:
            for given in kwargs:
                if given not in signature.parameters:
                    near = difflib.get_close_matches(given, list(signature.parameters), n=1)
                    hint = f" (did you mean {near[0]!r}?)" if near else ""
                    raise InputError(f"{name} takes {', '.join(signature.parameters)}; got {given!r}{hint}")
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise InputError(f"{name}: {error}; it takes, by keyword, {', '.join(signature.parameters)}") from None
            bound.apply_defaults()
            inputs = dict(bound.arguments)
            plain, limits = {}, {}
            for argument, value in inputs.items():
                plain[argument], limits[argument] = _plain(name, argument, value, argument in sequences)
            listed = [a for a, v in plain.items() if a not in sequences and isinstance(v, list)]
            if not listed:
                one = _carry_bounds(_computed(name, arithmetic, plain), limits, increasing)
            elif not arrays:
                raise InputError(f"{name} converts one study at a time: give {listed[0]} as a single number")
            else:
                one = _each(name, arithmetic, plain, limits, listed, optional, increasing)
            said = (one.formula or formula, one.source or source)
            return Converted(name, one.values, *said, inputs, one.assumptions, one.cautions, one.bounds)

        # What callers get is Converted, not the Found of the arithmetic.
        public.__signature__ = signature.replace(return_annotation="Converted")  # type: ignore[attr-defined]
        CONVERSIONS[name] = Conversion(name, topic, formula, source, arrays, public)
        return public

    return decorate


def _computed(name: str, arithmetic: Callable[..., Found], plain: Mapping[str, Any]) -> Found:
    """The arithmetic, with numbers beyond its reach refused by name."""
    try:
        return arithmetic(**plain)
    except ArithmeticError:
        given = ", ".join(f"{a}={v!r}" for a, v in plain.items() if v is not None)
        raise InputError(f"{name}: these numbers are too large or too small to compute with; got {given}") from None


def _plain(function: str, argument: str, given: Any, is_sequence: bool) -> tuple[Any, Any]:
    """The plain number (or list of plain numbers) in an input, and the bound it carries."""
    if isinstance(given, Converted):
        key = _matching_value(function, argument, given)
        return _aslist(given.values[key]), given.bounds.get(key)
    value = _aslist(given)
    if is_sequence and isinstance(value, list):
        pairs = [_plain(function, argument, v, False) for v in value]
        limits = [limit for _, limit in pairs if limit]
        return [v for v, _ in pairs], limits[0] if limits else None
    if isinstance(value, list) and any(isinstance(v, Converted) for v in value):
        pairs = [_plain(function, argument, v, False) for v in value]
        return [v for v, _ in pairs], tuple(limit or "" for _, limit in pairs)
    return value, None


def _matching_value(function: str, argument: str, given: Converted) -> str:
    if len(given.values) == 1:
        return next(iter(given.values))
    stem = argument.split("_")[0]
    for key in (argument, stem):
        if key in given.values:
            return key
    names = list(given.values)
    raise InputError(
        f"{function}: {argument} comes from {given.function}, which gives {', '.join(names)}; "
        f"pass one of them, as .only({names[0]!r})"
    )


def _aslist(value: Any) -> Any:
    """Sequences and arrays as lists, everything else as it is; a numpy scalar becomes a Python one."""
    if isinstance(value, (str, Converted)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return list(value)
    if hasattr(value, "to_list"):  # pandas and polars columns
        return list(value.to_list())
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType"


def _each(
    name: str,
    arithmetic: Callable[..., Found],
    plain: Mapping[str, Any],
    limits: Mapping[str, Any],
    listed: Sequence[str],
    optional: Sequence[str],
    increasing: Sequence[str],
) -> Found:
    """The conversion entry by entry; an error names the entry, counted from 1."""
    lengths = {a: len(plain[a]) for a in listed}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{a} has {k}" for a, k in lengths.items())
        raise InputError(f"{name}: arrays must be of one length; {said}")
    k = next(iter(lengths.values()))
    if k == 0:
        raise InputError(f"{name}: {listed[0]} is empty; give at least one entry")
    results: list[Found | None] = []
    problems = []
    for i in range(k):
        entry = {a: (v[i] if a in listed else v) for a, v in plain.items()}
        entry = {a: (None if a in optional and _missing(v) else v) for a, v in entry.items()}
        if any(_missing(entry[a]) for a in listed if a not in optional):
            results.append(None)
            continue
        limit = {a: (b[i] if isinstance(b, tuple) else b) for a, b in limits.items()}
        try:
            results.append(_carry_bounds(_computed(name, arithmetic, entry), limit, increasing))
        except NotReported:
            results.append(None)
        except InputError as error:
            problems.append(f"entry {i + 1}: {error}")
    if problems:
        raise InputError("\n".join(problems))
    known = [r for r in results if r is not None]
    if not known:
        raise InputError(f"{name}: every entry is missing in at least one of {', '.join(listed)}")
    names = list(dict.fromkeys(key for r in known for key in r.values))
    values = {key: _stacked([math.nan if r is None else r.values.get(key, math.nan) for r in results]) for key in names}
    bounded = list(dict.fromkeys(key for r in known for key in r.bounds))
    bounds: dict[str, Any] = {
        key: tuple("" if r is None else r.bounds.get(key, "") for r in results) for key in bounded
    }
    cautions = [f"entry {i}: {text}" for i, r in enumerate(results, 1) if r is not None for text in r.cautions]
    formulas = list(dict.fromkeys(r.formula for r in known if r.formula))
    sources = list(dict.fromkeys(r.source for r in known if r.source))
    assumptions = tuple(dict.fromkeys(text for r in known for text in r.assumptions))
    return Found(values, assumptions, tuple(cautions), bounds, "; or ".join(formulas), "; ".join(sources))


def _stacked(column: list[Any]) -> Any:
    if all(isinstance(v, (bool, int, float)) for v in column):
        import numpy as np

        return np.array(column)
    return tuple(column)


def _carry_bounds(one: Found, limits: Mapping[str, Any], increasing: Sequence[str]) -> Found:
    """Say so when an input was only a bound: its direction where the result grows with it, a caution otherwise."""
    given = {a: b for a, b in limits.items() if b}
    if not given:
        return one
    kinds = set(given.values())
    if all(a in increasing for a in given) and len(kinds) == 1 and not one.bounds:
        kind = kinds.pop()
        return Found(
            one.values, one.assumptions, one.cautions, dict.fromkeys(one.values, kind), one.formula, one.source
        )
    said = ", ".join(f"{a} ({b})" for a, b in given.items())
    cautions = (*one.cautions, f"computed at the bound of {said}; the direction of the result is not known")
    return Found(one.values, one.assumptions, cautions, one.bounds, one.formula, one.source)
