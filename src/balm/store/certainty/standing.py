"""How the ratings of a review stand, from their rows."""

from __future__ import annotations

from datetime import datetime

from balm.review.certainty.deciding import Decision
from balm.review.certainty.raters import Raters
from balm.store.certainty.models import Agreed, Rating, Suggestion
from balm.store.reviews.models import Review


def raters_of(review: Review, analysis: str, basis: str, asked: int) -> Raters:
    """Who has rated an analysis on these data."""
    codes = Rating.objects.filter(review=review, analysis=analysis, basis=basis).order_by("pk")
    return Raters(asked, tuple(dict.fromkeys(codes.values_list("member__code", flat=True))))


def raters_of_all(review: Review, asked: int) -> dict[tuple[str, str], Raters]:
    """(analysis, basis) -> who has rated it; what nobody has rated is not in it."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    rows = Rating.objects.filter(review=review).order_by("pk").values_list("analysis", "basis", "member__code")
    for analysis, basis, code in rows:
        found.setdefault((analysis, basis), {})[code] = None
    return {key: Raters(asked, tuple(codes)) for key, codes in found.items()}


def rating_of(review: Review, analysis: str, basis: str, code: str) -> Rating | None:
    """One person's rating as it stands."""
    rows = Rating.objects.select_related("member").filter(
        review=review, analysis=analysis, basis=basis, member__code=code
    )
    return rows.order_by("-turn").first()


def agreed_on(review: Review, analysis: str, basis: str) -> Agreed | None:
    """The agreement that stands on these data."""
    rows = Agreed.objects.select_related("member").filter(review=review, analysis=analysis, basis=basis)
    return rows.order_by("-turn").first()


def suggestions_for(review: Review, analysis: str, basis: str, turn: int) -> dict[str, Suggestion]:
    """Each rater's last suggestion for agreement number ``turn``."""
    rows = Suggestion.objects.select_related("member").filter(review=review, analysis=analysis, basis=basis, turn=turn)
    return {row.member.code: row for row in rows.order_by("pk")}


def decision_of(row: Rating | Suggestion | Agreed) -> Decision:
    """The decision that a row holds."""
    return Decision.of(row.decision)


def agreed_bases(review: Review) -> set[tuple[str, str]]:
    """(analysis, basis) on which there is an agreement."""
    return set(Agreed.objects.filter(review=review).values_list("analysis", "basis"))


def revealed_ratings(review: Review, asked: int) -> set[str]:
    """``analysis/basis`` of ratings that may be seen: enough people have rated, or a later agreement replaced them."""
    raters: dict[tuple[str, str], dict[str, None]] = {}
    last: dict[tuple[str, str], datetime] = {}
    for analysis, basis, code, at in Rating.objects.filter(review=review).values_list(
        "analysis", "basis", "member__code", "at"
    ):
        raters.setdefault((analysis, basis), {})[code] = None
        last[analysis, basis] = at
    settled = dict(Agreed.objects.filter(review=review).order_by("pk").values_list("analysis", "at"))
    return {
        f"{analysis}/{basis}"
        for (analysis, basis), codes in raters.items()
        if len(codes) >= asked or (analysis in settled and settled[analysis] > last[analysis, basis])
    }
