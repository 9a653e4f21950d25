"""The stages of a review as the pages list them: one row a stage, in the order of the work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: the name of its first page, its title, what is done there, and the act its page asks for."""

    url: str
    title: str
    about: str
    act: str


#: A stage stands here once its pages do; a test asks for each of them.
STAGES: tuple[Stage, ...] = (
    Stage("report", "Report", "The whole review as one page, live: results, studies, sources and gaps.", "view"),
)
