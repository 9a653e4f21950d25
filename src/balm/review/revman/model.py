"""What a RevMan review holds, whatever file it came in.

Numbers that RevMan computed are kept as the text of the file (``stored``), so that nothing is lost before they are
compared; numbers that people entered are in ``data``. The names of both are ours:

stored : ``estimate ci_low ci_high se weight o_e var`` of a study; the same and ``tau2 chi2 df p_chi2 i2 z p q q_df p_q
         i2_q pi_low pi_high tau2_low tau2_high events_1 n_1 events_2 n_2 studies`` of a pooled result; ``log_estimate
         log_ci_low log_ci_high`` are base-10 logarithms. Ratios are on their natural scale.
data   : ``events_1 n_1 events_2 n_2 mean_1 sd_1 mean_2 sd_2 o_e var effect se``, as the type of the outcome needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from balm.vocabulary.problems import Problem

if TYPE_CHECKING:
    from balm.review.revman.comparison import Agreement

#: Kinds of outcome, as RevMan names them on screen.
DICHOTOMOUS, CONTINUOUS, GENERIC, O_E, OTHER = (
    "dichotomous",
    "continuous",
    "generic inverse variance",
    "O-E and variance",
    "other data",
)
#: Whose totals are shown: overall and subgroups, subgroups only, or none.
TOTALS = ("YES", "SUB", "NO")


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reference:
    """A report of a study, or a reference of the text. ``fields`` has RevMan's tags: AU TI SO YR VL NO PG PB CY ED."""

    kind: str
    fields: Mapping[str, str]
    identifiers: tuple[tuple[str, str], ...] = ()
    primary: bool = False
    notes: str = ""
    study_id: str = ""

    @property
    def citation(self) -> str:
        """One line: authors, title, source, year, volume, issue, pages."""
        f = self.fields
        where = f.get("SO", "")
        when = f.get("YR", "")
        volume = f.get("VL", "") + (f"({f['NO']})" if f.get("NO") else "")
        pages = f.get("PG", "")
        tail = f"{when};{volume}" if when and volume else when or volume
        tail = f"{tail}:{pages}" if tail and pages else tail or pages
        return " ".join(f"{p.rstrip('.')}." for p in (f.get("AU", ""), f.get("TI", ""), where, tail) if p)

    def identifier(self, kind: str) -> str:
        """The first identifier of that kind (``"DOI"``, ``"PUBMED"``), or empty."""
        return next((value for k, value in self.identifiers if k.upper() == kind), "")


@dataclass(frozen=True, slots=True)
class Study:
    """A study. ``group`` is included, excluded, awaiting or ongoing; ``characteristics`` are heading -> text."""

    id: str
    label: str
    year: str = ""
    group: str = "included"
    data_source: str = ""
    references: tuple[Reference, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    characteristics: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class StudyArm:
    """An arm of a study in RevMan Web's study data, and the intervention it maps to."""

    study: str
    name: str
    description: str = ""
    intervention: str = ""


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What RevMan Web's study data say of an arm, or of an arm against ``reference_arm``: heading -> cell."""

    study: str
    outcome: str
    arm: str
    reference_arm: str = ""
    cells: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One risk-of-bias judgement: ``low``, ``high``, ``unclear``, ``some concerns`` or what the file says."""

    study_id: str
    domain: str
    judgement: str
    support: str = ""
    about: str = ""
    tool: str = "RoB 1"


@dataclass(frozen=True, slots=True)
class FindingsTable:
    """A summary-of-findings table as its cells, row by row, with its footnotes."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    footnotes: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A study in an outcome. ``number`` is its place in the file, from 1."""

    study_id: str
    study: str
    data: Mapping[str, float] = field(default_factory=_nothing)
    stored: Mapping[str, str] = field(default_factory=_nothing)
    estimable: bool | None = None
    in_overall: bool = True
    in_subgroup: bool = True
    footnote: str = ""
    text: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True)
class Subgroup:
    """A subgroup of an outcome: its rows, and its total as stored."""

    id: str
    name: str
    rows: tuple[Row, ...]
    stored: Mapping[str, str] = field(default_factory=_nothing)
    estimable: bool | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How an outcome is analysed. ``guessed`` names the settings the file does not hold.

    method : MH, IV, PETO or EXP_O_E_VAR.  model : common or random.  tau2, inference : as for :func:`balm.pool`.
    totals : one of ``TOTALS``.  log_data : entered effects are on the log scale.  swap : events and non-events change
    places.
    """

    measure: str = ""
    method: str = "IV"
    model: str = "common"
    measure_name: str = ""
    tau2: str = "DL"
    inference: str = "wald"
    profile: str = "revman5"
    prediction: str = "none"
    totals: str = "YES"
    subgroup_test: bool = True
    log_data: bool = False
    swap: bool = False
    level_study: float = 0.95
    level_total: float = 0.95
    guessed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome with its settings, its rows (those outside subgroups), its subgroups and RevMan's total."""

    id: str
    number: str
    name: str
    type: str
    settings: Settings
    rows: tuple[Row, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    stored: Mapping[str, str] = field(default_factory=_nothing)
    estimable: bool | None = None
    label_1: str = ""
    label_2: str = ""
    favours_1: str = ""
    favours_2: str = ""
    unit: str = ""
    attributes: Mapping[str, str] = field(default_factory=_nothing)

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """Rows outside and inside subgroups, in the order of the file."""
        return (*self.rows, *(row for s in self.subgroups for row in s.rows))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison and its outcomes."""

    id: str
    number: str
    name: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class RevManReview:
    """A review written by RevMan 5 or RevMan Web.

    format   : "rm5", "revman-web" (data package), "revman-web-studies" (its study data) or "revman5-csv".
    decimals : decimals to which computed numbers are printed; ``None`` = full double precision.
    repairs  : what was not as it should be in the file and how it was read.
    arms     : the arms of the studies, and results of arms, where the file holds study data.
    kind     : the kind of review, as the file says (INTERVENTION, DIAGNOSTIC, OVERVIEW, METHODOLOGY, FLEXIBLE).
    """

    source: str
    format: str
    title: str
    comparisons: tuple[Comparison, ...]
    studies: tuple[Study, ...] = ()
    references: tuple[Reference, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    findings: tuple[FindingsTable, ...] = ()
    text: Mapping[str, str] = field(default_factory=dict)
    doi: str = ""
    decimals: int | None = None
    repairs: tuple[Problem, ...] = ()
    kind: str = ""
    arms: tuple[StudyArm, ...] = ()
    results: tuple[StudyResult, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every outcome of every comparison."""
        return tuple(o for c in self.comparisons for o in c.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    def why_empty(self) -> str:
        """Why no row was read, by the kind of review; empty when there are rows."""
        if any(o.all_rows for o in self.outcomes):
            return ""
        kind = self.kind.upper()
        if "DIAG" in kind or "DTA" in kind:
            return "is a review of diagnostic test accuracy: its tables of tests are not compared interventions"
        if "OVERVIEW" in kind:
            return "is an overview of reviews: it holds no data of studies"
        return "no study row was read: the file holds no analysis with data"

    def recompute(self, profile: str | None = None) -> Agreement:
        """Every number that RevMan stored, computed again and compared.

        profile : "revman5" or "revman-web" instead of the conventions that the file itself names.
        """
        from balm.review.revman.recompute import recompute

        return recompute(self, profile)

    def __repr__(self) -> str:
        rows = sum(len(o.all_rows) for o in self.outcomes)
        return (
            f"RevManReview: {self.title or self.source} ({self.format}): {len(self.studies)} studies, "
            f"{len(self.comparisons)} comparisons, {len(self.outcomes)} outcomes, {rows} study rows"
        )
