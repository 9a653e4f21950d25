"""The abstract in the twelve points of PRISMA 2020 for abstracts, from what the package says and what was found."""

from __future__ import annotations

from balm.report.document.content import controlled, counted
from balm.report.document.networks import at_a_glance
from balm.report.document.parts import Section, said
from balm.report.document.wording import ended, listed, many, was
from balm.report.html_report.analysis_view import single_sentence
from balm.report.html_report.study_tables import IN_REVIEW
from balm.report.result_sentence import headline
from balm.report.result_sentence import how as way
from balm.review.certainty.of_analysis import participants, used_rows
from balm.review.package import Package
from balm.review.synthesis import AnalysisResult, Synthesis
from balm.vocabulary.numbers import MINUS

#: Without a summary of findings an abstract names this many results at most, in the order of the plan.
MAX_RESULTS = 6


def abstract(synthesis: Synthesis) -> Section:
    """A section for each point; what only the authors can say is left open."""
    review = synthesis.package
    meta = review.meta
    parts = (
        ("objectives", "Objectives", objective(review)),
        ("eligibility", "Eligibility criteria", " ".join(ended(c.include) for c in meta.eligibility)),
        ("sources", "Information sources", sources(review)),
        ("bias", "Risk of bias", bias_assessed(review)),
        ("synthesis", "Synthesis of results", _synthesis(synthesis)),
        ("studies", "Included studies", included(review)),
        ("results", "Results of syntheses", _results(synthesis)),
        ("limitations", "Limitations of the evidence", limits(synthesis)),
    )
    silent = {"sources"} if not review.searches else set()
    made = [Section(f"abstract-{id}", title, (said(text),), absent=id in silent) for id, title, text in parts if text]
    prompts = (
        ("interpretation", "Interpretation", "What the results mean, and what follows from them."),
        ("funding", "Funding", "Who paid for the review, or that nobody did."),
    )
    made += [Section(f"abstract-{id}", title, (said(text, kind="prompt"),), open=True) for id, title, text in prompts]
    made.append(Section("abstract-registration", "Registration", (said(registration(review)),)))
    return Section("abstract", "Abstract", sections=tuple(made))


def objective(review: Package) -> str:
    """The question in one or two sentences."""
    q = review.meta.question
    texts = [
        f"Population: {q.population}",
        f"Intervention: {q.intervention}",
        f"Comparators: {q.comparators}",
        f"Outcomes: {q.outcomes}",
    ]
    return " ".join(ended(text) for text in texts if not text.endswith(": "))


def sources(review: Package) -> str:
    """Which sources were searched, and when last."""
    if not review.searches:
        return "No search is on record."
    named = []
    for name in dict.fromkeys(s.source for s in review.searches):
        dates = [s.date for s in review.searches if s.source == name and s.date]
        named.append(f"{name} ({f'last searched {max(dates)}' if dates else 'date not recorded'})")
    return f"Sources searched: {'; '.join(named)}."


def bias_assessed(review: Package) -> str:
    """How many of the trials were judged, with which tool."""
    trials = controlled(review)
    tools = list(dict.fromkeys(j.tool for j in review.risk_of_bias))
    judged = {j.study for j in review.risk_of_bias} & {s.study for s in trials}
    if not tools:
        return "Risk of bias was not assessed."
    if not trials:
        return f"Risk of bias was assessed with {listed(tools)}."
    return f"Risk of bias was assessed with {listed(tools)}, in {len(judged)} of {counted(trials)}."


def _synthesis(synthesis: Synthesis) -> str:
    planned = len(synthesis.analyses)
    networks = _networks(synthesis)
    if not planned:
        return networks or "No analysis was planned."
    pooled = sum(a.fit is not None for a in synthesis.analyses)
    models = list(dict.fromkeys(a.spec.model for a in synthesis.analyses if a.fit is not None))
    how = f" with {listed([{'random': 'random-effects', 'common': 'common-effect'}[m] for m in models])} models"
    first = f"{many(planned, 'analysis', 'analyses').capitalize()} {was(planned)} planned."
    if not pooled:
        could = f"{'It' if planned == 1 else 'None of them'} could {'not ' if planned == 1 else ''}be pooled."
        return " ".join(text for text in (first, could, networks) if text)
    ways = {way(a.fit).partition(", ")[2] for a in synthesis.analyses if a.fit is not None}
    by = f" ({ways.pop()})" if len(ways) == 1 else ""
    return f"{first} In {many(pooled, 'analysis', 'analyses')}, two or more studies were pooled{how}{by}." + (
        f" {networks}" if networks else ""
    )


def _networks(synthesis: Synthesis) -> str:
    """How many network meta-analyses, and by which model."""
    count = len(synthesis.networks)
    if not count:
        return ""
    models = {"random": "random-effects", "common": "common-effect"}
    kinds = listed(list(dict.fromkeys(models[n.spec.model] for n in synthesis.networks)))
    what = many(count, "network meta-analysis", "network meta-analyses").capitalize()
    return f"{what} {was(count)} done with {'a ' if count == 1 else ''}{kinds} model{'' if count == 1 else 's'}."


def included(review: Package) -> str:
    """Studies and people of the review, by kind."""
    found = [s for s in review.studies if s.scope in IN_REVIEW]
    if not found:
        return "No study was included."
    told = []
    kinds = {
        "included": ("controlled trial", "in the review"),
        "sensitivity": ("controlled trial", "used in sensitivity analyses only"),
        "single-arm": ("single-arm study", "shown apart"),
    }
    for scope, (noun, place) in kinds.items():
        own = [s for s in found if s.scope == scope]
        if own:
            sizes = [s.n_randomised or s.n_analysed for s in own]
            known = [n for n in sizes if n]
            people = f"{many(sum(known), 'person', 'people')}" if known else "number of people not reported"
            if known and len(known) < len(own):
                people += f" in the {len(known)} that report it"
            several = "single-arm studies" if scope == "single-arm" else None
            told.append(f"{many(len(own), noun, several)} {place} ({people})")
    return f"Studies: {'; '.join(told)}."


def _results(synthesis: Synthesis) -> str:
    told = [a for a in synthesis.analyses if a.fit is not None or a.single is not None]
    rated = {c.analysis: c for c in synthesis.package.certainty if c.domain == "overall"}
    main = [a for a in told if a.id in rated and rated[a.id].place is not None]
    if main:  # the outcomes of the summary of findings, benefit and harm, in its order
        named = sorted(main, key=lambda a: rated[a.id].place or 0)
    else:
        named = sorted(told, key=lambda a: a.fit is None)[:MAX_RESULTS]  # pooled first, else in the order of the plan
    networks = at_a_glance(synthesis.networks)
    if not told and not networks:
        return "No analysis has a result." if synthesis.analyses else ""
    texts = [_one(a) + (f" Certainty: {rated[a.id].rating}." if a.id in rated else "") for a in named]
    rest = len(told) - len(texts)
    if rest:
        verb = "is" if rest == 1 else "are"
        texts.append(f"{many(rest, 'further result').capitalize()} {verb} given in the text.")
    return " ".join([*texts, *networks])


def _one(result: AnalysisResult) -> str:
    people = participants(used_rows(result))
    crowd = f" ({many(people, 'person', 'people')})" if people else ""
    if result.fit is None:
        assert result.single is not None
        return f"{result.title}{crowd}: {single_sentence(result.single, result.measure).rstrip('.')}; not pooled."
    return f"{result.title}{crowd}: {headline(result.fit, minus=MINUS)}"


def limits(synthesis: Synthesis) -> str:
    """What limits the evidence, as far as the package itself shows it."""
    review = synthesis.package
    texts = []
    small = sum(a.fit is not None and a.fit.k < 5 for a in synthesis.analyses)
    empty = sum(a.fit is None for a in synthesis.analyses)
    if small:
        texts.append(f"{many(small, 'pooled result').capitalize()} {'rests' if small == 1 else 'rest'} on fewer than "
                     "five studies.")  # fmt: skip
    if empty and synthesis.analyses:
        texts.append(f"{many(empty, 'planned analysis', 'planned analyses').capitalize()} could not be pooled.")
    trials = controlled(review)
    open_ = len(trials) - len({s.study for s in trials} & {j.study for j in review.risk_of_bias})
    if open_:
        texts.append(f"Risk of bias of {many(open_, 'controlled trial')} was not assessed.")
    if not (review.certainty or review.network_certainty):
        texts.append("The certainty of the evidence was not rated.")
    return " ".join(texts)


def registration(review: Package) -> str:
    """The register and number, or that none is recorded."""
    return ended(review.meta.registration) or "No registration is recorded."
