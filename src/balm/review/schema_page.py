# ruff: noqa: E501  (a row of a Markdown table is one line)
"""The reference page of the package format, made from the schema so that it cannot say anything else."""

from __future__ import annotations

from balm.review.networks.planned import (
    NETWORK_MEASURES,
    NETWORK_MODELS,
    NETWORK_TAU2,
    TREATMENT_COLUMNS,
)
from balm.review.plan import (
    COLOURS,
    CONTRAST_MEASURES,
    DIRECTIONS,
    INFERENCE,
    KINDS,
    MAX_WORD_LISTS,
    METHODS,
    MODELS,
    PLANNED_MEASURES,
    SEVERAL,
    SUBGROUP_COLUMNS,
    TAU2,
    VARY,
    ZERO_CELLS,
)
from balm.review.schema import DESIGNS, ROLES, SCOPES, STATEMENT, TABLES, Column, Table
from balm.stats.profiles import PROFILES

_CELLS = {
    "text": "text",
    "id": "id",
    "ids": "ids, separated by `;`",
    "choice": "one of a list",
    "yes-no": "`yes` or `no`",
    "year": "year",
    "when": "date as far as it is known: `2026`, `2026-03` or `2026-03-01`",
    "count": "whole number, 0 or more",
    "size": "whole number, 1 or more",
    "number": "number",
    "positive": "number above 0",
    "level": "number between 0 and 1",
    "p": "number or bound, 0 to 1",
    "reported": "number, bound (`<=0.35`) or range (`10-40`)",
}

_INTRODUCTION = """\
# The review package

A review is a folder of plain files that can be read, edited in a spreadsheet and kept in git. `balm new DIR` starts one,
`balm check DIR` names everything wrong with it by file, row and column, `balm report DIR` writes its report.

This page is generated from `src/balm/review/schema.py` and `src/balm/review/plan.py`.

- Tables are UTF-8 (a byte order mark is tolerated) with commas and one header row; every column is present, except those that *may be left out*.
- A text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-` or `@` and is no number) is written with an apostrophe before it; reading takes it away.
- An empty cell is *not reported*: never zero, never filled in.
- A row is numbered from 1 under the header, as in error messages.
- Only rows with `verified` = `yes` and `usable` = `yes` are pooled. The others are kept and shown as what they are.
- What can be derived (a p value from an interval, a count in the flow) is computed, not stored.
- A file larger than 64 MB (`records.csv`: 512 MB), and a link that leads out of the folder, is refused without reading it.
"""

#: Files of ``guidance/`` that hold no statements.
GUIDANCE = """`[guideline]` may say once for all its statements: `name`, `year`, `report`, `basis`, `drug_form`, `route`, `review_due`,
`checked_by`, `reviewed`, `next_review`. Lists are written as lists: `about = ["pregnancy"]`.

Two files hold no statements and make the others answer questions (`balm guide`): `guidance/therapy.toml` names the
therapy, its settings, drug forms, conditions and comorbidities with their other spellings, and what no weight, rate or
concentration can be; `guidance/pharmacokinetics.toml` holds models of the plasma concentration (`[[model]]`), observed
effects (`[[effect]]`) and what no curve can show (`[curves]`). See [Guidance: asking and reading](../how-to/ask-the-guidance.md).
"""


def reference_page() -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION, _plan()]
    parts += [_table(table) for table in (*TABLES, STATEMENT)]
    parts.append(GUIDANCE)
    return "\n".join(parts)


def _table(table: Table) -> str:
    needed = "Required." if table.required else "Optional."
    key = ", ".join(f"`{k}`" for k in table.key)
    lines = [
        f"## `{table.file}`",
        "",
        f"One row is {table.about}. {needed} A row is named by {key}.",
        "",
        "| column | cell | must be filled | unit | refers to | meaning |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(column) for column in table.columns]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    cell = _CELLS[column.kind]
    if column.allowed:
        cell += ": " + ", ".join(f"`{a}`" for a in column.allowed)
    needed = "yes" if column.required else "may be left out" if column.optional else ""
    refers = column.refers.replace("arms*", "arms, or `all`, `either`")
    return f"| `{column.name}` | {cell} | {needed} | {column.unit} | {refers} | {column.about} |"


def _plan() -> str:
    def words(values: object) -> str:
        return ", ".join(f"`{v}`" for v in values)  # type: ignore[attr-defined]

    vary = "\n".join(f"- `{name}`: {what}" for name, what in VARY.items())
    return f"""\
## `review.toml`

The plan. Required. Every id in it is used by the tables.

| table | fields |
|---|---|
| `[review]` | `id`, `title`, `version`, `date`, `status`; optional `licence`, `registration`, `summary` |
| `[question]` | `population`, `intervention`, `comparators`, `outcomes`; optional `designs` |
| `[[eligibility]]` | `name`, `include`; optional `exclude` |
| `[[people]]` | `name`, `role`; optional `interests` |
| `[[scales]]` | `id`, `name`, `low`, `high`, `unit`; `reversed` when its high end is what the outcome calls low. Values move between scales linearly, end to end |
| `[[windows]]` | `id`, `name`, `after` and `until` in days after the intervention (after `after`, up to and including `until`); `from_start` includes `after` itself |
| `[[outcomes]]` | `id`, `name`, `domain`, `kind` ({words(KINDS)}), `direction` ({words(DIRECTIONS)}); `scale` of a continuous outcome; optional `unit`, `definition`, `favours` (labels of plots, left and right of no effect), `important_difference` (`value`, `unit`, `between_groups`, `source`, `verified`) |
| `[[comparisons]]` | `id`, `name`, `group_1`, `roles_1`; `group_2`, `roles_2` unless it is about a single group. Roles: {words(ROLES)} |
| `[[analyses]]` | `id`, `title`, `outcome`, `comparison`, `measure`, and the options below |
| `[[networks]]` | a network meta-analysis: `id`, `title`, `outcome`, `measure`, `reference`, and the options below |
| `[[traps]]` | `title`, `text`, `studies`: peculiarities of the data that change a number if they are missed |
| `[screening]` | how screening is done, settled before it begins: `reviewers` (2); of the stopping test `target_recall` (0.95), `alpha` (0.05) and `bias` (1, conservative); `exclusion_reasons`, reasons at full text in their order, of which the first that applies counts |
| `[screening.highlights]` | words marked while screening: `include` (green), `exclude` (red), and up to {MAX_WORD_LISTS} named lists, `[[screening.highlights.lists]]` with `name`, `colour` ({words(COLOURS)}) and `words` |
| `[extraction]` | `extractors` (2): how many people extract each study, independently of each other; 1 is said in the report |
| `[certainty]` | `raters` (1): how many people rate the certainty of each analysis; with 2 each is blind to the other, and they agree |
| `[[deviations]]` | `what` was done otherwise than planned and `why`; optional `date`. Listed under the methods of every report |
| `[flow]` | PRISMA 2020 counts known but not backed by rows, and a `note`; what is left out is *not known* |

### Options of an analysis

| field | values | default |
|---|---|---|
| `measure` | {words(PLANNED_MEASURES)}; of contrasts {words(CONTRAST_MEASURES)} | |
| `windows` | ids; empty = any time | any |
| `designs` | {words(DESIGNS)} | `parallel`, `cross-over`, `cluster`; `single-arm` for a proportion |
| `scopes` | {words(SCOPES)} | `included`; `single-arm` for a proportion |
| `results`, `studies`, `arms_1` | ids: only these | all |
| `contrasts` | ids of `contrasts.csv`: these effects are pooled as they stand, by inverse variance, and no arms | none |
| `several` | {words(SEVERAL)}: which time point of a study in the window | `first` |
| `method` | {words(METHODS)} | `inverse-variance` |
| `model` | {words(MODELS)} | `random` |
| `tau2` | {words(TAU2)} | `REML` |
| `inference` | {words(INFERENCE)} | `hartung-knapp-guarded` |
| `add`, `to` | what is added to zero cells, and where: {words(ZERO_CELLS)} | 0.5, `only-zero` |
| `absolute` | absolute effects at the risk of the control groups | `false` |
| `by` | subgroups: {words(SUBGROUP_COLUMNS)} | none |
| `subgroups` | instead of `by`, `[[analyses.subgroups]]` with `name` and `results` (or `contrasts`): the rows of each subgroup | none |
| `overall` | `false`: subgroups have totals, all studies together have none | `true` |
| `profile` | conventions of a program (zero cells, corrections, prediction interval) for what is not said: {words(PROFILES)} | none |
| `level` | coverage of intervals | 0.95 |
| `note` | text shown with the result | none |

### Options of a network

Every treatment is compared with every other, from the arms of `results.csv` as they stand there; a study of several
arms brings all of them, and arms of one treatment in one study are combined. A network that falls into parts is
analysed part by part.

| field | values | default |
|---|---|---|
| `measure` | {words(NETWORK_MEASURES)} | |
| `reference` | the treatment that the others are shown against, by its name in the network | |
| `treatment` | the column of `arms.csv` that says what an arm got: {words(TREATMENT_COLUMNS)}; blanks and capitals do not tell treatments apart | `drug` |
| `treatments` | `[[networks.treatments]]` with `name` and `arms`, words of that column that count as this treatment (its own name when left out): then only these are in the network | each word is a treatment |
| `better` | `lower` or `higher`: which effects are, for the ranking | as the `direction` of the outcome |
| `windows`, `designs`, `scopes`, `studies`, `several`, `add`, `level`, `note` | as in an analysis | as there |
| `model` | {words(NETWORK_MODELS)} | `random` |
| `tau2` | {words(NETWORK_TAU2)}: one variance between studies for all comparisons | `REML` |
| `important`, `important_source` | the smallest effect that matters, as people read it (0.8 for a ratio, 0.5 for a difference), and where it comes from | of a mean difference the outcome's between groups, else none |
| `baseline_risk`, `baseline_source` | risk with the reference, 0 to 1, for absolute effects of `OR`, `RR` and `RD`, and where it comes from | the arms of the reference together |

### Sensitivity analyses

`[[analyses.sensitivity]]` has `label`, `vary`, `values`, and optionally `why`, `tau2` and `inference`. `vary` is one of:

{vary}
"""
