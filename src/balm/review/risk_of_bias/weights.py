"""Judgements of a review as a plain table, with the weights that the studies have in the meta-analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from balm.review.package import Package
from balm.review.risk_of_bias.of_analysis import analyses_of
from balm.review.risk_of_bias.on_record import BiasGroup, by_study, domain_order
from balm.review.risk_of_bias.plain_table import BiasTable
from balm.review.risk_of_bias.words import OVERALL
from balm.review.synthesis import analyse


def weights_of(package: Package, group: BiasGroup) -> Mapping[str, float]:
    """Study -> weight in per cent in the first planned analysis of these results that pools; empty where none does."""
    for spec in analyses_of(package, group):
        found = analyse(package, replace(spec, sensitivity=(), subgroups=(), by=None))
        if found.fit is not None:
            weight = dict(zip(found.fit.effects.study, map(float, found.fit.weights), strict=True))
            return {row.study: weight[row.label] for row in found.rows if row.label in weight}
    return {}


def table_of(package: Package, group: BiasGroup, weights: Mapping[str, float] | None = None) -> BiasTable:
    """A group of judgements as a plain table: with ``weights``, the studies that have one."""
    judged = by_study(group)
    studies = [study for study in judged if weights is None or study in weights]
    labels = {s.study: s.label for s in package.studies}
    order = domain_order(group.judgements)
    domains = [domain for domain in order if domain != OVERALL]
    return BiasTable(
        tuple(labels[s] for s in studies),
        tuple(domains),
        tuple(tuple(judged[s].get(d) for d in domains) for s in studies),
        tuple(judged[s].get(OVERALL) for s in studies) if OVERALL in order else (),
        () if weights is None else tuple(weights[s] for s in studies),
    )
