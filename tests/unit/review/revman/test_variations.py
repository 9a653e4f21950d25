"""What RevMan files hold in the field: every setting, odd rows and kinds of review give a stated result."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.actions.revman import export_package, read_revman, write_package
from balm.review.revman.comparison import Agreement
from balm.review.revman.rm5 import read_rm5
from balm.vocabulary.problems import InputError
from tests.unit.review.revman.made import ASPIRIN, dich, element, outcome, rm5, row

KIND = {"EFFECT_MEASURE": "OR", "METHOD": "MH", "RANDOM": "YES", "TOTALS": "YES", "SUBGROUPS": "YES"}
KIND |= {"CI_STUDY": "95", "CI_TOTAL": "95", "SCALE": "100", "SORT_BY": "STUDY", "NO_SUBGROUPS": "2"}
BEFORE = {"EFFECT_SIZE": "0.9", "CI_START": "0.8", "CI_END": "1.1", "WEIGHT": "14.3", "ESTIMABLE": "YES"}


def base() -> str:
    """A review with subgroups, means, generic and log-rank outcomes, a study used twice and one not used at all."""
    old, new = ASPIRIN[:4], ASPIRIN[4:]
    parts = "".join(
        element(
            "DICH_SUBGROUP",
            {"ID": f"CMP-001.01.0{i}", "NO": i},
            f"<NAME>{name}</NAME>" + "".join(dich(s, a, n, c, m, **BEFORE) for s, _, a, n, c, m in rows),
        )
        for i, (name, rows) in enumerate((("Old", old), ("New", (*new, old[0])), ("None", ())), 1)
    )
    cells = {"MEAN_1": "1.5", "SD_1": "1", "TOTAL_1": "19", "MEAN_2": "1", "SD_2": "2", "TOTAL_2": "20"}
    means = "".join(row("CONT_DATA", s, **cells) for s, *_ in ASPIRIN[:3])
    ratios = "".join(row("IV_DATA", s, ESTIMATE=e, SE="0.2") for s, e in (("CDP", "-0.5"), ("GASP", "0.1")))
    logrank = "".join(row("IPD_DATA", s, O_E=o, VAR="4") for s, o in (("CDP", "-1"), ("GASP", "-3")))
    about = "<EFFECT_MEASURE>Hazard Ratio</EFFECT_MEASURE>"
    about += "<GRAPH_LABEL_1>Favours aspirin</GRAPH_LABEL_1><GRAPH_LABEL_2>Favours placebo</GRAPH_LABEL_2>"
    notes = '<NOTES><P>see &lt;b&gt;this&lt;/b&gt; <A HREF="javascript:alert(1)">link</A></P></NOTES>'
    return rm5(
        outcome("DICH", parts + notes, **KIND),
        outcome("CONT", means, EFFECT_MEASURE="SMD", ID="CMP-001.02", NO=2, RANDOM="YES", TOTALS="YES"),
        outcome("IV", about + ratios, LOG_DATA="YES", ID="CMP-001.03", NO=3, TOTALS="YES"),
        outcome("IPD", about + logrank, ID="CMP-001.04", NO=4, TOTALS="YES"),
        outcome("OTHER", row("OTHER_DATA", "CDP", "<P>Nausea in 3</P>"), ID="CMP-001.05", NO=5),
        outcome("DICH", "", ID="CMP-001.06", NO=6, **{k: v for k, v in KIND.items() if k != "SUBGROUPS"}),
        studies=[*(s for s, *_ in ASPIRIN), "Unused"],
    ).decode()


def changed(pattern: str, by: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        found, count = re.subn(pattern, by, text, flags=re.DOTALL)
        assert count, f"{pattern} changes nothing"
        return found

    return change


#: What is changed -> how, and how many of the five outcomes that can be planned have a total in the package.
VARIATIONS: dict[str, tuple[Callable[[str], str], int]] = {
    "as it is": (changed("$", ""), 4),
    "totals of subgroups only": (changed('TOTALS="YES"', 'TOTALS="SUB"'), 0),
    "no totals": (changed('TOTALS="YES"', 'TOTALS="NO"'), 0),
    "an unknown word for totals": (changed('TOTALS="YES"', 'TOTALS="MAYBE"'), 4),
    "fixed effect": (changed('RANDOM="YES"', 'RANDOM="NO"'), 4),
    "90 per cent": (changed('CI_(STUDY|TOTAL)="95"', r'CI_\1="90"'), 4),
    "99 per cent": (changed('CI_(STUDY|TOTAL)="95"', r'CI_\1="99.0"'), 4),
    "a level that is none": (changed('CI_(STUDY|TOTAL)="95"', r'CI_\1="high"'), 4),
    "nothing estimable": (changed('ESTIMABLE="YES"', 'ESTIMABLE="NO"'), 3),
    "weights without a number": (changed('WEIGHT="14.3"', 'WEIGHT="NaN"'), 4),
    "no stored effects": (changed('EFFECT_SIZE="0.9"', 'EFFECT_SIZE=""'), 4),
    "swapped events": (changed('METHOD="MH"', 'METHOD="MH" SWAP_EVENTS="YES"'), 4),
    "risk difference": (changed('EFFECT_MEASURE="OR"', 'EFFECT_MEASURE="RD"'), 4),
    "Peto": (changed('EFFECT_MEASURE="OR" METHOD="MH"', 'EFFECT_MEASURE="PETO_OR" METHOD="PETO"'), 4),
    "an unknown measure": (changed('EFFECT_MEASURE="OR"', 'EFFECT_MEASURE="ZZ"'), 3),
    "an unknown method": (changed('METHOD="MH"', 'METHOD="ZZ"'), 4),
    "footnotes inside rows": (changed("(<DICH_DATA [^>]*>)<", r"\1<FOOTNOTE>=1+1 &lt;i&gt;</FOOTNOTE><"), 4),
    "events below zero": (changed('EVENTS_1="', 'EVENTS_1="-'), 3),
    "parts of events": (changed('EVENTS_1="(\\d+)"', r'EVENTS_1="\1.5"'), 3),
    "no participants": (changed('TOTAL_1="\\d+"', 'TOTAL_1="0"'), 2),
    "more than a count can be": (changed('EVENTS_1="', 'EVENTS_1="9999999999999999999999'), 3),
    "deviations of zero": (changed('SD_1="1"', 'SD_1="0"'), 3),
    "no ids and numbers": (changed(' (ID|NO)="[^"]*"', ""), 4),
    "one id for all": (changed(' ID="CMP[^"]*"', ' ID="CMP-1"'), 4),
    "no names": (changed("<NAME>[^<]*</NAME>", "<NAME/>"), 4),
    "no names of studies": (changed('NAME="[^"]*" YEAR', 'NAME="" YEAR'), 4),
    "an unnamed ratio": (changed("Hazard Ratio", "Ratio"), 4),
    "differences": (changed('LOG_DATA="YES"', 'LOG_DATA="NO"'), 4),
    "standard errors of zero": (changed(' SE="0.2"', ' SE="0"'), 3),
    "no variance": (changed('VAR="4"', 'VAR="0"'), 3),
    "a namespace": (changed("<COCHRANE_REVIEW ", '<COCHRANE_REVIEW xmlns="urn:review" '), 4),
    "an overview that has data": (changed('TYPE="INTERVENTION"', 'TYPE="OVERVIEW"'), 4),
}


#: A package holds whole counts, an unnamed ratio stays on its logarithmic scale, an unknown measure has no analysis.
UNLIKE = ("parts of events", "an unnamed ratio", "an unknown measure")


@pytest.mark.parametrize("name", VARIATIONS)
def test_each_variation_is_read_compared_packed_reported_and_exported(name: str, tmp_path: Path) -> None:
    change, totals = VARIATIONS[name]
    path = tmp_path / "review.rm5"
    path.write_text(change(base()), encoding="utf-8")
    review = read_revman(path)
    agreement = review.recompute()
    assert isinstance(agreement, Agreement)
    assert agreement.sentence()
    assert len(agreement.outcomes) == 5
    write_package(review, tmp_path / "package")
    made = Review.load(tmp_path / "package")
    assert made.problems() == ()
    analyses, compared = made.synthesise().analyses, list[str]()
    assert all(a.fit or a.why_not_pooled for a in analyses)
    assert sum(a.fit is not None for a in analyses) == totals
    if name not in UNLIKE:
        theirs = [o.total.numbers for o in agreement.outcomes]
        for a, numbers in zip(analyses, theirs, strict=True):
            if a.whole is not None and numbers["estimate"] is not None:
                shown = a.whole.displayed
                ends = (shown.estimate, shown.interval.low, shown.interval.high)
                want = [numbers[k] for k in ("estimate", "ci_low", "ci_high")]
                assert ends == pytest.approx(want, rel=1e-12), a.id
                compared.append(a.id)
        assert compared
    page = made.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "javascript:" not in page
    export_package(tmp_path / "package", tmp_path / "export")


def test_log_rank_and_generic_effects_pool_in_the_package_as_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "review.rm5"
    path.write_text(base(), encoding="utf-8")
    review = read_revman(path)
    write_package(review, tmp_path / "package")
    ours = {a.id: a for a in Review.load(tmp_path / "package").synthesise().analyses}
    theirs = {o.total.id: o.total.numbers["estimate"] for o in review.recompute().outcomes}
    for identity, place in (("o1.3", "CMP-001.03"), ("o1.4", "CMP-001.04")):
        assert ours[identity].fit is not None
        assert ours[identity].fit.displayed.estimate == pytest.approx(theirs[place], rel=1e-12)
    assert theirs["CMP-001.04"] == pytest.approx(2.718281828459045 ** (-4 / 8))
    assert ours["o1.3"].outcome.favours == ("Favours aspirin", "Favours placebo")
    assert ours["o1.1"].subgroup_test["df"] == 1.0
    kept = json.loads((tmp_path / "package" / "revman.json").read_text(encoding="utf-8"))
    assert kept["other_data"][0]["rows"] == [{"study": "CDP", "text": "Nausea in 3"}]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("DIAGNOSTIC", "diagnostic test accuracy"), ("OVERVIEW", "an overview"), ("FLEXIBLE", "no study row was read")],
)
def test_reviews_without_comparisons_say_what_they_are(kind: str, reason: str, tmp_path: Path) -> None:
    text = rm5(outcome("TEST", row("TEST_DATA", "A", TP="3"))).decode()
    text = text.replace('TYPE="INTERVENTION"', f'TYPE="{kind}"').replace("TEST_OUTCOME", "TEST")
    path = tmp_path / "review.rm5"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=reason):
        read_revman(path)


def test_both_forms_of_risk_of_bias_are_read() -> None:
    """QUALITY_ITEM tables, and the grade of allocation concealment (A to D) of older files."""
    entry = '<QUALITY_ITEM_DATA_ENTRY STUDY_ID="STD-A" RESULT="NO"><DESCRIPTION><P>Open</P></DESCRIPTION>'
    table = f'<QUALITY_ITEM ID="Q"><NAME>Blinding</NAME>{entry}</QUALITY_ITEM_DATA_ENTRY></QUALITY_ITEM>'
    old = '<INCLUDED_CHAR STUDY_ID="STD-A"><CHAR_METHODS/><ALLOCATION_CONCEALMENT>B - Unclear</ALLOCATION_CONCEALMENT>'
    more = f"<QUALITY_ITEMS>{table}</QUALITY_ITEMS><INCLUDED>{old}</INCLUDED_CHAR>"
    more += '<INCLUDED_CHAR STUDY_ID="STD-B" ALLOCATION_SCORE="D"/></INCLUDED>'
    review = read_rm5(rm5(outcome("DICH", dich("A", 1, 9, 2, 9)), studies=["A", "B"], more=more), "x")
    assert [(j.study_id, j.domain, j.judgement, j.support) for j in review.judgements] == [
        ("STD-A", "Blinding", "high", "Open"),
        ("STD-A", "Allocation concealment", "unclear", "Unclear"),
    ]


def test_outcomes_in_words_alone_are_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "review.rm5"
    path.write_bytes(rm5(outcome("OTHER", row("OTHER_DATA", "A", "<P>Nausea</P>")), studies=["A"]))
    assert "other data" in str(read_revman(path).recompute())
