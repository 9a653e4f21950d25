"""What cannot be, said at the field; and what is merely unlikely, said as a hint that stops nothing."""

from __future__ import annotations

import itertools
import math
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from balm.review.extraction.fields import CONTRASTS, IDENTITY, PAGE_REQUIRED, RESULTS, is_extracted
from balm.review.extraction.sheets import as_row
from balm.review.package import Meta
from balm.review.plan import CONTRAST_MEASURES, RATIOS
from balm.review.reading import DESIGN_FIELDS
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import read_cell
from balm.stats import convert
from balm.stats.distributions import norm_ppf, norm_sf
from balm.vocabulary.evidence import Result

#: A spread this many times smaller (larger) than the median of other studies is likelier an SE (SD) than an SD (SE).
UNLIKELY = 3.0
#: A mean nearer than this many SDs to the end of its scale is strong evidence of skew (Cochrane Handbook 10.5.3).
SKEWED = 1.0
#: An interval and a p value are compared at this distance from 0.05, which allows for rounding and other tests.
P_MARGIN = (0.04, 0.06)
MAX_TEXT = 5000


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about one field; a problem must be cleared before the study is finished, a hint need not."""

    column: str
    text: str
    problem: bool = True


def wrong_cell(table: str, column: str, text: str, meta: Meta, arms: Sequence[str] = ()) -> str:
    """Why ``text`` cannot stand in a cell; empty when it can. An empty cell is *not reported*.

    >>> wrong_cell("results.csv", "sd", "0", None)
    'must be above 0; got 0'
    """
    if not is_extracted(table, column):
        return "is no field of this form"
    if not text:
        return ""
    if len(text) > MAX_TEXT:
        return f"must not be longer than {MAX_TEXT:,} characters; got {len(text):,}"
    schema = TABLE_BY_FILE[table].column(column)
    value, reason = read_cell(text, schema)
    if reason:
        return f"{reason}; got {text[:80]}"
    if column in DESIGN_FIELDS:
        low, high = DESIGN_FIELDS[column]
        if not low <= value <= high:
            return (
                f"must {'be 1 or more' if high == math.inf else f'lie between {low:g} and {high:g}'}; got {text[:80]}"
            )
    if column == "measure" and table == CONTRASTS and text not in CONTRAST_MEASURES:
        return f"must be one of {', '.join(CONTRAST_MEASURES)} (GEN: any other difference); got {text[:80]}"
    known = _known(schema.refers, meta, arms)
    if known is not None and text not in known:
        return f"must be one of {', '.join(known) or 'nothing yet: add it first'}; got {text[:80]}"
    return ""


def _known(refers: str, meta: Meta | None, arms: Sequence[str]) -> list[str] | None:
    if refers == "arms":
        return list(arms)
    if refers == "arms*":
        return [*arms, "all", "either"]
    if meta is not None and refers in ("outcomes", "scales", "windows"):
        return [item.id for item in getattr(meta, refers)]
    return None


def remarks(
    table: str, study: str, key: str, cells: Mapping[str, str], meta: Meta, others: Iterable[Result] = ()
) -> list[Remark]:
    """What contradicts itself in a row, and what is unlikely beside the ``others``: agreed results of other studies."""
    row = as_row(table, study, key, cells)
    found: list[Remark] = []
    if table == RESULTS:
        found = [*_impossible_result(row, meta), *_unlikely_result(row, meta, others)]
    elif table == CONTRASTS:
        found = [*_impossible_contrast(row), *_unlikely_contrast(row)]
    else:
        found = list(_units(row, table))
    if table in PAGE_REQUIRED and not _filled(table, cells):
        first = "n" if table == RESULTS else "estimate"
        found.append(
            Remark(first, "no number is entered: fill the row, take it out, or say why it may not be analysed")
        )
    elif table in PAGE_REQUIRED and not cells.get("page"):
        found.append(Remark("page", "the page, table or figure is missing"))
    if table in PAGE_REQUIRED and cells.get("usable") == "no" and not cells.get("why_not"):
        found.append(Remark("why_not", "say why it may not be analysed"))
    return found


def _filled(table: str, cells: Mapping[str, str]) -> bool:
    """Whether a row holds any number of the report."""
    words = ("text", "id", "choice", "yes-no")
    numbers = [c.name for c in TABLE_BY_FILE[table].columns if c.kind not in words and c.name not in IDENTITY[table]]
    return any(cells.get(name) for name in numbers)


def _impossible_result(r: Any, meta: Meta) -> Iterator[Remark]:
    if r.events is not None and r.n is None:
        yield Remark("n", "events without the number of participants")
    if r.events is not None and r.n is not None and r.events > r.n:
        yield Remark("events", f"{r.events} events exceed {r.n} participants")
    if (r.spread is None) != (r.spread_is is None):
        yield Remark("spread_is", "the number after ± and how it is read come together")
    if r.spread is not None and (r.sd is not None or r.se is not None):
        yield Remark("spread", "a spread nobody names stands beside an SD or SE; keep one of them")
    if (r.ci_low is None) != (r.ci_high is None):
        yield Remark("ci_low" if r.ci_low is None else "ci_high", "an interval needs both ends")
    yield from _ordered(r, ("ci_low", "mean", "ci_high"), "the interval does not contain the mean")
    yield from _ordered(r, ("min", "q1", "median", "q3", "max"), "minimum, quartiles and maximum are not in order")
    if r.sd is not None and r.se is not None and r.n is not None and r.n > 1 and r.se > r.sd:
        yield Remark("se", f"an SE ({r.se:g}) above its SD ({r.sd:g}) cannot be: SE = SD / √n")
    scale = next((s for s in meta.scales if s.id == r.scale), None)
    outcome = next((o for o in meta.outcomes if o.id == r.outcome), None)
    if scale is not None:
        yield from _off_scale(r, scale)
    if outcome is not None and outcome.kind == "continuous" and r.scale is None and r.mean is not None:
        yield Remark("scale", "the scale of the mean is missing")


def _off_scale(r: Any, scale: Any) -> Iterator[Remark]:
    """Values outside the ends of their scale: the unit or the scale is another one."""
    named = f"outside {scale.name} ({scale.low:g} to {scale.high:g}): another scale or unit?"
    values = ["median", "q1", "q3", "min", "max", "baseline_mean"]
    if r.value_is in (None, "final"):
        values = ["mean", *values]
    elif r.mean is not None and abs(r.mean) > scale.high - scale.low:
        yield Remark("mean", f"a change of {r.mean:g} is larger than {scale.name} is wide: another scale or unit?")
    for name in values:
        value = getattr(r, name)
        if value is not None and r.value_is in (None, "final", *_CHANGES) and not scale.low <= value <= scale.high:
            if r.value_is in _CHANGES and name != "baseline_mean":
                continue
            yield Remark(name, f"{value:g} lies {named}")
    widest = (scale.high - scale.low) / math.sqrt(2)
    for name in ("sd", "baseline_sd", "final_sd"):
        value = getattr(r, name)
        if value is not None and value > widest * (1 if r.value_is in (None, "final") or name != "sd" else 2):
            yield Remark(name, f"no sample on {scale.name} has an SD of {value:g}: another scale or unit?")


_CHANGES = ("change", "reduction")


def _impossible_contrast(c: Any) -> Iterator[Remark]:
    if (c.ci_low is None) != (c.ci_high is None):
        yield Remark("ci_low" if c.ci_low is None else "ci_high", "an interval needs both ends")
    yield from _ordered(c, ("ci_low", "estimate", "ci_high"), "the interval does not contain the estimate")
    if c.estimate is not None and c.measure is None:
        yield Remark("measure", "say what the estimate is of: MD, RR, OR ...")
    if c.measure in RATIOS:
        for name in ("estimate", "ci_low"):
            value = getattr(c, name)
            if value is not None and value <= 0:
                yield Remark(name, f"a ratio is above 0; got {value:g}: is it the logarithm?")


def _ordered(row: Any, names: Sequence[str], why: str) -> Iterator[Remark]:
    given = [(name, getattr(row, name)) for name in names if getattr(row, name) is not None]
    for (before, low), (after, high) in itertools.pairwise(given):
        if low > high:
            yield Remark(after, f"{label_of(after)} ({high:g}) is below {label_of(before)} ({low:g}): {why}")


def label_of(column: str) -> str:
    """A column in running text."""
    return {
        "ci_low": "the lower end",
        "ci_high": "the upper end",
        "q1": "the first quartile",
        "q3": "the third quartile",
    }.get(column, f"the {column}")


_NUMBERS_WITH_UNITS = ("bolus", "dose", "rate", "rate_2", "duration", "total")
_PER_TIME = re.compile(r"(/|per )\s*(h|hr|hour|min|minute|d|day|24 h)\b", re.IGNORECASE)


def _units(row: Any, table: str) -> Iterator[Remark]:
    for name in _NUMBERS_WITH_UNITS:
        if not hasattr(row, f"{name}_unit"):
            continue
        value, unit = getattr(row, name), getattr(row, f"{name}_unit")
        if value is not None and unit is None:
            yield Remark(f"{name}_unit", f"the {name.replace('_', ' ')} has no unit")
        elif unit is not None and value is None:
            yield Remark(name, "a unit without its number")
        elif unit is not None and name.startswith("rate") and not _PER_TIME.search(unit):
            yield Remark(f"{name}_unit", f"a rate is per time (mg/kg/h); got {unit!r}")
        elif unit is not None and name in ("dose", "bolus", "total") and _PER_TIME.search(unit):
            yield Remark(f"{name}_unit", f"a {name} is no rate; got {unit!r}")


def _unlikely_result(r: Any, meta: Meta, others: Iterable[Result]) -> Iterator[Remark]:
    if r.n is not None and r.n > 1 and r.value_is in (None, "final"):
        usual = _usual_sd(r, meta, others)
        spread = r.sd if r.sd is not None else r.spread if r.spread_is == "sd" else None
        if usual is not None and spread is not None and spread * UNLIKELY < usual:
            as_sd = spread * math.sqrt(r.n)
            yield Remark(
                "sd" if r.sd is not None else "spread_is",
                f"SD {spread:g} is far below that of other studies on this scale (median {usual:.3g}); if it is an SE, "
                f"the SD is {as_sd:.3g} (SE × √n)",
                problem=False,
            )
        if usual is not None and r.se is not None and r.se * math.sqrt(r.n) > UNLIKELY * usual:
            yield Remark(
                "se",
                f"this SE means an SD of {r.se * math.sqrt(r.n):.3g}, far above that of other studies on this scale "
                f"(median {usual:.3g}): is it an SD?",
                problem=False,
            )
    scale = next((s for s in meta.scales if s.id == r.scale), None)
    if scale is not None and r.value_is in (None, "final") and r.mean is not None and r.sd is not None:
        room = min(r.mean - scale.low, scale.high - r.mean)
        if 0 <= room < r.sd * SKEWED:
            yield Remark(
                "sd", "the mean is less than one SD from the end of the scale: the scores are skewed", problem=False
            )
    if r.n is not None and r.median is not None and r.q1 is not None and r.q3 is not None:
        try:
            found = convert.mean_sd_from_quantiles(median=r.median, q1=r.q1, q3=r.q3, n=r.n)
        except ValueError:
            return
        for text in found.cautions:
            yield Remark("median", text, problem=False)


def _usual_sd(r: Any, meta: Meta, others: Iterable[Result]) -> float | None:
    """The median SD of two or more other studies for this outcome, moved to the scale of ``r``."""
    width = {s.id: s.high - s.low for s in meta.scales}
    sds: dict[str, float] = {}
    for o in others:
        if o.study == r.study or o.outcome != r.outcome or o.n is None or o.scale not in width or r.scale not in width:
            continue
        if o.value_is in _CHANGES:
            continue
        sd = o.sd if o.sd is not None else o.spread if o.spread_is == "sd" else None
        se = o.se if o.se is not None else o.spread if o.spread_is == "se" else None
        if sd is None and se is not None:
            sd = se * math.sqrt(o.n)
        if sd is not None:
            sds.setdefault(o.study, sd * width[r.scale] / width[o.scale])
    return statistics.median(sds.values()) if len(sds) > 1 else None


def _unlikely_contrast(c: Any) -> Iterator[Remark]:
    """An interval and a p value that do not agree about 0.05."""
    p = c.p.exact if c.p is not None else None
    if p is None or None in (c.estimate, c.ci_low, c.ci_high) or c.ci_low >= c.ci_high:
        return
    ratio = c.measure in RATIOS
    if ratio and min(c.estimate, c.ci_low) <= 0:
        return
    scale = math.log if ratio else float
    z = norm_ppf(0.5 + (c.level or 0.95) / 2)
    se = (scale(c.ci_high) - scale(c.ci_low)) / (2 * z)
    expected = 2 * norm_sf(abs(scale(c.estimate)) / se)
    if (expected < P_MARGIN[0] and p > P_MARGIN[1]) or (expected > P_MARGIN[1] and p < P_MARGIN[0]):
        yield Remark(
            "p", f"the estimate and its interval give p = {expected:.2g}; the report says {p:g}", problem=False
        )
