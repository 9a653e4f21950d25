"""The counts of a PRISMA 2020 flow as a table: the CSV that the PRISMA2020 package and its web page read.

Haddaway NR, Page MJ, Pritchard CC, McGuinness LA. PRISMA2020: an R package and Shiny app for producing PRISMA
2020-compliant flow diagrams. Campbell Systematic Reviews 2022;18:e1230. A count that is not known is an empty cell.
"""

from __future__ import annotations

import csv
import io
import re

from balm.review.flow import Count, Flow, Named
from balm.vocabulary.spreadsheet_cell import harmless

COLUMNS = ("data", "node", "box", "description", "boxtext", "tooltips", "url", "n")

#: Key, box, and what the box says; a row without a key is a heading.
ROWS = (
    ("", "prevstud", "Previous studies"),
    ("previous_studies", "box1", "Studies included in previous version of review"),
    ("previous_reports", "box1", "Reports of studies included in previous version of review"),
    ("", "newstud", "Identification of new studies via databases and registers"),
    ("database_results", "box2", "Databases"),
    ("database_specific_results", "box2", "Specific Databases"),
    ("register_results", "box2", "Registers"),
    ("register_specific_results", "box2", "Specific Registers"),
    ("", "othstud", "Identification of new studies via other methods"),
    ("website_results", "box11", "Websites"),
    ("organisation_results", "box11", "Organisations"),
    ("citations_results", "box11", "Citation searching"),
    ("duplicates", "box3", "Duplicate records"),
    ("excluded_automatic", "box3", "Records marked as ineligible by automation tools"),
    ("excluded_other", "box3", "Records removed for other reasons"),
    ("records_screened", "box4", "Records screened"),
    ("records_excluded", "box5", "Records excluded"),
    ("dbr_sought_reports", "box6", "Reports sought for retrieval"),
    ("dbr_notretrieved_reports", "box7", "Reports not retrieved"),
    ("other_sought_reports", "box12", "Reports sought for retrieval"),
    ("other_notretrieved_reports", "box13", "Reports not retrieved"),
    ("dbr_assessed", "box8", "Reports assessed for eligibility"),
    ("dbr_excluded", "box9", "Reports excluded"),
    ("other_assessed", "box14", "Reports assessed for eligibility"),
    ("other_excluded", "box15", "Reports excluded"),
    ("new_studies", "box10", "New studies included in review"),
    ("new_reports", "box10", "Reports of new included studies"),
    ("total_studies", "box16", "Total studies included in review"),
    ("total_reports", "box16", "Reports of total included studies"),
    ("total_studies_ma", "box17", "Studies included in meta-analysis"),
    ("total_reports_ma", "box17", "Reports of studies included in meta-analysis"),
    ("identification", "identification", "Identification"),
    ("screening", "screening", "Screening"),
    ("included", "included", "Included"),
)
#: Keys whose cell lists named counts: of the flow's own field, or of another one.
_NAMED = {"dbr_excluded": "dbr_excluded_reasons", "other_excluded": "other_excluded_reasons"}
_HEADINGS = ("identification", "screening", "included")


def flow_csv(flow: Flow) -> bytes:
    """The table: one line a count, in the order and with the keys of the exchange format; UTF-8, a header."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for key, box, words in ROWS:
        writer.writerow((key or "NA", "NA", box, words, words, "NA", "NA", cell(flow, key)))
    return out.getvalue().encode()


def cell(flow: Flow, key: str) -> str:
    """What stands in the last column: a count, named counts (``Medline, 180; Embase, 120``), or nothing.

    >>> cell(Flow(database_results=12), "database_results"), cell(Flow(), "duplicates")
    ('12', '')
    """
    if not key or key in _HEADINGS:
        return "0"
    if key in _NAMED and (rows := getattr(flow, _NAMED[key])):
        return _listed(rows)
    value = getattr(flow, key)
    return _listed(value) if isinstance(value, tuple) else _one(value)


def _one(n: Count) -> str:
    return "" if n is None else str(n)


def _listed(rows: Named) -> str:
    said = "; ".join(f"{re.sub('[,;]', ' ', name)}, {_one(n)}" for name, n in rows)
    return harmless(said)
