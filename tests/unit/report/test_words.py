"""Results in words: right figures, right grammar, no side taken, nothing shown as nan."""

from __future__ import annotations

import json
import re

import pytest

import balm
from balm.report import words
from balm.report.choices import (
    DOUBLE_ZERO,
    I2,
    MANTEL_HAENSZEL_VARIANCE,
    METHODS,
    MODELS,
    TAU2_INTERVAL,
    ZERO_CELLS,
    inference_choice,
    prediction_choice,
    tau2_choice,
)
from balm.report.references import REFERENCES
from balm.report.result_json import as_json
from balm.report.result_sentence import measure_name
from balm.report.rounding import digits_for
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.measures import MEASURES
from balm.stats.measures.conventions import TO
from balm.stats.pooling.choices import I2_CONVENTIONS, TAU2_INTERVALS
from balm.stats.pooling.choices import MODELS as POOLING_MODELS
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.vocabulary.numbers import MINUS
from balm.vocabulary.problems import InputError

# BCG vaccine trials (Colditz et al. 1994, JAMA 271:698, Table 1): cases and people, vaccinated then not.
BCG = [
    ("Aronson 1948", 4, 123, 11, 139, "random"),
    ("Ferguson & Simes 1949", 6, 306, 29, 303, "random"),
    ("Rosenthal et al. 1960", 3, 231, 11, 220, "random"),
    ("Hart & Sutherland 1977", 62, 13598, 248, 12867, "random"),
    ("Frimodt-Moller et al. 1973", 33, 5069, 47, 5808, "alternate"),
    ("Stein & Aronson 1953", 180, 1541, 372, 1451, "alternate"),
    ("Vandiviere et al. 1973", 8, 2545, 10, 629, "random"),
    ("TPT Madras 1980", 505, 88391, 499, 88391, "random"),
    ("Coetzee & Berjak 1968", 29, 7499, 45, 7277, "random"),
    ("Rosenthal et al. 1961", 17, 1716, 65, 1665, "systematic"),
    ("Comstock et al. 1974", 186, 50634, 141, 27338, "systematic"),
    ("Comstock & Webster 1969", 5, 2498, 3, 2341, "systematic"),
    ("Comstock et al. 1976", 27, 16913, 29, 17854, "systematic"),
]
STUDY, EVENTS_1, N_1, EVENTS_2, N_2, ALLOCATION = (list(column) for column in zip(*BCG, strict=True))


def bcg(measure="RR"):
    return balm.effect_sizes(measure, study=STUDY, events_1=EVENTS_1, n_1=N_1, events_2=EVENTS_2, n_2=N_2)


def generic(effect, variance, study=None):
    return balm.EffectSizes(effect=effect, variance=variance, study=study)


def test_the_sentence_of_the_bcg_trials():
    assert words.sentence(balm.pool(bcg())) == (
        "Across 13 studies, the pooled risk ratio was 0.49 (95% CI 0.33 to 0.73; random effects, inverse variance, "
        "REML, guarded Hartung-Knapp interval; P = 0.002). "
        "The true effects varied between studies (τ² 0.31; I² 92%; Q = 152.23, df = 12, P < 0.001). "
        "The 95% prediction interval for the true effect in a new study is 0.14 to 1.76."
    )


def test_the_sentence_of_a_common_effect():
    assert words.sentence(balm.mantel_haenszel(bcg("OR"))) == (
        "Across 13 studies, the pooled odds ratio was 0.62 (95% CI 0.57 to 0.68; common effect, Mantel-Haenszel, "
        "Wald interval; P < 0.001). "
        "Differences between the studies' effects: I² 93%; Q = 163.94, df = 12, P < 0.001; the model assumes none."
    )


def test_small_differences_keep_the_decimals_they_need():
    said = words.sentence(balm.pool(bcg("RD"), model="common"))
    assert "the pooled risk difference was -0.0009 (95% CI -0.0014 to -0.0005;" in said
    assert digits_for([0.0012]) == 4


def test_the_minus_of_print():
    fit = balm.pool(generic([-0.5, -0.7, -0.9], [0.04, 0.05, 0.03]))
    assert MINUS not in words.sentence(fit)
    printed = words.sentence(fit, minus=MINUS)
    assert f"was {MINUS}0." in printed
    assert not re.search(r"[ (]-\d", printed)


def test_one_study_is_not_called_pooled():
    fit = balm.pool(generic([-0.5], [0.04], ["Aronson 1948"]))
    said = words.sentence(fit)
    assert said.startswith("One study (Aronson 1948) could be analysed: its ")
    assert "-0.50 (95% CI -0.89 to -0.11); there is nothing to pool" in said
    assert "Across" not in said
    assert said.count("heterogeneity") == 1


def test_two_studies_carry_their_warning():
    said = words.sentence(balm.pool(generic([0.1, 0.9], [0.04, 0.05])))
    assert said.startswith("Across 2 studies, the pooled ")
    assert "Two studies" in said


def test_nothing_estimable_says_why():
    fit = balm.mantel_haenszel("OR", study=["A", "B"], events_1=[0, 0], n_1=[9, 9], events_2=[0, 0], n_2=[9, 9])
    assert words.sentence(fit) == (
        "No study could be pooled: A (not estimable: no events in either arm); "
        "B (not estimable: no events in either arm)."
    )
    for said in (words.text(fit), words.methods(fit), words.html(fit), words.sentence(fit)):
        assert "nan" not in said


def test_studies_that_were_not_pooled_are_named():
    es = balm.effect_sizes(
        "OR", study=["A", "B", "C"], events_1=[0, 3, 4], n_1=[40, 60, 50], events_2=[0, 4, 9], n_2=[40, 60, 50]
    )
    said = words.sentence(balm.pool(es))
    assert "One study was not pooled: A (not estimable: no events in either arm)." in said


def test_a_guard_that_acted_is_said():
    fit = balm.pool(generic([0.10, 0.11, 0.10, 0.105], [0.1, 0.1, 0.2, 0.1]))
    said = words.sentence(fit)
    assert "guard acted" in said
    assert "No variance between the studies was estimated (τ² 0.00; I² 0%" in said
    assert "assumes no heterogeneity" in said


def test_no_side_is_taken():
    said = words.sentence(balm.pool(bcg())) + words.methods(balm.pool(bcg()))
    assert not re.search(r"\b(significant|better|worse|benefit|harm|effective|favou?rs?)\b", said, re.IGNORECASE)


def test_a_single_group_is_not_tested_against_anything():
    fit = balm.pool(balm.effect_sizes("PLO", events=[3, 5, 12], n=[20, 15, 40]))
    said = words.sentence(fit) + words.text(fit)
    assert re.search(r"the pooled proportion was 2\d% \(95% CI \d+% to \d+%", said)
    assert re.search(r"in a new study is \d+% to \d+%", said)
    assert re.search(r"Pooled +0\.2\d +0\.\d\d to 0\.\d\d", words.text(fit))  # the table keeps the scale
    assert "Overall effect" not in said
    assert not re.search(r"interval; P [=<>]", said)
    assert "The effect measure is the proportion (PLO; large-sample variance), analysed on the logit" in words.methods(
        fit
    )


def test_a_very_small_ratio_keeps_its_figures():
    es = balm.effect_sizes(
        "OR", events_1=[1, 4, 9, 2], n_1=[20, 40, 90, 21], events_2=[3, 3, 15, 5], n_2=[20, 41, 88, 20]
    )
    split = balm.subgroups(es, by=["a", "a", "b", "b"])
    assert "0.000078 to 9069.46" in split.sentence() and "0.0029 to 82.38" in repr(split)
    figure = split.forest().svg
    assert "0.84 [0.000078, 9069.46]" in figure and "[0.00," not in figure


def test_every_sentence_ends_and_starts_as_one():
    for fit in (balm.pool(bcg()), balm.pool(generic([0.1, 0.9], [0.04, 0.05])), balm.pool(generic([0.1], [0.1]))):
        said = words.sentence(fit)
        assert said.endswith(".")
        assert ".." not in said
        assert "  " not in said


# -- methods -----------------------------------------------------------------------------------------------------------


def test_the_methods_name_every_choice():
    said = words.methods(balm.pool(bcg()))
    for part in (
        "risk ratio (RR; large-sample variance), analysed on the log scale",
        "no study had one; 0.5 would have been added to every cell of the studies with a zero cell",
        "inverse-variance weights under a random-effects model",
        "restricted maximum likelihood, REML (Viechtbauer 2005)",
        "Hartung-Knapp method, never below Wald's standard error (Hartung & Knapp 2001; Röver et al. 2015)",
        "t distribution with 12 degrees of freedom",
        "t with k - 1 degrees of freedom",
        "I² computed from τ²",
        "Q-profile method (Viechtbauer 2007)",
        "profile balm",
        f"balm {balm.__version__}, Python 3.",
        "NumPy ",
        "SciPy ",
    ):
        assert part in said, part


def test_the_methods_follow_the_choices():
    said = words.methods(balm.pool(bcg(), profile="revman5"))
    for part in ("DerSimonian & Laird 1986", "the Wald method", "computed from Q", "profile revman5"):
        assert part in said, part
    assert "REML" not in said
    fixed = words.methods(balm.pool(bcg(), tau2=0.3))
    assert "τ² was set to 0.30, not estimated" in fixed
    rd = words.methods(balm.mantel_haenszel(bcg("RD")))
    assert "Sato 1989" in rd
    assert "Greenland & Robins 1985" in words.methods(balm.mantel_haenszel(bcg("RD"), profile="revman5"))
    assert "Robins et al. 1986" in words.methods(balm.mantel_haenszel(bcg("OR")))
    assert "Yusuf et al. 1985" in words.methods(balm.peto(bcg("PETO")))


def test_the_versions_are_those_installed():
    import sys
    from importlib import metadata

    from balm.report.methods_text import _installed

    found = words.versions()
    assert found["Python"] == sys.version.split()[0].rstrip("+")
    assert found["NumPy"] == metadata.version("numpy") == _installed("numpy")
    assert found["SciPy"] == metadata.version("scipy") == _installed("scipy")


def test_one_study_does_not_claim_a_method_it_did_not_use():
    said = words.methods(balm.pool(generic([0.1], [0.1])))
    assert "Hartung" not in said
    assert "Heterogeneity is described" not in said


def test_every_choice_of_the_engine_has_words_and_a_full_reference():
    choices = [tau2_choice(name) for name in TAU2_ESTIMATORS]
    choices += [inference_choice(name) for name in INFERENCES]
    choices += [prediction_choice(name) for name in PREDICTIONS]
    choices += [table[name] for table in (MODELS, METHODS, I2, TAU2_INTERVAL) for name in table]
    for choice in choices:
        assert choice.short
        assert choice.words
        assert set(choice.cites) <= set(REFERENCES), choice.cites
    assert set(MODELS) == set(POOLING_MODELS)
    assert set(I2) == set(I2_CONVENTIONS)
    assert set(TAU2_INTERVAL) == set(TAU2_INTERVALS)
    assert set(ZERO_CELLS) == set(TO)
    assert set(DOUBLE_ZERO) == {"exclude", "keep"}
    assert {cite for cites in MANTEL_HAENSZEL_VARIANCE.values() for cite in cites} <= set(REFERENCES)


@pytest.mark.parametrize("profile", ["balm", "revman5", "revman-web", "metafor", "meta", "stata"])
def test_what_is_cited_stands_in_the_references(profile):
    fit = balm.pool(bcg("OR"), profile=profile)
    said = words.methods(fit)
    listed = words.references(fit)
    assert listed == tuple(sorted(listed))
    for key in (key for key in REFERENCES if key in said):
        assert REFERENCES[key] in listed


def test_every_measure_has_a_name_inside_a_sentence():
    for code, row in MEASURES.items():
        name = measure_name(code)
        assert name
        # What is shown has been turned back, so a sentence never calls it a logarithm or an arcsine.
        if not row.scale.name.startswith("identity"):
            assert not re.match(r"(?i)(log|logit|probit|arcsine|freeman|fisher|square)\b", name), name
    assert measure_name("PETO") == "Peto odds ratio"
    assert measure_name("SMD") == "standardised mean difference"


# -- tables ------------------------------------------------------------------------------------------------------------


def test_the_table_of_the_bcg_trials():
    shown = words.text(balm.pool(bcg()))
    lines = shown.splitlines()
    assert lines[0] == (
        "Risk ratio: random effects, inverse variance, REML, guarded Hartung-Knapp interval; 13 studies"
    )
    assert "Aronson 1948                  0.41  0.13 to 1.26    5.1%" in lines
    assert "Pooled                        0.49  0.33 to 0.73  100.0%" in lines
    assert "Prediction interval                 0.14 to 1.76" in lines
    assert "Overall effect: t(12) = -3.95, P = 0.002" in lines
    assert "Heterogeneity: τ² = 0.31; I² = 92%; Q = 152.23, df = 12, P < 0.001" in lines
    assert "95% CI (Q-profile): τ² 0.12 to 1.11, I² 82% to 98%" in lines
    assert repr(balm.pool(bcg())) == shown


def test_a_z_is_called_z_and_a_t_t():
    assert "Overall effect: z = -3.97" in words.text(balm.pool(bcg(), inference="wald"))
    assert "Overall effect: t(12) = " in words.text(balm.pool(bcg(), inference="hartung-knapp"))


def test_a_long_table_is_folded_only_when_asked():
    fit = balm.pool(generic([0.01 * i for i in range(100)], [0.1] * 100))
    folded = words.text(fit)
    assert "... 60 more studies ..." in folded
    assert "Study 61 " not in folded
    assert all(f"Study {i} " in words.text(fit, most_rows=None) for i in range(1, 101))


def test_corrected_studies_carry_their_note():
    es = balm.effect_sizes("OR", study=["A", "B"], events_1=[0, 3], n_1=[50, 60], events_2=[5, 4], n_2=[50, 60])
    assert re.search(r"^A +0\.08 .* 0\.5 added to each cell$", words.text(balm.pool(es)), re.MULTILINE)


def test_html_escapes_what_studies_are_called():
    fit = balm.pool(generic([0.1, 0.2], [0.1, 0.1], ["<script>alert(1)</script>", "B & C"]))
    page = words.html(fit)
    assert "<script>" not in page
    assert "B &amp; C" in page
    assert page.startswith("<div><table><caption>")
    assert page == fit._repr_html_()


# -- several fits ------------------------------------------------------------------------------------------------------


def test_subgroups_in_words():
    found = balm.subgroups(bcg(), by=ALLOCATION)
    said = words.sentence(found)
    assert said.startswith("By subgroup, the risk ratio was 0.38 (95% CI 0.19 to 0.74) in random (7 studies), ")
    assert "and 0.65 (95% CI 0.21 to 2.09) in systematic (4 studies)." in said
    assert "gave Q = 1.85 (df = 2, P = 0.40)." in said
    shown = words.text(found).splitlines()
    assert any(re.match(r"alternate +2 +0\.58 +0\.02 to 20\.85 +0\.13 +82%$", line) for line in shown)
    assert any(re.match(r"All studies +13 +0\.49 ", line) for line in shown)
    assert "a τ² of its own for each subgroup" in words.methods(found)
    assert "one τ² common to all subgroups" in words.methods(balm.subgroups(bcg(), by=ALLOCATION, tau2_common=True))
    assert words.html(found) == found._repr_html_()


def test_leave_one_out_in_words():
    found = balm.leave_one_out(balm.pool(bcg()))
    said = words.sentence(found)
    assert said.startswith("Leave-one-out: leaving out one study at a time, the pooled risk ratio lay between 0.45 ")
    assert "(without TPT Madras 1980)" in said
    assert len([line for line in words.text(found).splitlines() if "  12 " in line]) == 13


def test_cumulative_in_words():
    found = balm.cumulative(balm.pool(bcg()))
    said = words.sentence(found)
    assert "went from 0.41 (95% CI 0.13 to 1.26) after 1 study to 0.49 (95% CI 0.33 to 0.73) after 13 studies." in said
    assert "nan" not in words.text(found)


def test_anything_else_is_refused():
    for function in (words.sentence, words.methods, words.text, words.html):
        with pytest.raises(InputError, match="words are made of pooled results"):
            function(3)


# -- for machines ------------------------------------------------------------------------------------------------------

PROMISED = """
measure model tau2_estimator inference k estimate se ci_low ci_high statistic df p tau2 tau2_se i2 h2 q q_df q_p
pi_low pi_high displayed conventions studies
"""
KEYS = tuple(PROMISED.split())


@pytest.mark.parametrize("model", ["random", "common"])
def test_json_has_the_promised_keys_and_nothing_that_json_does_not_know(model):
    fit = balm.pool(bcg(), model=model)
    got = json.loads(json.dumps(as_json(fit), allow_nan=False))
    assert tuple(got)[: len(KEYS)] == KEYS
    assert set(got) - set(KEYS) == {"excluded", "advice", "reasons"}
    assert got["estimate"] == fit.estimate
    assert list(got["displayed"]) == ["estimate", "ci_low", "ci_high", "pi_low", "pi_high"]
    assert got["displayed"]["estimate"] == fit.displayed.estimate
    assert list(got["studies"][0]) == ["study", "effect", "variance", "weight"]
    assert sum(study["weight"] for study in got["studies"]) == pytest.approx(100, abs=1e-9)
    for name in KEYS:
        assert got[name] is not None or name in got["reasons"] or name == "tau2_estimator", name


NONE_IN_ONE = {"events_1": [0, 0], "n_1": [20, 30], "events_2": [5, 3], "n_2": [20, 31]}
WHY = "no events in group 1 of any study; the ratio is 0 or infinite"


def test_what_is_not_estimable_says_why_and_leaves_no_empty_words():
    both = words.sentence(balm.mantel_haenszel("RR", **NONE_IN_ONE))
    assert both == (
        f"The pooled risk ratio of 2 studies is not estimable (common effect, Mantel-Haenszel, Wald interval): {WHY}."
    )
    one = words.sentence(balm.mantel_haenszel("RR", **{k: v[:1] for k, v in NONE_IN_ONE.items()}))
    assert one == f"One study (Study 1) could be analysed, and its risk ratio is not estimable: {WHY}."
    none = words.sentence(balm.mantel_haenszel("RD", **NONE_IN_ONE | {"events_2": [0, 0]}))
    assert "The interval is not estimable: no events, or events in everyone, in all studies together;" in none
    assert ": ;" not in none and "effects: " not in none


@pytest.mark.parametrize("k", [0, 1])
def test_the_methods_of_less_than_two_studies_pool_nothing(k):
    events = [3] if k else [0]
    fit = balm.mantel_haenszel("RR", events_1=events, n_1=[20], events_2=[5] if k else [0], n_2=[20])
    told = words.methods(fit)
    assert (
        f"{'One' if k else 'No'} study could be analysed, so nothing was pooled; effects would have been pooled" in told
    )
    assert "Effects were pooled" not in told
    if k:
        random = words.methods(balm.pool(balm.effect_sizes("RR", events_1=[3], n_1=[20], events_2=[5], n_2=[20])))
        assert "with the between-study variance τ² estimated by" in random and "not given: one study." in random


def test_an_interval_beyond_the_possible_is_named():
    rates = words.sentence(balm.pool(balm.effect_sizes("PR", events=[0, 0], n=[20, 20])))
    assert "The interval and the prediction interval reach beyond what a proportion can be (0% to 100%)." in rates
    wide = balm.pool(balm.effect_sizes("RD", events_1=[3, 4], n_1=[20, 30], events_2=[5, 9], n_2=[20, 31]))
    assert f"beyond what a risk difference can be ({MINUS}1 to 1)." in words.sentence(wide, minus=MINUS)
    assert "beyond" not in words.sentence(balm.pool(balm.effect_sizes("PLO", events=[1, 2], n=[20, 20])))


def test_a_variance_that_was_set_is_not_called_estimated():
    fit = balm.pool(generic([0.1, 0.4, 0.9], [0.04, 0.05, 0.06]), tau2=0.5)
    said = words.sentence(fit)
    assert "The variance between the studies, τ², was set to 0.50, not estimated (I² " in said
    assert "very uncertain" not in said and "true effects varied" not in said
    alone = words.sentence(balm.pool(generic([0.1], [0.04]), tau2=0.5))
    assert "Its interval includes the variance between studies that was set, τ² 0.50." in alone


def test_what_has_no_effect_to_differ_from_is_called_by_its_name():
    es = balm.effect_sizes("PLO", study=["A", "B", "C"], events=[3, 9, 20], n=[20, 30, 40])
    said = words.sentence(balm.pool(es))
    assert (
        "prediction interval for the true proportion in a new study" in said and "effect" not in said.split("(95%")[0]
    )
    assert "Fisher's z scale" in words.methods(
        balm.pool(balm.effect_sizes("ZCOR", study=["A", "B"], r=[0.1, 0.3], n=[20, 30]))
    )


def test_large_numbers_have_no_decimals_and_errors_no_powers_of_ten():
    es = balm.effect_sizes("MD", study=["A", "B", "C"], mean_1=[1e6] * 3, sd_1=[1e5] * 3, n_1=[20] * 3,
                           mean_2=[3e6] * 3, sd_2=[1e5] * 3, n_2=[20] * 3)  # fmt: skip
    said = words.sentence(balm.pool(es))
    assert "was -2000000 (95% CI" in said and "its standard error (0) would" in said and "e+" not in said
