"""The package as it stands now, read once for each state of it.

The stamp of its tables tells one state from the next. It is of what everybody may see: a hidden vote moves nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from django.db.models import Count, Max, Sum
from django.db.models.fields.json import KT

from balm.review.package import Package
from balm.review.reading import read_package
from balm.review.schema import TABLES
from balm.store.reviews.models import KeptTable, Review, Row, StoredFile
from balm.store.reviews.package_rows import table_bytes
from balm.vocabulary.evidence import DuplicateDecision, Record, Vote
from balm.vocabulary.problems import InputError

#: Tables that grow with the search, and that no analysis reads: the records, and what refers to records.
OF_THE_SEARCH = tuple(
    t.file for t in TABLES if t.attribute == "records" or any(c.refers == "records" for c in t.columns)
)
OF_SYNTHESIS = tuple(t.file for t in TABLES if t.file not in OF_THE_SEARCH)
#: Values kept at once; the oldest goes first.
KEPT = 64

_kept: OrderedDict[tuple[str, ...], tuple[Any, Any]] = OrderedDict()
_lock = threading.Lock()


class _Making:
    """Held by the thread that works out a value: who wants the same meanwhile waits, and does not do it again."""

    def __init__(self) -> None:
        self.held = threading.RLock()


_making: WeakValueDictionary[tuple[str, ...], _Making] = WeakValueDictionary()


def kept_for(key: tuple[str, ...], state: Any, make: Callable[[], Any]) -> Any:
    """What ``make()`` returned for this ``state`` of ``key``, made again only when the state is another."""
    with _lock:
        found = _kept_value(key, state)
        making = None if found else _making.setdefault(key, _Making())
    if making is None:
        return found[0]
    with making.held:
        with _lock:
            if found := _kept_value(key, state):  # another thread was at it
                return found[0]
        value = make()
        keep(key, state, value)
    return value


def keep(key: tuple[str, ...], state: Any, value: Any) -> None:
    """Keep a value for this ``state`` of ``key``, in place of the one before."""
    with _lock:
        _kept[key] = (state, value)
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)


def _kept_value(key: tuple[str, ...], state: Any) -> tuple[Any, ...]:
    """The value kept for this state, as the one member of a tuple; nothing where none is. Call it under the lock."""
    found = _kept.get(key)
    if found is None or found[0] != state:
        return ()
    _kept.move_to_end(key)
    return found[1:]


def forget() -> None:
    """Keep nothing: for tests that go back in time, where the same number of the last event means another state."""
    with _lock:
        _kept.clear()


def data_stamp(review: Review) -> tuple[Any, ...]:
    """What tells one state of the tables of synthesis from the next; found without reading a cell.

    A changed row has a new version, a new row a new number; a file of the package is told by its hash. It is looked up
    each time. Were it kept until the next event, as short an answer as before would tell that nobody has acted since,
    and a longer one that somebody has, however hidden the act.
    """
    rows = (
        Row.objects.filter(review=review, table__in=OF_SYNTHESIS)
        .order_by("table")
        .values_list("table")
        .annotate(Count("pk"), Sum("version"), Max("pk"))
    )
    tables = KeptTable.objects.filter(review=review, table__in=OF_SYNTHESIS).order_by("table")
    files = StoredFile.objects.filter(review=review).order_by("path").values_list("path", "sha256")
    return tuple(rows), tuple((t.table, tuple(t.columns)) for t in tables), tuple(files)


def current_package(review: Review) -> Package:
    """The package without the tables of the search, read and checked; :class:`InputError` with every problem."""
    for _ in range(3):  # somebody may change a table while it is read: then it is read again
        stamp = data_stamp(review)
        package: Package = kept_for(("package", review.key), stamp, lambda: _read(review))
        if data_stamp(review) == stamp:
            break
    return package


def with_search(review: Review, package: Package) -> Package:
    """The package with what the flow counts of the tables of the search: ids, sources and decisions, no abstract."""
    records = _grown(
        review, "records.csv", (KT("cells__record"), KT("cells__search")),  # as texts: SQLite reads "12" as a number
        lambda record, search: Record(record, search or None, None, None, None, None, None, None, None, None),
    )  # fmt: skip
    duplicates = _grown(review, "duplicates.csv", ("cells",), _decision)
    votes = _grown(review, "screening.csv", ("cells",), _vote)
    return replace(package, records=records, duplicates=duplicates, screening=votes)


def revealed_votes_of(review: Review) -> tuple[Vote, ...]:
    """The rows of ``screening.csv`` at every stage, in their order; only those read anew that were added since."""
    return _grown(review, "screening.csv", ("cells",), _vote)


def search_stamp(review: Review) -> tuple[Any, ...]:
    """What tells one state of the tables of the search from the next."""
    return tuple(_rows_stamp(review, table) for table in ("records.csv", "duplicates.csv", "screening.csv"))


def _rows_stamp(review: Review, table: str) -> tuple[int, int, int]:
    found = Row.objects.filter(review=review, table=table).aggregate(n=Count("pk"), v=Sum("version"), m=Max("pk"))
    return found["n"], found["v"] or 0, found["m"] or 0


def _grown(
    review: Review, table: str, columns: tuple[Any, ...], make: Callable[..., Any]
) -> tuple[Any, ...]:  # fmt: skip
    """Every row of a table as a value. These tables mostly grow: where rows were only added, they alone are read."""
    stamp = _rows_stamp(review, table)
    rows = Row.objects.filter(review=review, table=table).order_by("position")
    key = ("rows", review.key, table)
    with _lock:
        before = _kept.get(key)

    def read() -> tuple[Any, ...]:
        if before is not None and before[0][2]:
            n, v, m = before[0]
            new = list(rows.filter(pk__gt=m).values_list("position", "version", *columns))
            added = sum(row[1] for row in new)
            if new and (n + len(new), v + added) == stamp[:2] and new[0][0] > before[1][0]:
                return new[-1][0], (*before[1][1], *(make(*row[2:]) for row in new))
        every = list(rows.values_list("position", *columns).iterator(5000))
        return (every[-1][0] if every else -1), tuple(make(*row[1:]) for row in every)

    found: tuple[Any, ...] = kept_for(key, stamp, read)[1]
    return found


def _decision(cells: Mapping[str, str]) -> DuplicateDecision:
    get = cells.get
    return DuplicateDecision(
        cells["record_1"], cells["record_2"], cells["decision"], get("rule"), get("person"), get("time")
    )


def _vote(cells: Mapping[str, str]) -> Vote:
    get = cells.get
    return Vote(
        cells["record"], cells["stage"], get("reviewer", ""), cells["decision"], get("kind", "vote"), get("reason"),
        get("time"),
    )  # fmt: skip


def _read(review: Review) -> Package:
    files = {
        kept.table: table_bytes(review, kept)
        for kept in KeptTable.objects.filter(review=review, table__in=OF_SYNTHESIS)
    }
    for path in ("review.toml", "guidance/"):
        for file in StoredFile.objects.filter(review=review, path__startswith=path):
            files[file.path] = bytes(file.content)
    package, problems = read_package(dict(sorted(files.items())), Path(review.slug))
    if package is None:
        raise InputError(problems)
    return package
