"""What a review keeps beside its package, for its archive: every append-only table of every stage, as JSON lines."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.fields.related import ForeignKey

from balm.store.reviews.models import Member, Review

#: ``app.Model`` in the order they are brought back. Each has a ``review``, may have ``member``s, and refers to nothing
#: else by row number.
ARCHIVED: tuple[str, ...] = (
    "records.Import",
    "records.Withdrawal",
    "screening.Opening",
    "screening.Batch",
    "screening.Vote",
    "screening.Reveal",
    "screening.Remark",
    "screening.Adjudication",
    "full_texts.Attempt",
    "full_texts.Paper",
    "full_texts.Linking",
    "extraction.Taken",
    "extraction.Entry",
    "extraction.Finished",
    "extraction.Consensus",
    "extraction.Written",
    "risk_of_bias.Assessment",
    "risk_of_bias.Finished",
    "risk_of_bias.Proposal",
    "risk_of_bias.Agreed",
    "synthesis.PinnedAnalysis",
    "versions.Released",
    "certainty.Rating",
    "certainty.Suggestion",
    "certainty.Agreed",
    "guidance.CalculationTrace",
)


def lines_of(review: Review, name: str) -> Iterator[str]:
    """The rows of one archived table that belong to ``review``, oldest first, a JSON object each."""
    model = apps.get_model(name)
    related = [f.name for f in _fields(model) if isinstance(f, ForeignKey)]
    for row in model._default_manager.filter(review=review).select_related(*related).order_by("pk").iterator(2000):
        values = {field.name: _plain(field, row) for field in _fields(model)}
        yield json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def restore_lines(review: Review, name: str, lines: Iterator[str], members: dict[str, Member]) -> int:
    """Bring the rows of one archived table back, in their order; returns how many."""
    model = apps.get_model(name)
    fields = {field.name: field for field in _fields(model)}
    made = []
    for line in lines:
        given = json.loads(line)
        made.append(model(review=review, **{n: _restored(fields[n], value, members) for n, value in given.items()}))
    model._default_manager.bulk_create(made, batch_size=500)
    return len(made)


def _fields(model: type[models.Model]) -> list[Any]:
    return [f for f in model._meta.concrete_fields if not f.primary_key and f.name != "review"]


def _plain(field: Any, row: models.Model) -> Any:
    if isinstance(field, ForeignKey):
        member = getattr(row, field.name)
        return None if member is None else member.code
    value = getattr(row, field.attname)
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value


def _restored(field: Any, value: Any, members: dict[str, Member]) -> Any:
    if value is None:
        return None
    if isinstance(field, ForeignKey):
        return members[value]
    if isinstance(field, models.DateTimeField):
        return datetime.fromisoformat(value)
    if isinstance(field, models.BinaryField):
        return base64.b64decode(value)
    return value
