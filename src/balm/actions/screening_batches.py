"""Deal out a frozen batch: the next records for every reviewer, appended to ``batches.csv`` and never changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from balm.actions.import_records import appended
from balm.actions.review import write_whole
from balm.actions.screening import Screened, question_of, screening_of
from balm.review.screening.batches import SIZE, next_batch
from balm.review.screening.frozen import FILE, Batch
from balm.vocabulary.problems import InputError, Problem


def freeze_batch(
    folder: str | Path,
    *,
    stage: str = "title-abstract",
    size: int = SIZE,
    question: str | None = None,
    seed: int = 0,
) -> tuple[Screened, Batch]:
    """Append the next ``size`` records of the order to ``batches.csv``; the screening with them, and the new batch.

    All reviewers read them in this order. The order has learned the settled outcomes of batches that everyone has
    finished, and nothing of a batch that somebody still reads (:func:`balm.review.screening.batches.next_batch`).
    """
    screened = screening_of(folder, stage=stage)
    batch = next_batch(
        screened.records,
        screened.votes,
        screened.batches,
        size=size,
        reviewers=screened.plan.reviewers,
        question=question_of(folder) if question is None else question,
        seed=seed,
    )
    if not batch.records:
        raise InputError(Problem(f"no record is left for a batch at {stage}", file=str(folder)))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    shared = {"batch": batch.number, "stage": stage, "basis": batch.basis, "learned": len(batch.learned), "time": now}
    rows = [{**shared, "place": place, "record": record} for place, record in enumerate(batch.records, start=1)]
    path = Path(folder) / FILE
    write_whole(path, appended(path, rows).decode("utf-8"))
    return screening_of(folder, stage=stage), batch
