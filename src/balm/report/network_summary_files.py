"""The summary of findings of a planned network as files: CSV, a page, and Word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from balm.report.document.network_certainty import network_summary
from balm.report.document.parts import Document, Section
from balm.report.html_report.table import Table
from balm.report.html_report.table_html import body
from balm.report.network_findings import STYLE
from balm.review.certainty.planned_network import NetworkCertainty
from balm.review.networks.analysed import NetworkResult

Found = Sequence[NetworkCertainty]


def summary_tables(result: NetworkResult, found: Found) -> tuple[Table, ...]:
    """A table for each part of the network that has an estimate, without links into a report."""
    return tuple(
        network_summary(result, part, [c for c in found if c.comparison.against in part.treatments], behind=False)
        for part in result.parts
        if part.fit is not None
    )


def _csv(result: NetworkResult, found: Found) -> bytes:
    return "".join(table.csv for table in summary_tables(result, found)).encode("utf-8")


def _html(result: NetworkResult, found: Found) -> bytes:
    parts = []
    for table in summary_tables(result, found):
        heads = "".join(f'<th scope="col">{escape(column.title)}</th>' for column in table.columns)
        parts.append(
            f'<h2 id="{escape(table.id)}-title">{escape(table.caption)}</h2>\n'
            f'<div class="wide" tabindex="0" role="region" aria-labelledby="{escape(table.id)}-title"><table>\n'
            f"<thead><tr>{heads}</tr></thead><tbody>{body(table)}</tbody></table></div>\n<p>{escape(table.note)}</p>\n"
        )
    title = escape(f"Summary of findings: {result.title}")
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>{STYLE}</style></head>'
        f"<body>\n<h1>{escape(result.title)}</h1>\n{''.join(parts)}</body></html>\n"
    )
    return page.encode("utf-8")


def _word(result: NetworkResult, found: Found) -> bytes:
    from balm.report.document.word import word

    section = Section("network-sof", f"Summary of findings: {result.title}", summary_tables(result, found))
    return word(Document(result.title, "Summary of findings", "", (), (section,)), front=False)


#: Ending of the file -> how it is written.
WRITERS: dict[str, Callable[[NetworkResult, Found], bytes]] = {".html": _html, ".csv": _csv, ".docx": _word}
