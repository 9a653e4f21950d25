"""A body of evidence as plain values: everything that the rules of GRADE look at, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass

from balm.vocabulary.numbers import figures

#: Ratios that are of odds, further from 1 than the ratio of risks unless the outcome is rare.
ODDS = ("OR", "PETO")


@dataclass(frozen=True, slots=True)
class StudyResult:
    """One study of an analysis. ``estimate``, ``low`` and ``high`` are on the scale that is rated (see :class:`Body`).

    ``bias`` is ``low``, ``some``, ``high`` or ``not assessed``; ``critical`` marks a critical risk (ROBINS-I).
    """

    label: str
    weight: float  # per cent
    estimate: float
    low: float
    high: float
    n: float
    bias: str = "not assessed"
    critical: bool = False
    randomised: bool = True
    scope: str = "included"
    industry: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The evidence for one outcome of one comparison.

    ``estimate``, ``low`` and ``high`` are rated on a scale where no effect is 0: the mean difference, the risk
    difference per 1000 at ``baseline`` (binary outcomes), or the logarithm of a ratio where no baseline risk is known.
    ``important`` is the minimal important difference on that scale, ``None`` when none is stated. ``ratio`` holds the
    relative effect with its interval, where there is one. An empty ``studies`` means that nothing can be rated.
    """

    analysis: str
    studies: tuple[StudyResult, ...]
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    rated_on: str = "the mean difference"
    unit: str = ""
    important: float | None = None
    important_source: str = ""
    ratio: tuple[float, float, float] | None = None
    ratio_kind: str = ""  # RR, OR ...
    prediction: tuple[float, float] | None = None
    i2: float = math.nan
    tau2: float = math.nan
    q_p: float = math.nan
    subgroup_p: float | None = None
    subgroup_by: str = ""
    baseline: float | None = None
    sd: float | None = None  # pooled, of a continuous outcome; 1 where effects are in standard deviations
    #: Of two studies whose interval has one degree of freedom: Wald's interval, for what the studies themselves give.
    wald: tuple[float, float] | None = None
    #: Events that the standard errors of hazard ratios imply (Schoenfeld 1981), both groups together.
    events: float | None = None
    #: Without the studies at high risk of bias: estimate and interval on the same scale; None = nothing left, no need
    without_high: tuple[float, float, float] | None = None
    #: Eligible studies that give no usable number: how many of them, and their participants where known.
    silent: int = 0
    silent_n: float = 0
    small_study_p: float | None = None
    unpublished: tuple[str, ...] = ()  # studies that are ongoing or await assessment
    #: What the question asks for beside what the studies are: (aspect, question, studies).
    compared: tuple[tuple[str, str, str], ...] = ()
    nothing: str = "no study gives a usable number"  # why nothing can be rated, where ``studies`` is empty
    controlled: bool = True
    randomised: bool = True
    robins: bool = False  # judged with ROBINS-I

    @property
    def k(self) -> int:
        """How many studies contribute."""
        return len(self.studies)

    @property
    def participants(self) -> float:
        """Participants of these studies; ``nan`` where those of one are not known."""
        return math.fsum(s.n for s in self.studies)

    @property
    def people(self) -> str:
        """The participants in words."""
        n = self.participants
        return "number of participants not known" if math.isnan(n) else f"{n:.0f} participant{'' if n == 1 else 's'}"

    @property
    def logarithmic(self) -> bool:
        """Whether the rated scale is the logarithm of a ratio; readers see the ratio."""
        return self.rated_on.startswith("logarithm")

    @property
    def named(self) -> str:
        """What the numbers that readers see are: ``the difference``, ``risk difference per 1000``, ``HR``."""
        return self.rated_on.removeprefix("logarithm of the ")

    def said(self, value: float) -> str:
        """A value of the rated scale as readers see it: three figures, a ratio instead of its logarithm.

        >>> Body("a", (), rated_on="logarithm of the HR").said(-0.511), Body("a", ()).said(-1234.5)
        ('0.6', '-1234')
        """
        return figures(math.exp(value) if self.logarithmic else value)

    def between(self, low: float, high: float) -> str:
        """An interval as readers see it."""
        return f"{self.said(low)} to {self.said(high)}"

    @property
    def summary(self) -> str:
        """The result in a line: what it is, its interval, the studies and their participants."""
        unit = "" if self.unit in ("", "per 1000") else f" {self.unit}"
        studies = f"{self.k} stud{'y' if self.k == 1 else 'ies'}"
        numbers = f"{self.said(self.estimate)} ({self.between(self.low, self.high)}){unit}"
        return f"{self.named}: {numbers}; {studies}, {self.people}"

    @property
    def risk_ratio(self) -> tuple[float, float, float] | None:
        """The relative effect as a ratio of risks: that of an odds ratio follows at the baseline risk.

        RR = OR / (1 - p + p OR) (Cochrane Handbook 15.4.4.4).  Other ratios stay as they are, and odds ratios too where
        no baseline risk is known.

        >>> Body("a", (), ratio=(3.0, 2.0, 4.0), ratio_kind="OR", baseline=0.5).risk_ratio[0]
        1.5
        """
        if self.ratio is None or self.ratio_kind not in ODDS or not self.baseline:
            return self.ratio
        p = self.baseline
        one, low, high = (x / (1 - p + p * x) if math.isfinite(x) else 1 / p for x in self.ratio)
        return one, low, high

    def share(self, *bias: str) -> float:
        """Weight, in per cent, of the studies judged so."""
        return math.fsum(s.weight for s in self.studies if s.bias in bias)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a rule proposes for one domain: the rating, the rule in words, the numbers it looked at, its source."""

    domain: str
    rating: str
    rule: str
    numbers: tuple[str, ...]
    source: str
    ask: str = ""  # what only a person can judge
