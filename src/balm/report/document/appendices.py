"""What stands around the results: question, prompts for a discussion, searches in full, excluded reports, people."""

from __future__ import annotations

from balm.report.document.abstract import limits, objective
from balm.report.document.parts import Block, Listing, Paragraph, Run, Section, Verbatim, said
from balm.report.document.wording import ended, listed, many
from balm.report.html_report.sensitivity_view import no_effect
from balm.report.html_report.table import Cell, Row, Table, columns, value
from balm.review.flow_counts import screening_outcomes
from balm.review.package import Package
from balm.review.synthesis import Synthesis


def introduction(review: Package) -> Section:
    """The rationale, which only the authors can write, and the question."""
    prompt = "Why is this review needed: what is known, what other reviews found, and what they leave open?"
    return Section(
        "introduction",
        "Introduction",
        sections=(
            Section("rationale", "Rationale", (said(prompt, kind="prompt"),), open=True),
            Section("question", "Objectives", (said(objective(review), ended(review.meta.status)),)),
        ),
    )


def discussion(synthesis: Synthesis) -> Section:
    """Prompts with the facts at hand; nothing here judges."""
    pooled = [a for a in synthesis.analyses if a.fit is not None]
    wide = [
        a.title
        for a in pooled
        if a.fit is not None and no_effect(a.measure) is not None and a.fit.interval.low < 0 < a.fit.interval.high
    ]
    single = [a.title for a in synthesis.analyses if a.fit is None and a.single is not None]
    interpretation = ["What do the results mean beside those of other reviews and trials?"]
    if synthesis.published:
        n = len(synthesis.published)
        verb = "stands" if n == 1 else "stand"
        interpretation.append(
            f"{many(n, 'published result').capitalize()} {verb} beside this review: why do they differ?"
        )
    if wide:
        which = "this analysis" if len(wide) == 1 else "these analyses"
        interpretation.append(
            f"The interval includes no effect in {which}: {'; '.join(wide)}. "
            "Which differences that matter does it not rule out?"
        )
    evidence = [ended(limits(synthesis)) or "What limits the studies themselves: bias, inconsistency, indirectness?"]
    if single:
        which = "this analysis" if len(single) == 1 else "these analyses"
        evidence.append(f"One study is all there is for {which}: {'; '.join(single)}. How far does it carry?")
    review_limits = ["What could have gone wrong in searching, selecting, extracting and judging?"]
    if synthesis.package.meta.extraction.extractors == 1:
        review_limits.append("Data were extracted by one person: how were errors looked for?")
    if not synthesis.package.searches:
        review_limits.append("No search is on record: which studies may be missing?")
    gaps = [g.missing for g in synthesis.gaps[:5]]
    implications = ["What follows for practice and policy, and how sure can one be?"]
    implications += (
        [f"Research that would change most: {'; '.join(gaps)}."]
        if gaps
        else ["Which research would change the answer?"]
    )
    parts = (
        ("interpretation", "Interpretation", interpretation),
        ("limits-evidence", "Limitations of the evidence", evidence),
        ("limits-review", "Limitations of the review", review_limits),
        ("implications", "Implications", implications),
    )
    made = tuple(
        Section(f"discussion-{id}", title, (Listing(tuple((Run(t),) for t in texts), "prompt"),), open=True)
        for id, title, texts in parts
    )
    return Section("discussion", "Discussion", sections=made)


def other_information(review: Package) -> Section:
    """Support, people with their interests, and what is public."""
    people: Block = said("No people are named in the plan.")
    if review.meta.people:
        people = Listing(
            tuple(
                (Run(p.name, bold=True), Run(f": {ended(p.role)} Interests: {ended(p.interests) or 'Not stated.'}"))
                for p in review.meta.people
            )
        )
    data = (
        "The review is a package of plain tables: the plan, every number as reported with its source, and every "
        "judgement. Every result here is computed from it."
    )
    licence = f"Licence: {ended(review.meta.licence)}" if review.meta.licence else ""
    return Section(
        "other",
        "Other information",
        sections=(
            Section(
                "support",
                "Support",
                (said("Who supported the review, with money or otherwise, and what part they had.", kind="prompt"),),
                open=True,
            ),
            Section("people", "Authors and competing interests", (people,)),
            Section("availability", "Data, code and other materials", (said(data, licence),)),
        ),
    )


def searches(review: Package) -> Section:
    """Every search in full, after PRISMA-S (Rethlefsen ML et al., Syst Rev 2021;10:39)."""
    if not review.searches:
        blocks: tuple[Block, ...] = (said("No search is on record, so there is no strategy to show."),)
        return Section("searches", "Appendix: search strategies", blocks, absent=True)
    heads = columns("#Search", "Kind", "Source", "Interface", "Date", ">Records", "Limits", "Searched by")
    rows = tuple(
        Row(
            (
                Cell(s.search),
                Cell(s.kind),
                Cell(s.source),
                value(s.interface),
                value(s.date),
                value(s.retrieved, missing="not known"),
                value(s.limits, missing="none recorded"),
                value(s.person),
            )
        )
        for s in review.searches
    )
    made: list[Block] = [Table("searches-table", "Sources searched (PRISMA-S)", heads, rows, cards=True)]
    for s in review.searches:
        on = f", {s.date}" if s.date else ""
        through = f" through {s.interface}" if s.interface else ""
        made.append(Paragraph((Run(f"{s.source}{through}{on}.", bold=True),)))
        made.append(Verbatim(s.strategy.strip()) if s.strategy else said("The strategy is not recorded."))
    made.append(said(_duplicates(review)))
    return Section("searches", "Appendix: search strategies", tuple(made))


def _duplicates(review: Package) -> str:
    found = sum(d.decision == "duplicate" for d in review.duplicates)
    if not review.duplicates:
        return "No decision on duplicates is on record."
    rules = sorted({d.rule for d in review.duplicates if d.rule})
    by = f" (by {listed(rules)})" if rules else ""
    return (
        f"Decisions on record say that {many(found, 'pair')} of records {'is' if found == 1 else 'are'} duplicates{by}."
    )


def excluded(review: Package, outside: Table) -> Section:
    """Full texts excluded, each with its reason, then studies considered and not in the review."""
    titles = {r.record: r for r in review.records}
    votes = [v for v in review.screening if v.stage == "full-text"]
    reasons = {v.record: v.reason for v in votes if v.decision == "exclude" and v.reason}
    rows = []
    for record, outcome in screening_outcomes(votes).items():
        if outcome == "exclude":
            known = titles.get(record)
            who = ", ".join(str(part) for part in (known.authors, known.year) if part) if known else None
            title = (known.title if known else None) or record
            rows.append(Row((Cell(title), value(who), value(reasons.get(record), missing="no reason given"))))
    blocks: list[Block] = []
    if rows:
        heads = columns("#Report", "Authors and year", "Reason")
        blocks.append(Table("excluded-reports", "Reports excluded at full text", heads, tuple(rows), cards=True))
    if outside.rows:
        blocks.append(outside)
    if not blocks:
        blocks.append(said("No excluded study is on record."))
    return Section("excluded", "Excluded studies", tuple(blocks))
