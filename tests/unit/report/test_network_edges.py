"""Words about small and odd networks: true, grammatical, and without a number that is none."""

from __future__ import annotations

import re
from html import unescape

import pytest

from balm.report.review_report import build_report
from balm.review.certainty.planned_network import network_certainties
from balm.review.living.update import living_flow
from balm.review.synthesis import synthesise
from tests.made_network import NETWORK, network_package

RD = NETWORK.replace('"OR"', '"RD"')
STAR = (("s1", "A", 3, 20), ("s1", "Placebo", 2, 21), ("s2", "B", 9, 30), ("s2", "Placebo", 4, 31))
WIDE = (("s1", "A", 3, 20), ("s1", "B", 5, 20), ("s1", "Placebo", 2, 21))
TWICE = (*WIDE, ("s2", "A", 6, 20), ("s2", "B", 8, 20), ("s2", "Placebo", 2, 21))
PAIR = (*STAR[:2], ("s2", "A", 8, 20), ("s2", "Placebo", 2, 21))
APART = (*STAR[:2], ("s2", "B", 9, 30), ("s2", "C", 4, 31))
SILENT = (("s1", "A", 0, 20), ("s1", "Placebo", 0, 21), ("s2", "B", 0, 20), ("s2", "Placebo", 0, 21))
#: What no sentence may hold, whatever the network is like.
NEVER = (r"\bnan\b", r"\bNone\b", r"\(\s*\)", r"\binf\b", r"\[\s*\]", r"\b1 (studies|comparisons|people|treatments)\b",
         r"\bone (studies|comparisons|people|treatments|arms)\b", r" 0\.00 \(0\.00", r"\bto inf")  # fmt: skip


def report(arms, networks: str = NETWORK) -> str:
    synthesis = synthesise(network_package(arms, networks=networks))
    page = build_report(synthesis, living_flow(synthesis.package, synthesis.pooled_studies))
    return " ".join(unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


@pytest.mark.parametrize(
    ("arms", "networks", "said", "never"),
    [
        (STAR, NETWORK, ["2 of 3 comparisons have direct evidence", "No loop of independent studies", "A: 1 study",
                         "Odds ratio of two treatments against Placebo, estimated from the network"],
         ["interval; not pooled", "Direct against indirect evidence:"]),
        (STAR, NETWORK + 'model = "common"\n', ["no evidence is left over (df = 0)."],
         ["random effects are the common"]),
        (STAR[:2], NETWORK, ["One study with 41 people compares two treatments; all evidence is direct.",
                             "its one arm, 2 of 21"], ["one arm together"]),
        (PAIR, NETWORK, ["Heterogeneity: τ² = 0.030", "0.00059"], ["inconsistency together"]),
        (APART, NETWORK, ["Placebo is not among them; they are shown against B, one of those with most studies.",
                          "falls into two parts that no study connects"], ["the one with most studies"]),
        (SILENT, NETWORK, ["Every study of two treatments for this outcome and time window says nothing",
                           "A, B and Placebo are not in the network"], ["No study reports numbers of two treatments"]),
        (SILENT, RD, ["Two studies with 82 people", "1 of 3"], ["2 of 3 P-score", "3 of 3 P-score"]),
        (WIDE, NETWORK, ["compares three treatments (more than two arms); all 3 comparisons have direct evidence"],
         ["direct and indirect one direct study"]),
        (TWICE, NETWORK, ["No loop of independent studies", "direct only two direct studies"],
         ["Direct against indirect evidence:", "direct and indirect two", "incoherence not rated"]),
        ((("s1", "A", 3, 20), ("s2", "Placebo", 2, 21)), NETWORK, ["No study reports numbers of two treatments"],
         ["say nothing about this measure"]),
    ],
    ids=["star", "common", "one study", "two treatments", "two parts", "no events", "no events, differences",
         "one of three arms", "three arms only", "no study"],
)  # fmt: skip
def test_what_is_said_of_a_small_network_is_true(arms, networks: str, said: list[str], never: list[str]) -> None:
    page = report(arms, networks)
    for words in said:
        assert words in page, words
    for words in never:
        assert words not in page, words
    for pattern in NEVER:
        assert not (found := re.search(f".{{0,60}}{pattern}", page)), found


def test_the_interval_that_imprecision_is_rated_on_is_the_one_shown() -> None:
    package = network_package(APART)
    own = {c.pair: c for c in network_certainties(package, synthesise(package).networks[0])}
    c = own["C", "B"]
    low, high = c.comparison.interval
    assert (
        c.comparison.estimate < 0 and f"interval {low:.3g} to {high:.3g}" in c.domain("imprecision").proposal.numbers[0]
    )
