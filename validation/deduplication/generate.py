"""Search exports with known duplicates: works as eight kinds of source would show them, and what PRISMA keeps apart.

    python validation/deduplication/generate.py 10000 --seed 1

Titles are built from the words below, so two works are often near neighbours; nothing here is a real record. Half of
the works stand in one source only. About one in twenty gains a companion that is *not* a duplicate: a meeting abstract,
a correction, a reply, a second part, an update, a preprint, a namesake by other authors, or a title that recurs.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import replace

from balm.vocabulary.record import Record


def _words(text: str) -> list[str]:
    return text.split()


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split("|")]


DRUGS = _words("""
ketamine esketamine morphine oxycodone fentanyl methadone tramadol gabapentin pregabalin duloxetine
amitriptyline nortriptyline venlafaxine lidocaine mexiletine clonidine dexmedetomidine magnesium capsaicin
cannabidiol nabilone naltrexone buprenorphine tapentadol celecoxib ibuprofen paracetamol diclofenac naproxen
prednisone bupivacaine ropivacaine baclofen botulinum memantine dextromethorphan carbamazepine lamotrigine
topiramate valproate ziconotide acupuncture hypnosis mindfulness exercise physiotherapy neurofeedback
stimulation radiofrequency massage music
""")
CONDITIONS = _words("""
neuropathy fibromyalgia sciatica migraine neuralgia arthritis osteoarthritis amputation mastectomy thoracotomy
sternotomy hysterectomy hernia cystitis endometriosis pancreatitis vulvodynia dysmenorrhoea headache whiplash
radiculopathy stenosis spondylitis gout lupus stroke dementia cancer metastases chemotherapy burns trauma
fracture delirium depression anxiety insomnia addiction withdrawal sepsis asthma obesity diabetes hypertension
zoster
""")
PEOPLE = _words("""
adults children adolescents women men veterans athletes nurses outpatients inpatients survivors infants elders
workers students volunteers refugees twins smokers caregivers
""")
DESIGNS = _phrases("""
a randomised controlled trial|a randomized double-blind study|a cohort study|a case-control study|
a pilot study|a systematic review|a cross-sectional survey|a feasibility study|results of a multicentre trial|
an open-label trial|a qualitative study|a case series|a retrospective analysis|a crossover trial|
a dose-finding study
""")
OUTCOMES = _phrases("""
pain intensity|opioid consumption|quality of life|sleep|physical function|cognition|mood|return to work|
nausea|length of stay|satisfaction|hyperalgesia|allodynia|mortality|readmission|adherence|costs|fatigue|
catastrophising|inflammatory markers|cortical thickness|plasma concentrations|gait|grip strength|
bladder capacity
""")
PATTERNS = (
    "Effect of {d} on {o} in {p} with {c}: {s}",
    "{d} versus {d2} for {c} in {p}: {s}",
    "{d} and {o} after {c}",
    "Perioperative {d} for the prevention of {c} in {p} of {place}",
    "{o} in {p} with {c} treated with {d} and {d2} in {place}",
    "Does {d} improve {o}? {s} of {p} with {c} and {c2}",
    "Predictors of {o} in {c} and {c2}: {s} from {place}",
    "Long-term {d} use, {o} and {o2} among {p} in {place}",
)
PLACES = _words("""
Ontario Bavaria Catalonia Lombardy Flanders Uppsala Bergen Turku Gdansk Porto Kerala Sindh Hunan Osaka Busan
Hanoi Sonora Bahia Rosario Quito Accra Lagos Nairobi Durban Cairo Tunis Izmir Haifa Shiraz Perth Otago Tasmania
Quebec Oregon Vermont Kansas Utah Wales Ulster Galway
""")
FAMILY = _words("""
Smith Jones Lynch Müller Schwartzman Noppers Sigtermans García López Núñez Rossi Bianchi Dubois Lefèvre Nguyen
Tran Kim Park Lee Chen Wang Zhang Li Liu Sato Suzuki Tanaka Kowalski Nowak Novák Horváth Popescu Ivanov Petrov
Jensen Hansen Olsen Johansson Virtanen Öztürk Yılmaz Haddad Khan Patel Singh Sharma Okafor Mensah Silva Santos
Fernández O'Brien McDonald van_der_Berg de_Vries Peters Bakker Fischer Weber Wagner Becker Hoffmann Schulz Koch
Richter Wolf Braun Krüger
""")
JOURNALS = (
    ("Pain", "Pain"),
    ("European Journal of Pain", "Eur J Pain"),
    ("The Journal of Pain", "J Pain"),
    ("British Journal of Anaesthesia", "Br J Anaesth"),
    ("Anesthesia and Analgesia", "Anesth Analg"),
    ("Clinical Journal of Pain", "Clin J Pain"),
    ("Pain Medicine (Malden, Mass.)", "Pain Med"),
    ("The New England Journal of Medicine", "N Engl J Med"),
    ("Cochrane Database of Systematic Reviews", "Cochrane Database Syst Rev"),
    ("Journal of Pain and Symptom Management", "J Pain Symptom Manage"),
    ("Regional Anesthesia and Pain Medicine", "Reg Anesth Pain Med"),
    ("Acta Anaesthesiologica Scandinavica", "Acta Anaesthesiol Scand"),
    ("Headache: The Journal of Head and Face Pain", "Headache"),
    ("Annals of the Rheumatic Diseases", "Ann Rheum Dis"),
    ("Journal of Clinical Oncology", "J Clin Oncol"),
    ("Supportive Care in Cancer", "Support Care Cancer"),
    ("Spine", "Spine (Phila Pa 1976)"),
    ("Journal of Neurosurgery", "J Neurosurg"),
)
GENERIC = (
    "Editorial",
    "Letter to the editor",
    "Editorial comment",
    "Introduction",
    "Book review",
    "In this issue",
    "Obituary",
)
SENTENCES = (
    "We studied {p} with {c} who received {d} in {place}.", "The primary outcome was {o} after {n} weeks.",
    "{o} and {o2} were measured in {n} participants.", "Treatment with {d2} was associated with a change in {o2}.",
    "There was no difference between the groups in {o}.",
    "Adverse events were seen in {n} per cent of those with {c2}.",
    "Further trials in {p2} are needed before {d} can be recommended.", "Participants were allocated by computer.",
)  # fmt: skip
SOURCES = ("pubmed", "embase", "wos", "scopus", "cinahl", "central", "psycinfo", "web")
#: How often a source gives the DOI.
DOI_GIVEN = dict(zip(SOURCES, (0.93, 0.8, 0.85, 0.9, 0.3, 0.5, 0.6, 0.0), strict=True))


def _fill(rng: random.Random, text: str) -> str:
    return text.format(
        d=rng.choice(DRUGS),
        d2=rng.choice(DRUGS),
        c=rng.choice(CONDITIONS),
        c2=rng.choice(CONDITIONS),
        p=rng.choice(PEOPLE),
        p2=rng.choice(PEOPLE),
        o=rng.choice(OUTCOMES),
        o2=rng.choice(OUTCOMES),
        s=rng.choice(DESIGNS),
        place=rng.choice(PLACES),
        n=rng.randint(4, 400),
    )


def _name(rng: random.Random) -> str:
    family = rng.choice(FAMILY).replace("_", " ")
    given = rng.choice("ABCDEFGHJKLMNPRSTVWZ") + rng.choice("aeiou") + rng.choice("nrstl")
    return f"{family}, {given} {rng.choice('ABCDEFGHJKLMNPRST')}."


def work(rng: random.Random, number: int) -> Record:
    """A work as a careful librarian would write it down."""
    title = _fill(rng, rng.choice(PATTERNS))
    which = rng.randrange(len(JOURNALS))
    full, short = JOURNALS[which]
    first, year = rng.randint(1, 2400), rng.randint(1985, 2024)
    return Record(
        id="",
        title=title[0].upper() + title[1:],
        authors=tuple(_name(rng) for _ in range(rng.choice((1, 2, 3, 4, 5, 6, 8)))),
        year=year,
        journal=full,
        journal_abbreviation=short,
        volume=str(max(year - 1960 - which, 1)),
        issue=str(rng.randint(1, 12)),
        pages=f"{first}-{first + rng.randint(3, 14)}",
        doi=f"10.{1000 + number % 89}/j.w{number}",
        abstract=" ".join(_fill(rng, s) for s in rng.sample(SENTENCES, rng.randint(4, 7))),
    )


def shown(rng: random.Random, w: Record, source: str) -> Record:
    """``w`` as ``source`` exports it."""
    title, pages, volume, issue, journal = w.title or "", w.pages, w.volume, w.issue, w.journal
    authors = list(w.authors)
    if source in ("wos", "cinahl", "web") and rng.random() < 0.35:
        title = title.upper() if rng.random() < 0.3 else title.title()
    if rng.random() < 0.03 and len(title) > 20:
        at = rng.randrange(10, len(title) - 5)
        title = title[:at] + (rng.choice("aeiot") if rng.random() < 0.5 else "") + title[at + 1 :]
    if source == "web" and rng.random() < 0.15 and len(title) > 80:
        title = title[:-20] + "..."
    if rng.random() < 0.05:
        title = title.replace("randomised", "randomized").replace("oe", "e")
    if source == "pubmed":
        title += "."
    if pages and source in ("pubmed", "cinahl") and "-" in pages:
        a, b = pages.split("-")
        same = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0) if len(a) == len(b) else 0
        pages = f"{a}-{b[same:]}"
    elif pages and source == "embase" and rng.random() < 0.3:
        pages = pages.replace("-", "\u2013")
    if source in ("embase", "pubmed", "central") and rng.random() < 0.6:
        journal = w.journal_abbreviation
    if source == "wos":
        journal = (journal or "").upper()
    if source == "web" or rng.random() < 0.02:
        pages = issue = None
        volume = volume if rng.random() < 0.5 else None
    if source == "central" and volume and issue and rng.random() < 0.4:
        volume, issue = f"{volume}({issue})", None
    if source in ("pubmed", "wos"):
        authors = [f"{n.split(', ')[0]} {''.join(p[0] for p in n.split(', ')[1].split())}" for n in authors]
    elif source == "embase":
        authors = [f"{n.split(', ')[0]} {'.'.join(p[0] for p in n.split(', ')[1].split())}." for n in authors]
    if source in ("scopus", "web") and len(authors) > 3 and rng.random() < 0.5:
        authors = authors[:3]
    if source in ("cinahl", "web") and rng.random() < 0.1:
        authors = [n.encode("ascii", "ignore").decode() for n in authors]
    year = w.year
    if year and rng.random() < 0.05:
        year += 1
        if rng.random() < 0.4:
            volume = pages = issue = None
    abstract = w.abstract if rng.random() < (0.3 if source == "web" else 0.85) else None
    if abstract and source == "embase":
        abstract = "Background: " + abstract
    return replace(
        w,
        title=title,
        pages=pages,
        volume=volume,
        issue=issue,
        journal=journal,
        journal_abbreviation=None,
        authors=tuple(authors),
        year=year,
        abstract=abstract,
        doi=w.doi if rng.random() < DOI_GIVEN[source] else None,
        source_file=f"{source}.ris",
    )


def companion(rng: random.Random, w: Record, number: int) -> Record:
    """Something close to ``w`` that is another report."""
    kind = rng.choice(("meeting", "erratum", "reply", "part", "update", "preprint", "namesake", "generic"))
    other = work(rng, number)
    year = w.year or 2000
    if kind == "meeting":
        page = f"S{rng.randint(1, 300)}"
        return replace(
            other, title=w.title, authors=w.authors, year=year - 1, type="conference", issue="Suppl 1", pages=page
        )
    if kind == "erratum":
        word = rng.choice(("Erratum: ", "Corrigendum to: ", "Correction: ", "Retraction: "))
        return replace(w, title=word + (w.title or ""), pages="999", doi=other.doi, abstract=None)
    if kind == "reply":
        return replace(
            other, title=f"Reply to: {w.title}", year=year, journal=w.journal, volume=w.volume, abstract=None
        )
    if kind == "part":
        first = int((w.pages or "1").split("-")[0]) + 15
        pages = f"{first}-{first + 9}"
        return replace(w, title=f"{w.title}. Part II", pages=pages, doi=other.doi, abstract=other.abstract)
    if kind == "update":
        return replace(w, year=year + 4, volume=str(int(w.volume or 1) + 4), pages=other.pages, doi=other.doi)
    if kind == "preprint":
        return replace(
            w, journal="medRxiv", journal_abbreviation="medRxiv", type="preprint", volume=None, issue=None, pages=None,
            doi=f"10.1101/2020.05.{number % 28 + 1:02d}.{number:08d}",
        )  # fmt: skip
    if kind == "namesake":
        return replace(other, title=w.title)
    return replace(other, title=rng.choice(GENERIC), abstract=None)


def exports(n: int, *, seed: int) -> Iterator[tuple[Record, int]]:
    """``n`` records in mixed order within blocks of a thousand, each with the number of its work."""
    rng = random.Random(seed)
    made, number = 0, 0
    block: list[tuple[Record, int]] = []
    while made < n:
        w = work(rng, number)
        here = [(shown(rng, w, s), number) for s in rng.sample(SOURCES, rng.choice((1, 1, 1, 2, 2, 3, 4)))]
        number += 1
        if rng.random() < 0.05:
            c = companion(rng, w, number)
            here += [(shown(rng, c, s), number) for s in rng.sample(SOURCES, rng.choice((1, 1, 2)))]
            number += 1
        block += here
        if len(block) >= 1000 or made + len(block) >= n:
            rng.shuffle(block)
            for record, truth in block[: n - made]:
                made += 1
                yield replace(record, id=f"r{made:07d}", ordinal=made), truth
            block = []


def main() -> None:
    """Print a few of the records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for record, truth in exports(arguments.n, seed=arguments.seed):
        print(
            truth,
            record.id,
            record.title,
            record.journal,
            record.year,
            record.volume,
            record.pages,
            record.doi,
            sep=" | ",
        )


if __name__ == "__main__":
    main()
