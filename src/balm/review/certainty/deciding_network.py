"""A person's decision on the certainty of one comparison of a network, checked as that on an analysis is."""

from __future__ import annotations

from collections.abc import Mapping

from balm.review.certainty.deciding import Decision, decided_whole, given_fields
from balm.review.certainty.planned_network import NetworkCertainty
from balm.vocabulary.problems import Problem

#: Fields of an analysis that a comparison does not have.
OF_ANALYSES = ("target", "baseline", "baseline_source", "place")


def decide_comparison(
    it: NetworkCertainty, *, ratings: Mapping[str, str], reasons: Mapping[str, str], **fields: str
) -> Decision:
    """The decision that a form holds; :class:`InputError` with every problem at its field.

    Arguments as of :func:`balm.review.certainty.deciding.decide`; of the fields a comparison has ``certainty`` and
    ``reason``. Where its domains lead depends on the comparisons that its indirect evidence leans on, as they stand.
    """
    given, problems = given_fields(reasons, fields)
    problems += [
        Problem("belongs to an analysis; a comparison of a network has none", column=name)
        for name in OF_ANALYSES
        if given[name]
    ]
    domains, level, reason = decided_whole(
        [d.proposal for d in it.domains],
        ratings,
        reasons,
        given,
        problems,
        leads_to=it.leads_to,
        proposed=it.proposed,
    )
    return Decision(it.key, "", None, "", None, domains, level, it.proposed, reason)
