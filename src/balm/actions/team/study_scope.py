"""The place of a study in its review, decided anew: a retracted study is excluded, an ongoing one comes in."""

from __future__ import annotations

from django.db import transaction

from balm.actions.team.acting import Acting
from balm.actions.team.rows import put_row
from balm.review.schema import SCOPES
from balm.store.full_texts.linking import STUDIES
from balm.store.reviews.models import Row
from balm.vocabulary.problems import InputError, Problem, check_option

#: Scopes by what they are called on pages.
SCOPE_WORDS = {
    "included": "included",
    "sensitivity": "in sensitivity analyses only",
    "single-arm": "included, without a control group",
    "excluded": "excluded",
    "ongoing": "ongoing",
    "awaiting": "awaiting classification",
}


@transaction.atomic
def change_scope(acting: Acting, study: str, scope: str, *, reason: str, version: int | None = None) -> Row:
    """Give ``study`` another place in the review; its data stay, and analyses use it as the new scope allows.

    ``version`` is that of the row the person saw: where somebody has changed it since, nothing is overwritten.
    """
    acting.check("adjudicate")
    check_option("scope", scope, SCOPES)
    row = Row.objects.filter(review=acting.review, table=STUDIES, key=study).first()
    if row is None:
        raise InputError(f"there is no study {study!r} in this review")
    if not reason.strip():
        raise InputError(Problem("say why the study gets another place in the review", column="reason"))
    if row.cells.get("scope") == scope:
        raise InputError(
            Problem(f"{row.cells.get('label', study)} is there already: {SCOPE_WORDS[scope]}", column="scope")
        )
    cells = row.cells | {"scope": scope, "scope_note": " ".join(reason.split())}
    return put_row(acting, STUDIES, cells, reason=reason, version=version)
