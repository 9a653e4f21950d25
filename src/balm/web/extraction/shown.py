"""A sheet as the form shows it: blocks of rows, each with the fields of its kind of number, remarks and conversions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from balm.actions.team.acting import Acting
from balm.review.extraction.checks import Remark, remarks
from balm.review.extraction.conversions import Shown, conversions
from balm.review.extraction.fields import (
    ARMS,
    CONTRAST_FORMS,
    CONTRASTS,
    FORM,
    RESULT_FORMS,
    RESULTS,
    ROW,
    SECTIONS,
    STUDIES,
    columns_of,
    label,
)
from balm.review.extraction.sheets import Given, Sheet, texts
from balm.review.package import Meta
from balm.review.plan import CONTRAST_MEASURES
from balm.review.schema import TABLE_BY_FILE, Column
from balm.store.extraction.current import plan_of, standings, studies_of, written_studies
from balm.vocabulary.evidence import Result

#: Columns that hold sentences.
LONG = frozenset(
    {
        "design_text", "participants", "regimen", "findings", "notes", "quote", "co_medication", "funding",
        "interests", "why_not", "definition", "setting", "comparator",
    }
)  # fmt: skip
#: Fields of an arm that every report is asked for; the others are under "more fields".
ARM_FIELDS = (
    "label", "role", "compared_with", "n", "drug", "form", "route", "regimen", "dose", "dose_unit", "rate", "rate_unit",
    "duration", "duration_unit", "infusions", "total", "total_unit",
)  # fmt: skip
#: Fields that every result and contrast shows, whatever the form of the number.
ALWAYS = {RESULTS: ("scale", "timepoint", "page", "quote"), CONTRASTS: ("timepoint", "page", "quote")}
NUMBERS = {"count", "size", "number", "positive", "level", "year", "p", "reported"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its column, what stands in it, and what is to be chosen from."""

    id: str
    column: Column
    label: str
    given: Given
    choices: Sequence[tuple[str, str]] = ()
    problems: Sequence[str] = ()
    own_source: bool = True
    unit: str = ""

    @property
    def long(self) -> bool:
        """Whether it holds sentences."""
        return self.column.name in LONG

    @property
    def numeric(self) -> bool:
        """Whether a number is typed into it."""
        return self.column.kind in NUMBERS


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading."""

    title: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class StepShown:
    """A conversion in words: formula, from what, what came out, and where the formula is from."""

    what: str
    formula: str
    inputs: str
    gives: str
    source: str


@dataclass(frozen=True, slots=True)
class NumbersShown:
    """What an analysis takes from a row, rounded for reading; the numbers themselves are never rounded."""

    used: Sequence[tuple[str, str]]
    steps: Sequence[StepShown]
    notes: Sequence[str]
    why_not: str


@dataclass(frozen=True, slots=True)
class RowShown:
    """One row: its groups of fields, those that are tucked away, and what is said about it."""

    table: str
    key: str
    id: str
    title: str
    groups: Sequence[Group]
    more: Sequence[Group] = ()
    remarks: Sequence[Remark] = ()
    numbers: NumbersShown | None = None

    @property
    def sourced(self) -> bool:
        """Whether a single value has a source of its own."""
        fields = [f for group in (*self.groups, *self.more) for f in group.fields]
        return any(f.own_source and (f.given.page or f.given.quote or f.given.how_read != "reported") for f in fields)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that belong beside each other: one outcome at one time, an arm a column."""

    title: str
    rows: list[RowShown] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Form:
    """Everything the form of a study shows to one extractor."""

    study: Sequence[RowShown]
    arms: Sequence[RowShown]
    results: Sequence[Block]
    contrasts: Sequence[RowShown]
    problems: int


def form_of(
    study: Mapping[str, str],
    sheet: Sheet,
    meta: Meta,
    arms: Mapping[str, str],
    others: Sequence[Result],
    *,
    wrong: Mapping[tuple[str, str, str], tuple[str, str]] | None = None,
) -> Form:
    """The form; ``wrong`` maps (table, key, column) to what was typed there and why it was refused."""
    identity = study["study"]
    full = {(STUDIES, identity): {}, **sheet}
    shown = {
        place: row_shown(place, cells, study, sheet, meta, arms, others, wrong or {}) for place, cells in full.items()
    }
    blocks: dict[str, Block] = {}
    for (table, key), cells in full.items():
        if table == RESULTS:
            title = _block_title(texts(cells), meta)
            blocks.setdefault(title, Block(title)).rows.append(shown[table, key])
    return Form(
        study=[shown[STUDIES, identity]],
        arms=[r for r in shown.values() if r.table == ARMS],
        results=list(blocks.values()),
        contrasts=[r for r in shown.values() if r.table == CONTRASTS],
        problems=sum(remark.problem for r in shown.values() for remark in r.remarks),
    )


def row_shown(
    place: tuple[str, str],
    cells: Mapping[str, Given],
    study: Mapping[str, str],
    sheet: Sheet,
    meta: Meta,
    arms: Mapping[str, str],
    others: Iterable[Result],
    wrong: Mapping[tuple[str, str, str], tuple[str, str]],
) -> RowShown:
    """One row of the form."""
    table, key = place
    given = texts(cells)
    said = remarks(table, study["study"], key, given, meta, others) if cells else []
    own_design = {c: g.value for c, g in sheet.get((STUDIES, study["study"]), {}).items() if c == "design"}
    numbers = conversions(table, {**study, **own_design}, key, given, meta)
    identity = f"{table.removesuffix('.csv')}-{key}"
    open_columns = _open_columns(table, cells)

    def field_of(column: Column) -> Field:
        value = cells.get(column.name, Given(""))
        problems = [r.text for r in said if r.problem and r.column == column.name]
        if (table, key, column.name) in wrong:
            typed, why = wrong[table, key, column.name]
            value, problems = Given(typed, value.page, value.quote, value.how_read), [why, *problems]
        own_source = column.name not in ("page", "quote", "notes", "usable", "why_not", "timepoint", "scale", "window")
        return Field(
            f"{identity}-{column.name}", column, label(column.name), value, _choices(table, column, meta, arms),
            problems, own_source, _unit(column, given, meta),
        )  # fmt: skip

    groups, more = [], []
    columns = {c.name: c for c in columns_of(table)}
    for section in SECTIONS[table]:
        fields = [field_of(columns[name]) for name in section.columns]
        opened = [f for f in fields if f.column.name in open_columns or f.problems]
        tucked = [f for f in fields if f not in opened]
        if opened:
            groups.append(Group(section.title, opened))
        if tucked:
            more.append(Group(section.title, tucked))
    return RowShown(table, key, identity, _title(table, key, given, meta, arms), groups, more, said, _readable(numbers))


def _unit(column: Column, given: Mapping[str, str], meta: Meta) -> str:
    """The unit beside a label: that of the scale chosen, or of the format."""
    if "scale" in column.unit:
        return next((s.unit for s in meta.scales if s.id == given.get("scale")), "")
    return "" if column.unit in ("participants", "periods", "clusters", "infusions") else column.unit


def _readable(numbers: Shown | None) -> NumbersShown | None:
    if numbers is None:
        return None
    steps = [
        StepShown(s.what, s.formula, _named(s.inputs.items()), _named(s.value.items()), s.source) for s in numbers.steps
    ]
    return NumbersShown([(n, _number(v)) for n, v in numbers.values.items()], steps, numbers.notes, numbers.why_not)


def _named(items: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name} = {_number(value)}" for name, value in items)


def _number(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_number(v) for v in value)})"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _open_columns(table: str, cells: Mapping[str, Given]) -> set[str]:
    filled = {name for name in cells if name not in (ROW, FORM)}
    if table == STUDIES:
        return {name for section in SECTIONS[STUDIES] for name in section.columns}
    if table == ARMS:
        return filled | set(ARM_FIELDS)
    forms = RESULT_FORMS if table == RESULTS else CONTRAST_FORMS
    form = forms.get(cells[FORM].value) if FORM in cells else None
    wanted = set(form.columns) if form else {c.name for c in columns_of(table)}
    return filled | wanted | set(ALWAYS[table])


def _choices(table: str, column: Column, meta: Meta, arms: Mapping[str, str]) -> list[tuple[str, str]]:
    if column.kind == "choice":
        return [(a, a) for a in column.allowed]
    if column.kind == "yes-no":
        return [("yes", "yes"), ("no", "no")]
    if column.refers == "arms":
        return [(arm, f"{name} ({arm})" if name != arm else arm) for arm, name in arms.items()]
    if column.refers in ("scales", "windows", "outcomes"):
        return [(item.id, item.name) for item in getattr(meta, column.refers)]
    if column.name == "measure" and table == CONTRASTS:
        return [(m, m) for m in CONTRAST_MEASURES]
    return []


def _name(items: Iterable[object], identity: str | None) -> str:
    return next((i.name for i in items if i.id == identity), identity or "")  # type: ignore[attr-defined]


def _when(given: Mapping[str, str]) -> str:
    return f"{given['time']} {given.get('time_unit', '')}" if given.get("time") else given.get("timepoint", "")


def _block_title(given: Mapping[str, str], meta: Meta) -> str:
    more = [given.get("value_is"), f"{given['period']} period" if given.get("period") else "", given.get("sequence")]
    return ", ".join(p for p in (_name(meta.outcomes, given.get("outcome")), _when(given), *more) if p)


def _title(table: str, key: str, given: Mapping[str, str], meta: Meta, arms: Mapping[str, str]) -> str:
    if table == ARMS:
        return given.get("label") or key
    if table == RESULTS:
        return arms.get(given.get("arm", ""), given.get("arm", key))
    if table == CONTRASTS:
        one, two = (arms.get(given.get(a, ""), given.get(a, "")) for a in ("arm_1", "arm_2"))
        return f"{_name(meta.outcomes, given.get('outcome'))}, {_when(given)}: {one} against {two}"
    return "Study"


def cell_title(table: str, key: str, cells: Mapping[str, str], meta: Meta, arms: Mapping[str, str]) -> str:
    """A row in one line, for the comparison."""
    if table == STUDIES:
        return "Study characteristics"
    if table == ARMS:
        return f"Arm: {_title(table, key, cells, meta, arms)}"
    if table == RESULTS:
        return f"{_block_title(cells, meta)}: {_title(table, key, cells, meta, arms)}"
    return _title(table, key, cells, meta, arms)


def choices_of(table: str, column: str, meta: Meta, arms: Mapping[str, str]) -> list[tuple[str, str]]:
    """What a value of this column is chosen from; empty where it is typed."""
    return _choices(table, TABLE_BY_FILE[table].column(column), meta, arms)


def states(acting: Acting) -> list[tuple[str, dict[str, str], tuple[str, ...], str]]:
    """Each study with its cells, who extracts it, and how it stands for this member: ``written``, ``compared``,
    ``mine``, ``waiting`` for the other, with ``others``, or ``free``. Nothing tells how far somebody else is."""
    review, me = acting.review, acting.member.code
    stands, written, needed = standings(review), written_studies(review), plan_of(review).extraction.extractors
    found = []
    for study, cells in studies_of(review).items():
        s = stands.get(study)
        extractors = tuple(s.extractors) if s else ()
        state = "free"
        if s and s.revealed:
            state = "written" if study in written else "compared"
        elif me in extractors:
            state = "waiting" if s and me in s.finished else "mine"
        elif len(extractors) >= needed:
            state = "others"
        found.append((study, cells, extractors, state))
    return found
