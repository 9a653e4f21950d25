"""Sentences of published abstracts with the claims a reader found in them, and how many of those the checker finds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import balm
from balm.review.claims_in_text.claim import FoundClaim

#: Each sentence with its source (DOI or PMID). The labels were proposed by the checker and corrected sentence by
#: sentence by reading, which favours it somewhat; what it missed or misread was added.
LABELLED = Path(__file__).with_name("labelled.json")


@dataclass
class Score:
    """Claims labelled, found, and both."""

    labelled: int = 0
    found: int = 0
    both: int = 0

    @property
    def precision(self) -> float:
        return self.both / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.both / self.labelled if self.labelled else 1.0


def key_of_label(label: dict[str, Any]) -> tuple[Any, ...]:
    if "estimate" in label:
        return (label["kind"], label["estimate"], label["low"], label["high"])
    if label["kind"] == "proportion":
        return ("proportion", label["percent"] if label.get("percent") is not None else (label["n"], label["total"]))
    return ("count", label["n"]) if label["kind"] == "count" else ("dose", label["low"], label["high"], label["unit"])


def key_of_claim(claim: FoundClaim) -> tuple[Any, ...]:
    if claim.kind == "estimate" or (claim.kind == "proportion" and claim.ci_low is not None):
        return (claim.kind, claim.estimate, claim.ci_low, claim.ci_high)
    if claim.kind == "proportion":
        return ("proportion", claim.percent if claim.percent is not None else (claim.n, claim.total))
    return ("count", claim.n) if claim.kind == "count" else ("dose", claim.low, claim.high, claim.unit)


def scores() -> dict[str, Score]:
    """Per kind of claim, for those called inconsistent, and for all."""
    result = {name: Score() for name in ("estimate", "proportion", "count", "dose", "all", "called inconsistent")}
    for sentence in json.loads(LABELLED.read_text("utf-8")):
        labels = [(key_of_label(x), x.get("verdict") == "inconsistent") for x in sentence["claims"]]
        found = [
            (key_of_claim(c), c.verdict == "inconsistent")
            for c in balm.check_claims(sentence["text"])
            if c.kind != "statement"
        ]
        for kind in ("estimate", "proportion", "count", "dose", "all"):
            ours = [k for k, _ in found if kind in (k[0], "all")]
            theirs = [k for k, _ in labels if kind in (k[0], "all")]
            _add(result[kind], theirs, ours)
        _add(result["called inconsistent"], [k for k, bad in labels if bad], [k for k, bad in found if bad])
    return result


def _add(score: Score, labelled: list[Any], found: list[Any]) -> None:
    left = list(labelled)
    for key in found:
        if key in left:
            left.remove(key)
            score.both += 1
    score.labelled += len(labelled)
    score.found += len(found)
