"""What is extracted: the columns of the package that two people fill, in the order and groups of the form."""

from __future__ import annotations

from dataclasses import dataclass

from balm.review.schema import TABLE_BY_FILE, Column

STUDIES, ARMS, RESULTS, CONTRASTS = "studies.csv", "arms.csv", "results.csv", "contrasts.csv"

#: Columns of an entry that are about the row itself, not cells of the package: whether it is there, how it is reported.
ROW, FORM = "(row)", "(form)"
KEPT, REMOVED = "kept", "removed"

#: How a value was read; the first is what the report prints.
HOW_READ = ("reported", "read from a figure", "calculated", "from the authors", "from a registry entry")


@dataclass(frozen=True, slots=True)
class Section:
    """A group of fields under one heading."""

    title: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportedAs:
    """A way in which reports give a number, and the fields it fills."""

    name: str
    title: str
    columns: tuple[str, ...]


SECTIONS: dict[str, tuple[Section, ...]] = {
    STUDIES: (
        Section("Methods", ("design", "design_text", "setting", "country", "follow_up")),
        Section("Crossover and cluster designs", ("periods", "washout", "clusters", "cluster_unit")),
        Section("Participants", ("condition", "pain_class", "participants", "n_randomised", "n_analysed", "n_text")),
        Section("Interventions and outcomes", ("route", "drug_form", "comparator", "main_outcome", "findings")),
        Section("Funding and interests", ("funding", "interests")),
        Section("Notes", ("notes",)),
    ),
    ARMS: (
        Section("Arm", ("label", "role", "compared_with", "n")),
        Section(
            "Regimen",
            (
                "drug", "form", "route", "regimen", "bolus", "bolus_unit", "dose", "dose_unit", "rate", "rate_unit",
                "rate_2", "rate_2_unit", "rate_2_basis", "duration", "duration_unit", "infusions", "total",
                "total_unit", "total_basis", "co_medication",
            ),
        ),
        Section("Notes", ("notes",)),
    ),
    RESULTS: (
        Section("What it is", ("reported_as", "definition", "scale", "timepoint", "window")),
        Section("Numbers", ("n", "events", "mean", "sd", "se", "spread", "spread_is", "spread_text")),
        Section("Interval and p", ("ci_low", "ci_high", "level", "p", "p_versus")),
        Section("Median", ("median", "q1", "q3", "min", "max")),
        Section("Baseline and change", ("baseline_mean", "baseline_sd", "final_sd", "baseline_r")),
        Section("Clusters", ("cluster_size", "icc", "cluster_adjusted")),
        Section("Use", ("usable", "why_not", "notes")),
        Section("Source", ("page", "quote")),
    ),
    CONTRASTS: (
        Section("What it is", ("reported_as", "scale", "timepoint", "window", "measure", "adjusted_for")),
        Section("Estimate", ("estimate", "se", "ci_low", "ci_high", "level", "p")),
        Section("Test statistics", ("t", "f", "n_1", "n_2")),
        Section("Crossover", ("pairs", "sd_difference", "r")),
        Section("Clusters", ("cluster_size", "icc", "cluster_adjusted")),
        Section("Use", ("usable", "why_not", "notes")),
        Section("Source", ("page", "quote")),
    ),
}  # fmt: skip

#: What names a row; set when the row is added and never a cell of its own.
IDENTITY: dict[str, tuple[str, ...]] = {
    STUDIES: (),
    ARMS: ("arm",),
    RESULTS: ("outcome", "arm", "time", "time_unit", "value_is", "period", "sequence"),
    CONTRASTS: ("outcome", "arm_1", "arm_2", "time", "time_unit", "value_is", "period"),
}

#: Where a value came from and remarks: kept from both people, never a difference to settle.
NOT_COMPARED = frozenset({"page", "quote", "notes", FORM})

#: Tables in which a row without a page cannot be finished.
PAGE_REQUIRED = (RESULTS, CONTRASTS)
POLICY = (
    "Every row of results and contrasts needs the page, table or figure it was read on; quote the words or the line of "
    "the table where you can. Enter numbers as the report prints them; conversions are shown beside them."
)

RESULT_FORMS = {
    f.name: f
    for f in (
        ReportedAs("mean-sd", "Mean and SD", ("n", "mean", "sd")),
        ReportedAs("mean-se", "Mean and SE", ("n", "mean", "se")),
        ReportedAs("mean-ci", "Mean and confidence interval", ("n", "mean", "ci_low", "ci_high", "level")),
        ReportedAs("mean-spread", "Mean ± a number nobody names", ("n", "mean", "spread", "spread_is", "spread_text")),
        ReportedAs("median-iqr", "Median and quartiles", ("n", "median", "q1", "q3")),
        ReportedAs("median-range", "Median and range", ("n", "median", "min", "max")),
        ReportedAs("five-numbers", "Median, quartiles and range", ("n", "median", "q1", "q3", "min", "max")),
        ReportedAs("events", "Events of n", ("n", "events")),
        ReportedAs(
            "change-without-sd", "Change, its SD not reported",
            ("n", "mean", "baseline_mean", "baseline_sd", "final_sd", "baseline_r"),
        ),
    )
}  # fmt: skip
CONTRAST_FORMS = {
    f.name: f
    for f in (
        ReportedAs(
            "estimate-ci", "Estimate and confidence interval", ("measure", "estimate", "ci_low", "ci_high", "level")
        ),
        ReportedAs("estimate-se", "Estimate and SE", ("measure", "estimate", "se")),
        ReportedAs("estimate-t", "Difference and t or F", ("measure", "estimate", "t", "f", "n_1", "n_2")),
        ReportedAs("estimate-p", "Difference and p", ("measure", "estimate", "p", "n_1", "n_2")),
        ReportedAs(
            "paired", "Within-person difference (crossover)",
            ("measure", "estimate", "sd_difference", "t", "p", "pairs", "r"),
        ),
        ReportedAs("p-only", "No more than a p value", ("p",)),
    )
}  # fmt: skip

_LABELS = {
    "n": "Participants (n)", "n_1": "Participants, first arm", "n_2": "Participants, second arm", "sd": "SD",
    "se": "SE",
    "ci_low": "CI, lower end", "ci_high": "CI, upper end", "level": "CI level", "q1": "First quartile",
    "q3": "Third quartile", "min": "Minimum", "max": "Maximum", "p": "p value", "t": "t", "f": "F",
    "icc": "Intracluster correlation (ICC)", "r": "Within-person correlation",
    "sd_difference": "SD of the differences",
    "baseline_r": "Correlation of baseline and final", "baseline_sd": "SD at baseline", "final_sd": "SD at the end",
    "spread": "The number after ±", "spread_is": "Read here as", "spread_text": "As printed",
    "usable": "May be analysed",
    "rate_2": "Rate, second statement", "rate_2_unit": "Its unit", "rate_2_basis": "Reported or derived",
    "timepoint": "Time point as reported", "design_text": "Design as reported", "interests": "Conflicts of interest",
    "page": "Page, table or figure", "reported_as": "Outcome in the words of the report", "window": "Time window",
    "why_not": "Why not, or with which limit",
    "n_randomised": "Randomised", "n_analysed": "Analysed", "n_text": "Numbers as reported",
}  # fmt: skip


def label(column: str) -> str:
    """The name of a field as the form shows it.

    >>> label("main_outcome"), label("sd")
    ('Main outcome', 'SD')
    """
    return _LABELS.get(column) or column.replace("_", " ").capitalize()


def columns_of(table: str) -> tuple[Column, ...]:
    """The columns that are entered cell by cell, in the order of the form."""
    given = TABLE_BY_FILE[table]
    return tuple(given.column(name) for section in SECTIONS[table] for name in section.columns)


def is_extracted(table: str, column: str) -> bool:
    """Whether ``column`` is one that an extractor fills."""
    if table not in SECTIONS:
        return False
    return column in IDENTITY[table] or any(column in s.columns for s in SECTIONS[table])
