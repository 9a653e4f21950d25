"""What is assessed: a result (study, outcome, time window, comparison) or a study, with one instrument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from balm.review.contrasts import window_of
from balm.review.package import Package
from balm.review.risk_of_bias.instrument import INSTRUMENTS, Instrument, instrument
from balm.review.risk_of_bias.on_record import BiasGroup
from balm.vocabulary.evidence import Contrast, Result, Study

#: Design -> the instrument that suits it; a person may choose another.
SUGGESTED = {
    "parallel": "rob2-assignment",
    "cross-over": "rob2-assignment",
    "cluster": "rob2-assignment",
    "non-randomised": "robins-i-2016",
    "single-arm": "jbi-case-series",
}
#: Studies with a place in the review whose risk of bias counts.
ASSESSED_SCOPES = ("included", "sensitivity", "single-arm")
#: Designs whose own variant of RoB 2 is not coded: what its form leaves out.
NOT_CODED = {
    "cross-over": "RoB 2 has a variant for cross-over trials (period and carry-over effects) that is not coded here: "
    "say in the support text what you found about them.",
    "cluster": "RoB 2 has a variant for cluster-randomised trials (timing of identification and recruitment) that is "
    "not coded here: say in the support text what you found about it.",
}
WHOLE_STUDY = "study"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to assess; outcome, window and comparison are empty where the instrument is about the study."""

    instrument: str
    study: str
    outcome: str = ""
    window: str = ""
    comparison: str = ""

    @property
    def place(self) -> str:
        """The result within its study, as one word of an address.

        >>> Target("rob2-assignment", "amr2010", "pain", "", "a-b").place
        'pain~~a-b'
        """
        return f"{self.outcome}~{self.window}~{self.comparison}" if self.outcome else WHOLE_STUDY

    @property
    def key(self) -> str:
        """The target as one text, the same on every server."""
        return f"{self.instrument}/{self.study}/{self.place}"


def targets_of(package: Package, name: str | None = None) -> tuple[Target, ...]:
    """Everything there is to assess with the instrument ``name``, or with the one that suits each study's design."""
    return tuple(
        target
        for study in package.studies
        if study.scope in ASSESSED_SCOPES
        for chosen in (name or SUGGESTED.get(study.design),)
        if chosen is not None
        for target in _of_study(package, study, instrument(chosen))
    )


def target_at(package: Package, name: str, study: str, place: str) -> Target | None:
    """The target at an address, or ``None`` where the review has no such study or result."""
    if name not in INSTRUMENTS or study not in {s.study for s in package.studies}:
        return None
    found = _of_study(package, package.study(study), instrument(name))
    return next((target for target in found if target.place == place), None)


def _of_study(package: Package, study: Study, one: Instrument) -> Iterator[Target]:
    if one.per == "study":
        yield Target(one.id, study.study)
        return
    rows: list[Result | Contrast] = [*package.results_of(study.study)]
    rows += [c for c in package.contrasts if c.study == study.study]
    places = dict.fromkeys((row.outcome, window_of(row, package.meta.windows) or "") for row in rows)
    roles = {arm.role for arm in package.arms if arm.study == study.study}
    fitting = [c for c in package.meta.comparisons if roles & set(c.roles_1) and roles & set(c.roles_2)]
    comparisons = [c.id for c in fitting] or [
        c.id for c in package.meta.comparisons if not c.roles_2 and roles & set(c.roles_1)
    ]
    for outcome in (o.id for o in package.meta.outcomes):
        for window in ("", *(w.id for w in package.meta.windows)):
            if (outcome, window) in places:
                yield from (Target(one.id, study.study, outcome, window, comparison) for comparison in comparisons)


def group_title(package: Package, group: BiasGroup) -> str:
    """The instrument, and the kind of result that a group of judgements is about."""
    if group.outcome is None:
        return group.tool
    target = Target("", "", group.outcome, group.window or "", group.comparison or "")
    return f"{group.tool}: {in_words(package, target)}"


def in_words(package: Package, target: Target) -> str:
    """The result in words: outcome, window and comparison; ``the study`` where it is about the whole of it."""
    if not target.outcome:
        return "the study"
    meta = package.meta
    parts = [meta.outcome(target.outcome).name]
    if target.window:
        parts.append(meta.window(target.window).name)
    if target.comparison and len(meta.comparisons) > 1:
        parts.append(meta.comparison(target.comparison).name)
    return ", ".join(parts)
