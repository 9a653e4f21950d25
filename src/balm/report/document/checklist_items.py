"""The items of PRISMA 2020 and of PRISMA 2020 for abstracts, in our words, with the sections that answer each.

Page MJ, McKenzie JE, Bossuyt PM, et al. The PRISMA 2020 statement: an updated guideline for reporting systematic
reviews. BMJ 2021;372:n71, tables 1 and 2. The wording of the statement is that of the paper; what stands here says the
same in fewer words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a checklist; ``where`` names the sections that answer it."""

    number: str
    topic: str
    asks: str
    where: tuple[str, ...]


#: The rows of the main checklist: 27 items, some of them in parts.
MAIN = (
    Item("1", "Title", "The title says that this is a systematic review", ("title",)),
    Item("2", "Abstract", "The abstract answers the checklist for abstracts", ("abstract",)),
    Item("3", "Rationale", "Why the review is needed, beside what is known", ("rationale",)),
    Item("4", "Objectives", "The objective or question, stated explicitly", ("question",)),
    Item("5", "Eligibility criteria", "What was included and excluded, and how studies were grouped for syntheses",
         ("methods-eligibility", "methods-grouping")),
    Item("6", "Information sources", "Every source searched or asked, and when each was last searched",
         ("methods-sources", "searches")),
    Item("7", "Search strategy", "The whole strategy for each source, with filters and limits", ("searches",)),
    Item("8", "Selection process", "How it was decided that a study qualifies: people, independence, automation",
         ("methods-selection",)),
    Item("9", "Data collection process", "How data were collected: people, independence, contact, automation",
         ("methods-data",)),
    Item("10a", "Data items: outcomes", "Outcomes sought, and how a result was chosen where a study has several",
         ("methods-outcomes",)),
    Item("10b", "Data items: others", "Other data sought, and what was assumed where information was missing",
         ("methods-data",)),
    Item("11", "Risk of bias of studies", "Tools, people, independence and automation of the assessment",
         ("methods-bias",)),
    Item("12", "Effect measures", "The effect measure of each outcome", ("methods-synthesis",)),
    Item("13a", "Synthesis: which studies", "How it was decided which studies belong to each synthesis",
         ("methods-grouping",)),
    Item("13b", "Synthesis: preparing data", "How data were made ready, such as conversions and missing statistics",
         ("methods-data",)),
    Item("13c", "Synthesis: display", "How results of studies and syntheses are tabulated and drawn",
         ("methods-display",)),
    Item("13d", "Synthesis: methods", "How results were pooled and why: model, heterogeneity, software",
         ("methods-synthesis", "methods-software")),
    Item("13e", "Synthesis: heterogeneity", "How possible causes of heterogeneity were explored",
         ("methods-exploring",)),
    Item("13f", "Synthesis: sensitivity", "Which sensitivity analyses tested how robust results are",
         ("methods-exploring",)),
    Item("14", "Reporting bias assessment", "How bias by missing results was assessed", ("methods-missing",)),
    Item("15", "Certainty assessment", "How certainty in the body of evidence was assessed", ("methods-certainty",)),
    Item("16a", "Study selection: flow", "Numbers from search to inclusion, with a flow diagram", ("flow",)),
    Item("16b", "Study selection: exclusions", "Studies that seem to qualify but were excluded, each with its reason",
         ("excluded",)),
    Item("17", "Study characteristics", "Each included study, cited, with its characteristics", ("studies",)),
    Item("18", "Risk of bias in studies", "The judgements for each included study", ("risk-of-bias",)),
    Item("19", "Results of studies", "For each outcome, each study's data and its effect with precision",
         ("results", "numbers")),
    Item("20a", "Syntheses: their studies", "For each synthesis, characteristics and risk of bias of its studies",
         ("results", "risk-of-bias")),
    Item("20b", "Syntheses: results", "Every synthesis: estimate, precision, heterogeneity, direction", ("results",)),
    Item("20c", "Syntheses: heterogeneity", "What the search for causes of heterogeneity found", ("results",)),
    Item("20d", "Syntheses: sensitivity", "What the sensitivity analyses found", ("results",)),
    Item("21", "Reporting biases", "Judgements on bias by missing results, for each synthesis", ("results",)),
    Item("22", "Certainty of evidence", "The certainty for each outcome", ("certainty-section",)),
    Item("23a", "Discussion: interpretation", "The results in the context of other evidence",
         ("discussion-interpretation",)),
    Item("23b", "Discussion: limits of evidence", "Limitations of the evidence included",
         ("discussion-limits-evidence",)),
    Item("23c", "Discussion: limits of review", "Limitations of the way the review was done",
         ("discussion-limits-review",)),
    Item("23d", "Discussion: implications", "What follows for practice, policy and research",
         ("discussion-implications",)),
    Item("24a", "Registration", "Register and number, or that the review was not registered", ("registration",)),
    Item("24b", "Protocol", "Where the protocol is, or that there is none", ("registration",)),
    Item("24c", "Amendments", "What was changed after registration or protocol, and why", ("deviations",)),
    Item("25", "Support", "Money and other support, and the part of those who gave it", ("support",)),
    Item("26", "Competing interests", "Interests of the authors", ("people",)),
    Item("27", "Data, code, materials", "What is public and where: forms, data, code, other materials",
         ("availability",)),
)  # fmt: skip

#: What PRISMA for network meta-analyses adds: items S1 to S5 of Hutton et al. (2015) Ann Intern Med 162:777, and the
#: items of the main checklist that it widens.
NETWORK = (
    Item("1", "Title", "The title names a network meta-analysis", ("title",)),
    Item("S1", "Geometry of the network", "How the network was made, examined and drawn", ("methods-networks",)),
    Item(
        "S2",
        "Assessment of inconsistency",
        "How direct and indirect evidence were compared, and what if they disagree",
        ("methods-networks",),
    ),
    Item(
        "13",
        "Summary measures",
        "Effect measures, and other summaries such as rankings and league tables",
        ("methods-networks",),
    ),
    Item("14", "Methods of analysis", "Multi-arm studies, variance structure, model", ("methods-networks",)),
    Item("S3", "Network structure", "A graph of the treatments", ("networks",)),
    Item(
        "S4",
        "Summary of the geometry",
        "Treatments, studies and people of each comparison, and what is missing",
        ("networks",),
    ),
    Item(
        "21", "Results of syntheses", "Each comparison with its precision, rankings where they are given", ("networks",)
    ),
    Item("S5", "Exploration for inconsistency", "What the tests of inconsistency found", ("networks",)),
    Item("22", "Certainty", "Certainty for each comparison", ("certainty-section",)),
)

#: The twelve items for abstracts; ``where`` names the parts of the abstract.
ABSTRACT = (
    Item("1", "Title", "The title says that this is a systematic review", ("title",)),
    Item("2", "Objectives", "The main objective or question", ("abstract-objectives",)),
    Item("3", "Eligibility criteria", "What was included and excluded", ("abstract-eligibility",)),
    Item("4", "Information sources", "Sources searched, and when each was last searched", ("abstract-sources",)),
    Item("5", "Risk of bias", "How risk of bias of the studies was assessed", ("abstract-bias",)),
    Item("6", "Synthesis of results", "How results were presented and pooled", ("abstract-synthesis",)),
    Item("7", "Included studies", "Number and kind of studies and participants", ("abstract-studies",)),
    Item("8", "Results of syntheses", "Main outcomes with studies, people, estimate, interval and direction",
         ("abstract-results",)),
    Item("9", "Limitations of evidence", "In short, such as bias, inconsistency, imprecision",
         ("abstract-limitations",)),
    Item("10", "Interpretation", "What the results mean, and what matters about them", ("abstract-interpretation",)),
    Item("11", "Funding", "Where the money came from", ("abstract-funding",)),
    Item("12", "Registration", "Register and number", ("abstract-registration",)),
)  # fmt: skip
