"""What is read: texts in any encoding, references, judgements, tables; what is repaired, and that it is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.actions.revman import read_revman
from balm.review.revman.rm5 import read_rm5
from balm.review.revman.tables_in import decimals, heading
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
    web_package,
)

WHOLE = """
<CHARACTERISTICS_OF_STUDIES><CHARACTERISTICS_OF_INCLUDED_STUDIES USER_DEF_1_NAME="Location">
<INCLUDED_CHAR STUDY_ID="STD-A"><CHAR_METHODS><P>Randomised</P><P>Blinded</P></CHAR_METHODS>
<CHAR_USER_DEF_1><P>Ghent</P></CHAR_USER_DEF_1></INCLUDED_CHAR>
</CHARACTERISTICS_OF_INCLUDED_STUDIES></CHARACTERISTICS_OF_STUDIES>
<QUALITY_ITEMS><QUALITY_ITEM ID="QIT-1"><NAME>Allocation concealment</NAME><QUALITY_ITEM_DATA>
<QUALITY_ITEM_DATA_ENTRY RESULT="NO" STUDY_ID="STD-A"><DESCRIPTION><P>Open list</P></DESCRIPTION>
</QUALITY_ITEM_DATA_ENTRY></QUALITY_ITEM_DATA></QUALITY_ITEM></QUALITY_ITEMS>
<SOF_TABLES><SOF_TABLE><TITLE>Findings</TITLE><TABLE><TR><TH><P>Outcome</P></TH><TD><P>Death</P></TD></TR></TABLE>
<FOOTNOTES><P>Few</P></FOOTNOTES></SOF_TABLE></SOF_TABLES>
"""


def test_characteristics_judgements_and_findings_are_read() -> None:
    review = read_rm5(rm5(outcome("DICH", dich("A", 1, 9, 2, 9)), studies=["A"], more=WHOLE), "x.rm5")
    assert review.studies[0].characteristics == {"Methods": "Randomised\nBlinded", "Location": "Ghent"}
    [judgement] = review.judgements
    assert (judgement.judgement, judgement.domain, judgement.support) == ("high", "Allocation concealment", "Open list")
    assert review.findings[0].rows == (("Outcome", "Death"),)
    assert review.findings[0].footnotes == "Few"


def test_footnotes_inside_rows_belong_to_the_rows() -> None:
    review = read_rm5(rm5(outcome("DICH", dich("A", 1, 9, 2, 9, "<FOOTNOTE>At 6 weeks</FOOTNOTE>"))), "x.rm5")
    assert review.outcomes[0].rows[0].footnote == "At 6 weeks"


def test_unknown_elements_and_attributes_are_passed_over() -> None:
    strange = '<NEW_THING LEVEL="9"><DEEPER/></NEW_THING>'
    review = read_rm5(rm5(outcome("DICH", strange + dich("A", 1, 9, 2, 9, strange, COLOUR="red"), SHAPE="round")), "x")
    assert len(review.outcomes[0].all_rows) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "cp1252"])
def test_any_encoding_is_read(encoding: str) -> None:
    text = rm5(
        outcome("DICH", dich("A", 1, 9, 2, 9)), title="Ménière’s" if encoding != "iso-8859-1" else "Ménière"
    ).decode()
    declared = {"cp1252": "windows-1252"}.get(encoding, encoding)
    review = read_rm5(text.replace('encoding="UTF-8"', f'encoding="{declared}"').encode(encoding), "x.rm5")
    assert review.title.startswith("Ménière")
    assert review.repairs == ()


def test_what_is_broken_in_the_text_is_repaired_and_listed_with_its_line() -> None:
    broken = rm5(outcome("DICH", dich("A", 1, 9, 2, 9)), title="Smith & Sons, p<0.05, &beta;\n5 < 6 <Group> \x02é")
    review = read_rm5(broken.decode().encode("latin-1"), "x.rm5")
    assert review.title == "Smith & Sons, p<0.05, β 5 < 6 <Group> é"
    said = " ".join(p.reason for p in review.repairs)
    for word in ("Windows-1252", "&amp;", "&lt;", "&beta;", "does not allow"):
        assert word in said
    assert {p.line for p in review.repairs} >= {2}


def test_a_web_package_gives_the_same_model(tmp_path: Path) -> None:
    (tmp_path / "package.zip").write_bytes(web_package())
    review = read_revman(tmp_path / "package.zip")
    assert [s.label for s in review.studies] == [s for s, *_ in ASPIRIN]
    assert review.studies[0].references[0].fields["TI"] == "Trial MRC-1"
    assert review.studies[0].characteristics == {"Methods": "RCT"}
    assert (review.judgements[0].judgement, review.judgements[0].support) == ("low", "Double")
    assert review.decimals == 6
    agreement = review.recompute()
    assert (agreement.stored, agreement.agree) == (1, 1)
    assert not agreement.disagree


def test_newer_columns_of_revman_web_set_estimator_and_interval(tmp_path: Path) -> None:
    line = settings_row(
        **{
            "Analysis model": "Random effects",
            "Statistical method": "IV",
            "Heterogeneity estimator": "Restricted maximum-likelihood",
            "CI method": "HKSJ",
            "CI/PI level": "95%",
            "Prediction interval": "true",
        }
    )
    for name, data in (("1-data-rows.csv", data_rows()), ("1-overall-estimates-and-settings.csv", [line])):
        (tmp_path / name).write_bytes(table(data))
    settings = read_revman(tmp_path).outcomes[0].settings
    assert (settings.tau2, settings.inference, settings.profile) == ("REML", "hartung-knapp", "revman-web")


def test_a_folder_is_read_like_its_archive(tmp_path: Path) -> None:
    (tmp_path / "1-data-rows.csv").write_bytes(table(data_rows()))
    assert len(read_revman(tmp_path).outcomes[0].all_rows) == len(ASPIRIN)


def test_rows_alone_tell_measure_method_and_model() -> None:
    """Weights and effects of CDP and others as RevMan Web wrote them for these rows: a Mantel-Haenszel odds ratio."""
    from balm.review.revman.web_package import read_web_package

    stored = {
        "MRC-1": ("3.17649", "0.719714", "0.488975", "1.059336"),
        "CDP": ("3.101689", "0.68076", "0.457391", "1.013212"),
        "MRC-2": ("5.67538", "0.80287", "0.606453", "1.062903"),
        "GASP": ("1.795485", "0.800739", "0.486261", "1.318597"),
        "PARIS": ("3.217624", "0.798143", "0.552563", "1.152868"),
        "AMIS": ("10.153491", "1.132736", "0.934665", "1.372783"),
        "ISIS-2": ("72.87984", "0.894969", "0.829418", "0.965702"),
    }
    rows = data_rows()
    for line in rows:
        line |= dict(zip(("Weight", "Mean", "CI start", "CI end"), stored[str(line["Study"])], strict=True))
    agreement = read_web_package({"a-data-rows.csv": table(rows)}, "a").recompute()
    found = agreement.outcomes[0]
    assert (found.measure, found.method, found.model) == ("OR", "MH", "common")
    assert found.guessed
    assert (agreement.numbers, agreement.disagree) == (28, ())


@pytest.mark.parametrize("separator", [",", ";"])
def test_the_csv_of_revman_5_is_read_with_and_without_numbers(tmp_path: Path, separator: str) -> None:
    head = (
        "Name|Data Type|Statistical Method|Effect Measure|Analysis Model|Events 1|Total 1|Events 2|Total 2|"
        "Effect Estimate|SE|CI Start|CI End|Weight|Q|df|Qint"
    )
    lines = [head, "Aspirin|" + "|" * 15, "Death|DIC|MH|OR|Fixed|2128|14186|2286|13817|"]
    lines[2] += "0.89686556||0.8405144|0.95699471|100|9.94605598|6|0"
    lines += [f"{s}|||||{a}|{n_1}|{c}|{n_2}|" + "|" * 7 for s, _, a, n_1, c, n_2 in ASPIRIN]
    text = "\ufeff" + "\n".join(lines).replace("|", separator)
    if separator == ";":
        text = text.replace("0.89686556", "0,89686556")
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    agreement = read_revman(tmp_path / "a.csv").recompute()
    assert (agreement.stored, agreement.agree, agreement.disagree) == (1, 1, ())


def test_a_study_that_was_unticked_stands_in_a_csv_with_its_arms_and_zeros(tmp_path: Path) -> None:
    head = (
        "Name|Data Type|Statistical Method|Effect Measure|Analysis Model|Events 1|Total 1|Events 2|Total 2|"
        "Effect Estimate|SE|CI Start|CI End|Weight|Q|df|Qint"
    )
    lines = [head, "Aspirin|" + "|" * 15, "Death|DIC|MH|OR|Fixed|2128|14186|2286|13817|"]
    lines[2] += "0.89686556||0.8405144|0.95699471|100|9.94605598|6|0"
    lines += [f"{s}|||||{a}|{n_1}|{c}|{n_2}|" + "|" * 7 for s, _, a, n_1, c, n_2 in ASPIRIN]
    lines.append("Unticked|||||90|100|1|100|0|0|0|0|0|||")
    (tmp_path / "a.csv").write_text("\n".join(lines).replace("|", ","), encoding="utf-8")
    review = read_revman(tmp_path / "a.csv")
    agreement = review.recompute()
    assert (agreement.stored, agreement.agree, agreement.disagree) == (1, 1, ())
    assert agreement.outcomes[0].total.k == len(ASPIRIN)
    assert review.comparisons[0].outcomes[0].rows[-1].data["events_1"] == 90.0


def test_headings_and_decimals() -> None:
    assert heading("CI.start") == heading("CI start") == "ci start"
    assert decimals(["1.25", "3.123456", "x", ""]) == 6
    assert decimals(["0.1234567890123456"]) is None


def test_no_row_in_a_file_that_is_not_empty_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.rm5").write_bytes(rm5(outcome("DICH", "")))
    with pytest.raises(InputError, match="no study row was read"):
        read_revman(tmp_path / "a.rm5")


def test_repeated_studies_and_missing_names_do_not_stop_the_reader() -> None:
    inside = dich("A", 1, 9, 2, 9) + dich("A", 2, 9, 2, 9) + row("DICH_DATA", "") + element("DICH_DATA", {})
    agreement = read_rm5(rm5(outcome("DICH", inside, EFFECT_MEASURE="RR", METHOD="MH")), "x").recompute()
    assert agreement.outcomes[0].total.k == 2


def test_the_review_says_what_it_holds() -> None:
    assert repr(read_rm5(aspirin(), "x.rm5")) == (
        "RevManReview: A review (rm5): 7 studies, 1 comparisons, 1 outcomes, 7 study rows"
    )
