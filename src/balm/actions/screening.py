"""Screening on disk: the order of a package's records, the stopping test, agreement, and labelled sets simulated.

Nothing is written here except the files that are asked for: a vote is a person's, and these only inform.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from balm.actions.review import Review
from balm.review.deduplication.decided import set_aside
from balm.review.flow_counts import screening_outcomes
from balm.review.package import Package, ScreeningPlan
from balm.review.records.headers import HEADERS, plain_name
from balm.review.screening.agreement import Agreement, agreement_of_pairs
from balm.review.screening.batches import finished, learnable
from balm.review.screening.frozen import Batch, batches_of, to_read
from balm.review.screening.labels import inclusion, unlabelled
from balm.review.screening.ranking import Ranking, rank
from balm.review.screening.simulation import Simulation, simulate_screening
from balm.review.screening.stopping import StoppingTest, stopping_history, stopping_test
from balm.vocabulary.evidence import Vote
from balm.vocabulary.problems import InputError, Problem, check_option
from balm.vocabulary.record import Record

STAGES = ("title-abstract", "full-text")
#: A labelled set is small beside what a search returns; what is larger is most likely the wrong file.
MAX_BYTES = 1024**3


@dataclass(frozen=True, eq=False)
class Screened:
    """Where the screening of a package stands: ``found`` are the outcomes in the order in which they were settled."""

    stage: str
    plan: ScreeningPlan
    records: tuple[Record, ...]
    votes: tuple[Vote, ...]
    found: tuple[bool, ...]
    batches: tuple[Batch, ...] = ()

    def to_read(self, reviewer: str | None = None) -> tuple[str, ...]:
        """Records of the frozen batches still to be read: by ``reviewer``, or by somebody."""
        if reviewer is not None:
            return to_read(self.batches, self.votes, reviewer, reviewers=self.plan.reviewers)
        full = finished(self.votes, reviewers=self.plan.reviewers)
        return tuple(r for batch in self.batches for r in batch.records if r not in full)

    def progress(self, reviewer: str | None = None) -> tuple[tuple[int, int, int], ...]:
        """``(batch, records read, records)``: read by ``reviewer``, who sees no other's progress; or by everyone."""
        left = set(self.to_read(reviewer))
        return tuple((b.number, sum(r not in left for r in b.records), len(b.records)) for b in self.batches)

    def test(self) -> StoppingTest:
        """The stopping test, with target, alpha and bias of the protocol."""
        p = self.plan
        return stopping_test(self.found, len(self.records), target=p.target_recall, alpha=p.alpha, bias=p.bias)

    def history(self) -> tuple[StoppingTest, ...]:
        """The tests as the team would have seen them."""
        p = self.plan
        return stopping_history(self.found, len(self.records), target=p.target_recall, alpha=p.alpha, bias=p.bias)

    def agreement(self) -> tuple[tuple[str, str, Agreement], ...]:
        """Each pair of reviewers, from their first independent votes."""
        return agreement_of_pairs(self.votes)


def screening_of(folder: str | Path, *, stage: str = "title-abstract") -> Screened:
    """Load the screening of the package in ``folder`` at one stage.

    Its records are those not set aside as duplicates; at full text, those sent forward by title and abstract. A
    conflict that nobody has settled goes forward, as it may be an inclusion.
    """
    check_option("stage", stage, STAGES)
    package = Review.load(folder).package
    if not package.records:
        raise InputError(Problem("holds no records; `balm import` brings search exports in", file=str(folder)))
    votes = tuple(v for v in package.screening if v.stage == stage)
    outcomes = screening_outcomes(votes)
    done = finished(votes, reviewers=package.meta.screening.reviewers)
    last: dict[str, int] = {vote.record: at for at, vote in enumerate(votes)}
    order = sorted((r for r in last if r in done), key=lambda r: last[r])
    records = _records(package, stage)
    there = {r.id for r in records}
    found = tuple(outcomes[r] != "exclude" for r in order if r in there)
    batches = tuple(
        # A record set aside after its batch was frozen, as a duplicate say, is not read any more.
        replace(batch, records=tuple(r for r in batch.records if r in there))
        for batch in batches_of(package.batches, stage)
    )
    return Screened(stage, package.meta.screening, records, votes, found, batches)


def rank_review(
    folder: str | Path, *, stage: str = "title-abstract", question: str | None = None, seed: int = 0
) -> tuple[Screened, Ranking]:
    """The order in which the records of a package that nobody has decided on are best read.

    It learns settled outcomes only, none of a batch that somebody still reads, so that it tells nobody another's open
    vote. Records of frozen batches keep their order there and are not in this one, nor are those that have all their
    votes. Without ``question`` the words of the protocol's question are used.
    """
    screened = screening_of(folder, stage=stage)
    question = question_of(folder) if question is None else question
    known = learnable(screened.votes, screened.batches, reviewers=screened.plan.reviewers)
    there = {r.id for r in screened.records}
    full = finished(screened.votes, reviewers=screened.plan.reviewers)
    held = {r for batch in screened.batches for r in batch.records}
    records = [r for r in screened.records if r.id in known or (r.id not in full and r.id not in held)]
    ranking = rank(records, {r: o for r, o in known.items() if r in there}, question=question, seed=seed)
    return screened, ranking


def question_of(folder: str | Path) -> str:
    """The words of the protocol's question, from which an order can start."""
    asked = Review.load(folder).package.meta.question
    return " ".join((asked.population, asked.intervention, asked.comparators, asked.outcomes))


def _records(package: Package, stage: str) -> tuple[Record, ...]:
    surplus = set_aside(package.duplicates)
    kept = [r for r in package.records if r.record not in surplus]
    if stage == "full-text":
        before = screening_outcomes(v for v in package.screening if v.stage == "title-abstract")
        kept = [r for r in kept if before.get(r.record) in ("include", "conflict")]
    return tuple(Record(id=r.record, title=r.title, abstract=r.abstract) for r in kept)


def simulate_table(
    path: str | Path,
    *,
    labels: str,
    prior_included: int | Sequence[int] | None = None,
    prior_excluded: int | Sequence[int] | None = None,
    seed: int = 0,
    schedule: str = "every",
) -> Simulation:
    """Simulate the screening of a labelled set: a CSV or TSV file (also ``.gz``) with a title and, mostly, an abstract.

    ``labels`` names the column of decisions: 1 and 0, yes and no, included and excluded (and "maybe", which goes
    forward). Rows without a label (empty, or ASReview's -1) are left out and counted. Row numbers, of the priors and of
    the order, count from 0 under the header.
    """
    header, rows = _table(Path(path))
    if labels not in header:
        raise InputError(Problem(f"has no column {labels!r}; its columns are {_named(header)}", file=str(path)))
    if header.count(labels) > 1:
        raise InputError(Problem(f"has {header.count(labels)} columns {labels!r}; give them names", file=str(path)))
    named = [HEADERS.get(plain_name(name)) for name in header]
    title = next((i for i, tag in enumerate(named) if tag == "TI"), None)
    abstract = next((i for i, tag in enumerate(named) if tag == "AB"), None)
    if title is None and abstract is None:
        raise InputError(Problem(f"needs a column title or abstract; its columns are {_named(header)}", file=str(path)))
    if not rows:
        raise InputError(Problem("has no rows under its header", file=str(path)))
    at = header.index(labels)
    found = [None if unlabelled(row[at]) else inclusion(row[at].strip()) for row in rows]
    wrong = [
        Problem(
            f"must be 1 or 0, yes or no, included or excluded, or empty; got {rows[i][at][:40]!r}",
            file=str(path),
            row=i + 1,
            column=labels,
        )
        for i, value in enumerate(found)
        if value is None and not unlabelled(rows[i][at])
    ]
    if wrong:
        raise InputError(wrong[:5])
    known = [i for i, value in enumerate(found) if value is not None]
    if not known:
        raise InputError(Problem("has no label in any row", file=str(path), column=labels))
    texts = [" ".join("" if c is None else rows[i][c] for c in (title, abstract)) for i in known]
    done = simulate_screening(
        texts,
        [found[i] for i in known],
        prior_included=_among("prior_included", prior_included, found, True),
        prior_excluded=_among("prior_excluded", prior_excluded, found, False),
        seed=seed,
        schedule=schedule,
    )
    at_row = np.array(known, dtype=np.int64)
    return replace(
        done,
        order=at_row[done.order],
        prior_included=tuple(known[i] for i in done.prior_included),
        prior_excluded=tuple(known[i] for i in done.prior_excluded),
        unlabelled=len(rows) - len(known),
    )


def _among(name: str, given: int | Sequence[int] | None, found: list[bool | None], want: bool) -> list[int] | None:
    """Row numbers of the file as places among its labelled rows."""
    if given is None:
        return None
    rows = [given] if isinstance(given, int) else list(given)
    word = "included" if want else "excluded"
    for row in rows:
        if not 0 <= row < len(found):
            raise InputError(Problem(f"{name} must be a row from 0 to {len(found) - 1}; got {row}"))
        if found[row] is None:
            raise InputError(Problem(f"{name} must be labelled rows; row {row} has no label"))
        if found[row] != want:
            raise InputError(Problem(f"{name} must be {word} records; row {row} is not"))
    places = {row: at for at, row in enumerate(i for i, value in enumerate(found) if value is not None)}
    return [places[row] for row in rows]


def _named(header: Sequence[str]) -> str:
    more = f" and {len(header) - 20:,} more" if len(header) > 20 else ""
    return ", ".join(name[:40] for name in header[:20]) + more


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open("rb") as source:
            data = source.read(MAX_BYTES + 1)
        if data[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=str(path))) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(Problem(f"cannot be read: {reason}", file=str(path))) from None
    if len(data) > MAX_BYTES:
        raise InputError(Problem(f"holds more than {MAX_BYTES // 1024**2} MB", file=str(path)))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if not text.strip() or "\x00" in text:
        raise InputError(Problem("is empty" if not text.strip() else "is not a text table", file=str(path)))
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise InputError(Problem(f"cannot be read as a table: {error}", file=str(path))) from None
    header = [name.strip() for name in lines[0]]
    wide = [
        Problem(f"has {len(row)} cells, but the header has {len(header)}", file=str(path), row=i)
        for i, row in enumerate(lines[1:], start=1)
        if len(row) > len(header)
    ]
    if wide:
        raise InputError(wide[:20])
    return header, [row + [""] * (len(header) - len(row)) for row in lines[1:]]
