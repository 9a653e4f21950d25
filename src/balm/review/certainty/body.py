"""A body of evidence as plain values: everything that the rules of GRADE look at, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass


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
    sd: float | None = None  # pooled, of a continuous outcome
    #: Without the studies at high risk of bias: estimate and interval on the same scale; None = nothing left, no need
    without_high: tuple[float, float, float] | None = None
    #: Eligible studies that give no usable number: how many of them, and their participants where known.
    silent: int = 0
    silent_n: float = 0
    small_study_p: float | None = None
    unpublished: tuple[str, ...] = ()  # registered or ongoing studies without a result
    #: What the question asks for beside what the studies are: (aspect, question, studies).
    compared: tuple[tuple[str, str, str], ...] = ()
    controlled: bool = True
    randomised: bool = True
    robins: bool = False  # judged with ROBINS-I

    @property
    def k(self) -> int:
        """How many studies contribute."""
        return len(self.studies)

    @property
    def participants(self) -> float:
        """Participants of these studies."""
        return math.fsum(s.n for s in self.studies)

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
