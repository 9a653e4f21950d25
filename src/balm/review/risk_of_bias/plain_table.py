"""Risk of bias as people keep it in a spreadsheet: ``Study, D1 ... Dn, Overall, Weight``, a judgement in each cell.

For those who use nothing else of balm: the table may come from any program, and its words are read as they are.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from balm.review.risk_of_bias.words import JUDGEMENTS, OVERALL, judgement_word
from balm.vocabulary.problems import InputError, Problem, check_option

WEIGHT = "Weight"

#: Names of the domains, by tool, where a table calls them D1, D2 ...
DOMAIN_NAMES: dict[str, tuple[str, ...]] = {
    "RoB 2": (
        "Randomisation process",
        "Deviations from the intended interventions",
        "Missing outcome data",
        "Measurement of the outcome",
        "Selection of the reported result",
    ),
    "ROBINS-I": (
        "Confounding",
        "Selection of participants",
        "Classification of interventions",
        "Deviations from intended interventions",
        "Missing data",
        "Measurement of outcomes",
        "Selection of the reported result",
    ),
    "QUADAS-2": ("Patient selection", "Index test", "Reference standard", "Flow and timing"),
}


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

    The first column (or the one called ``Study``) names the study; ``Overall`` and ``Weight`` are optional; every
    other column is a domain. ``tool`` (``"RoB 2"``, ``"ROBINS-I"``, ``"QUADAS-2"``) names the domains D1, D2 ...
    An empty cell is a judgement that was not made; ``No information`` is a judgement of its own.

    >>> table = bias_table({"Study": ["A", "B"], "D1": ["Low", "High risk"], "Overall": ["Low", "High"]})
    >>> table.domains, table.judgements, table.overall
    (('D1',), (('low',), ('high',)), ('low', 'high'))
    """
    if isinstance(data, BiasTable):
        return data
    file, heads, rows = _cells(data)
    named = {head.lower(): head for head in heads}
    study = named.get("study", heads[0])
    special = {study, named.get("overall"), named.get("weight")}
    domains = [head for head in heads if head not in special]
    if not domains:
        raise InputError(Problem("the table has no column of a domain: Study, D1 ... Dn, Overall, Weight", file))
    if not rows:
        raise InputError(Problem("the table holds no study", file))
    problems: list[Problem] = []

    def judged(row: Mapping[str, Any], number: int, column: str) -> str | None:
        text = _text(row.get(column))
        if not text:
            return None
        word = judgement_word(text)
        if word is None:
            allowed = ", ".join(JUDGEMENTS)
            problems.append(
                Problem(f"must be one of {allowed}; got {text!r}", file, row=number, column=column, value=text)
            )
        return word

    judgements = tuple(tuple(judged(r, i, d) for d in domains) for i, r in enumerate(rows, 1))
    total = named.get("overall")
    overall = tuple(judged(r, i, total) for i, r in enumerate(rows, 1)) if total else ()
    weights = _weights([r.get(named["weight"]) for r in rows], file, problems) if "weight" in named else ()
    studies = tuple(_text(r.get(study)) for r in rows)
    problems += [Problem("must not be empty", file, row=i, column=study) for i, s in enumerate(studies, 1) if not s]
    if problems:
        raise InputError(problems)
    names = tuple(_domain_name(head, tool) for head in domains)
    return BiasTable(studies, names, judgements, overall, weights)


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


def _weights(given: list[Any], file: str, problems: list[Problem]) -> tuple[float, ...]:
    found = []
    for i, value in enumerate(given, 1):
        try:
            weight = float(_text(value).removesuffix("%"))
        except ValueError:
            weight = math.nan
        if not 0 <= weight < math.inf:
            reason = f"must be a number of 0 or more; got {_text(value)!r}"
            problems.append(Problem(reason, file, row=i, column=WEIGHT))
        found.append(weight)
    if not problems and math.fsum(found) <= 0:
        problems.append(Problem("the weights add up to 0", file, column=WEIGHT))
    return tuple(found)


def _domain_name(head: str, tool: str | None) -> str:
    if tool is not None:
        names = DOMAIN_NAMES[check_option("tool", tool, tuple(DOMAIN_NAMES))]
        number = head[1:]
        if head[:1] in "Dd" and number.isdigit() and 1 <= int(number) <= len(names):
            return names[int(number) - 1]
    return " ".join(head.replace(".", " ").replace("_", " ").split())


def _cells(data: Any) -> tuple[str, list[str], list[dict[str, Any]]]:
    """File, header and rows of what was given."""
    if isinstance(data, (str, os.PathLike)):
        file = os.path.basename(os.fspath(data))
        try:
            text = Path(data).read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise InputError(Problem(f"cannot be read: {error.strerror}", file)) from None
        except UnicodeDecodeError:
            raise InputError(Problem("is not UTF-8; save it as 'CSV UTF-8'", file)) from None
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if any(c.strip() for c in line)]
        if not lines:
            raise InputError(Problem("the file is empty; it needs Study, D1 ... Dn, Overall, Weight", file))
        heads = [head.strip() for head in lines[0]]
        for number, line in enumerate(lines[1:], 1):
            if len(line) != len(heads):
                raise InputError(Problem(f"has {len(line)} cells; the header has {len(heads)}", file, row=number))
        return file, _once(heads, file), [dict(zip(heads, line, strict=True)) for line in lines[1:]]
    if isinstance(data, Mapping):
        heads = [str(head) for head in data]
        columns: list[list[Any]] = [list(column) for column in data.values()]
        return "", _once(heads, ""), _rows(heads, columns)
    if hasattr(data, "columns"):  # pandas, polars and what looks like them
        heads = [str(head) for head in data.columns]
        return "", _once(heads, ""), _rows(heads, [list(data[head]) for head in data.columns])
    if isinstance(data, Sequence) and data and all(isinstance(row, Mapping) for row in data):
        heads = list(dict.fromkeys(str(head) for row in data for head in row))
        return "", _once(heads, ""), [{str(k): v for k, v in row.items()} for row in data]
    raise InputError("data must be a CSV file, a data frame, a dict of columns or a list of dicts, with at least a row")


def _rows(heads: list[str], columns: list[list[Any]]) -> list[dict[str, Any]]:
    if len({len(column) for column in columns}) > 1:
        sizes = ", ".join(f"{head}: {len(column)}" for head, column in zip(heads, columns, strict=True))
        raise InputError(f"the columns must be equally long; got {sizes}")
    return [dict(zip(heads, row, strict=True)) for row in zip(*columns, strict=True)]


def _once(heads: Iterable[str], file: str) -> list[str]:
    found = list(heads)
    if not found:
        raise InputError(Problem("the table has no columns: Study, D1 ... Dn, Overall, Weight", file))
    for head in found:
        if [h.lower() for h in found].count(head.lower()) > 1:
            raise InputError(Problem("stands in the header more than once", file, column=head))
    return found


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value).strip()
