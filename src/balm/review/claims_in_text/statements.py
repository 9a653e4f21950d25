"""Statements of effect: sentences that say a treatment works, is safe or harms, with neither figures nor a source."""

# ruff: noqa: E501 - expressions stand whole, which reads worse cut into pieces

from __future__ import annotations

import re

from balm.review.claims_in_text.claim import NOT_CHECKABLE, UNSUPPORTED, FoundClaim

#: What a statement of effect says: the stems that have to be there, and the expression, over text in lower case.
_EFFECTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        (
            "effectiv",
            "efficac",
            "safe",
            "benefi",
            "harm",
            "toler",
            "superior",
            "inferior",
            "addictive",
            "helpful",
            "promising",
            "useful",
        ),
        r"(?:is|are|was|were|be|been|being|prove[ds]?|appears?(?: to be)?|seems?(?: to be)?|remains?|considered|both|as)\s+(?:\w+\s+){0,3}?"
        r"(?:effective|efficacious|safe|beneficial|harmless|well[-\s]tolerated|superior|inferior|ineffective|harmful|safer|non-?addictive|helpful|promising|useful)",
    ),
    (("safe",), r"(?:effective|efficacious)\s+and\s+safe|safe\s+and\s+(?:effective|efficacious)"),
    (
        ("evidence", "risk", "sign", "proof", "indication"),
        r"no\s+(?:\w+\s+){0,3}?(?:evidence|risk|sign|proof|indication)\s+(?:of|for|that)|(?:\bnot?|n't)\s+(?:\w+\s+){0,4}?evidence\s+(?:\[\w+\]\s+)?(?:of|for|that)",
    ),
    (
        ("miracul", "remark", "dramatic", "astonish", "life-changing", "unprecedented", "extraordinary"),
        r"(?:miraculous|remarkable|dramatic|astonishing|life-changing|unprecedented|extraordinary)\w*\s+(?:\w+\s+){0,2}?(?:response|relief|result|results|recovery|improvement|effect|effects|benefit|success)",
    ),
    (("cure", "heal", "eliminat", "eradicat", "guarant"), r"(?:cures?|heals?|eliminates?|eradicates?|guarantees?)\s+"),
    (
        (
            "significan",
            "marked",
            "substantial",
            "dramatic",
            "greatly",
            "effectively",
            "rapidly",
            "successfully",
            "potently",
        ),
        r"(?:significant(?:ly)?|markedly|substantial(?:ly)?|dramatically|greatly|effectively|rapidly|successfully|potently)\s+(?:\w+\s+){0,2}?"
        r"(?:reduc\w+|improv\w+|reliev\w+|decreas\w+|alleviat\w+|lower\w*|increas\w+|attenuat\w+|benefit\w*|relief|prevent\w*)",
    ),
    (
        ("reduc", "improv", "reliev", "alleviat", "attenuat", "prevent", "amelior"),
        r"(?:reduc|improv|reliev|alleviat|attenuat|prevent|ameliorat)(?:e|es|ed|ing|s|ies|ied)\b\s+(?:\w+[\s-]+){0,3}?"
        r"(?:pain|symptoms?|depression|anxiety|mortality|hyperalgesia|allodynia|opioid|function|sleep|quality|risk|relapse|bleeding|nausea|vomiting)",
    ),
    (
        ("effects", "events", "complications"),
        r"(?:fewer|less|lower|more)\s+(?:\w+\s+){0,3}?(?:side\s+effects|adverse\s+(?:events|effects)|complications)",
    ),
    (("skew",), r"(?:negatively|positively)\s+skew\w*"),
    (
        ("benefi",),
        r"(?:any|prolonged|long[-\s]term|short[-\s]term|lasting|analgesic|clinical|therapeutic|significant)\s+(?:\w+\s+)?benefits?\b|benefits?\s+(?:for|up\s+to|lasting|of\s+up\s+to)\b|beneficial\s+for",
    ),
    (("dose-",), r"dose-response\s+relationship|dose-dependent"),
)
_COMPILED = tuple((stems, re.compile(rf"\b(?:{pattern})")) for stems, pattern in _EFFECTS)
_STEMS = tuple({stem for stems, _ in _EFFECTS for stem in stems})


def _effect_in(sentence: str) -> str:
    """The words of ``sentence`` (in lower case) that state an effect; "" where none do."""
    for stems, pattern in _COMPILED:
        if any(stem in sentence for stem in stems):
            found = pattern.search(sentence)
            if found is not None:
                return found[0].strip()
    return ""


#: A source: a citation mark, an author with a year, an identifier, "et al.".
_SOURCE = re.compile(
    r"\[[0-9][0-9,;\s–-]*\]|\((?:[A-Z][\w'’-]+(?:\s+(?:et\s+al\.?|and|&)\s*[\w'’-]*)?,?\s+)(?:19|20)[0-9]{2}[a-z]?\)|\bet\s+al\b|\b10\.[0-9]{4,9}/|\b(?:cited\s+to|according\s+to|reported\s+by|as\s+shown\s+by)\s+[A-Z]\w+|\bPMID\b|\bdoi\b|[⁰¹²³⁴-⁹]+|[A-Z][a-z]+\s+(?:19|20)[0-9]{2}\b|https?://|\((?:[0-9]{1,3})(?:\s*[,–-]\s*[0-9]{1,3})*\)(?=\s*[.,;])",
)
#: What a sentence of aims or methods says: no statement of effect.
_AIM = re.compile(
    r"\b(?:aim(?:ed|s)?|objective|purpose|whether|we\s+(?:assessed|evaluated|investigated|examined|compared|hypothes\w+|sought|studied|tested)|to\s+(?:assess|evaluate|investigate|determine|examine|compare|test|explore|study|establish)|hypothes\w+|future\s+(?:studies|research|trials)|further\s+(?:studies|research|trials)|is\s+needed|are\s+needed|should\s+be\s+(?:studied|investigated)|not\s+known|unknown|unclear)\b",
    re.IGNORECASE,
)
_SAFE = re.compile(r"\b(?:safe|harmless|well[-\s]tolerated|no\s+risk|safer)\b", re.IGNORECASE)
#: An interval of a ratio that reaches this far leaves a harm open that nobody would call safe.
OPEN_HARM = 2.0
_RATIOS = ("RR", "OR", "HR", "IRR", "PR")


def _not_shown_safe(numbers: list[FoundClaim]) -> str | None:
    """The widest ratio of the text whose interval leaves both no effect and a doubled risk open."""
    wide = [
        c
        for c in numbers
        if c.measure in _RATIOS
        and c.ci_low is not None
        and c.ci_high is not None
        and c.ci_low < 1
        and c.ci_high >= OPEN_HARM
    ]
    if not wide:
        return None
    most = max(wide, key=lambda c: c.ci_high or 0.0)
    said = "" if most.estimate is None else f" {most.estimate:g}"
    return f"says safe; {most.measure}{said} of the same text has an interval up to {most.ci_high:g}, which no safety follows from"


_SENTENCE = re.compile(r"(?<=[a-z0-9)\]%\"”])[.!?](?=\s+[A-Z\"“(\[]|\s*$)|\n\s*\n")


def find_statements(text: str, numbers: list[FoundClaim], own_results: bool) -> list[FoundClaim]:
    """Sentences of ``text`` that state an effect; those with figures of their own are left to them.

    ``own_results``: the text reports estimates or p values, so that its conclusions rest on them.
    """
    if not any(stem in text.lower() for stem in _STEMS):
        return []
    found: list[FoundClaim] = []
    start = 0
    for stop in [m.end() for m in _SENTENCE.finditer(text)] + [len(text)]:
        sentence = text[start:stop]
        at, start = start, stop
        effect = _effect_in(sentence.lower())
        if not effect or _AIM.search(sentence) or sentence.rstrip().endswith("?"):
            continue
        lead = len(sentence) - len(sentence.lstrip())
        end = at + len(sentence.rstrip())
        if any(c.start < end and at <= c.start for c in numbers if c.kind in ("estimate", "proportion")):
            continue
        source = _SOURCE.search(sentence) or _SOURCE.match(text[end : end + 12].lstrip())
        if source is not None:
            verdict, why = NOT_CHECKABLE, f"states an effect without figures; its source is {source[0].strip()}"
        elif own_results:
            verdict, why = NOT_CHECKABLE, "states an effect without figures; it rests on those of the same text"
            wide = _not_shown_safe(numbers) if _SAFE.search(sentence) else None
            if wide is not None:
                verdict, why = UNSUPPORTED, wide
        else:
            verdict, why = UNSUPPORTED, f'states an effect ("{effect}") with neither figures nor a source'
        found.append(FoundClaim(text[at + lead : end], at + lead, end, "statement", verdict, why))
    return found
