"""Where a number leads: anchors inside the page, and addresses of sources outside it."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

from balm.report.html_report.table import Link
from balm.vocabulary.evidence import Report

_ADDRESS = re.compile(r"^https?://[^\s]+$", re.IGNORECASE)


@lru_cache(20_000, typed=True)
def anchor(kind: str, name: object) -> str:
    """An id of the page for a thing of the package.

    >>> anchor("result", "noppers2011-15 min")
    'result-noppers2011-15-min'
    """
    return f"{kind}-" + re.sub(r"[^A-Za-z0-9_-]+", "-", str(name)).strip("-")


def address(analysis: str, quantity: str = "estimate", study: str | None = None) -> str:
    """The address of a number.

    >>> address("pain-week-1"), address("pain-week-1", "weight", "sigtermans2009")
    ('pain-week-1:estimate', 'pain-week-1:sigtermans2009:weight')
    """
    return ":".join(part for part in (analysis, study, quantity) if part)


def place(analysis: str, quantity: str | None = None, study: str | None = None) -> str:
    """The id in a page that stands for an address; without a quantity that of the analysis or the study's part.

    >>> place("pain-week-1", "estimate"), place("pain-week-1"), place("pain-week-1", study="sigtermans2009")
    ('at:pain-week-1:estimate', 'at:pain-week-1', 'at:pain-week-1:sigtermans2009')
    """
    return ":".join(part for part in ("at", analysis, study, quantity) if part)


def addresses(source: str | None) -> tuple[str, ...]:
    """The web addresses in a source cell, which separates them by `` ; ``; anything else is no link."""
    if not source:
        return ()
    parts = [part.strip() for part in re.split(r"\s;\s|\s", source)]
    return tuple(part for part in parts if _ADDRESS.match(part))


def doi_link(doi: str | None) -> Link | None:
    """A link to a complete DOI. A truncated one (``10.56126/``) or one with words added is no link.

    >>> doi_link("10.1016/j.pain.2009.06.023").href
    'https://doi.org/10.1016/j.pain.2009.06.023'
    >>> doi_link("10.56126/") is None
    True
    """
    found = re.match(r"^(10\.\d{4,9}/\S+)", (doi or "").strip())
    return Link(f"doi:{found[1]}", "https://doi.org/" + quote(found[1], safe="/:.()-_;")) if found else None


def source_links(source: str | None, report: Report | None, numbers: dict[str, int]) -> tuple[Link, ...]:
    """Reference number, DOI or PMID, and each page on which a value was read."""
    links: list[Link] = []
    if report is not None:
        if report.report in numbers:
            links.append(Link(f"ref. {numbers[report.report]}", "#" + anchor("ref", report.report)))
        if doi := doi_link(report.doi):
            links.append(doi)
        elif report.pmid:
            links.append(Link(f"PMID {report.pmid}", f"https://pubmed.ncbi.nlm.nih.gov/{quote(report.pmid)}/"))
    links += [Link(host(address), address) for address in addresses(source)]
    return tuple(links)


def host(address: str) -> str:
    """The site of an address, as a reader would name it.

    >>> host("https://www.metajournal.com/articles/3171")
    'metajournal.com'
    """
    return (urlsplit(address).hostname or address).removeprefix("www.")
