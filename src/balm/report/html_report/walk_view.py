"""The pages behind the numbers, in the same file: written directly, for a report has thousands of such chains."""

from __future__ import annotations

from collections.abc import Iterable

from balm.report.html_report.links import anchor, place
from balm.report.html_report.table import Link
from balm.report.html_report.table_html import escaped
from balm.report.walk_back import Quantity, ReportedValue, StudyStep, Variant, Walk
from balm.vocabulary.numbers import plain


def walks_html(walks: Iterable[Walk]) -> str:
    """One folded part an analysis; a link to a number, or to all of them, opens it: a browser unfolds what holds the
    target, and not a target that is folded itself."""
    return "".join(_walk(w) for w in walks if w.quantities or w.studies)


def _walk(w: Walk) -> str:
    numbers = "".join(_quantity(q) for q in w.quantities)
    steps = "".join(_step(w.analysis, s) for s in w.studies)
    others = "".join(_variant(w.analysis, v) for v in w.variants)
    told = f"<p>{escaped(w.model)}</p>" if w.model else ""
    rows = f'<p><a href="#{escaped(anchor("analysis", w.analysis))}">The analysis in this report</a></p>'
    return (
        f'<details class="walk"><summary>{escaped(w.title)}</summary>'
        f'<dl class="walk-numbers" id="{escaped(place(w.analysis))}">{numbers}</dl>'
        f'{told}{rows}<ol class="walk-studies">{steps}</ol>{others}</details>\n'
    )


def _variant(analysis: str, v: Variant) -> str:
    numbers = "".join(_quantity(q) for q in v.quantities)
    studies = "".join(
        f'<li><a href="#{escaped(place(analysis, study=s.study) if s.step else anchor("study", s.study))}">'
        f"{escaped(s.label)}</a>: {escaped(s.effect)}, weight {escaped(s.weight)}"
        f"{'; ' if s.links else ''}{_links(s.links)}</li>"
        for s in v.studies
    )
    return (
        f'<div class="walk-variant" id="{escaped(place(analysis, v.key))}"><h3>{escaped(v.title)}</h3>'
        f'<dl class="walk-numbers">{numbers}</dl><p>{escaped(v.model)}</p><ul>{studies}</ul></div>'
    )


def _quantity(q: Quantity) -> str:
    exact = plain(q.exact, 15) if q.exact == q.exact else "not estimable"
    return (
        f'<div id="{escaped(q.id)}"><dt>{escaped(q.name)}</dt><dd>{escaped(q.printed)}'
        f' <span class="note">in full {escaped(exact)}; address {escaped(q.address)}</span></dd></div>'
    )


def _step(analysis: str, s: StudyStep) -> str:
    effect = f": {escaped(s.effect)}" if s.effect else ": carries no information for this measure"
    weight = f", weight {escaped(s.weight)}" if s.weight else ""
    used = f"<li>Numbers used: {escaped(' against '.join(s.used))}</li>" if s.used else ""
    made = "".join(
        f"<li>Conversion: {escaped(c.text)}"
        + (f' <span class="note">{escaped(c.more)}</span>' if c.more else "")
        + "</li>"
        for c in s.conversions
    )
    notes = "".join(f"<li>Note: {escaped(n)}</li>" for n in s.notes)
    reported = "".join(_reported(v) for v in s.reported)
    if not s.reported:
        reported = f"<li>No row of the tables holds these numbers; source: {_links(s.sources) or 'not recorded'}</li>"
    return (
        f'<li id="{escaped(place(analysis, study=s.study))}"><a href="#{escaped(anchor("study", s.study))}">'
        f"{escaped(s.label)}</a>{effect}{weight}<ul>{used}{made}{notes}{reported}</ul></li>"
    )


def _reported(v: ReportedValue) -> str:
    file = f"{v.kind}s.csv, row {v.row}"
    quote = f"“{escaped(v.quote)}”" if v.quote else "no words of the report kept"
    page = escaped(v.page) if v.page else "page not on record"
    mark = f' <span class="unverified-mark">({escaped(v.mark)})</span>' if v.mark else ""
    return (
        f"<li>Reported: {escaped(v.whose)}, {escaped(v.timepoint)}: {escaped(v.printed)}{mark} "
        f'(<a href="#{escaped(anchor(v.kind, v.id))}">{file}</a>; {escaped(v.how_read)})'
        f"<ul><li>Read in: {_links(v.links) or escaped(v.source) or 'no source recorded'}; {page}; {quote}</li>"
        f"<li>Extracted by: {escaped(v.extracted)}</li></ul></li>"
    )


def _links(links: Iterable[Link]) -> str:
    return ", ".join(f'<a href="{escaped(link.href)}">{escaped(link.text)}</a>' for link in links)
