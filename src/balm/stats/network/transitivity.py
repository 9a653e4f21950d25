"""Transitivity: whether the studies of the direct comparisons resemble each other in what may change an effect.

Indirect evidence assumes that the studies could have swapped treatments. Nothing proves it; a table of the studies'
characteristics by comparison shows where it is hard to believe. Tests of such differences have little power with few
studies and are left out on purpose. Salanti (2012) Res Synth Methods 3:80; Cochrane Handbook, section 11.4.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from balm.stats.frame import frame
from balm.stats.network.contrasts import Contrasts
from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import dataclass

#: What stands for a value that a study does not report.
MISSING = frozenset({"", "na", "n/a", "nan", "none", "nr"})


@dataclass(frozen=True, slots=True)
class Spread:
    """One characteristic in the studies of one direct comparison.

    studies : those that make the comparison.    known : (study, value) of those that report it, numbers or words.
    median, low, high, mean, sd : of numbers; nan for words.     counts : of words, most frequent first.
    """

    comparison: str
    characteristic: str
    studies: int
    known: tuple[tuple[str, float | str], ...]
    median: float = math.nan
    low: float = math.nan
    high: float = math.nan
    mean: float = math.nan
    sd: float = math.nan
    counts: tuple[tuple[str, int], ...] = ()

    @property
    def text(self) -> str:
        """As a table prints it: median (range), or the words with their numbers of studies."""
        if not self.known:
            return "not reported"
        missing = self.studies - len(self.known)
        if self.counts:
            said = ", ".join(f"{word} {n}" for word, n in self.counts)
        elif len(self.known) == 1:
            said = f"{self.median:g}"
        else:
            said = f"{self.median:.4g} ({self.low:.4g} to {self.high:.4g})"
        return said + (f"; {missing} not reported" if missing else "")


@dataclass(frozen=True, slots=True)
class Transitivity:
    """Every characteristic in every direct comparison."""

    characteristics: tuple[str, ...]
    comparisons: tuple[str, ...]
    spreads: tuple[Spread, ...]

    def of(self, characteristic: str) -> tuple[Spread, ...]:
        """One characteristic, a comparison each."""
        return tuple(one for one in self.spreads if one.characteristic == characteristic)

    def table(self) -> list[list[str]]:
        """A row a comparison: its number of studies and each characteristic in words; a header first."""
        rows = [["comparison", "studies", *self.characteristics]]
        for name in self.comparisons:
            own = [one for one in self.spreads if one.comparison == name]
            rows.append([name, str(own[0].studies), *(one.text for one in own)])
        return rows

    def to_frame(self) -> Any:
        """A row a comparison and characteristic: pandas where it is installed, else a dict of columns."""
        names = ("comparison", "characteristic", "studies", "median", "low", "high", "mean", "sd", "text")
        return frame({name: [getattr(one, name) for one in self.spreads] for name in names})


def transitivity(
    contrasts: Contrasts, characteristics: Mapping[str, Sequence[object]], study: Sequence[object]
) -> Transitivity:
    """The table. ``study`` names the study of each value; a study may stand in several rows with one value.

    >>> from balm.stats.network.contrasts import assembled
    >>> two = assembled(["1", "2", "3"], ["A", "A", "B"], ["B", "B", "C"], [1.0, 2.0, 3.0], [1.0] * 3)
    >>> transitivity(two, {"age": [40, 50, ""], "setting": ["ward", "ward", "home"]}, ["1", "2", "3"]).table()[1:]
    [['A:B', '2', '45 (40 to 50)', 'ward 2'], ['B:C', '1', 'not reported', 'home 1']]
    """
    if not characteristics:
        raise InputError("give at least one characteristic of the studies, as age or year")
    labels = [str(name).strip() for name in study]
    held = {name: _by_study(name, values, labels, contrasts.studies) for name, values in characteristics.items()}
    makers: dict[tuple[int, int], dict[str, None]] = {}
    for s, i, j in zip(contrasts.study.tolist(), contrasts.first.tolist(), contrasts.second.tolist(), strict=True):
        makers.setdefault((min(i, j), max(i, j)), {})[contrasts.studies[s]] = None
    comparisons = {f"{contrasts.treatments[i]}:{contrasts.treatments[j]}": makers[i, j] for i, j in sorted(makers)}
    spreads = tuple(
        _spread(pair, name, list(studies), values)
        for pair, studies in comparisons.items()
        for name, values in held.items()
    )
    return Transitivity(tuple(held), tuple(comparisons), spreads)


def _by_study(
    name: str, values: Sequence[object], labels: Sequence[str], studies: Sequence[str]
) -> dict[str, float | str]:
    """One value a study; numbers where every value is one."""
    if len(values) != len(labels):
        raise InputError(f"{name} has {len(values)} values, study has {len(labels)}; give one a row")
    found: dict[str, str] = {}
    for label, value in zip(labels, values, strict=True):
        text = str(value).strip()
        if text.casefold() in MISSING:
            continue
        if found.setdefault(label, text) != text:
            raise InputError(
                f"study {label!r} has two values of {name}: {found[label]!r} and {text!r}; a study has one"
            )
    if unknown := sorted(set(labels) - set(studies)):
        found = {label: text for label, text in found.items() if label not in unknown}
    if not found:
        raise InputError(f"no study of the network reports {name}; check the names of the studies")
    try:
        return {label: float(text) for label, text in found.items()}
    except ValueError:
        return dict(found)


def _spread(pair: str, name: str, studies: list[str], values: Mapping[str, float | str]) -> Spread:
    known = tuple((study, values[study]) for study in studies if study in values)
    numbers = np.array([value for _, value in known if isinstance(value, float)])
    if not known:
        return Spread(pair, name, len(studies), ())
    if len(numbers) < len(known):
        words = [str(value) for _, value in known]
        counts = sorted(((word, words.count(word)) for word in dict.fromkeys(words)), key=lambda c: (-c[1], c[0]))
        return Spread(pair, name, len(studies), known, counts=tuple(counts))
    sd = float(numbers.std(ddof=1)) if len(numbers) > 1 else math.nan
    ends = float(np.median(numbers)), float(numbers.min()), float(numbers.max()), float(numbers.mean())
    return Spread(pair, name, len(studies), known, *ends, sd)
