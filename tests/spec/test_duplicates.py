"""What counts as a duplicate, case by case: one report merges, two reports stay apart (PRISMA 2020, Rathbone 2015)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from balm.review.deduplication.duplicates import find_duplicates
from balm.vocabulary.record import Record

PAPER = Record(
    id="paper",
    title="Ketamine infusions for complex regional pain syndrome in adults: a randomised controlled trial",
    authors=("Sigtermans, Marnix J.", "van Hilten, Jacobus J.", "Dahan, Albert"),
    year=2009,
    journal="Pain",
    volume="145",
    issue="3",
    pages="304-311",
    doi="10.1016/j.pain.2009.06.023",
    abstract="Complex regional pain syndrome type 1 patients were randomised to receive ketamine or placebo for four "
    "days in an individually stepwise tailored dosage, and pain was measured weekly for three months.",
)
TITLE = PAPER.title or ""
BARE = replace(PAPER, doi=None, abstract=None)


def verdict(one, two):
    """merge, review or keep."""
    found = find_duplicates([one, replace(two, id="other")])
    if found.groups:
        return "merge"
    return "review" if found.review else "keep"


ONE_REPORT = {
    "the same record twice": PAPER,
    "upper case and a full stop": replace(PAPER, title=TITLE.upper() + "."),
    "no DOI": replace(PAPER, doi=None),
    "no abstract, no DOI": BARE,
    "abbreviated pages": replace(BARE, pages="304-11"),
    "another dash in the pages": replace(BARE, pages="304\u2013311"),
    "initials": replace(BARE, authors=("Sigtermans MJ", "van Hilten JJ", "Dahan A")),
    "American spelling": replace(BARE, title=TITLE.replace("randomised", "randomized")),
    "one typing error": replace(BARE, title=TITLE.replace("complex", "compex")),
    "a remark of the database": replace(BARE, title=TITLE + " [see comments]"),
    "a note that an erratum exists": replace(BARE, title=TITLE + ". [Erratum appears in Pain. 2010;148(2):349]"),
    "a retracted paper, marked as such": replace(BARE, title="RETRACTED: " + TITLE),
    "title in brackets": replace(BARE, title=f"[{TITLE}]"),
    "markup": replace(BARE, title=TITLE.replace("Ketamine", "<i>Ketamine</i>")),
    "the issue in the field of the volume": replace(BARE, volume="145(3)", issue=None),
    "online in the year before, not yet in print": replace(BARE, year=2008, volume=None, issue=None, pages=None),
    "pages a spreadsheet took for a date": replace(BARE, pages="01-Jun"),
    "the DOI that JSTOR gave it": replace(PAPER, doi="10.2307/3060925"),
    "the DOI of its entry in CENTRAL": replace(PAPER, doi="10.1002/central/cn-00778158/full"),
    "a volume that is only the year": replace(BARE, volume="2009", issue=None),
    "the marks of footnotes behind the title": replace(BARE, title=TITLE + "<sup>1-3</sup>", pages="304"),
    "another year in the same issue": replace(BARE, year=2006, pages=None),
    "a dash for the colon": replace(BARE, title=TITLE.replace(": a", " - a")),
    "given names before family names": replace(
        BARE, authors=("Marnix J. Sigtermans", "Jacobus J. van Hilten", "Albert Dahan")
    ),
    "authors in another order": replace(
        BARE, authors=("Dahan, Albert", "Sigtermans, Marnix J.", "van Hilten, Jacobus J.")
    ),
    "three authors of which one is named": replace(BARE, authors=("Sigtermans, Marnix J.",)),
    "no authors": replace(BARE, authors=()),
    "no year": replace(BARE, year=None),
    "no journal": replace(BARE, journal=None),
    "no volume": replace(BARE, volume=None),
    "no pages": replace(BARE, pages=None),
    "pages with a letter for the country": replace(BARE, pages="pp. 304-311"),
    "accents lost by an export": replace(BARE, authors=("Sigtermans, Marnix J", "v Hilten, J J", "Dahan, A")),
    "the subtitle left out, same pages": replace(BARE, title=TITLE.split(":")[0], volume=None, issue=None),
    "a DOI written as an address": replace(PAPER, doi="10.1016/J.PAIN.2009.06.023"),
}
TWO_REPORTS = {
    "the abstract of a meeting": replace(
        BARE,
        type="conference",
        journal="European Journal of Pain",
        volume="13",
        issue="Suppl 1",
        pages="S55",
        year=2009,
    ),
    "the abstract of a meeting in the same journal": replace(
        BARE, type="conference", volume=None, issue=None, pages=None
    ),
    "a preprint": replace(
        PAPER, journal="medRxiv", doi="10.1101/2020.05.01.20087100", volume=None, issue=None, pages=None
    ),
    "an erratum": replace(BARE, title="Erratum: " + TITLE, pages="349", volume="148", year=2010),
    "a letter on the paper": replace(
        BARE, title=f"Letter to the editor on: {TITLE}", authors=("Schwartzman RJ",), volume="147", pages="10"
    ),
    "the author's reply": replace(BARE, title=f"{TITLE}: author's reply", pages="312"),
    "a commentary printed behind it": replace(
        BARE, title=f"Commentary on {TITLE}", authors=("Bruehl S",), pages="312-313"
    ),
    "the protocol of the trial": replace(
        BARE, title=f"{TITLE}: study protocol", year=2006, journal="Trials", volume="7", pages="12", issue=None
    ),
    "the title cut before it could say part II": replace(
        BARE, title=f"{TITLE[:60]}...", volume=None, pages=None, issue=None
    ),
    "the next update of a living review": replace(BARE, year=2010, volume="146", issue="1", pages="5-19"),
    "the animal study of that name": replace(BARE, title=TITLE.replace("adults", "rats"), pages=None, volume=None),
    "another length of follow-up": replace(
        BARE, title=TITLE + ": 12-month follow-up", year=2010, volume="148", pages="1-9", issue="1"
    ),
    "an erratum on the same page, undated": replace(BARE, title="Corrigendum to: " + TITLE),
    "a retraction notice": replace(BARE, title="Retraction: " + TITLE, pages="900"),
    "a reply": replace(BARE, title="Reply to: " + TITLE, pages="312"),
    "a comment": replace(BARE, title=f'Comment on "{TITLE}"', pages="313"),
    "part II": replace(BARE, title=TITLE + ". Part II", pages="312-320"),
    "part II, nothing else given": replace(BARE, title=TITLE + ". Part II", pages=None, volume=None, issue=None),
    "women, not adults": replace(BARE, title=TITLE.replace("adults", "women"), pages="312-320"),
    "another dose": replace(BARE, title=TITLE.replace("Ketamine", "Ketamine 40 mg"), pages=None),
    "an updated review": replace(BARE, year=2014, volume="150", pages="1-20", doi="10.1016/j.pain.2014.01.001"),
    "another trial of that name": replace(
        BARE,
        authors=("Schwartzman RJ", "Alexander GM"),
        journal="Anesthesiology",
        volume="111",
        pages="10-19",
        issue="1",
    ),
    "the registration of the trial": replace(
        BARE, type="registration", journal=None, volume=None, issue=None, pages=None, accession_numbers=("NCT00000001",)
    ),
    "a thesis": replace(BARE, type="thesis", journal=None, volume=None, issue=None, pages=None),
    "the abstract of a meeting in the same volume": replace(BARE, type="conference", issue=None, pages=None),
    "the registration, told by its address": replace(
        BARE, journal="https://clinicaltrials.gov/show/NCT00000001", volume=None, issue=None, pages=None
    ),
    "a notice told by its type": replace(BARE, publication_types=("Erratum",), pages=None),
}


@pytest.mark.parametrize("case", ONE_REPORT)
def test_one_report_is_merged(case):
    other = ONE_REPORT[case]
    assert verdict(PAPER if other.doi else BARE, other) == "merge"


@pytest.mark.parametrize("case", TWO_REPORTS)
def test_two_reports_stay_apart(case):
    assert verdict(PAPER, TWO_REPORTS[case]) != "merge"
    assert verdict(BARE, TWO_REPORTS[case]) != "merge"


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("The New England Journal of Medicine", "N Engl J Med"),
        ("Anesthesia and Analgesia", "ANESTH ANALG"),
        ("Spine", "Spine (Phila Pa 1976)"),
        ("JAMA", "Journal of the American Medical Association"),
        ("Der Schmerz", "Schmerz (Berlin, Germany)"),
    ],
)
def test_a_journal_goes_by_several_names(full, short):
    one = replace(BARE, journal=full, volume=None, issue=None)
    assert verdict(one, replace(one, journal=short)) == "merge"


def test_different_dois_stay_apart():
    assert verdict(PAPER, replace(PAPER, doi="10.1016/j.pain.2009.06.024")) != "merge"
    assert verdict(
        replace(PAPER, doi="10.1002/14651858.cd012345.pub2"), replace(PAPER, doi="10.1002/14651858.cd012345")
    ) != ("merge")


REVIEW = Record(
    id="review",
    title="Ketamine as an adjuvant to opioids for cancer pain",
    authors=("Bell RF", "Eccleston C", "Kalso EA"),
    year=2012,
    journal="Cochrane Database of Systematic Reviews",
    issue="11",
    pages="CD003351",
)


@pytest.mark.parametrize(
    "other",
    [
        {"year": 2013, "issue": "6"},
        {"year": 2013},
        {"issue": "2"},
        {"issue": None, "volume": "2"},
        {"year": 2011, "volume": "2011"},
        {"year": 2013, "issue": "6", "doi": "10.1002/14651858.cd003351.pub3"},
    ],
)
def test_versions_of_a_cochrane_review_share_title_and_page_and_stay_apart(other):
    """Its protocol, the review and every update stand under one title, with the number of the review as page."""
    assert verdict(REVIEW, replace(REVIEW, **other)) != "merge"


@pytest.mark.parametrize(
    "other",
    [
        {"volume": "11", "issue": None},
        {"volume": "2012"},
        {"issue": "003351", "volume": "2012"},
        {"journal": "Cochrane Database Syst Rev", "pages": "Cd003351", "doi": "10.1002/14651858.cd003351.pub2"},
    ],
)
def test_one_version_of_a_cochrane_review_is_one_report(other):
    assert verdict(REVIEW, replace(REVIEW, **other)) == "merge"


@pytest.mark.parametrize(
    "doi",
    [
        "10.31219/osf.io/abcd1",
        "10.64898/2025.12.01.25340001",
        "10.1590/scielopreprints.123",
        "10.2196/preprints.12345",
        "10.21203/rs.3.rs-12345/v1",
    ],
)
def test_a_preprint_is_known_by_its_doi(doi):
    bare = replace(BARE, journal=None, volume=None, issue=None, pages=None)
    assert verdict(bare, replace(bare, doi=doi)) != "merge"
    assert verdict(bare, replace(bare, doi="10.1016/j.pain.2009.06.023")) == "merge"


def test_registrations_in_central_are_told_apart_by_their_addresses():
    one = replace(
        BARE, authors=("Nct",), journal="https://clinicaltrials.gov/show/NCT00000001", volume=None, issue=None,
        pages=None,
    )  # fmt: skip
    assert verdict(one, replace(one, journal="https://clinicaltrials.gov/ct2/show/NCT00000002")) != "merge"
    assert verdict(one, one) == "merge"


def test_the_publishers_doi_stands_on_the_merged_record():
    entry = replace(PAPER, id="entry", doi="10.1002/central/cn-00778158/full", abstract="x" * 900)
    again = replace(entry, id="again")
    (group,) = find_duplicates([entry, again, PAPER]).groups
    assert (group.record.doi, group.provenance["doi"]) == (PAPER.doi, ("paper",))


def test_a_short_title_stands_once_in_an_issue():
    one = replace(BARE, title="Structured systems planning", pages=None)
    assert verdict(one, replace(one, authors=("Sigtermans M", "Hilten JJ van", "Dahan A"))) == "merge"
    assert verdict(one, replace(one, issue=None)) == "review"
    assert verdict(one, replace(one, title="Editorial introduction")) != "merge"


def test_the_marks_of_footnotes_are_asked_about_where_no_page_or_issue_is_given():
    """A part 1 looks the same; a part 2 does not."""
    marked = replace(BARE, title=TITLE + " 1, 2", pages=None)
    assert verdict(BARE, replace(marked, issue=None)) == "review"
    assert verdict(BARE, marked) == "merge"
    assert verdict(BARE, replace(marked, authors=("Schwartzman RJ", "Alexander GM"))) != "merge"
    assert verdict(BARE, replace(BARE, title=TITLE + " 1, 2", pages="304")) == "merge"
    assert verdict(BARE, replace(BARE, title=TITLE + " 2", pages="304")) == "review"


@pytest.mark.parametrize(
    "heading",
    ["Research note: ", "Invited Article - ", "SIM Competition Paper - ", "1989 Jury Award Paper. ", "Case report: ",
     "SPECIAL ISSUE: PAIN AND ITS MEASUREMENT "],
)  # fmt: skip
def test_the_heading_of_a_section_is_no_part_of_the_title(heading):
    """Where issue and authors are one; anywhere else it is asked about, or stays apart."""
    headed = replace(BARE, title=heading + TITLE, pages=None)
    assert verdict(BARE, headed) == "merge"
    assert verdict(BARE, replace(headed, title=headed.title + " 1")) == "merge"
    assert verdict(BARE, replace(headed, issue="2")) != "merge"
    assert verdict(BARE, replace(headed, pages="400-410")) != "merge"
    assert verdict(BARE, replace(headed, authors=("Schwartzman RJ", "Alexander GM"))) != "merge"


@pytest.mark.parametrize(
    "other",
    ["Executive summary: {}", "Companion paper: {}", "Response paper: {}", "Study protocol: {}", "Erratum note: {}",
     "Development of {}", "Discussion paper on {}", "{} in children", "{}: executive summary", "{}. Part 1",
     "Comment: {}", "Second report: {}"],
)  # fmt: skip
def test_what_else_stands_in_one_issue_under_that_title_is_another_text(other):
    assert verdict(BARE, replace(BARE, title=other.format(TITLE), pages=None)) != "merge"


def test_one_issue_and_authors_are_worth_a_question():
    """One title within the other, however long the rest is, or no title at all."""
    one = replace(BARE, title="Measuring chronic pain in primary care", pages=None)
    assert verdict(one, replace(one, title=f"Pain measures 1 {one.title}")) == "review"
    assert verdict(one, replace(one, title=None)) == "review"
    assert verdict(one, replace(one, title=None, authors=())) == "keep"
    printed = replace(BARE, title=f"{TITLE} 1 By: Marnix Sigtermans", authors=("University, Leiden",), pages=None)
    assert verdict(BARE, printed) == "review"  # a very long title, whoever is named
    assert verdict(BARE, replace(printed, issue="4")) != "merge"


def test_different_pubmed_numbers_stay_apart():
    assert verdict(replace(BARE, pmid="19604642"), replace(BARE, pmid="19604643")) != "merge"


def test_parts_one_and_two_stay_apart():
    one = replace(BARE, title=TITLE + ". Part I: efficacy")
    two = replace(BARE, title=TITLE + ". Part II: efficacy", pages="312-320")
    assert verdict(one, two) != "merge"


@pytest.mark.parametrize(
    "title", ["Editorial", "Letter to the editor", "Editorial Notes", "Introduction to the special issue"]
)
def test_a_title_that_recurs_needs_its_place(title):
    one = Record(id="a", title=title, year=2009, journal="Pain", authors=("Dahan A",))
    assert verdict(one, replace(one, volume="145")) != "merge"
    placed = replace(one, volume="145", issue="3", pages="200-201")
    assert verdict(placed, placed) == "merge"


def test_an_editor_writes_one_column_an_issue():
    """Same words, person, volume and first page: the issue tells them apart, and nobody has to be asked."""
    one = Record(
        id="a", title="Editor's Comments", authors=("Weber, Ron",), year=2003, journal="MIS Quarterly", volume="27",
        issue="2", pages="iii-xi",
    )  # fmt: skip
    assert verdict(one, replace(one, issue="3", pages="iii-xii")) == "keep"
    intro = replace(one, title="Editorial Introduction", pages="5-6", issue=None, doi="10.1080/1")
    assert verdict(intro, replace(intro, doi="10.1080/2")) == "keep"
    assert verdict(one, one) == "merge"


@pytest.mark.parametrize(
    ("paper", "notice"),
    [
        ("Ketamin bei chronischen Schmerzen nach Amputation", "Erwiderung auf: {}"),
        ("Ketamin bei chronischen Schmerzen nach Amputation", "Berichtigung: {}"),
        ("Traitement des douleurs neuropathiques par la kétamine", "Réponse à : {}"),
        ("Tratamiento del dolor neuropático con ketamina en adultos", "Fe de erratas: {}"),
        ("Tratamiento del dolor neuropático con ketamina en adultos", "Comentario a {}"),
    ],
)
def test_a_notice_in_another_language_is_a_notice(paper, notice):
    one = replace(BARE, title=paper)
    assert verdict(one, replace(one, title=paper.upper())) == "merge"
    assert verdict(one, replace(one, title=notice.format(paper))) != "merge"  # on the same page, by the same authors


def test_a_record_without_a_title_is_asked_about():
    """Two letters may stand on the same pages; without a title nobody can tell."""
    assert verdict(BARE, replace(BARE, title=None)) == "review"


def test_two_spellings_of_one_erratum_are_one_report_and_not_the_paper():
    embase = replace(BARE, title=f"Erratum: {TITLE} (Pain (2009) 145 (304-311))", issue="2", pages="349", volume="148")
    web_of_science = replace(embase, title=f"{TITLE} (vol 145, pg 304, 2009)")
    assert verdict(embase, web_of_science) == "merge"
    assert verdict(replace(embase, title=f"{TITLE} (Pain (2009) 145 (304-311))"), web_of_science) == "merge"
    assert verdict(BARE, web_of_science) != "merge"


def test_a_letter_with_the_report_it_speaks_of_in_its_title_is_that_letter():
    letter = replace(BARE, title="More on eculizumab for congenital syndromes", authors=("Shin JI",), pages="2142-3")
    told = replace(letter, title=letter.title + "... N Engl J Med. 2009 Jan 29;360(5):544-6")
    assert verdict(letter, told) == "merge"


def test_a_title_translated_twice_is_known_by_its_pages():
    one = Record(
        id="a", title="Indications and contraindications for living kidney donations. [Spanish]",
        authors=("Andres, A.",), year=2010, journal="Nefrologia", volume="30", issue="SUPPL", pages="30-38",
    )  # fmt: skip
    two = replace(one, title="[Indications and contraindications of living-donor transplantation]", issue="Suppl 2")
    assert verdict(one, two) == "merge"
    assert verdict(replace(one, pages="S30"), replace(two, pages="S30")) != "merge"  # abstracts share pages
    assert verdict(replace(one, pages="S1-S240"), replace(two, pages="S1-S240")) != "merge"  # those of the supplement


def test_a_text_printed_twice_is_asked_about():
    assert verdict(PAPER, replace(PAPER, year=2010, volume="146", pages="56-64", doi="10.1016/x")) == "review"


def test_the_name_of_a_meeting_may_differ_from_that_of_its_proceedings():
    one = replace(BARE, journal="International Conference on Pain", volume=None, issue=None)
    two = replace(one, journal="ICP: Transforming Care", pages=None, year=2010)
    assert verdict(one, two) == "review"


def test_trials_that_share_a_title_keep_their_registrations():
    one = Record(id="a", title=TITLE, type="registration", year=2009, accession_numbers=("NCT00000001",))
    assert verdict(one, replace(one, accession_numbers=("NCT00000002",))) != "merge"


def test_two_abstracts_under_the_doi_of_their_supplement_stay_apart():
    one = replace(
        PAPER, pages="51", title="Effects of incretin on artery lesions in a model of atherosclerosis in mice"
    )
    two = replace(
        one,
        pages="52",
        title="The effects of incretin on artery lesions in a model of atherosclerosis in mice",
        authors=("Chen R", "Wang J", "Yan C"),
        abstract="To investigate the effects of exenatide on plaques, mice were fed a diet rich in fat for sixteen "
        "weeks and arteries were stained.",
    )
    assert verdict(one, two) != "merge"


def test_letters_on_one_paper_share_title_and_pages():
    one = replace(BARE, title="A trial of intrapleural streptokinase in infection", pages="2243-5; author reply 2243-5")
    assert verdict(replace(one, authors=("Rosa, Ute W.",)), replace(one, authors=("Bouros, Demosthenes",))) != "merge"


def test_opposites_are_other_reports():
    pairs = [
        ("hypertension", "hypotension"),
        ("agonists", "antagonists"),
        ("male", "female"),
        ("preoperative", "postoperative"),
        ("rats", "cats"),
    ]
    for left, right in pairs:
        one = replace(BARE, title=f"Ketamine and {left} in patients with chronic pain after surgery", pages=None)
        assert verdict(one, replace(one, title=(one.title or "").replace(left, right))) != "merge", (left, right)


@pytest.mark.parametrize(
    "title", ["Кетамин при хронической боли у взрослых пациентов", "氯胺酮治疗慢性疼痛的随机对照试验研究进展与展望"]
)
def test_titles_in_other_scripts_are_read(title):
    one = Record(
        id="a", title=title, authors=("Иванов А",), year=2010, journal="Анестезиология", volume="3", pages="5-9"
    )
    assert verdict(one, one) == "merge"
    other = replace(one, title=title[::-1], authors=("Петров Б",), pages="44-51")
    assert verdict(one, other) == "keep"


def test_a_chain_is_cut_where_a_pair_inside_must_stay_apart():
    """The record in the middle says too little to tell two DOIs apart; it may not join them."""
    left = replace(PAPER, id="left")
    middle = replace(PAPER, id="middle", doi=None)
    right = replace(PAPER, id="right", doi="10.1016/j.pain.2009.06.999")
    found = find_duplicates([left, middle, right])
    assert all(not {"left", "right"} <= set(group.ids) for group in found.groups)
    assert len(found.groups) == 1 and found.review


def test_a_chain_is_cut_even_where_nobody_would_be_asked_about_the_pair():
    """The report by DOI, its part II by PubMed number; the record in the middle carries both numbers."""
    left = replace(BARE, id="left", doi="10.1016/x", volume=None, issue=None, pages=None)
    middle = replace(left, id="middle", pmid="19604642")
    right = replace(middle, id="right", title=TITLE + ". Part II", doi=None, journal=None)
    assert verdict(left, right) == "keep"
    found = find_duplicates([left, middle, right])
    assert [set(group.ids) for group in found.groups] == [{"left", "middle"}]
    assert [(pair.record_1, pair.record_2) for pair in found.review] == [("middle", "right")]
