"""Sixty whole abstracts, drawn at random and labelled by hand before the checker saw them; and how many it finds.

Drawn with a fixed seed from public records (22 from reference-manager exports with a DOI, 38 from PubMed with a PMID),
among those of 500 to 1,650 characters with figures and, for 44 of them, the word for a confidence interval. None is in
the older set. Rules of labelling, written down first:

- estimate: a named measure, or any figure with a confidence interval; with no interval only where a measure is named
  or a standard error stands beside a mean change; an interval alone counts, without its estimate;
- proportion: every number with a per cent sign that is no level of confidence; "a of b" of people or studies;
- count: every number of people, animals, articles, studies or places that were studied, and every "n =";
- dose: every amount of a drug with its unit, each of a list ("1, 5 and 25 mg" are three).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import balm
from balm.review.claims_in_text.claim import FoundClaim
from tests.unit.review.claims_in_text.labelled import Score, _add

FRESH = Path(__file__).with_name("fresh.json")
#: 125 further abstracts, their sentences with figures alone, from the 1,000 of PubMedQA (github.com/pubmedqa/pubmedqa,
#: MIT), drawn with a fixed seed. The first hundred were labelled before the checker saw them and before anything was
#: mended with them; those marked ``after`` were labelled when that was done, also before the checker saw them.
SECOND = Path(__file__).with_name("second.json")


def _label(text: str) -> tuple[Any, ...]:
    """ "E1.42,0.84,2.39" an estimate, "P51.1" a percentage, "X23/45" a part, "C74" a count, "D0.5,1,mg" a dose."""
    kind, body = text[0], text[1:]
    if kind == "E":
        return ("estimate", *(None if part == "-" else float(part) for part in body.split(",")))
    if kind == "P":
        return ("proportion", float(body))
    if kind == "X":
        part, whole = body.split("/")
        return ("proportion", (int(part), int(whole)))
    if kind == "C":
        return ("count", int(body))
    low, high, unit = body.split(",")
    return ("dose", float(low), float(high), unit)


def _found(claim: FoundClaim) -> tuple[Any, ...]:
    if claim.kind == "estimate" or claim.ci_low is not None:
        return ("estimate", claim.estimate, claim.ci_low, claim.ci_high)
    if claim.kind == "proportion":
        return ("proportion", claim.percent if claim.percent is not None else (claim.n, claim.total))
    if claim.kind == "count":
        return ("count", claim.n)
    return ("dose", claim.low, claim.high, (claim.unit or "")[:2])


def fresh_scores(file: Path = FRESH) -> tuple[dict[str, Score], list[str]]:
    """Scores by kind and for all, and every difference in words."""
    kinds = ("estimate", "proportion", "count", "dose")
    result = {name: Score() for name in (*kinds, "all")}
    said = []
    for at, abstract in enumerate(json.loads(file.read_text("utf-8"))):
        labels = [_label(text) for text in abstract["labels"].split()]
        found = [_found(c) for c in balm.check_claims(abstract["text"]) if c.kind != "statement"]
        for kind in kinds:
            _add(result[kind], [x for x in labels if x[0] == kind], [x for x in found if x[0] == kind])
        _add(result["all"], labels, found)
        left = list(labels)
        for key in found:
            if key in left:
                left.remove(key)
            else:
                said.append(f"{at} found but not labelled: {key}")
        said += [f"{at} labelled but not found: {key}" for key in left]
    return result, said
