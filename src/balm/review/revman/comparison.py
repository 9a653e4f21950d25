"""What comparing RevMan's stored numbers with ours gives: which agree, which do not, which the file contradicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from balm.review.revman.model import RevManReview

#: A stored number agrees when it is this close, relatively; or absolutely, where the number is zero up to rounding.
RELATIVE, ABSOLUTE = 1e-6, 1e-9

#: The numbers of a pooled result in ``outcomes`` of the comparison, in order.
RESULT_FIELDS = ("estimate", "ci_low", "ci_high", "tau2", "i2", "chi2", "df", "z", "p")


@dataclass(frozen=True, slots=True)
class Difference:
    """One stored number that ours does not equal; ``why`` is filled when the file itself shows that it is wrong."""

    where: str
    field: str
    stored: float
    ours: float | None
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``balm revman --json``."""
        found: dict[str, Any] = {
            "where": self.where,
            "field": self.field,
            "stored": _finite(self.stored),
            "ours": _finite(self.ours),
        }
        return {**found, "why": self.why} if self.why else found

    def __str__(self) -> str:
        ours = "not estimable" if self.ours is None else f"{self.ours:.12g}"
        return f"{self.where}: {self.field}: stored {self.stored:.12g}, ours {ours}" + (
            f": {self.why}" * bool(self.why)
        )


@dataclass(frozen=True, slots=True)
class Result:
    """A pooled result computed again: an outcome or a subgroup. ``held`` tells whether the file holds RevMan's own."""

    id: str
    name: str
    numbers: dict[str, float | None]
    held: bool
    k: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """An outcome with its settings, its total and its subgroups; ``guessed`` names settings the file does not hold."""

    total: Result
    type: str
    measure: str
    method: str
    model: str
    subgroups: tuple[Result, ...]
    guessed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``balm revman --json``."""
        settings = {"type": self.type, "measure": self.measure, "method": self.method, "model": self.model}
        named = {"id": self.total.id, "name": self.total.name}
        parts = [{"id": s.id, "name": s.name, **_numbers(s)} for s in self.subgroups]
        return {**named, **settings, **_numbers(self.total), "subgroups": parts}


@dataclass(frozen=True)
class Agreement:
    """The comparison as a whole.

    stored       : pooled results (outcomes and subgroups) that the file holds.
    agree        : how many of them agree in every number, numbers that the file itself contradicts aside.
    numbers      : stored numbers compared, those of single studies included.
    disagree     : numbers that are not ours, without an explanation.
    inconsistent : numbers that cannot be right by the file itself, each with the reason.
    not_compared : stored numbers with nothing to compare with: reason -> how many.
    """

    review: RevManReview = field(repr=False)
    outcomes: tuple[OutcomeResult, ...] = field(repr=False)
    stored: int
    agree: int
    numbers: int
    disagree: tuple[Difference, ...] = field(repr=False, default=())
    inconsistent: tuple[Difference, ...] = field(repr=False, default=())
    not_compared: Mapping[str, int] = field(repr=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The keys of ``balm revman --json``: plain values, ``None`` where nothing can be computed."""
        return {
            "stored": self.stored,
            "agree": self.agree,
            "disagree": [d.to_dict() for d in self.disagree],
            "inconsistent": [d.to_dict() for d in self.inconsistent],
            "outcomes": [o.to_dict() for o in self.outcomes],
        }

    def sentence(self) -> str:
        """The comparison in a sentence or two."""
        if not self.outcomes:
            return "The file holds no outcome that can be pooled: all of them are other data, in words."
        if not self.numbers:
            return "The file holds no results of RevMan's own; every outcome was computed from its rows."
        said = f"{self.agree} of {self.stored} pooled results agree with RevMan's" if self.stored else ""
        count = f"{self.numbers:,} stored numbers compared, {len(self.disagree)} disagree"
        said = f"{said}; {count}" if said else f"The file holds no pooled results; {count}"
        if self.inconsistent:
            said += f", {len(self.inconsistent)} are contradicted by the file itself"
        return f"{said}."

    def __str__(self) -> str:
        return self.sentence()


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _numbers(result: Result) -> dict[str, float | None]:
    return {name: _finite(result.numbers.get(name)) for name in RESULT_FIELDS}
