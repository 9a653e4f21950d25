"""Keep what guidance computed for a member, and show it again as it was: append-only, once a question and day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Min

import balm
from balm.actions.guidance import Guided
from balm.actions.team.acting import Acting
from balm.guidance.traces import asked_of, rules_digest, traces_of
from balm.review.analysis_data import canonical
from balm.store.guidance.models import CalculationTrace
from balm.store.reviews.models import Member
from balm.vocabulary.problems import InputError

#: Questions listed at once, the latest first.
LISTED = 100


@dataclass(frozen=True, slots=True)
class Calculation:
    """A question that was asked: its number, who asked, when, what, and how many doses and limits were computed."""

    question: str
    by: str
    at: datetime
    count: int
    asked: dict[str, Any]

    @property
    def short(self) -> str:
        """The number as a page says it; enough to find the calculation again."""
        return self.question[:12]


def keep_calculation(acting: Acting, guided: Guided) -> Calculation | None:
    """Keep every computed dose and limit of an answer; ``None`` where nothing was computed.

    The same answer on the same day to the same person is kept once, however often its page is opened.
    """
    acting.check("view")
    traces, asked = traces_of(guided.answer), asked_of(guided.answer)
    if not traces:
        return None
    version = _version(guided)
    whole = {
        "asked": asked, "traces": [asdict(t) for t in traces], "guidance": version, "software": balm.__version__,
        "as_of": guided.answer.as_of.isoformat(),
    }  # fmt: skip
    question = hashlib.sha256(canonical(whole).encode()).hexdigest()
    kept = CalculationTrace.objects.filter(review=acting.review, member=acting.member, question=question)
    if not kept.exists():
        rows = [
            CalculationTrace(
                review=acting.review, member=acting.member, question=question, number=number, asked=asked,
                rule=t.rule, what=t.what, inputs=t.inputs, formula=list(t.steps), result=t.result,
                guidance_version=version, software_version=balm.__version__,
            )
            for number, t in enumerate(traces, start=1)
        ]  # fmt: skip
        try:
            with transaction.atomic():
                CalculationTrace.objects.bulk_create(rows)
        except IntegrityError:  # the same page opened twice at once: the rows that are there are the same
            if not kept.exists():
                raise
    return Calculation(question, acting.member.code, kept[0].at, len(traces), asked)


def calculations(acting: Acting) -> list[Calculation]:
    """The questions one asked, the latest first; a lead sees everybody's."""
    acting.check("view")
    rows = (
        CalculationTrace.objects.filter(review=acting.review, member__in=_whose(acting))
        .values("question", "member__code")
        .annotate(first=Min("pk"), count=Count("pk"))
        .order_by("-first")[:LISTED]
    )
    found = {r.pk: r for r in CalculationTrace.objects.filter(pk__in=[row["first"] for row in rows])}
    return [
        Calculation(r["question"], r["member__code"], found[r["first"]].at, r["count"], found[r["first"]].asked)
        for r in rows
    ]


def calculation(acting: Acting, question: str) -> tuple[Calculation, list[CalculationTrace]]:
    """One question with its doses and limits as they were computed; of a member who is no lead, only one's own."""
    acting.check("view")
    rows = CalculationTrace.objects.filter(review=acting.review, member__in=_whose(acting), question=question)
    first = rows.select_related("member").order_by("pk").first()
    if first is None:
        raise InputError(f"there is no calculation {question[:12]!r} of yours")
    own = list(rows.filter(member=first.member).order_by("number"))
    return Calculation(question, first.member.code, first.at, len(own), first.asked), own


def _whose(acting: Acting) -> Iterable[Member]:
    return Member.objects.filter(review=acting.review) if acting.may("read audit trail") else [acting.member]


def _version(guided: Guided) -> str:
    """Which guidance: the package with its version and date, and a hash of the rules as they were read."""
    meta = guided.guidance.package.meta
    return f"{meta.id} {meta.version} ({meta.date}); rules {rules_digest(guided.guidance.rules)[:16]}"[:200]
