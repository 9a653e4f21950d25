"""What a result says of itself: guards that really acted, and only those."""

from __future__ import annotations

import balm


def test_the_guard_does_not_claim_to_act_on_rounding() -> None:
    # Two studies, REML: Hartung-Knapp's factor is 1 by algebra.
    es = balm.EffectSizes(effect=[-2.77, -0.0571], variance=[0.4905, 0.7388])
    fit = balm.pool(es)
    assert fit.tau2 > 0.0
    assert not [said for said in fit.advice if "guard acted" in said]


def test_the_guard_says_when_it_acts() -> None:
    es = balm.EffectSizes(effect=[0.10, 0.11, 0.10, 0.105], variance=[0.1, 0.1, 0.2, 0.1])
    assert [said for said in balm.pool(es).advice if "guard acted" in said]
    plain = balm.pool(es, inference="hartung-knapp")
    assert plain.se < 0.01
    assert [said for said in plain.advice if "hartung-knapp-guarded" in said]
