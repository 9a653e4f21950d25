"""What leaves a review leaves its versions too: a search or a study that ``versions.csv`` names and nobody holds."""

from __future__ import annotations

from typing import Literal

from balm.actions.team.acting import Acting
from balm.actions.team.rows import put_row
from balm.review.living.history import FILE
from balm.store.reviews.models import Row
from balm.vocabulary.table_text import ids_in


def take_out_of_versions(acting: Acting, column: Literal["searches", "studies"], name: str, *, reason: str) -> None:
    """Take ``name`` out of each version that names it; a row that named something which is gone could not be read."""
    rows = Row.objects.filter(review=acting.review, table=FILE).order_by("position")
    for cells in list(rows.values_list("cells", flat=True)):
        named = ids_in(cells.get(column, ""))
        if name in named:
            left = "; ".join(one for one in named if one != name)
            put_row(acting, FILE, cells | {column: left}, reason=reason)
