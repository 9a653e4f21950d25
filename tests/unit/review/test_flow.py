"""PRISMA 2020: counts add up or are named; what is not known is never a number."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.review.flow import Flow, from_keys, named
from balm.vocabulary.problems import InputError

#: A complete flow with both columns and an earlier version of the review; every identity holds.
WHOLE = Flow(
    previous_studies=4,
    previous_reports=5,
    database_results=300,
    database_specific_results=(("Medline", 180), ("Embase", 120)),
    register_results=20,
    register_specific_results=(("ClinicalTrials.gov", 20),),
    website_results=2,
    organisation_results=1,
    citations_results=7,
    duplicates=60,
    excluded_automatic=5,
    excluded_other=5,
    records_screened=250,
    records_excluded=220,
    records_excluded_by_person=200,
    records_excluded_by_automation=20,
    dbr_sought_reports=30,
    dbr_notretrieved_reports=2,
    dbr_assessed=28,
    dbr_excluded=18,
    dbr_excluded_reasons=(("not intravenous", 11), ("acute pain", 7)),
    other_sought_reports=10,
    other_notretrieved_reports=1,
    other_assessed=9,
    other_excluded=6,
    other_excluded_reasons=(("no control group", 6),),
    new_studies=12,
    new_reports=13,
    total_studies=16,
    total_reports=18,
    total_studies_ma=9,
    total_reports_ma=9,
    is_update=True,
)


def test_a_whole_flow_has_no_problem_and_nothing_unknown():
    assert WHOLE.problems() == ()
    assert WHOLE.unknown() == ()
    assert WHOLE.checked() is WHOLE


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"records_screened": 251}, "must be records screened: 250, not 251"),
        ({"dbr_sought_reports": 31}, "must be reports sought from databases and registers: 30, not 31"),
        ({"dbr_assessed": 27}, "must be reports assessed from databases and registers: 28, not 27"),
        ({"other_assessed": 8}, "must be reports assessed from other methods: 9, not 8"),
        ({"new_reports": 14}, "must be reports of new studies: 13, not 14"),
        ({"total_studies": 17}, "previous studies (4) + new studies (12) = 16, but total studies is 17"),
        ({"total_reports": 19}, "but total reports is 19"),
        ({"dbr_excluded_reasons": (("a", 11), ("b", 8))}, "= 19, but reports excluded from databases"),
        ({"database_specific_results": (("Medline", 301), ("Embase", None))}, "already exceed records from databases"),
        ({"records_excluded_by_person": 199}, "= 219, but records excluded is 220"),
        ({"citations_results": 8}, "= 11, but reports sought from other methods is 10"),
        ({"total_studies_ma": 17}, "studies in meta-analyses (17) exceed studies included (16)"),
        ({"new_studies": 14, "total_studies": 18}, "new studies (14) exceed their reports (13)"),
        ({"duplicates": None, "records_screened": 311}, "must leave at least records screened (311)"),
        ({"dbr_assessed": None, "dbr_notretrieved_reports": 31}, "not retrieved (31) exceed reports sought"),
    ],
)
def test_a_broken_identity_is_named_with_its_numbers(change, says):
    flow = dataclasses.replace(WHOLE, **change)
    assert any(says in str(p) for p in flow.problems()), [str(p) for p in flow.problems()]
    with pytest.raises(InputError):
        flow.checked()


def test_several_records_of_one_report_are_not_an_error_when_the_links_are_counted():
    flow = dataclasses.replace(WHOLE, dbr_sought_reports=26, dbr_assessed=24, dbr_excluded=14, record_links=30)
    flow = dataclasses.replace(flow, dbr_excluded_reasons=())
    assert flow.problems() == ()
    assert dataclasses.replace(flow, record_links=None).problems() != ()


def test_nothing_known_contradicts_nothing_and_stays_unknown():
    flow = Flow()
    assert flow.problems() == ()
    assert "records_screened" in flow.unknown()
    assert "previous_studies" not in flow.unknown()
    assert not any(name.startswith("other_") for name in Flow(uses_other_methods=False).unknown())


COUNTS = [f.name for f in dataclasses.fields(Flow) if isinstance(getattr(WHOLE, f.name), int) and f.type == "Count"]


@given(st.sets(st.sampled_from(COUNTS)))
def test_forgetting_counts_of_a_sound_flow_never_makes_a_contradiction(forgotten):
    flow = dataclasses.replace(WHOLE, **dict.fromkeys(forgotten))
    assert flow.problems() == ()
    assert set(flow.unknown()) == forgotten - {"records_excluded_by_person", "records_excluded_by_automation"}


@pytest.mark.parametrize("value", [-1, 1.5, True, "12"])
def test_a_count_is_a_whole_number_or_not_known(value):
    with pytest.raises(InputError, match="records_screened must be a whole number"):
        Flow(records_screened=value)


def test_named_rows_add_up_and_one_unknown_makes_the_total_unknown():
    assert named([("oral", 2), ("epidural", 1), ("oral", 1)]) == ((("oral", 3), ("epidural", 1)), 4)
    assert named([("oral", 2), ("oral", None)]) == ((("oral", None),), None)


def test_exchange_keys_keep_empty_as_unknown():
    flow = from_keys({"database_results": "120", "duplicates": "", "records_screened": None})
    assert (flow.database_results, flow.duplicates, flow.records_screened) == (120, None, None)
    with pytest.raises(InputError, match="not a count of the PRISMA 2020 flow"):
        from_keys({"database_result": "1"})
    with pytest.raises(InputError, match="column duplicates: must be a whole number"):
        from_keys({"duplicates": "about 20"})
