"""What databases print between two records of a RIS file: numbers, ``Record #3 of 18``, the name of the provider."""

from __future__ import annotations

import re
from collections.abc import Iterable

from balm.review.records.receipt import Tally

#: A line behind a blank one that is no text of the field before it.
BETWEEN = re.compile(
    r"(?:\d+\s*\.?|<\s*\d+\s*\.?\s*>|Record\s+#?\d+\s+of\s+\d+|Provider:.*|Content:.*|Database:.*|Search Strategy:.*"
    r"|%.*|-{5,}.*|={5,}.*|_{5,}.*)\s*$",
    re.I,
)
_OF = re.compile(r"Record\s+#?\d+\s+of\s+(\d+)", re.I)


def left_out(lines: Iterable[tuple[int, str]], tally: Tally) -> None:
    """Tell ``tally`` of the lines, with their numbers, that are part of no record.

    >>> tally = Tally("central.ris")
    >>> left_out([(1, "Record #1 of 18"), (2, "Provider: John Wiley & Sons, Ltd.")], tally)
    >>> tally.stated, tally.repaired
    (18, 2)
    """
    for number, text in lines:
        if text[0] in "Rr" and (found := _OF.match(text)):
            tally.stated = max(tally.stated or 0, int(found[1]))
        tally.repair(number, "text between records left out", repr(text[:60]))
