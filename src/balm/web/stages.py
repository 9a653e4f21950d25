"""The stages of a review as the pages list them: one row a stage, in the order of the work."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: the name of its first page, its title, what is done there, and the act its page asks for."""

    url: str
    title: str
    about: str
    act: str


#: A stage stands here once its pages do; a test asks for each of them.
STAGES: tuple[Stage, ...] = (
    Stage("set_up", "Set up", "Question, eligibility, outcomes, reasons for exclusion, words to highlight.", "view"),
    Stage("members", "People", "Who takes part, in which role, with which conflicts of interest.", "view"),
    Stage("records", "Searches and records", "Search exports in, with a receipt of every record they hold.", "view"),
    Stage("deduplication", "Possible duplicates", "What is doubtful, side by side; all can be undone.", "deduplicate"),
    Stage(
        "screening",
        "Screening",
        "Titles and abstracts, then full texts: each record by two people, blind to each other.",
        "view",
    ),
    Stage("full_texts", "Full texts", "Reports sought, obtained or not to be had; their PDFs to read.", "view"),
    Stage(
        "extraction",
        "Extraction",
        "What the reports print, entered by two people blind to each other, compared cell by cell.",
        "view",
    ),
    Stage(
        "risk_of_bias",
        "Risk of bias",
        "RoB 2, ROBINS-I, QUADAS-2 and JBI lists by their own rules: two assessors, then consensus.",
        "view",
    ),
    Stage("synthesis", "Analyses", "Forest and funnel plots, sensitivity analyses, pinned results.", "view"),
    Stage(
        "certainty",
        "Certainty",
        "GRADE: each domain proposed from the data with its rule, decided by people; the summary of findings.",
        "view",
    ),
    Stage("flow", "PRISMA flow", "How many records, reports and studies passed each stage, at any moment.", "view"),
    Stage("versions", "Versions", "Updates, what changed since each, releases; what stands behind a number.", "view"),
    Stage("report", "Report", "The whole review as one page, live: results, studies, sources and gaps.", "view"),
    Stage("guidance", "Guidance", "Doses, warnings and contradictions for one patient, each with its source.", "view"),
    Stage("claims", "Claims", "A text you paste: its numbers computed again, beside what this review found.", "view"),
    Stage("archive", "Take it home", "The review as a package or a whole archive, for any other server.", "download"),
    Stage(
        "audit",
        "Audit trail",
        "Who did what, when, from what, to what and why; every event chained.",
        "read audit trail",
    ),
)


def stages(request: HttpRequest) -> dict[str, object]:
    """Context of every page of a review: it, and as links the stages that the member may open; which one this is."""
    acting = getattr(request, "acting", None)
    if acting is None:
        return {}
    found = [
        (stage, reverse(stage.url, kwargs={"slug": acting.review.slug})) for stage in STAGES if acting.may(stage.act)
    ]
    here = max((address for _, address in found if request.path.startswith(address)), key=len, default="")
    listed = [(stage.title, address, address == here) for stage, address in found]
    return {"review": acting.review, "review_stages": listed}
