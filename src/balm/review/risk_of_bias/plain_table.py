"""Risk of bias as people keep it in a spreadsheet: ``Study, D1 ... Dn, Overall, Weight``, a judgement in each cell.

For those who use nothing else of balm: the table may come from any program, and its words are read as they are.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from balm.review.plain_rows import PlainRows, plain_rows
from balm.review.risk_of_bias.tools import ALWAYS, TOOLS, Tool
from balm.review.risk_of_bias.words import JUDGEMENTS, OVERALL, judgement_word
from balm.vocabulary.problems import InputError, Problem, check_option

STUDY, WEIGHT = "Study", "Weight"
NEEDS = "Study, D1 ... Dn, Overall, Weight"
#: A domain named by its code alone: D1, d1a, DS.
_CODE = re.compile(r"d(?:\d+[a-z]?|s)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BiasTable:
    """Studies down, domains across. ``judgements[i][j]`` is of study i in domain j, ``None`` where none was made.

    ``overall`` holds the overall judgements, or is empty where the table has none; ``weights`` one number a study, or
    is empty. A study may stand in the table twice, for two results.
    """

    studies: tuple[str, ...]
    domains: tuple[str, ...]
    judgements: tuple[tuple[str | None, ...], ...]
    overall: tuple[str | None, ...] = ()
    weights: tuple[float, ...] = ()

    def columns(self, overall: bool = True) -> list[tuple[str, tuple[str | None, ...]]]:
        """Each domain with its judgements down the studies, and the overall ones last."""
        found = [(name, tuple(row[j] for row in self.judgements)) for j, name in enumerate(self.domains)]
        return [*found, (OVERALL, self.overall)] if overall and self.overall else found


def bias_table(data: Any, *, tool: str | None = None) -> BiasTable:
    """Read a table of judgements: a path of a CSV file, a data frame, a dict of columns, or a list of dicts.

    ``Study`` (or else the index of a data frame, or the first column) names the study; ``Overall`` and ``Weight`` are
    optional; every other column is a domain. ``tool`` (a row of :data:`TOOLS`: ``"RoB 2"``, ``"RoB 2 cluster"``,
    ``"RoB 2 crossover"``, ``"ROBINS-I"``, ``"ROBINS-I V2"``, ``"ROBINS-E"``, ``"QUADAS-2"``, ``"QUIPS"``) names the
    domains D1, D2 ... and refuses words and domains that it does not have. An empty cell is a judgement that was not
    made; ``No information`` is a judgement of its own.

    >>> table = bias_table({"Study": ["A", "B"], "D1": ["Low", "High risk"], "Overall": ["Low", "High"]})
    >>> table.domains, table.judgements, table.overall
    (('D1',), (('low',), ('high',)), ('low', 'high'))
    """
    if isinstance(data, BiasTable):
        return data
    known = None if tool is None else TOOLS[check_option("tool", tool, tuple(TOOLS))]
    table = plain_rows(data, needs=NEEDS, label=STUDY)
    named = {head.lower(): head for head in table.heads}
    study = named.get("study") or _first(table)
    total = named.get("overall")
    domains = [head for head in table.heads if head not in {study, total, named.get("weight")}]
    if not domains:
        raise InputError(Problem(f"the table has no column of a domain; it needs {NEEDS}", table.file))
    if not table.rows:
        raise InputError(Problem("the table holds no study", table.file))
    problems: list[Problem] = []
    columns = {head: _judged(table, head, problems) for head in (*domains, *((total,) if total else ()))}
    if known is not None and not problems:
        problems += _foreign(columns, str(tool), known, table.file)
    names = tuple(_domain_name(head, tool, known, table.file, problems) for head in domains)
    weights = _weights([row[named["weight"]] for row in table.rows], table.file, problems) if "weight" in named else ()
    studies = tuple(row[study] for row in table.rows)
    problems += [
        Problem("must not be empty", table.file, row=i, column=study) for i, s in enumerate(studies, 1) if not s
    ]
    if problems:
        raise InputError(problems)
    judgements = tuple(zip(*(columns[head] for head in domains), strict=True))
    return BiasTable(studies, names, judgements, columns[total] if total else (), weights)


def risk_of_bias_shares(
    data: Any, *, weighted: bool | None = None, tool: str | None = None, overall: bool = True
) -> dict[str, dict[str, float]]:
    """The per cent of studies, or of the weight, with each judgement: the numbers of the summary plot.

    ``weighted=None`` weights where the table has weights. Studies without a judgement in a domain count as
    ``not judged``, so that each domain adds up to 100.

    >>> risk_of_bias_shares({"Study": ["A", "B"], "D1": ["Low", "High"], "Weight": [75, 25]})
    {'D1': {'low': 75.0, 'high': 25.0}}
    """
    table = bias_table(data, tool=tool)
    if weighted and not table.weights:
        raise InputError("weighted=True needs a column Weight; leave it out to count studies")
    use = bool(table.weights) if weighted is None else weighted
    weights = table.weights if use else (1.0,) * len(table.studies)
    whole = math.fsum(weights)
    shares: dict[str, dict[str, float]] = {}
    for name, column in table.columns(overall):
        found: dict[str, float] = {}
        for word in (*JUDGEMENTS, None):
            own = [w for w, j in zip(weights, column, strict=True) if j == word]
            if own:
                found["not judged" if word is None else word] = 100 * math.fsum(own) / whole
        shares[name] = found
    return shares


def _first(table: PlainRows) -> str:
    """The first column, where it can be the names of the studies."""
    head = table.heads[0]
    cells = [row[head] for row in table.rows if row[head]]
    if cells and all(judgement_word(cell) for cell in cells):
        reason = f"there is no column {STUDY}, and the first one holds judgements; it needs {NEEDS}"
        raise InputError(Problem(reason, table.file, column=head))
    return head


def _judged(table: PlainRows, head: str, problems: list[Problem]) -> tuple[str | None, ...]:
    """The judgements of a column; what is none is told once for each word."""
    words = tuple(judgement_word(row[head]) if row[head] else None for row in table.rows)
    wrong: dict[str, list[int]] = {}
    for number, (row, word) in enumerate(zip(table.rows, words, strict=True), 1):
        if row[head] and word is None:
            wrong.setdefault(row[head], []).append(number)
    allowed = ", ".join(JUDGEMENTS)
    if wrong and not any(words):
        text, rows = next(iter(wrong.items()))
        reason = f"no cell is a judgement ({allowed}), as row {rows[0]}: {text!r}; leave out a column that is no domain"
        problems.append(Problem(reason, table.file, column=head))
        return words
    for text, rows in wrong.items():
        more = "" if len(rows) == 1 else f" (and in {len(rows) - 1} more {'row' if len(rows) == 2 else 'rows'})"
        reason = f"must be one of {allowed}; got {text!r}{more}"
        problems.append(Problem(reason, table.file, row=rows[0], column=head, value=text))
    return words


def _foreign(columns: dict[str, tuple[str | None, ...]], name: str, tool: Tool, file: str) -> list[Problem]:
    """Judgements that the tool does not know, told once, with the tools that know them all."""
    used = {word for column in columns.values() for word in column if word is not None and word not in ALWAYS}
    if not (foreign := [word for word in JUDGEMENTS if word in used.difference(tool.judgements)]):
        return []
    row, head = next(
        (i, head) for head, column in columns.items() for i, word in enumerate(column, 1) if word in foreign
    )
    reason = f"{' and '.join(map(repr, foreign))} {'is no judgement' if len(foreign) == 1 else 'are no judgements'}"
    fits = [repr(other) for other, its in TOOLS.items() if used <= set(its.judgements)]
    way = f"tool={' or '.join(fits)} has them all" if fits else "leave tool out"
    return [Problem(f"{reason} of {name} ({', '.join(tool.judgements)}); {way}", file, row=row, column=head)]


def _weights(given: list[str], file: str, problems: list[Problem]) -> tuple[float, ...]:
    found = []
    for i, text in enumerate(given, 1):
        try:
            weight = float(text.removesuffix("%"))
        except ValueError:
            weight = math.nan
        if not 0 <= weight < math.inf:
            got = "an empty cell" if not text else repr(text)
            point = " (with a decimal point)" if re.fullmatch(r"\d+,\d+\s*%?", text) else ""
            problems.append(
                Problem(f"must be a number of 0 or more{point}; got {got}", file, row=i, column=WEIGHT, value=text)
            )
        found.append(weight)
    if not problems and math.fsum(found) <= 0:
        problems.append(Problem("the weights add up to 0", file, column=WEIGHT))
    return tuple(found)


def _domain_name(head: str, tool: str | None, known: Tool | None, file: str, problems: list[Problem]) -> str:
    if known is not None and _CODE.fullmatch(head):
        name = known.domains.get(head.upper())
        if name is None:
            reason = f"{tool} has no such domain; it has {', '.join(sorted(known.domains))}"
            problems.append(Problem(reason, file, column=head))
        return name or head
    return " ".join(head.replace(".", " ").replace("_", " ").split())
