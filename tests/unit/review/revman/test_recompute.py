"""Which rows enter, by which method, on which scale: every kind of outcome against formulas written out here."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, log10, sqrt
from pathlib import Path
from statistics import NormalDist

import pytest

from balm.actions.revman import read_revman
from balm.review.revman.analyse import analyse
from balm.review.revman.comparison import RESULT_FIELDS
from balm.review.revman.model import RevManReview
from balm.review.revman.recompute import NOTHING
from balm.review.revman.rm5 import read_rm5
from balm.vocabulary.problems import InputError
from tests.unit.review.revman.made import (
    ASPIRIN,
    aspirin,
    data_rows,
    dich,
    element,
    outcome,
    rm5,
    row,
    settings_row,
    table,
)

Z = NormalDist().inv_cdf(0.975)


def read(*outcomes: str) -> RevManReview:
    return read_rm5(rm5(*outcomes), "made.rm5")


def total(review: RevManReview) -> dict[str, float]:
    return {k: v for k, v in review.recompute().outcomes[0].total.numbers.items() if v is not None}


def test_what_revman_stored_for_fleiss_agrees() -> None:
    agreement = read_rm5(aspirin(), "fleiss.rm5").recompute()
    assert (agreement.stored, agreement.agree, agreement.numbers) == (1, 1, 6)
    assert not agreement.disagree
    assert not agreement.inconsistent


def test_a_wrong_number_is_named_with_ours() -> None:
    agreement = read_rm5(aspirin(CI_END="0.96"), "fleiss.rm5").recompute()
    assert (agreement.stored, agreement.agree) == (1, 0)
    [wrong] = agreement.to_dict()["disagree"]
    assert wrong == {"where": "CMP-001.01", "field": "ci_high", "stored": 0.96, "ours": pytest.approx(0.956994708834)}


def test_the_json_has_the_promised_keys() -> None:
    found = read_rm5(aspirin(), "fleiss.rm5").recompute().to_dict()
    assert list(found) == ["stored", "agree", "disagree", "inconsistent", "outcomes"]
    settings, numbers = ["id", "name", "type", "measure", "method", "model"], list(RESULT_FIELDS)
    keys = [*settings, *numbers, "subgroups"]
    assert numbers == ["estimate", "ci_low", "ci_high", "tau2", "i2", "chi2", "df", "z", "p"]
    assert list(found["outcomes"][0]) == keys


def test_a_p_value_that_does_not_follow_from_its_chi_square_is_the_files_own() -> None:
    agreement = read_rm5(aspirin(P_CHI2="0.5"), "fleiss.rm5").recompute()
    [odd] = agreement.inconsistent
    assert odd.field == "p_chi2"
    assert "does not follow from the Chi2 and df beside it" in odd.why
    assert agreement.agree == 1


def test_logarithms_are_to_base_ten() -> None:
    good = read_rm5(aspirin(LOG_EFFECT_SIZE=log10(0.8968655609130709)), "x").recompute()
    assert not good.disagree
    natural = read_rm5(aspirin(LOG_EFFECT_SIZE=log(0.8968655609130709)), "x").recompute()
    assert "base-10 logarithm" in natural.inconsistent[0].why


def test_swapped_events_are_non_events() -> None:
    kind = {"EFFECT_MEASURE": "RR", "METHOD": "MH", "RANDOM": "NO", "TOTALS": "YES"}
    rows = "".join(dich(s, a, n_1, c, n_2) for s, _, a, n_1, c, n_2 in ASPIRIN)
    turned = "".join(dich(s, n_1 - a, n_1, n_2 - c, n_2) for s, _, a, n_1, c, n_2 in ASPIRIN)
    swapped = total(read(outcome("DICH", rows, SWAP_EVENTS="YES", **kind)))
    assert swapped == pytest.approx(total(read(outcome("DICH", turned, SWAP_EVENTS="NO", **kind))))
    assert swapped["estimate"] != pytest.approx(total(read(outcome("DICH", rows, **kind)))["estimate"])


def test_observed_minus_expected_is_summed_over_the_variance() -> None:
    rows = row("IPD_DATA", "A", O_E="-4.5", VAR="10", TOTAL_1=50, TOTAL_2=50)
    rows += row("IPD_DATA", "B", O_E="-1.5", VAR="5", TOTAL_1=30, TOTAL_2=30)
    found = total(read(outcome("IPD", rows, METHOD="EXP_O_E_VAR", EFFECT_MEASURE="HAZARD_RATIO", TOTALS="YES")))
    assert found["estimate"] == pytest.approx(exp(-6.0 / 15.0))
    assert found["ci_high"] == pytest.approx(exp(-6.0 / 15.0 + Z / sqrt(15.0)))
    assert found["z"] == pytest.approx(6.0 / sqrt(15.0))


@pytest.mark.parametrize("log_data", ["YES", "NO"])
def test_generic_effects_are_exponentiated_when_entered_as_logarithms(log_data: str) -> None:
    rows = row("IV_DATA", "A", ESTIMATE="-0.5", SE="0.2") + row("IV_DATA", "B", ESTIMATE="-0.1", SE="0.2")
    found = total(read(outcome("IV", rows + "<EFFECT_MEASURE>Hazard Ratio</EFFECT_MEASURE>", LOG_DATA=log_data)))
    assert found["estimate"] == pytest.approx(exp(-0.3) if log_data == "YES" else -0.3)
    assert found["chi2"] == pytest.approx(2.0)


def test_the_interval_has_the_level_of_the_file() -> None:
    rows = row("IV_DATA", "A", ESTIMATE="1", SE="1")
    wide = total(read(outcome("IV", rows, CI_TOTAL=99)))
    assert wide["ci_high"] == pytest.approx(1.0 + NormalDist().inv_cdf(0.995))


def test_means_with_a_zero_deviation_and_empty_groups_are_left_out() -> None:
    def means(study: str, sd: float, n: int) -> str:
        return row("CONT_DATA", study, MEAN_1=2, SD_1=sd, TOTAL_1=n, MEAN_2=1, SD_2=1, TOTAL_2=10)

    rows = means("A", 1.0, 10) + means("B", 0.0, 10) + means("C", 1.0, 0)
    result = read(outcome("CONT", rows, EFFECT_MEASURE="MD")).recompute().outcomes[0].total
    assert result.k == 1
    assert result.numbers["estimate"] == pytest.approx(1.0)


def test_no_events_at_all_are_not_estimable_and_not_counted() -> None:
    nothing = {"EFFECT_SIZE": "0.0", "CI_START": "0.0", "CI_END": "0.0", "ESTIMABLE": "NO"}
    review = read(outcome("DICH", dich("A", 0, 10, 0, 10), EFFECT_MEASURE="RR", METHOD="MH", **nothing))
    agreement = review.recompute()
    assert (agreement.stored, len(agreement.disagree)) == (0, 0)
    assert agreement.to_dict()["outcomes"][0]["estimate"] is None


def test_a_risk_ratio_of_events_in_everyone_is_one() -> None:
    """28 of 28 against 29 of 29: RevMan gives 1.00 (0.935159 to 1.069337), Cochrane review CD001703, analysis 1.25."""
    whole = read(outcome("DICH", dich("A", 28, 28, 29, 29), EFFECT_MEASURE="RR", METHOD="MH")).outcomes[0]
    [found] = analyse(whole, whole.all_rows).rows
    assert found is not None
    assert found["estimate"] == 1.0
    assert found["ci_low"] == pytest.approx(0.935159, abs=5e-7)
    assert found["ci_high"] == pytest.approx(1.069337, abs=5e-7)


def test_subgroup_totals_alone_store_their_mean_as_overall_result() -> None:
    def part(no: int, events: int) -> str:
        inside = f"<NAME>S{no}</NAME>" + dich(f"A{no}", events, 50, 20, 50)
        return element("DICH_SUBGROUP", {"ID": f"CMP-001.01.0{no}", "NO": no, "ESTIMABLE": "YES"}, inside)

    kind = {"EFFECT_MEASURE": "OR", "METHOD": "MH", "RANDOM": "YES", "TOTALS": "SUB", "SUBGROUPS": "YES"}
    plain = read(outcome("DICH", part(1, 5) + part(2, 18), **kind)).recompute()
    first, second = plain.outcomes[0].subgroups
    w = [(2 * Z / log(s.numbers["ci_high"] / s.numbers["ci_low"])) ** 2 for s in (first, second)]  # type: ignore[operator]
    y = [log(s.numbers["estimate"]) for s in (first, second)]  # type: ignore[arg-type]
    mean, half = (w[0] * y[0] + w[1] * y[1]) / sum(w), Z / sqrt(sum(w))
    held = {"EFFECT_SIZE": exp(mean), "CI_START": exp(mean - half), "CI_END": exp(mean + half), "ESTIMABLE": "YES"}
    agreement = read(outcome("DICH", part(1, 5) + part(2, 18), **kind, **held)).recompute()
    assert (agreement.stored, len(agreement.disagree)) == (0, 0)
    assert [(d.field, "mean of the subgroup" in d.why) for d in agreement.inconsistent] == [("estimate", True)]


def test_a_profile_changes_random_effects_only_and_is_checked() -> None:
    fixed = read_rm5(aspirin(), "x")
    assert fixed.recompute("revman-web").outcomes[0].total == fixed.recompute("revman5").outcomes[0].total
    rows = "".join(dich(s, a, n_1, c, n_2) for s, _, a, n_1, c, n_2 in ASPIRIN)
    random = read(outcome("DICH", rows, EFFECT_MEASURE="OR", METHOD="IV", RANDOM="YES"))
    old, new = (random.recompute(p).outcomes[0].total.numbers for p in ("revman5", "revman-web"))
    assert old["tau2"] != pytest.approx(new["tau2"])
    with pytest.raises(InputError, match="profile must be one of"):
        random.recompute("revman6")


def test_other_data_are_read_and_not_analysed() -> None:
    review = read(outcome("OTHER", row("OTHER_DATA", "A", "<P>Nausea in 3</P>")))
    assert review.outcomes[0].rows[0].text == "Nausea in 3"
    assert review.recompute().outcomes == ()


def test_an_explained_difference_does_not_hide_another() -> None:
    review = read_rm5(aspirin(P_CHI2="0.5", Z="1"), "x")
    agreement = replace(review).recompute()
    assert [d.field for d in agreement.disagree] == ["z"]
    assert agreement.agree == 0


@pytest.mark.parametrize("prediction", [("0.615673", "1.224525"), ("0.605068", "1.245988")])
def test_intervals_of_revman_web_are_compared(prediction: tuple[str, str], tmp_path: Path) -> None:
    """REML, Hartung-Knapp, Q-profile; prediction with k - 1 or k - 2: metafor 3.8 on the aspirin trials' log OR."""
    stored = {
        "Mean": "0.868278",
        "CI start": "0.740605",
        "CI end": "1.017961",
        "PI start": prediction[0],
        "PI end": prediction[1],
        "Heterogeneity Tau²": "0.014743",
        "Tau² CI start": "0",
        "Tau² CI end": "0.114501",
        "Heterogeneity I²": "50.152681",
        "Effect Z": "",
        "Effect t": "-2.173036",
        "Effect P": "0.072757",
    }
    options = {"Analysis model": "Random effects", "Statistical method": "IV", "Prediction interval": "true"}
    options |= {"Heterogeneity estimator": "REML", "CI method": "HKSJ", "Heterogeneity Chi²": "", "Heterogeneity P": ""}
    files = {
        "1-data-rows.csv": data_rows(),
        "1-overall-estimates-and-settings.csv": [settings_row(**options, **stored)],
    }
    for name, lines in files.items():
        (tmp_path / name).write_bytes(table(lines))
    agreement = read_revman(tmp_path).recompute()
    assert (agreement.disagree, agreement.inconsistent, agreement.agree) == ((), (), 1)
    assert agreement.numbers == 12
    wrong = settings_row(**options, **{**stored, "Tau² CI end": "0.2145", "PI end": "1.3"})
    (tmp_path / "1-overall-estimates-and-settings.csv").write_bytes(table([wrong]))
    assert {d.field for d in read_revman(tmp_path).recompute().disagree} >= {"pi_high", "tau2_high"}


def test_what_has_nothing_to_be_compared_with_is_counted() -> None:
    nothing = dict.fromkeys(("EFFECT_SIZE", "CI_START", "CI_END", "SE"), 0)
    rows = dich("A", 0, 9, 0, 9, ESTIMABLE="NO", **nothing) + dich("B", 1, 9, 2, 9)
    kind = {"EFFECT_MEASURE": "OR", "METHOD": "MH", "RANDOM": "NO", "TOTALS": "NO", "SUBGROUP_TEST": "NO"}
    agreement = read(outcome("DICH", rows, **kind, EFFECT_SIZE="0", EVENTS_1=1, TOTAL_1=18)).recompute()
    assert dict(agreement.not_compared) == {NOTHING: 5}
    assert (agreement.numbers, agreement.disagree) == (2, ())


def test_a_test_between_subgroups_is_compared_even_where_it_is_hidden() -> None:
    parts = "".join(
        element("DICH_SUBGROUP", {"ID": f"S{i}", "NO": i}, f"<NAME>{i}</NAME>" + dich(*cells))
        for i, cells in enumerate([("A", 1, 20, 4, 20), ("B", 9, 20, 5, 20)], 1)
    )
    kind = {"EFFECT_MEASURE": "OR", "METHOD": "MH", "RANDOM": "NO", "TOTALS": "YES", "SUBGROUP_TEST": "NO"}
    shown = {"EFFECT_SIZE": "1", "CI_START": "0.4", "CI_END": "3", "Q": "9.5", "ESTIMABLE": "YES"}
    agreement = read(outcome("DICH", parts, **kind, **shown)).recompute()
    assert "q" in [d.field for d in agreement.disagree]


def test_three_participants_give_a_standardised_difference_of_zero_that_is_pooled() -> None:
    """J = 1 - 3/(4N - 9) is 0 for N = 3; RevMan stores 0 (-2.400456 to 2.400456) and weighs it (CD015331, 1.56)."""
    means = {"MEAN_1": -10.77, "SD_1": 3.36, "TOTAL_1": 2, "MEAN_2": -11.04, "SD_2": 2.99, "TOTAL_2": 1}
    more = {"MEAN_1": -52, "SD_1": 16.2, "TOTAL_1": 21, "MEAN_2": -48.2, "SD_2": 14.7, "TOTAL_2": 9}
    rows = row("CONT_DATA", "A", **means) + row("CONT_DATA", "B", **more)
    [outcome_] = read(outcome("CONT", rows, EFFECT_MEASURE="SMD", RANDOM="NO")).outcomes
    first, second = analyse(outcome_, outcome_.rows).rows
    assert first is not None and second is not None
    assert (first["estimate"], first["ci_high"]) == (0.0, pytest.approx(2.400456, abs=5e-7))
    assert first["weight"] + second["weight"] == pytest.approx(100.0)
    alone = row("CONT_DATA", "A", **{**means, "TOTAL_1": 1})
    [outcome_] = read(outcome("CONT", alone, EFFECT_MEASURE="SMD", RANDOM="NO")).outcomes
    assert analyse(outcome_, outcome_.rows).reasons == ("too few participants for a standardised difference",)


#: CD016064, analysis 1.2: log rate ratios, standard errors, and the weights that RevMan Web stored.
STOPPED = (
    (-0.29, 0.14, "9.732595"),
    (0.01, 0.17, "7.031989"),
    (-0.34, 0.14, "9.732595"),
    (0.25, 0.17, "7.031989"),
    (-0.31, 0.31, "2.340079"),
    (-0.14, 0.11, "14.099376"),
    (-0.42, 0.3, "2.490947"),
    (-0.06, 0.1, "16.12517"),
    (0.27, 0.22, "4.445521"),
    (-0.08, 0.07, "24.767419"),
    (0.09, 0.32, "2.202319"),
)


def stopped(*weights: str) -> RevManReview:
    from balm.review.revman.web_package import read_web_package

    lines = []
    for place, (y, se, weight) in enumerate(STOPPED):
        ends = {"Mean": exp(y), "CI start": exp(y - Z * se), "CI end": exp(y + Z * se)}
        shown = {name: f"{value:.6f}" for name, value in ends.items()}
        cells = dict.fromkeys(("Experimental cases", "Experimental N", "Control cases", "Control N"), "0.0")
        about = {"Study": f"Study {place}", "GIV Mean": y, "GIV SE": se, "Weight": (weights or (weight,) * 11)[place]}
        lines.append({**data_rows()[0], **cells, **about, **shown})
    return read_web_package({"a-data-rows.csv": table(lines)}, "a")


def test_a_reml_that_stopped_before_its_maximum_is_named_with_where_it_stopped() -> None:
    agreement = stopped(*(weight for *_, weight in STOPPED)).recompute()
    assert agreement.disagree == ()
    [found] = agreement.inconsistent
    assert (found.field, found.stored) == ("tau2 of the weights", pytest.approx(0.00461585, abs=2e-8))
    assert found.ours == pytest.approx(0.00461582929, rel=1e-8)
    assert "stopped its steps" in found.why
    wrong = ["9.732695", *(weight for *_, weight in STOPPED[1:])]
    assert {d.field for d in stopped(*wrong).recompute().disagree} == {"weight"}


def test_the_stored_tau2_of_a_reml_that_stopped_explains_the_other_numbers(tmp_path: Path) -> None:
    """Full precision: numbers of a total at a tau2 1e-5 off the maximum are the file's; at 1e-2 off they are wrong."""
    from balm.stats.effect_sizes import EffectSizes
    from balm.stats.pooling.pool import pool

    es = EffectSizes(effect=[y for y, *_ in STOPPED], variance=[se * se for _, se, _ in STOPPED])
    best = pool(es, profile="revman5", model="random", tau2="REML").tau2
    for off, explained in ((1e-5, True), (1e-2, False)):
        at = pool(es, profile="revman-web", model="random", tau2=best * (1 + off), inference="wald")
        rows = stopped().outcomes[0].all_rows
        lines = [
            {**line, "Study": r.study, "GIV Mean": r.data["effect"], "GIV SE": r.data["se"], "Experimental N": "0.0"}
            for line, r in zip(data_rows() * 2, rows, strict=False)
        ]
        said = {"Mean": repr(exp(at.estimate)), "CI start": repr(exp(at.interval.low)), "Effect Z": "", "Effect P": ""}
        said |= {"CI end": repr(exp(at.interval.high)), "Heterogeneity Tau²": repr(at.tau2), "Heterogeneity Chi²": ""}
        said |= {"Heterogeneity I²": "", "Heterogeneity P": "", "Heterogeneity df": ""}
        options = {"Data type": "Generic inverse variance", "Effect measure": "Rate Ratio", "Statistical method": "IV"}
        options |= {"Analysis model": "Random effects", "Heterogeneity estimator": "REML", "CI method": "Wald"}
        (tmp_path / "1-data-rows.csv").write_bytes(table(lines))
        one = table([settings_row(**options, **said)])
        (tmp_path / "1-overall-estimates-and-settings.csv").write_bytes(one)
        agreement = read_revman(tmp_path).recompute()
        assert {d.field for d in agreement.inconsistent} == ({"tau2"} if explained else set())
        assert bool(agreement.disagree) is not explained


def test_weights_that_do_not_add_up_are_the_files_own() -> None:
    """CD011535, 4.6: the weights of a study's combined row and of the others come from two calculations, 99.9963."""
    rows = "".join(
        dich(s, a, n_1, c, n_2, EFFECT_SIZE="1", CI_START="0.9", CI_END="1.1", ESTIMABLE="YES", WEIGHT="14.285")
        for s, _, a, n_1, c, n_2 in ASPIRIN
    )
    settings = {"EFFECT_MEASURE": "OR", "METHOD": "MH", "RANDOM": "NO", "TOTALS": "YES"}
    found = read(outcome("DICH", rows, **settings)).recompute()
    assert {d.field for d in found.inconsistent} == {"weight"}
    assert "add up to 99.9950, not 100" in found.inconsistent[0].why
