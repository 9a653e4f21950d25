"""Records read together, with the receipt of their reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from balm.review.records.receipt import Receipt
from balm.vocabulary.record import Record


class Records(Sequence[Record]):
    """A sequence of :class:`~balm.vocabulary.record.Record` that knows its ``receipt``; it never changes.

    A slice is again ``Records`` with the same receipt, which tells of the reading, not of the slice.

    >>> records = Records([Record(id="1", title="Ketamine")])
    >>> len(records), records[0].title, records["1"].title
    (1, 'Ketamine', 'Ketamine')
    """

    __slots__ = ("_by_id", "_records", "receipt")

    def __init__(self, records: Iterable[Record] = (), receipt: Receipt | None = None) -> None:
        self._records: tuple[Record, ...] = tuple(records)
        self.receipt = receipt if receipt is not None else Receipt()
        self._by_id: dict[str, Record] | None = None

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    @overload
    def __getitem__(self, at: int | str) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> Records: ...
    def __getitem__(self, at: int | str | slice) -> Record | Records:
        if isinstance(at, str):
            if self._by_id is None:
                self._by_id = {r.id: r for r in self._records}
            return self._by_id[at]
        if isinstance(at, slice):
            return Records(self._records[at], self.receipt)
        return self._records[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Records) and self._records == other._records

    def __hash__(self) -> int:
        return hash(self._records)

    def __repr__(self) -> str:
        r = self.receipt
        files = f"{len(r.files)} file" + ("" if len(r.files) == 1 else "s")
        return (
            f"Records({len(self):,} from {files}: {r.held:,} held, {r.read:,} read, {r.rejected:,} rejected; "
            f"{r.repaired:,} repairs)"
        )
