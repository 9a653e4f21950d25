"""The summary of findings as its page shows it: rows, notes, and the baseline risks that a reader may change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from balm.report.summary_of_findings import Baseline, summary_of_findings
from balm.report.summary_of_findings_files import risk_cells
from balm.review.certainty.of_analysis import WITH_BASELINE
from balm.review.synthesis import PER, Synthesis
from balm.vocabulary.problems import InputError, Problem

#: Risks shown for one outcome at once: low, moderate and high, as GRADE tables have them.
MOST_RISKS = 3
CHOSEN = "chosen by the reader"


def baselines_in(get: QueryDict, synthesis: Synthesis) -> tuple[dict[str, list[Baseline]], str]:
    """The baseline risks in an address, ``risk-<analysis>=50, 200`` per 1000, and the address that holds them."""
    chosen: dict[str, list[Baseline]] = {}
    kept: dict[str, str] = {}
    problems = []
    known = {a.id: a for a in synthesis.analyses}
    for name in get:
        analysis = name.removeprefix("risk-")
        text = get.get(name, "").strip()
        if not name.startswith("risk-") or not text:
            continue
        if analysis not in known or known[analysis].measure not in WITH_BASELINE:
            problems.append(Problem(f"there is no analysis {analysis[:80]!r} with a baseline risk", column=name[:80]))
            continue
        try:
            risks = [float(part) / PER for part in text.replace(";", ",").split(",") if part.strip()]
        except ValueError:
            risks = [math.nan]
        if not 0 < len(risks) <= MOST_RISKS or not all(0 < r < 1 for r in risks):
            problems.append(
                Problem(f"{known[analysis].title}: give one to {MOST_RISKS} risks between 0 and {PER} per 1000, with "
                        f"commas between them; got {text[:80]!r}", column=name)
            )  # fmt: skip
            continue
        chosen[analysis] = [Baseline(r, CHOSEN) for r in risks]
        kept[name] = text
    if problems:
        raise InputError(problems)
    return chosen, urlencode(kept)


def rows_shown(synthesis: Synthesis, chosen: Mapping[str, list[Baseline]], get: QueryDict) -> dict[str, Any]:
    """What the table prints."""
    sof = summary_of_findings(synthesis, baselines=chosen)
    measures = {a.id: a.measure for a in synthesis.analyses}
    rows = [
        {
            "f": f, "risks": risk_cells(f), "typed": get.get(f"risk-{f.analysis}", "")[:80],
            "may_choose": measures[f.analysis] in WITH_BASELINE and bool(f.studies),
        }
        for f in sof.findings
    ]  # fmt: skip
    return {"sof": sof, "rows": rows}
