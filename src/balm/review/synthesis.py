"""The synthesis of a review package: every planned analysis, each number tied to its rows and its conversions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from balm.review.package import AnalysisSpec, Comparison, Outcome, Package, Window
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.evidence import Claim, Gap, Published
from balm.vocabulary.interval import Interval


@dataclass(frozen=True, slots=True)
class Step:
    """One conversion on the way from the printed number to the number used: walked back by reading ``inputs``."""

    what: str  # "standard deviation from standard error"
    formula: str  # "sd = se * sqrt(n)"
    inputs: Mapping[str, float]
    value: float | Mapping[str, float]
    source: str  # "Cochrane Handbook 6.5.2.2"
    result: str  # the id of the row of results.csv it starts from


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One study's line in an analysis.

    ``values`` are the numbers used (``events_1``, ``n_1``, ``mean_1`` ...); ``results`` the ids and ``rows`` the data
    rows of ``results.csv`` they came from; ``sources`` the pages on which they were read.
    """

    study: str
    label: str
    values: Mapping[str, float]
    results: tuple[str, ...]
    rows: tuple[int, ...]
    steps: tuple[Step, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    timepoint: str | None = None
    design: str = "parallel"


@dataclass(frozen=True, slots=True)
class Single:
    """The one-trial case: the trial's own effect, shown instead of a pooled one."""

    row: EffectRow
    estimate: float  # displayed scale
    interval: Interval  # displayed scale
    p: float
    why_not_pooled: str


@dataclass(frozen=True, slots=True)
class Absolute:
    """Absolute effects, a count in ``per`` people, from a relative effect and a baseline risk with its source."""

    per: int
    baseline_risk: float
    baseline_source: str
    control: float
    intervention: float
    intervention_interval: Interval
    difference: float
    difference_interval: Interval
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """One analysis repeated with one thing changed; ``fit`` is ``None`` when nothing could be pooled (see ``note``)."""

    label: str
    changed: str
    fit: Pooled | None
    note: str = ""
    rows: tuple[EffectRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One level of a subgroup analysis."""

    level: str
    fit: Pooled | None
    rows: tuple[EffectRow, ...]
    note: str = ""


@dataclass(frozen=True)
class AnalysisResult:
    """A planned analysis carried out.

    ``fit`` is ``None`` when fewer than two trials contribute: then ``single`` holds the one trial, or nothing, and
    ``why_not_pooled`` says which. ``not_pooled`` lists every eligible study that could not contribute, and why.
    """

    id: str
    title: str
    spec: AnalysisSpec
    outcome: Outcome
    windows: tuple[Window, ...]
    comparison: Comparison
    measure: str
    fit: Pooled | None
    effects: EffectSizes | None
    rows: tuple[EffectRow, ...]
    single: Single | None = None
    why_not_pooled: str | None = None
    not_pooled: tuple[tuple[str, str], ...] = ()  # (study id, why)
    absolute: Absolute | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    subgroup_test: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedPublished:
    """A published result with its p value recomputed from its interval.

    ``agrees`` is ``None`` when there is nothing to compare. ``on_scale`` is the estimate and interval on the scale of
    the outcome it maps to (0-100 divided by 10 ...), for drawing beside ours; ``rescaled`` says so.
    """

    published: Published
    p_recomputed: float | None
    se: float | None
    agrees: bool | None
    why: str
    on_scale: tuple[float, float, float] | None = None
    rescaled: str = ""


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim with every figure of it that can be recomputed."""

    claim: Claim
    p_recomputed: float | None
    agrees: bool | None
    why: str
    percent_recomputed: float | None = None


@dataclass(frozen=True, slots=True)
class NotVerified:
    """A row that was not checked against a source: shown greyed, never pooled, never cited."""

    file: str
    row: int
    id: str
    what: str


@dataclass(frozen=True)
class Synthesis:
    """Everything computed from a package."""

    package: Package
    analyses: tuple[AnalysisResult, ...]
    published: tuple[CheckedPublished, ...]
    claims: tuple[CheckedClaim, ...]
    gaps: tuple[Gap, ...]
    not_verified: tuple[NotVerified, ...]
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def analysis(self, analysis: str) -> AnalysisResult:
        """The analysis with this id."""
        return next(a for a in self.analyses if a.id == analysis)


def synthesise(package: Package) -> Synthesis:
    """Carry out every analysis that ``review.toml`` plans, and check what others published and claimed."""
    raise NotImplementedError
