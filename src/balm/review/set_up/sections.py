"""The sections of ``review.toml`` that pages edit, one row each: what a section holds and how each field is given.

What a plan may hold is said by :mod:`balm.review.plan`; a changed plan is read by it before it is kept. Fields that
stand here for no section stay in the file as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from balm.review.plan import (
    COLOURS,
    CONTRAST_MEASURES,
    DIRECTIONS,
    INFERENCE,
    KINDS,
    METHODS,
    MODELS,
    PLANNED_MEASURES,
    TAU2,
)
from balm.review.schema import ROLES


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name in the file (with a dot inside a table), its label, and what kind of value it takes.

    ``kind`` is one of text, long (several lines), number, flag, lines (a list, one a line), choice, choices.
    ``options`` are the words allowed, ``ids_of`` the section whose ids are.
    """

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    help: str = ""
    options: tuple[str, ...] = ()
    ids_of: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its word in the address, its place in the file, its fields; ``one`` names an item of a list."""

    key: str
    title: str
    about: str
    path: tuple[str, ...]
    fields: tuple[Field, ...]
    one: str = ""

    @property
    def many(self) -> bool:
        """Whether it is a list of tables."""
        return bool(self.one)


_ID = Field("id", "Id", required=True, help="a short word in small letters; analyses and tables refer to it")
_NAME = Field("name", "Name", required=True)

SECTIONS: tuple[Section, ...] = (
    Section(
        "question", "Question", "What the review asks, in the field's parts.", ("question",),
        (
            Field("population", "Population", "long", required=True),
            Field("intervention", "Intervention", "long", required=True),
            Field("comparators", "Comparators", "long", required=True),
            Field("outcomes", "Outcomes", "long", required=True),
            Field("designs", "Study designs", "long"),
        ),
    ),
    Section(
        "eligibility", "Eligibility", "What is included and what is not, shown beside every record.", ("eligibility",),
        (
            _NAME,
            Field("include", "Include", "long", required=True),
            Field("exclude", "Exclude", "long"),
        ),
        one="criterion",
    ),
    Section(
        "reasons", "Reasons for exclusion", "At full text one reason is given: the first of these that applies.",
        ("screening",),
        (Field("exclusion_reasons", "Reasons, one a line, in their order", "lines"),),
    ),
    Section(
        "highlights", "Highlighted words", "Marked in titles and abstracts: green for including, red for excluding.",
        ("screening", "highlights"),
        (
            Field("include", "Words for including, one a line", "lines"),
            Field("exclude", "Words for excluding, one a line", "lines"),
        ),
    ),
    Section(
        "word-lists", "Named word lists", "Up to three more lists, each with a colour of its own.",
        ("screening", "highlights", "lists"),
        (
            _NAME,
            Field("colour", "Colour", "choice", required=True, options=COLOURS),
            Field("words", "Words, one a line", "lines", required=True),
        ),
        one="list",
    ),
    Section(
        "screening", "Screening", "How many people read each record, and what the stopping test is tested against.",
        ("screening",),
        (
            Field("reviewers", "Reviewers of each record", "number", help="2 unless you say otherwise"),
            Field("target_recall", "Target recall", "number", help="0.95 unless you say otherwise"),
            Field("alpha", "Error of the stopping test", "number", help="0.05 unless you say otherwise"),
        ),
    ),
    Section(
        "extraction", "Extraction", "How many people extract each study, independently of each other.", ("extraction",),
        (Field("extractors", "Extractors of each study", "number", help="2 unless you say otherwise"),),
    ),
    Section(
        "certainty", "Certainty", "How many people rate the certainty of each analysis, independently of each other.",
        ("certainty",),
        (Field("raters", "Raters of each analysis", "number", help="1 unless you say otherwise"),),
    ),
    Section(
        "deviations", "Deviations from the plan", "What was done otherwise than planned, and why.", ("deviations",),
        (
            Field("what", "What was done otherwise", "long", required=True),
            Field("why", "Why", "long", required=True),
            Field("date", "Decided on"),
        ),
        one="deviation",
    ),
    Section(
        "outcomes", "Outcomes", "What is measured, on which scale, which way is better.", ("outcomes",),
        (
            _ID,
            _NAME,
            Field("domain", "Domain", required=True),
            Field("kind", "Kind", "choice", required=True, options=KINDS),
            Field("direction", "Direction", "choice", required=True, options=DIRECTIONS),
            Field("scale", "Scale on which it is pooled", "choice", ids_of="scales", help="of a continuous outcome"),
            Field("unit", "Unit"),
            Field("definition", "Definition", "long"),
            Field("favours", "Labels left and right of no effect", "lines", help="two lines, or none"),
            Field("important_difference.value", "Minimal important difference", "number"),
            Field("important_difference.unit", "Its unit"),
            Field("important_difference.between_groups", "It is a difference between groups", "flag"),
            Field("important_difference.source", "Its source", help="never shown without it"),
            Field("important_difference.verified", "The source was read", "flag"),
        ),
        one="outcome",
    ),
    Section(
        "scales", "Scales", "A value moves from one scale to another linearly, end to end.", ("scales",),
        (
            _ID,
            _NAME,
            Field("low", "Low end", "number", required=True),
            Field("high", "High end", "number", required=True),
            Field("unit", "Unit", required=True),
            Field("reversed", "Its high end is what the outcome calls low", "flag"),
        ),
        one="scale",
    ),
    Section(
        "windows", "Time windows", "In days after the intervention.", ("windows",),
        (
            _ID,
            _NAME,
            Field("after", "After day", "number", required=True),
            Field("until", "Up to and including day", "number"),
            Field("from_start", "The first day itself belongs to it", "flag"),
        ),
        one="window",
    ),
    Section(
        "comparisons", "Comparisons", "Two sides, each given by the roles of arms.", ("comparisons",),
        (
            _ID,
            _NAME,
            Field("group_1", "First side", required=True),
            Field("group_2", "Second side", help="none for a question about a single group"),
            Field("roles_1", "Roles of its arms", "choices", required=True, options=ROLES),
            Field("roles_2", "Roles of the second side's arms", "choices", options=ROLES),
        ),
        one="comparison",
    ),
    Section(
        "analyses", "Planned analyses", "Which results are pooled, as which measure, by which model.", ("analyses",),
        (
            _ID,
            Field("title", "Title", required=True),
            Field("outcome", "Outcome", "choice", required=True, ids_of="outcomes"),
            Field("comparison", "Comparison", "choice", required=True, ids_of="comparisons"),
            Field("measure", "Measure", "choice", required=True,
                  options=tuple(dict.fromkeys((*PLANNED_MEASURES, *CONTRAST_MEASURES)))),
            Field("windows", "Time windows", "choices", ids_of="windows", help="none ticked: any time"),
            Field("model", "Model", "choice", options=MODELS),
            Field("method", "Method", "choice", options=METHODS),
            Field("tau2", "Between-study variance", "choice", options=TAU2),
            Field("inference", "Interval", "choice", options=INFERENCE),
            Field("note", "Note shown with the result", "long"),
        ),
        one="analysis",
    ),
    Section(
        "review", "About the review", "Title, version and registration as the report prints them.", ("review",),
        (
            Field("title", "Title", required=True),
            Field("version", "Version", required=True),
            Field("date", "Date", required=True),
            Field("status", "Status", required=True),
            Field("registration", "Registration"),
            Field("licence", "Licence"),
            Field("summary", "Summary", "long"),
        ),
    ),
    Section(
        "people", "People in the report", "Who did what, as the report prints it.", ("people",),
        (_NAME, Field("role", "Part", required=True), Field("interests", "Conflicts of interest")),
        one="person",
    ),
)  # fmt: skip
SECTION_BY_KEY = {section.key: section for section in SECTIONS}


def held(plan: Mapping[str, Any], section: Section) -> Any:
    """What a parsed plan holds at a section: a table, or a list of tables; empty where there is none.

    >>> held({"screening": {"reviewers": 2}}, SECTION_BY_KEY["screening"])
    {'reviewers': 2}
    """
    value: Any = plan
    for name in section.path:
        value = value.get(name) if isinstance(value, Mapping) else None
    wanted = list if section.many else dict
    return value if isinstance(value, wanted) else wanted()


def value_at(table: Mapping[str, Any], name: str) -> Any:
    """The value of a field, inside a table of the table where the name has a dot; ``None`` where it is not given."""
    value: Any = table
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def given(table: Mapping[str, Any], section: Section) -> dict[str, Any]:
    """The fields of a section that a table gives, by name: what an event keeps as before and after."""
    found = {field.name: value_at(table, field.name) for field in section.fields}
    return {name: value for name, value in found.items() if value is not None}
