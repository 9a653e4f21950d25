"""Wording that a reader should be careful with: spun synonyms of fixed terms, and the words of advertising."""

# ruff: noqa: E501 - the table of phrases, which reads worse cut into pieces

from __future__ import annotations

import re

from balm.review.claims_in_text.claim import Caution

#: Odd wording -> the fixed term it stands for. A text run through a synonym machine replaces the words of terms that
#: clinicians never vary (Cabanac, Labbe & Magazinov 2021, "Tortured phrases").
SPUN: dict[str, str] = {
    r"white\s+(?:subject|issue|topic|count)\b": "white matter",
    r"(?:gr[ae]y)\s+(?:subject|issue|topic|count)\b": "grey matter",
    r"temper\s+(?:regulation|disorders?|control)": "mood regulation",
    r"(?:quick|brief)[-\s]phrase\s+\w+": "short-term",
    r"(?:lengthy|long)[-\s]phrase\s+\w+": "long-term",
    r"brief[-\s]time\s+period\s+profit": "short-term benefit",
    r"(?:short|long)[-\s]term\s+profits?\b": "short-term or long-term benefit",
    r"(?:analgesic|therapeutic|clinical)\s+profits?\b": "benefit",
    r"prognosis\s+of\s+(?:persistent|chronic|neuropathic)\s+ache": "diagnosis of chronic pain",
    r"(?:persistent|continual|constant|power|chronic|neuropathic|nerve)\s+(?:ache|aches|torment|agony)\b": "chronic pain",
    r"ache\s+(?:rating|score|aid|depth|relief)\w*": "pain score, relief or intensity",
    r"(?:bosom|breast)\s+(?:peril|malignancy|danger)\b": "breast cancer",
    r"(?:heart|cardiac)\s+(?:disappointment|assault)\b": "heart failure or attack",
    r"kidney\s+disappointment": "kidney failure",
    r"lung\s+(?:malignant growth|danger)": "lung cancer",
    r"irregular\s+(?:control|backwoods|woodland|esteem)\w*": "random (control, forest, value)",
    r"arbitrary\s+(?:backwoods|woodland|timberland|esteem)": "random forest",
    r"randomi[sz]ed\s+(?:manipulated|managed|directed)\s+trials?": "randomised controlled trials",
    r"(?:fake|sham|false)\s+treatment\s+(?:tablet|pill)s?": "placebo",
    r"(?:facet|aspect|side)[-\s]outcomes?\b": "side effects",
    r"(?:unfavou?rable|antagonistic|hostile)\s+(?:occasions?|impacts?)\b": "adverse events",
    r"mean\s+(?:square|supreme)\s+(?:blunder|mistake)": "mean squared error",
    r"flag\s+to\s+(?:clamor|commotion)": "signal to noise",
    r"(?:profound|deep)\s+(?:neural\s+organization|learning\s+of\s+machine)\b": "deep neural network",
    r"(?:leftover|remaining)\s+(?:temporo\w+|hemisphere|frontal|parietal|temporal|ventric\w+|atri\w+|cortex)": "left (side)",
    r"(?:frontal|temporal|parietal)\s+(?:dark|gray|grey)\s+(?:subject|issue|topic)": "grey matter",
    r"(?:blood|circulatory)\s+(?:strain|tension)\b(?!\s+gauge)": "blood pressure",
    r"(?:glucose|sugar)\s+(?:bigotry|narrow-mindedness)": "glucose intolerance",
    r"(?:safe|invulnerable|insusceptible)\s+(?:framework|reaction)\b": "immune system or response",
    r"(?:credit|factual|measurable)\s+(?:importance|noteworthiness)\b": "statistical significance",
    r"(?:certainty|self-?assurance|trust)\s+(?:stretch|span|interim)\b": "confidence interval",
    r"(?:chances|possibilities)\s+proportion\b": "odds ratio",
    r"(?:danger|hazard|peril)\s+proportion\b": "risk or hazard ratio",
    r"(?:precise|deliberate|orderly)\s+(?:audit|survey)s?\s+(?:of|and)\b": "systematic review",
    r"meta[-\s](?:exam|evaluation)\b": "meta-analysis",
    r"(?:excessive|high)\s+chance\s+of\s+bias": "high risk of bias",
    r"(?:any|no)\s+at\s+evidence\b": "any evidence",
    r"(?:infusion|ketamine)\s+(?:remedy|treatment)\s+of\s+depth": "infusion therapy",
    r"(?:double|twofold)[-\s](?:sightless|visually\s+impaired)": "double-blind",
}
#: The words of advertising.
MARKETING = (
    r"miracl\w*|miraculous\w*|wonder\s+drug|magic\s+bullet|game[-\s]chang\w+|life[-\s]chang\w+|breakthrough|revolutionary|cutting[-\s]edge|state[-\s]of[-\s]the[-\s]art",
    r"wild\s+west|call\s+(?:us\s+)?(?:today|now)|book\s+(?:your|an?|a\s+free)\s+(?:appointment|consultation|session)|free\s+consultation|package\s+(?:deal|offer|price)s?|special\s+offer|discount\w*|money[-\s]back|limited\s+time|testimonials?",
    r"our\s+(?:clinic|team\s+of\s+experts|patients\s+(?:love|report)|treatment\s+packages?)|guaranteed?\s+(?:results?|relief)|100\s?%\s+(?:safe|effective|natural)|risk[-\s]free|no\s+side\s+effects|pain[-\s]free\s+life|take\s+back\s+(?:your|control)|don't\s+wait|sign\s+up\s+(?:today|now)|unlock\w*\s+(?:your|the)",
)
#: Row -> the last words of its phrases, one of which a text has to hold before the row is looked for.
_SPUN_ROWS = tuple((re.compile(rf"\b{pattern}", re.I), term) for pattern, term in SPUN.items())
_STEMS = [
    "subject",
    "issue",
    "topic",
    "count",
    "temper",
    "phrase",
    "profit",
    "ache",
    "torment",
    "agony",
    "peril",
    "malignan",
    "danger",
    "disappoint",
    "assault",
    "irregular",
    "arbitrary",
    "manipulated",
    "managed",
    "directed",
    "tablet",
    "pill",
    "outcome",
    "occasion",
    "impact",
    "blunder",
    "mistake",
    "clamor",
    "commotion",
    "organization",
    "leftover",
    "remaining",
    "strain",
    "tension",
    "bigotry",
    "narrow-mind",
    "framework",
    "reaction",
    "importance",
    "noteworth",
    "stretch",
    "span",
    "interim",
    "proportion",
    "audit",
    "survey",
    "meta-e",
    "chance",
    "evidence",
    "remedy",
    "sightless",
    "visually",
]
_ROWS_OF = {stem: tuple(row for row in _SPUN_ROWS if stem in row[0].pattern) for stem in _STEMS}
_MARKETING_ANY = re.compile(r"\b(?:" + "|".join(MARKETING) + r")")
_MARKETING_STEMS = [
    "miracl",
    "miracul",
    "wonder",
    "magic",
    "game",
    "life",
    "breakthrough",
    "revolution",
    "cutting",
    "state",
    "wild",
    "call",
    "book",
    "free",
    "package",
    "special",
    "discount",
    "money",
    "limited",
    "testimonial",
    "our",
    "guarantee",
    "100",
    "risk",
    "effects",
    "don't",
    "sign",
    "unlock",
]


def find_cautions(text: str) -> list[Caution]:
    """Phrases of machine-spun or advertising wording. A caution to the reader, never a verdict on what is claimed.

    >>> [(c.text, c.why) for c in find_cautions("less white subject in chronic users")]
    [('white subject', 'odd wording for "white matter": the text may be machine-spun')]
    """
    low = text.lower()
    found: dict[int, Caution] = {}
    for stem in _STEMS:
        if stem not in low:
            continue
        for pattern, term in _ROWS_OF[stem]:
            for m in pattern.finditer(text):
                why = f'odd wording for "{term}": the text may be machine-spun'
                found.setdefault(m.start(), Caution(m[0], m.start(), m.end(), "wording", why))
    if len(low) == len(text) and any(stem in low for stem in _MARKETING_STEMS):
        for m in _MARKETING_ANY.finditer(low):
            why = "the word of an advertisement, not of a report"
            found.setdefault(m.start(), Caution(text[m.start() : m.end()], m.start(), m.end(), "marketing", why))
    return [found[at] for at in sorted(found)]
