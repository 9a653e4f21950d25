"""``check_claims``: every claim of a text, where it stands, computed again, with its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from balm.review.claims_in_text.claim import VERDICTS, Caution, FoundClaim
from balm.review.claims_in_text.counts import find_counts, with_denominators
from balm.review.claims_in_text.doses import find_doses
from balm.review.claims_in_text.estimate_verdicts import judge
from balm.review.claims_in_text.estimates import FoundEstimate, find_estimates
from balm.review.claims_in_text.plain_text import PlainText, plain_text
from balm.review.claims_in_text.proportions import find_proportions
from balm.review.claims_in_text.statements import find_statements
from balm.review.claims_in_text.tokens import Tokens, tokenise
from balm.review.claims_in_text.wording import find_cautions
from balm.vocabulary.problems import InputError

_Found = TypeVar("_Found", FoundClaim, Caution)


@dataclass(frozen=True, slots=True)
class CheckedText:
    """The claims of a text in their order, and the phrases to be careful with."""

    source: str = field(repr=False)
    claims: tuple[FoundClaim, ...] = ()
    cautions: tuple[Caution, ...] = ()

    def __iter__(self) -> Iterator[FoundClaim]:
        return iter(self.claims)

    def __len__(self) -> int:
        return len(self.claims)

    def __getitem__(self, i: int) -> FoundClaim:
        return self.claims[i]

    def count(self, verdict: str) -> int:
        """How many claims have a verdict."""
        return sum(claim.verdict == verdict for claim in self.claims)

    def to_dict(self) -> dict[str, Any]:
        """What ``balm claims --json`` prints."""
        return {
            "claims": [claim.to_dict() for claim in self.claims],
            "cautions": [caution.to_dict() for caution in self.cautions],
        }

    def sentence(self) -> str:
        """One line: how many claims, by verdict."""
        if not self.claims:
            return "No claim was found."
        counts = Counter(claim.verdict for claim in self.claims)
        parts = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])
        return f"{len(self.claims)} claim{'s' if len(self.claims) > 1 else ''}: {parts}."

    def __str__(self) -> str:
        lines = [self.sentence()]
        lines += [f"  {c.verdict:13} {c.kind:10} {' '.join(c.text.split())}: {c.why}" for c in self.claims]
        lines += [f"  caution       {c.kind:10} {c.text}: {c.why}" for c in self.cautions]
        return "\n".join(lines)


def check_claims(text: str) -> CheckedText:
    """Find every claim of ``text`` that can be checked, compute it again, and say whether its figures fit.

    text : any text; typography of any journal, HTML entities, line breaks and decimal commas are read.

    Found are estimates with intervals and p values, percentages with their counts, numbers of people and of studies,
    doses and rates with units, and statements of effect. Every printed number stands for the values that round to it,
    so only what no rounding explains is ``inconsistent``. The p value follows from the interval as in Altman & Bland
    2011 (BMJ 343:d2304), on the log scale for ratios and on Fisher's scale for correlations.

    ``start`` and ``end`` of a claim are offsets into ``text``. The claims come in the order of the text.

    >>> found = check_claims("Nausea: RR 1.42 (95% CI 0.84 to 2.39; p = 0.019) in 23/45 (51.1%) patients.")
    >>> [(c.kind, c.verdict) for c in found]
    [('estimate', 'inconsistent'), ('proportion', 'consistent')]
    >>> round(found[0].p_recomputed, 4), found[0].slip
    (0.1887, 'the decimal point of the p value is misplaced (a place lost)')
    """
    if not isinstance(text, str):
        raise InputError(f"text must be a string; got {type(text).__name__}")
    plain = plain_text(text)
    tokens = tokenise(plain.text)
    estimates, used = find_estimates(tokens)
    claims = [_estimate_claim(tokens, found) for found in estimates]
    claims += find_proportions(tokens, used)
    claims += find_doses(tokens, used)
    claims += find_counts(tokens, used)
    claims = with_denominators(claims, plain.text)
    claims += find_statements(plain.text, claims, bool(estimates) or "P" in tokens.kinds)
    claims.sort(key=lambda c: (c.start, c.end))
    cautions = find_cautions(plain.text)
    return CheckedText(
        text,
        tuple(_placed(claim, text, plain) for claim in claims),
        tuple(_placed(caution, text, plain) for caution in cautions),
    )


def _placed(claim: _Found, text: str, plain: PlainText) -> _Found:
    """The claim with its place in the original text."""
    start, end = plain.original(claim.start), plain.original(claim.end - 1) + 1
    return replace(claim, text=text[start:end], start=start, end=end)


def _estimate_claim(tokens: Tokens, found: FoundEstimate) -> FoundClaim:
    judged = judge(found)
    measure = found.measure
    of_arms = found.of_arms is not None
    if of_arms:
        measure = "difference"
    proportion = not of_arms and found.percent and (measure is None or measure == "proportion")
    estimate = None if found.estimate is None or of_arms else found.estimate.value
    low, high = found.low, found.high
    if low is not None and high is not None and low.value > high.value:
        low, high = high, low
    return FoundClaim(
        tokens.printed(found.first, found.last),
        tokens.starts[found.first],
        tokens.ends[found.last],
        "proportion" if proportion else "estimate",
        judged.verdict,
        judged.why,
        measure="proportion" if proportion else measure,
        estimate=estimate,
        ci_low=None if low is None else low.value,
        ci_high=None if high is None else high.value,
        level=found.level if low is not None else None,
        p_reported=None if found.p is None else found.p.figure.value,
        p_relation=None if found.p is None else found.p.relation,
        p_recomputed=judged.p,
        percent=estimate if proportion else None,
        slip=judged.slip,
    )
