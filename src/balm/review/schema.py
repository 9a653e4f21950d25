"""The columns of every table of a review package: one row a column, read by the reader, the docs and ``balm new``.

The kinds of cell are those of :mod:`balm.vocabulary.table_columns`. An empty cell is *not reported*.
"""

from __future__ import annotations

from dataclasses import replace

from balm.review.certainty.strength import EXCEPTIONS, STRENGTHS
from balm.review.certainty.target import TARGETS as CERTAINTY_TARGETS
from balm.review.certainty.words import DOMAINS as CERTAINTY_DOMAINS
from balm.review.certainty.words import NETWORK_DOMAINS, NETWORK_RATINGS
from balm.review.certainty.words import RATINGS as CERTAINTY_RATINGS
from balm.review.risk_of_bias.instrument import INSTRUMENTS
from balm.review.risk_of_bias.words import DIRECTIONS as BIAS_DIRECTIONS
from balm.review.risk_of_bias.words import JUDGEMENTS as BIAS_JUDGEMENTS
from balm.vocabulary import evidence
from balm.vocabulary.table_columns import Column as Column
from balm.vocabulary.table_columns import Table as Table

#: Arms a number may be given for when the paper does not tie it to one arm.
NO_SINGLE_ARM = ("all", "either")

DESIGNS = ("parallel", "cross-over", "cluster", "single-arm", "non-randomised", "protocol", "not stated")
SCOPES = ("included", "sensitivity", "single-arm", "excluded", "ongoing", "awaiting")
ROLES = ("intervention", "placebo", "active placebo", "active comparator", "usual care", "other")
TIME_UNITS = ("min", "h", "d", "wk", "mo", "y")
#: What a mean is of: the values at the time point, the change since baseline (final − baseline), or the reduction.
VALUES_ARE = ("final", "change", "reduction")
#: Which part of a cross-over trial a number is from; empty = all periods together.
PERIODS = ("first", "second")
SETTINGS = ("chronic", "chronic non-cancer", "acute", "practice", "review", "not stated")
#: What a statement of guidance is, and what its source is.
STATEMENT_KINDS = (
    "dose", "recommendation", "contraindication", "caution", "interaction", "monitoring", "rescue", "follow-up",
    "position",
)  # fmt: skip
BASES = (
    "guideline", "position statement", "review of evidence", "practice survey", "trial regimen", "secondary summary",
)  # fmt: skip

#: A version of this review, or the search of a review by others, kept for orientation.
VERSION_KINDS = ("version", "milestone")

_STUDY = Column("study", "id", "id of the study", required=True, refers="studies")
_REPORT = Column("report", "id", "the report it was read in", refers="reports")
_SOURCE = Column("source", "text", "page or pages on which the value was read, separated by ` ; `")
_PAGE = Column("page", "text", "page, table or figure of the report")
_QUOTE = Column("quote", "text", "the words of the report")
_NOTES = Column("notes", "text", "flags and warnings; kept and shown")
_VERIFIED = Column(
    "verified",
    "yes-no",
    "`yes` = read on the page in `source` or derived from such values; only these are pooled",
    required=True,
)
_OUTCOME = Column("outcome", "id", "id of the outcome in `review.toml`", required=True, refers="outcomes")
_TIMEPOINT = Column("timepoint", "text", "time point as reported")
_TIME = Column("time", "number", "the time point as a number, after the intervention")
_TIME_UNIT = Column("time_unit", "choice", "unit of `time`", allowed=TIME_UNITS)
_WINDOW = Column(
    "window", "id", "time window, where it does not follow from `time`; `notes` says why", refers="windows"
)
_LEVEL = Column("level", "level", "coverage of the interval; 0.95 when empty")
_TIMESTAMP = Column("time", "text", "when, as `YYYY-MM-DD` or with time")
_TIMESTAMP_OPTIONAL = Column("time", "text", "when, as `YYYY-MM-DD` or with time", optional=True)


_VALUE_IS = Column(
    "value_is",
    "choice",
    "what the number is of: `final` values (also when empty), the `change` (final − baseline) or the `reduction` "
    "(baseline − final)",
    allowed=VALUES_ARE,
    optional=True,
)
_PERIOD = Column(
    "period", "choice", "period of a cross-over trial; empty = all periods", allowed=PERIODS, optional=True
)
_CLUSTER_SIZE = Column("cluster_size", "number", "mean size of a cluster", "participants", optional=True)
_ICC = Column("icc", "number", "intracluster correlation, 0 to 1, as reported or borrowed", optional=True)
_CLUSTER_ADJUSTED = Column(
    "cluster_adjusted", "yes-no", "whether the report's own analysis allowed for the clusters", optional=True
)

_EXTRACTED_BY = Column("extracted_by", "text", "who read the value in the report", optional=True)
_EXTRACTED = Column("extracted", "text", "when, as `YYYY-MM-DD` or with time", optional=True)


def _unit(name: str, of: str) -> Column:
    return Column(name, "text", f"unit of `{of}`")


_TABLES: tuple[Table, ...] = (
    Table(
        "reports.csv",
        "reports",
        evidence.Report,
        "a document: paper, abstract page, registry entry, guideline, review",
        ("report",),
        (
            Column("report", "id", "id of the report", required=True),
            Column("studies", "ids", "studies it reports on", refers="studies"),
            Column(
                "kind",
                "choice",
                "kind of document",
                required=True,
                allowed=(
                    "trial report",
                    "cohort report",
                    "review",
                    "guideline",
                    "registry entry",
                    "protocol",
                    "abstract",
                    "text",
                ),
            ),
            Column("citation", "text", "citation", required=True),
            Column("doi", "text", "digital object identifier"),
            Column("pmid", "text", "PubMed identifier"),
            Column("url", "text", "page or pages, separated by ` ; `"),
            _NOTES,
            _VERIFIED,
        ),
    ),
    Table(
        "studies.csv",
        "studies",
        evidence.Study,
        "a study: trial, single-arm series, protocol or candidate",
        ("study",),
        (
            Column("study", "id", "id of the study", required=True),
            Column("label", "text", "surname and year, as printed in plots", required=True),
            Column("year", "year", "year of publication"),
            Column("authors", "text", "authors"),
            Column("design", "choice", "design", required=True, allowed=DESIGNS),
            Column("design_text", "text", "design as reported (blinding, periods, enrichment)"),
            Column("condition", "text", "condition"),
            Column("pain_class", "text", "neuropathic, nociceptive, nociplastic, mixed, cancer"),
            Column("n_randomised", "count", "participants randomised (0 = not a randomised study)", "participants"),
            Column("n_analysed", "size", "participants analysed", "participants"),
            Column("n_text", "text", "numbers as reported, where they are not one number"),
            Column("route", "text", "route"),
            Column("drug_form", "text", "racemic, S(+) or not stated"),
            Column("comparator", "text", "comparator"),
            Column("main_outcome", "text", "primary or main outcome"),
            Column("follow_up", "text", "follow-up"),
            Column("scope", "choice", "its place in this review", required=True, allowed=SCOPES),
            Column("scope_note", "text", "why, or within which limits"),
            Column("findings", "text", "results as reported, in short"),
            _NOTES,
            _REPORT,
            _SOURCE,
            _VERIFIED,
            Column("country", "text", "country or countries", optional=True),
            Column("setting", "text", "setting and centres", optional=True),
            Column("participants", "text", "participants as reported: age, sex, duration of disease", optional=True),
            Column("periods", "size", "periods of a cross-over trial", "periods", optional=True),
            Column("washout", "text", "washout between the periods, as reported", optional=True),
            Column("clusters", "size", "clusters randomised", "clusters", optional=True),
            Column("cluster_unit", "text", "what a cluster is: ward, practice, village", optional=True),
            Column("funding", "text", "funding, as reported", optional=True),
            Column("interests", "text", "conflicts of interest, as reported", optional=True),
            Column(
                "entry_of",
                "id",
                "the study of which this is one more line: its other groups or participants, entered beside it",
                refers="studies",
                optional=True,
            ),
        ),
        required=True,
    ),
    Table(
        "arms.csv",
        "arms",
        evidence.Arm,
        "an arm with its regimen; dose, rate, duration, number and total are separate and none is inferred",
        ("study", "arm"),
        (
            _STUDY,
            Column("arm", "id", "id of the arm within its study", required=True),
            Column("label", "text", "the arm in words", required=True),
            Column("role", "choice", "its side in a comparison", required=True, allowed=ROLES),
            Column("drug", "text", "drug"),
            Column("form", "text", "racemic, S(+) or not stated"),
            Column("route", "text", "route"),
            Column("n", "size", "participants", "participants"),
            Column("regimen", "text", "regimen as reported"),
            Column("bolus", "reported", "bolus"),
            _unit("bolus_unit", "bolus"),
            Column("dose", "reported", "dose of one infusion"),
            _unit("dose_unit", "dose"),
            Column("rate", "reported", "rate"),
            _unit("rate_unit", "rate"),
            Column("rate_2", "reported", "a second statement of the rate: a cap, or the same rate per kilogram"),
            _unit("rate_2_unit", "rate_2"),
            Column("rate_2_basis", "text", "whether `rate_2` is reported or derived, and how"),
            Column("duration", "reported", "duration of one infusion"),
            _unit("duration_unit", "duration"),
            Column("infusions", "reported", "number of infusions in the course", "infusions"),
            Column("total", "reported", "total dose of the course"),
            _unit("total_unit", "total"),
            Column("total_basis", "text", "whether `total` is reported or derived, and how"),
            Column("co_medication", "text", "co-medication"),
            _NOTES,
            _REPORT,
            _SOURCE,
            _VERIFIED,
            Column(
                "compared_with",
                "id",
                "the arm it is compared with; arms that name the same one share that control",
                refers="arms",
                optional=True,
            ),
        ),
        required=True,
    ),
    Table(
        "results.csv",
        "results",
        evidence.Result,
        "one number as reported: study, outcome, time point and arm",
        ("result",),
        (
            Column("result", "id", "id of the result", required=True),
            _STUDY,
            _OUTCOME,
            Column("reported_as", "text", "the outcome in the words of the report"),
            Column("definition", "text", "definition, for a count"),
            Column("scale", "id", "scale of the numbers", refers="scales"),
            _TIMEPOINT,
            _TIME,
            _TIME_UNIT,
            _WINDOW,
            Column(
                "arm",
                "id",
                "arm; `all` or `either` where the number belongs to no single arm",
                required=True,
                refers="arms*",
            ),
            Column("n", "size", "participants the number rests on", "participants"),
            Column("events", "count", "participants with the event", "participants"),
            Column("mean", "number", "mean", "of `scale`"),
            Column("sd", "positive", "standard deviation, where the report calls it so", "of `scale`"),
            Column("se", "positive", "standard error, where the report calls it so", "of `scale`"),
            Column("spread", "positive", "the number after ± where the report does not say what it is", "of `scale`"),
            Column("spread_is", "choice", "how `spread` is read here; analyses can switch it", allowed=("sd", "se")),
            Column("spread_text", "text", "the spread as printed"),
            Column("ci_low", "number", "lower end of the interval", "of `scale`"),
            Column("ci_high", "number", "upper end of the interval", "of `scale`"),
            _LEVEL,
            Column("median", "number", "median", "of `scale`"),
            Column("q1", "number", "first quartile", "of `scale`"),
            Column("q3", "number", "third quartile", "of `scale`"),
            Column("min", "number", "minimum", "of `scale`"),
            Column("max", "number", "maximum", "of `scale`"),
            Column("p", "p", "p value as printed, within the arm"),
            Column("p_versus", "text", "what `p` compares with"),
            Column("how_read", "text", "`reported`, or how it was derived", required=True),
            Column("usable", "yes-no", "whether an analysis may use it", required=True),
            Column("why_not", "text", "why it is not usable, or with which limit it is"),
            _NOTES,
            _PAGE,
            _QUOTE,
            _REPORT,
            _SOURCE,
            _VERIFIED,
            _VALUE_IS,
            Column("baseline_mean", "number", "mean at baseline", "of `scale`", optional=True),
            Column("baseline_sd", "positive", "standard deviation at baseline", "of `scale`", optional=True),
            Column(
                "final_sd",
                "positive",
                "standard deviation at the time point, beside a change",
                "of `scale`",
                optional=True,
            ),
            Column(
                "baseline_r",
                "number",
                "correlation of baseline and final values, as reported or borrowed",
                optional=True,
            ),
            _PERIOD,
            Column("sequence", "text", "sequence of a cross-over trial, such as `AB`; empty = all", optional=True),
            _CLUSTER_SIZE,
            _ICC,
            _CLUSTER_ADJUSTED,
            _EXTRACTED_BY,
            _EXTRACTED,
        ),
        required=True,
    ),
    Table(
        "contrasts.csv",
        "contrasts",
        evidence.Contrast,
        "a result reported only between two arms: a difference, a ratio, or no more than a p value",
        ("contrast",),
        (
            Column("contrast", "id", "id of the contrast", required=True),
            _STUDY,
            _OUTCOME,
            Column("reported_as", "text", "the outcome in the words of the report"),
            _TIMEPOINT,
            _TIME,
            _TIME_UNIT,
            _WINDOW,
            Column("arm_1", "id", "first arm", required=True, refers="arms"),
            Column("arm_2", "id", "second arm", required=True, refers="arms"),
            Column("measure", "text", "measure of the estimate, as reported (`ES` = effect size not specified)"),
            Column("estimate", "number", "estimate"),
            Column("se", "positive", "standard error of the estimate; of its logarithm for a ratio"),
            Column("ci_low", "number", "lower end of the interval"),
            Column("ci_high", "number", "upper end of the interval"),
            _LEVEL,
            Column("p", "p", "p value as printed"),
            Column("usable", "yes-no", "whether an analysis may use it", required=True),
            Column("why_not", "text", "why it is not usable"),
            _NOTES,
            _PAGE,
            _QUOTE,
            _REPORT,
            _SOURCE,
            _VERIFIED,
            _VALUE_IS,
            Column("scale", "id", "scale of a difference", refers="scales", optional=True),
            Column("n_1", "size", "participants of the first arm in this comparison", "participants", optional=True),
            Column("n_2", "size", "participants of the second arm in this comparison", "participants", optional=True),
            Column(
                "pairs", "size", "participants measured under both arms (cross-over)", "participants", optional=True
            ),
            Column("t", "number", "t statistic of the difference", optional=True),
            Column("f", "positive", "F statistic of the two groups", optional=True),
            Column("sd_difference", "positive", "standard deviation of the within-person difference", optional=True),
            Column("r", "number", "within-person correlation of the two arms, as reported or derived", optional=True),
            _PERIOD,
            _CLUSTER_SIZE,
            _ICC,
            _CLUSTER_ADJUSTED,
            Column("adjusted_for", "text", "covariates, where the estimate is adjusted", optional=True),
            Column("how_read", "text", "`reported`, or how it was derived", optional=True),
            _EXTRACTED_BY,
            _EXTRACTED,
        ),
    ),
    Table(
        "risk_of_bias.csv",
        "risk_of_bias",
        evidence.BiasJudgement,
        "a risk-of-bias judgement of one domain of one result or study, with its answers, reasons and assessor",
        ("study", "result", "tool", "domain", "assessor", "outcome", "window", "comparison"),
        (
            _STUDY,
            Column(
                "result", "id", "result it is about; empty = as the columns below say, or the study", refers="results"
            ),
            Column("tool", "text", "instrument in words, as printed", required=True),
            Column("domain", "text", "domain; `Overall` for the judgement over all domains", required=True),
            Column("judgement", "choice", "final judgement", required=True, allowed=BIAS_JUDGEMENTS),
            Column("reason", "text", "what in the report supports the judgement"),
            Column("assessor", "text", "who judged"),
            _REPORT,
            _SOURCE,
            _VERIFIED,
            Column(
                "outcome",
                "id",
                "outcome of the result it is about; empty = the study, or as `result` says",
                refers="outcomes",
                optional=True,
            ),
            Column("window", "id", "its time window; empty = any time", refers="windows", optional=True),
            Column("comparison", "id", "its comparison", refers="comparisons", optional=True),
            Column("instrument", "choice", "instrument coded in balm", allowed=INSTRUMENTS, optional=True),
            Column("version", "text", "version of the instrument", optional=True),
            Column("answers", "text", "answers to the signalling questions, `1.1=Y; 1.2=PY; ...`", optional=True),
            Column("proposed", "choice", "what the instrument's rules propose", allowed=BIAS_JUDGEMENTS, optional=True),
            Column("override_reason", "text", "why `judgement` is not what is proposed", optional=True),
            Column("direction", "choice", "predicted direction of the bias", allowed=BIAS_DIRECTIONS, optional=True),
            Column("time", "text", "when, as `YYYY-MM-DD` or with time", optional=True),
        ),
    ),
    Table(
        "certainty.csv",
        "certainty",
        evidence.CertaintyJudgement,
        "a rating of the certainty of one analysis in one domain; of several rows the last stands, the others are kept",
        ("analysis", "domain", "assessor", "time"),
        (
            Column("analysis", "id", "analysis of `review.toml`", required=True, refers="analyses"),
            Column("domain", "choice", "GRADE domain, or `overall`", required=True, allowed=CERTAINTY_DOMAINS),
            Column("rating", "choice", "what was decided", required=True, allowed=CERTAINTY_RATINGS),
            Column("reason", "text", "why; needed where the rating is not the one proposed"),
            Column("assessor", "text", "who decided"),
            Column("proposed", "choice", "what the rule proposed", allowed=CERTAINTY_RATINGS, optional=True),
            Column("rule", "text", "the rule that proposed it, with its numbers", optional=True),
            Column("target", "choice", "`overall` only: what is rated", allowed=CERTAINTY_TARGETS, optional=True),
            Column("baseline_risk", "level", "`overall` only: risk without the intervention, 0 to 1", optional=True),
            Column("baseline_source", "text", "where the baseline risk comes from", optional=True),
            Column(
                "place",
                "size",
                "`overall` only: row of the summary of findings",
                optional=True,
                low=1,
                high=7,
            ),
            Column("basis", "text", "`overall` only: hash of the data and judgements decided on", optional=True),
            _TIMESTAMP_OPTIONAL,
        ),
    ),
    Table(
        "network_certainty.csv",
        "network_certainty",
        evidence.NetworkCertaintyJudgement,
        "a rating of the certainty of one comparison of a network in one domain; of several rows the last stands",
        ("network", "treatment", "against", "domain", "assessor", "time"),
        (
            Column("network", "id", "network of `review.toml`", required=True, refers="networks"),
            Column("treatment", "text", "one treatment of the comparison, by its name in the network", required=True),
            Column("against", "text", "the other one; their order does not matter", required=True),
            Column(
                "domain",
                "choice",
                "domain of the direct evidence, of the network estimate, or `overall`",
                required=True,
                allowed=NETWORK_DOMAINS,
            ),
            Column("rating", "choice", "what was decided", required=True, allowed=NETWORK_RATINGS),
            Column("reason", "text", "why; needed where the rating is not the one proposed"),
            Column("assessor", "text", "who decided"),
            Column("proposed", "choice", "what the rule proposed", allowed=NETWORK_RATINGS, optional=True),
            Column("rule", "text", "the rule that proposed it, with its numbers", optional=True),
            Column("basis", "text", "`overall` only: hash of the data and judgements decided on", optional=True),
            _TIMESTAMP_OPTIONAL,
        ),
    ),
    Table(
        "published.csv",
        "published",
        evidence.Published,
        "a result published elsewhere, for comparison; its p value is recomputed, never stored",
        ("published",),
        (
            Column("published", "id", "id of the row", required=True),
            Column("review", "id", "id of the publication", required=True),
            Column("label", "text", "the publication as printed in plots", required=True),
            Column(
                "kind",
                "choice",
                "kind of result",
                required=True,
                allowed=("pooled", "network", "single trial", "narrative"),
            ),
            Column("year", "year", "year"),
            Column("outcome", "id", "outcome of this review it compares with", refers="outcomes"),
            Column("reported_as", "text", "the outcome in the words of the publication"),
            _TIMEPOINT,
            _WINDOW,
            Column("measure", "text", "measure, as reported"),
            Column("scale", "id", "scale of a difference", refers="scales"),
            Column("estimate", "number", "estimate (per cent for a proportion)"),
            Column("ci_low", "number", "lower end of the interval"),
            Column("ci_high", "number", "upper end of the interval"),
            _LEVEL,
            Column("p", "p", "p value as printed"),
            Column("k_text", "text", "number of studies, as reported"),
            Column("n_text", "text", "number of participants, as reported"),
            Column("trials", "text", "kinds of studies pooled"),
            Column("comparators", "text", "comparators"),
            Column("routes", "text", "routes"),
            Column("model", "text", "model and software"),
            Column("certainty", "text", "certainty as published"),
            Column("reproducible", "text", "whether its rows are available"),
            _NOTES,
            _REPORT,
            _SOURCE,
            _VERIFIED,
        ),
    ),
    Table(
        "claims.csv",
        "claims",
        evidence.Claim,
        "a statement of a text somebody brought, with what its source says",
        ("claim",),
        (
            Column("claim", "id", "id of the claim", required=True),
            Column("brief", "text", "the text it stands in", required=True),
            Column("text", "text", "the statement", required=True),
            Column("measure", "text", "measure of the estimate"),
            Column("estimate", "number", "estimate"),
            Column("ci_low", "number", "lower end of the interval"),
            Column("ci_high", "number", "upper end of the interval"),
            _LEVEL,
            Column("p", "p", "p value as claimed"),
            Column("events", "count", "count claimed", "participants"),
            Column("n", "size", "of how many", "participants"),
            Column("percent", "number", "per cent claimed", "%"),
            Column("arithmetic", "text", "the arithmetic behind the verdict"),
            Column("primary_source", "text", "where the statement comes from"),
            Column("source_says", "text", "what that source says"),
            Column("verdict", "text", "verdict in words", required=True),
            Column("severity", "choice", "empty = consistent", allowed=("critical", "high", "medium", "low")),
            _NOTES,
            _SOURCE,
            _VERIFIED,
        ),
    ),
    Table(
        "gaps.csv",
        "gaps",
        evidence.Gap,
        "something the review would need and does not have",
        ("gap",),
        (
            Column("gap", "id", "id of the gap", required=True),
            Column("priority", "size", "1 is worth most", required=True),
            Column("missing", "text", "what is missing", required=True),
            Column("concerns", "text", "analyses and pages concerned"),
            Column("studies", "ids", "studies concerned", refers="studies"),
        ),
    ),
    Table(
        "searches.csv",
        "searches",
        evidence.Search,
        "one search of one source (PRISMA-S)",
        ("search",),
        (
            Column("search", "id", "id of the search", required=True),
            Column(
                "kind",
                "choice",
                "kind of source",
                required=True,
                allowed=("database", "register", "website", "organisation", "citation"),
            ),
            Column("source", "text", "source", required=True),
            Column("interface", "text", "interface"),
            Column("date", "text", "date run"),
            Column("strategy", "text", "exact strategy"),
            Column("limits", "text", "limits"),
            Column("retrieved", "count", "number retrieved", "records"),
            Column("person", "text", "who ran it"),
            Column("file", "text", "raw export under `searches/`"),
        ),
    ),
    Table(
        "records.csv",
        "records",
        evidence.Record,
        "a line of a database that indexes a report",
        ("record",),
        (
            Column("record", "id", "id of the record", required=True),
            Column("search", "id", "search that found it", refers="searches"),
            Column("title", "text", "title"),
            Column("authors", "text", "authors"),
            Column("year", "year", "year"),
            Column("journal", "text", "journal"),
            Column("doi", "text", "digital object identifier"),
            Column("pmid", "text", "PubMed identifier"),
            Column("abstract", "text", "abstract"),
            Column("report", "id", "report it leads to", refers="reports"),
        ),
    ),
    Table(
        "duplicates.csv",
        "duplicates",
        evidence.DuplicateDecision,
        "a decision that two records are of the same report, or are not",
        ("record_1", "record_2", "time"),
        (
            Column("record_1", "id", "record kept", required=True, refers="records"),
            Column("record_2", "id", "other record", required=True, refers="records"),
            Column(
                "decision",
                "choice",
                "decision; `undecided`: asked by a rule and not answered yet, or withdrawn by a person",
                required=True,
                allowed=("duplicate", "not duplicate", "undecided"),
            ),
            Column(
                "rule", "text", "rule that decided or asks; a person's reason, such as `same study, different report`"
            ),
            Column("person", "text", "who decided; empty for a rule. A person's decision stands above every rule"),
            _TIMESTAMP,
        ),
    ),
    Table(
        "screening.csv",
        "screening",
        evidence.Vote,
        "one screening vote; appended, never changed",
        ("record", "stage", "reviewer", "kind", "time"),
        (
            Column("record", "id", "record", required=True, refers="records"),
            Column("stage", "choice", "stage", required=True, allowed=("title-abstract", "full-text")),
            Column("reviewer", "text", "reviewer", required=True),
            Column("decision", "choice", "decision", required=True, allowed=("include", "exclude", "maybe")),
            Column("kind", "choice", "vote or adjudication", required=True, allowed=("vote", "adjudication")),
            Column("reason", "text", "reason; required for an exclusion at full text"),
            _TIMESTAMP,
        ),
    ),
    Table(
        "batches.csv",
        "batches",
        evidence.BatchPlace,
        "a place in a frozen batch: all reviewers read its records in this order; appended, never changed",
        ("stage", "record"),
        (
            Column("batch", "size", "number of the batch, from 1 in each stage", required=True),
            Column("place", "size", "place in the batch, from 1", required=True),
            Column("record", "id", "record", required=True, refers="records"),
            Column("stage", "choice", "stage", required=True, allowed=("title-abstract", "full-text")),
            Column(
                "basis",
                "choice",
                "what the order rests on: decisions, likeness to the question or the included records, chance",
                required=True,
                allowed=("decisions", "likeness", "chance"),
            ),
            Column("learned", "count", "settled decisions it was learned from", "decisions"),
            _TIMESTAMP,
        ),
    ),
    Table(
        "versions.csv",
        "versions",
        evidence.ReviewVersion,
        "a version of the review, oldest first, or a milestone: the search of a review that others published",
        ("version",),
        (
            Column("version", "id", "id of the version", required=True),
            Column("kind", "choice", "what it is", required=True, allowed=VERSION_KINDS),
            Column("label", "text", "the version as printed", required=True),
            Column("date", "when", "of the version or the publication"),
            Column("searched", "when", "date of the last search"),
            Column("trigger", "text", "why the review was updated", optional=True),
            Column("changes", "text", "changes to the methods since the version before", optional=True),
            Column("searches", "ids", "searches run for it", refers="searches", optional=True),
            Column("studies", "ids", "studies that came with it", refers="studies", optional=True),
            Column("report", "id", "the report of a milestone", refers="reports", optional=True),
            Column("source", "text", "page on which the dates of a milestone were read", optional=True),
            Column("notes", "text", "what is not known, kept and shown", optional=True),
        ),
    ),
    Table(
        "registry/cohorts.csv",
        "cohorts",
        evidence.CohortField,
        "one field of an observational cohort; an empty value is missing and is never filled in",
        ("study", "field"),
        (
            _STUDY,
            Column("field", "id", "field", required=True),
            Column("value", "text", "value"),
            Column("unit", "text", "unit"),
            _NOTES,
            _REPORT,
            _SOURCE,
            _VERIFIED,
        ),
    ),
    Table(
        "registry/standards.csv",
        "standards",
        evidence.OutcomeStandard,
        "a threshold, an instrument's property or a reporting rule",
        ("domain", "instrument", "fact"),
        (
            Column("domain", "text", "domain", required=True),
            Column("instrument", "text", "instrument", required=True),
            Column("fact", "text", "what is stated", required=True),
            Column("value", "text", "value"),
            _SOURCE,
            _VERIFIED,
        ),
    ),
)

#: People open these in spreadsheets: no text in them is a formula.
TABLES = tuple(replace(table, escaped=True) for table in _TABLES)

#: A statement of ``guidance/*.toml``: ``[[statement]]`` under ``[guideline]`` (name, year, report).
STATEMENT = Table(
    "guidance/*.toml",
    "guidance",
    evidence.GuidanceStatement,
    "a statement of a guideline; bolus, rate, duration and total are separate, each with its unit",
    ("id",),
    (
        Column("id", "id", "id of the statement", required=True),
        Column("guideline", "text", "guideline; from `[guideline] name`", required=True),
        Column("year", "year", "year; from `[guideline] year`"),
        Column("setting", "choice", "setting: a mandatory key", required=True, allowed=SETTINGS),
        Column("topic", "text", "topic", required=True),
        Column("statement", "text", "the statement", required=True),
        Column("condition", "text", "condition it is about"),
        Column("bolus", "reported", "bolus"),
        _unit("bolus_unit", "bolus"),
        Column("rate", "reported", "rate"),
        _unit("rate_unit", "rate"),
        Column("duration", "reported", "duration"),
        _unit("duration_unit", "duration"),
        Column("total", "reported", "total dose"),
        _unit("total_unit", "total"),
        Column("sessions", "reported", "number of sessions"),
        Column("grade", "text", "grade as published"),
        Column("certainty", "text", "certainty as published"),
        _NOTES,
        _REPORT,
        _SOURCE,
        _VERIFIED,
        Column("kind", "choice", "what the statement is", allowed=STATEMENT_KINDS, optional=True),
        Column("basis", "choice", "what its source is; from `[guideline] basis`", allowed=BASES, optional=True),
        Column("population", "text", "whom it is about, beyond the condition", optional=True),
        Column("about", "ids", "comorbidities of `guidance/therapy.toml` it names", optional=True),
        Column("drug_form", "text", "form of the drug; forms are never interchanged", optional=True),
        Column("route", "text", "route", optional=True),
        Column(
            "setting_of_source", "choice", "setting its words come from, where that is another", allowed=SETTINGS,
            optional=True,
        ),
        Column("total_per", "choice", "what `total` is of", allowed=("session", "course"), optional=True),
        Column("question", "id", "what it takes a position on, so that positions can be compared", optional=True),
        Column("position", "text", "its position on `question`, in a word or two", optional=True),
        Column("reassures", "ids", "areas of harm (of `guidance/therapy.toml`) that it calls small", optional=True),
        Column("claims", "ids", "claims of `claims.csv` it is made of", optional=True),
        Column("analyses", "ids", "analyses of this review it rests on", refers="analyses", optional=True),
        Column("version", "id", "version of this review it was made from", refers="versions", optional=True),
        Column("strength", "choice", "strength of a recommendation (GRADE)", allowed=STRENGTHS, optional=True),
        Column(
            "exception", "choice", "why it is strong although its certainty is low", allowed=tuple(EXCEPTIONS),
            optional=True,
        ),
        Column("locator", "text", "where in the source", optional=True),
        Column("review_due", "text", "when its authors said they would review it", optional=True),
        Column("checked_by", "text", "who compared it with its source; from `[guideline]`", optional=True),
        Column("reviewed", "text", "date of that check, as YYYY-MM-DD", optional=True),
        Column("next_review", "text", "date by which it is to be checked again, as YYYY-MM-DD", optional=True),
    ),
)  # fmt: skip

TABLE_BY_FILE = {table.file: table for table in TABLES}
