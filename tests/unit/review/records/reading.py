"""Bytes in, records and tally out: what the tests of the readers share."""

from __future__ import annotations

import io

from balm.review.records.formats import READERS
from balm.review.records.receipt import Tally
from balm.review.records.recognise import recognise
from balm.vocabulary.record import Record


def read(data: bytes | str, *, name: str = "file.txt", expect: str | None = None) -> tuple[list[Record], Tally]:
    """Recognise ``data``, read it, and check that nothing it holds went uncounted."""
    raw = data.encode() if isinstance(data, str) else data
    found = recognise(raw, name)
    assert found is not None, "no reader knows this content"
    assert expect in (None, found)
    tally = Tally(name, taken=set())
    records = list(READERS[found].read(io.BytesIO(raw), tally))
    receipt = tally.close()
    assert len(records) == receipt.read
    return records, tally


def whys(tally: Tally) -> str:
    return "\n".join(str(entry) for entry in tally.entries)
