"""References in Vancouver style: the samples of the ICMJE recommendations, and records that say little."""

from __future__ import annotations

import pytest

from balm.report.vancouver import vancouver
from balm.vocabulary.record import Record

#: NLM, "Samples of Formatted References for Authors of Journal Articles": what is printed there, and the record of it.
SAMPLES = (
    (
        "Halpern SD, Ubel PA, Caplan AL. Solid-organ transplantation in HIV-infected patients. N Engl J Med. "
        "2002;347(4):284-7.",
        {"authors": ("Halpern, Scott D.", "Ubel PA", "A. L. Caplan"), "year": 2002,
         "title": "Solid-organ transplantation in HIV-infected patients.", "journal": "New England Journal of Medicine",
         "journal_abbreviation": "N Engl J Med", "volume": "347", "issue": "4", "pages": "284-287"},
    ),
    (
        "Rose ME, Huerbin MB, Melick J, Marion DW, Palmer AM, Schiding JK, et al. Regulation of interstitial "
        "excitatory amino acid concentrations after cortical contusion injury. Brain Res. 2002;935(1-2):40-6.",
        {"authors": ("Rose ME", "Huerbin MB", "Melick J", "Marion DW", "Palmer AM", "Schiding JK", "Kochanek PM"),
         "title": "Regulation of interstitial excitatory amino acid concentrations after cortical contusion injury",
         "journal_abbreviation": "Brain Res.", "volume": "935", "issue": "1-2", "pages": "40-6", "year": 2002},
    ),
    (
        "Diabetes Prevention Program Research Group. Hypertension, insulin, and proinsulin in participants with "
        "impaired glucose tolerance. Hypertension. 2002;40(5):679-86.",
        {"authors": ("Diabetes Prevention Program Research Group",), "journal": "Hypertension", "year": 2002,
         "title": "Hypertension, insulin, and proinsulin in participants with impaired glucose tolerance",
         "volume": "40", "issue": "5", "pages": "679-86"},
    ),
    (
        "Meltzer PS, Kallioniemi A, Trent JM. Chromosome alterations in human solid tumors. In: Vogelstein B, Kinzler "
        "KW, editors. The genetic basis of human cancer. New York: McGraw-Hill; 2002. p. 93-113.",
        {"type": "chapter", "authors": ("Meltzer PS", "Kallioniemi A", "Trent JM"), "year": 2002,
         "title": "Chromosome alterations in human solid tumors", "editors": ("Vogelstein, B.", "Kinzler, K.W."),
         "journal": "The genetic basis of human cancer", "publisher": "McGraw-Hill", "place": "New York",
         "pages": "93-113"},
    ),
    (
        "Borkowski MM. Infant sleep and feeding: a telephone survey of Hispanic Americans [dissertation]. Mount "
        "Pleasant (MI): Central Michigan University; 2002.",
        {"type": "thesis", "authors": ("Borkowski MM",), "place": "Mount Pleasant (MI)", "year": 2002,
         "publisher": "Central Michigan University",
         "title": "Infant sleep and feeding: a telephone survey of Hispanic Americans"},
    ),
)  # fmt: skip


@pytest.mark.parametrize(("printed", "fields"), SAMPLES, ids=[printed.split()[0] for printed, _ in SAMPLES])
def test_samples_of_the_icmje(printed, fields):
    assert vancouver(Record("it", **fields)) == printed


@pytest.mark.parametrize(
    ("fields", "printed"),
    [
        ({}, ""),
        ({"title": "Does it work?"}, "Does it work?"),
        ({"title": "Ketamine <b>&</b> pain", "year": 2009}, "Ketamine <b>&</b> pain. 2009."),
        ({"authors": ("van der Berg, J.-P.", "Smith JA Jr", "et al."), "title": "A"},
         "van der Berg JP, Smith JA Jr, et al. A."),
        ({"title": "A", "journal": "Pain", "year": 2009, "pages": "S1-S110"}, "A. Pain. 2009:S1-S110."),
        ({"type": "conference", "title": "A", "journal": "Eur J Pain", "volume": "15 Suppl 1", "year": 2011},
         "A. Eur J Pain. 2011;15 Suppl 1."),
    ],
)  # fmt: skip
def test_what_is_not_known_is_left_out(fields, printed):
    assert vancouver(Record("it", **fields)) == printed
