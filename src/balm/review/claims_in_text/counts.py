"""How many people and how many studies: "n = 211", "seven trials", "16 studies with 1,080 patients"."""

from __future__ import annotations

import re
from dataclasses import replace

from balm.review.claims_in_text.claim import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, FoundClaim
from balm.review.claims_in_text.listed_counts import count_of, listed, parts
from balm.review.claims_in_text.tokens import Tokens

_SAMPLE = re.compile(r"E[=Lo]?(?P<n>n)")
_PEOPLE = re.compile(r"(?P<n>n)(?P<who>(?:[wdM]|w,w){0,3}?N)")
#: "24 fasting, healthy, male volunteers", "32 healthy male and female volunteers".
_DESCRIBED = re.compile(r"(?P<n>n)(?P<who>w(?:,w){1,3}w?|w{1,2}[Nw]?a[Nw])N")
#: "353 consecutive obstructive sleep apnea (OSA) patients".
_ABBREVIATED = re.compile(r"(?P<n>n)(?P<who>w{1,5}[(]w[)]w?)N")
#: "189 of these cases".
_OF_THESE = re.compile(r"(?P<n>n)(?P<who>ow{0,2})N")
#: "888 were glass workers".
_BEING = re.compile(r"(?P<n>n)(?P<who>Lw?)N")
_STUDIES = re.compile(r"(?P<n>n)(?P<who>(?:[wdMN]|w,w){0,4}?S)")
#: "four study visits", "one study arm": parts of one study.
_OF_A_STUDY = re.compile(
    r"[ -](?:visit|arm|day|group|period|drug|medication|session|site|population|participant|subject|patient|protocol|"
    r"treatment|procedure|end|entry|physician|nurse|condition|phase|week|team|personnel|staff|question|limb|eye|knee)",
    re.I,
)
#: "74 treated, 45 included".
_DONE = re.compile(r"(?P<n>n)L?(?:w(?!w|$)|ww?)")
#: "12 male and 11 female"; "of whom 124 stopped"; "intervention group: 205"; "245 in the control group".
_BARE = re.compile(r"(?P<n>n)(?=[wLfd).,;]|$)")
_SEX = re.compile(r"\s(?:fe)?males?\b(?=\s*(?:[,;).]|and\b))", re.I)
_OF_WHOM = re.compile(r"\bof\s(?:whom|which|these|them|those),?\s(?:only\s)?$", re.I)
_GROUP_IS = re.compile(r"\b(?:group|arm)s?\s?[:=]\s?$", re.I)
_IN_GROUP = re.compile(r"\sin\s(?:the\s)?(?:[\w/-]+\s){1,4}?(?:group|arm)\b", re.I)
_SUBJECTS = re.compile(r"\s(?:had|were|was|did|died|stopped)\b|\s[a-z]+ed\b")
#: Verdict and reason of a count that stands alone.
_UNCHECKED = NOT_CHECKABLE, "nothing is printed beside it to compute it from"
_PARTICIPLES = frozenset(["treated", "included", "enrolled", "enroled", "randomized", "randomised", "analyzed", "analysed", "completed", "recruited", "screened", "assessed", "evaluated", "followed", "excluded", "eligible", "allocated", "assigned", "withdrew", "discontinued", "dropped", "died", "responded", "reported", "underwent", "received", "developed", "experienced", "survived", "consented", "refused", "declined"])  # fmt: skip  # noqa: E501
#: "120 patients were randomised (60 ketamine, 60 placebo)".
_SUM = re.compile(r"(?P<n>n)[wN]{0,3}N(?P<between>[wLtoa,]{0,8})[(](?P<a>n)[wNt]{1,6}[,;a]{1,2}(?P<b>n)[wNt]{1,6}[)]")
_DIVIDED = ("random", "allocat", "assign", "divided")


def find_counts(tokens: Tokens, used: set[int]) -> list[FoundClaim]:
    """Every number of people and of studies; their places are added to ``used``."""
    kinds = tokens.kinds
    sums = {m.start("n"): m for m in _SUM.finditer(kinds)}
    found: list[FoundClaim] = []
    for pattern, what in (
        (_STUDIES, "studies"),
        (_SAMPLE, "participants"),
        (_PEOPLE, "participants"),
        (_DONE, "participants"),
        (_DESCRIBED, "participants"),
        (_ABBREVIATED, "participants"),
        (_OF_THESE, "participants"),
        (_BEING, "participants"),
    ):
        for match in pattern.finditer(kinds):
            at = match.start("n")
            value = tokens.number(at)
            rounded = value.value >= 10_000 and value.value.is_integer()  # "3.5 million"
            if at in used or not (value.whole or rounded) or value.value < 1 or _no_count(tokens, at):
                continue
            if pattern is _STUDIES and _OF_A_STUDY.match(tokens.text, tokens.ends[match.end() - 1]):
                continue
            if pattern is _OF_THESE and value.value == 1:  # "in each one of these cases"
                continue
            if value.value == 1 and not value.word and match.end() - at > 2:  # "Can f 1 than females", "1 This study"
                continue
            if pattern is _DONE and not any(tokens.word(i) in _PARTICIPLES for i in range(match.start(), match.end())):
                continue
            used.add(at)
            verdict, why = _sum(tokens, sums[at]) if at in sums else _UNCHECKED
            found.append(count_of(tokens, at, what, verdict, why, (match.start(), match.end() - 1)))
    for at, what in [
        *listed(tokens),
        *((m.start(), "participants") for m in _BARE.finditer(kinds) if _said(tokens, m)),
    ]:
        if at not in used and tokens.number(at).whole and not _no_count(tokens, at):
            used.add(at)
            found.append(count_of(tokens, at, what, *_UNCHECKED))
    return found + parts(tokens, found, used)


def _said(tokens: Tokens, match: re.Match[str]) -> bool:
    """Whether the words around a bare number make it one of people."""
    at = match.start()
    value, end = tokens.number(at), tokens.ends[at]
    if value.value < 1 or not value.whole or (1900 <= value.value <= 2100 and not value.word):
        return False
    before = tokens.text[max(0, tokens.starts[at] - 24) : tokens.starts[at]]
    if _SEX.match(tokens.text, end) or _GROUP_IS.search(before):
        return True
    start = tokens.kinds.rfind(".", 0, at) + 1
    people = "N" in tokens.kinds[start:at] or "E" in tokens.kinds[start:at]
    if not people:
        return False
    if _OF_WHOM.search(before):
        return _SUBJECTS.match(tokens.text, end) is not None
    return before.endswith(("and ", ", ", "versus ", "vs ", "vs. ")) and _IN_GROUP.match(tokens.text, end) is not None


def _no_count(tokens: Tokens, at: int) -> bool:
    """A year, an ordinal, a number of a range of ages or of a ratio."""
    kinds, value = tokens.kinds, tokens.number(at).value
    if kinds[at - 1 : at] in ("/", "-", "x") or (kinds[at - 1 : at] == "=" and kinds[at - 2 : at - 1] != "E"):
        return True
    if 1900 <= value <= 2100 and _MONTH.search(tokens.text, max(0, tokens.starts[at] - 14), tokens.starts[at]):
        return True
    if (
        1900 <= value <= 2100
        and kinds[at - 1 : at] in ("o", "f", "t", "w", "a")
        and "," not in tokens.text[tokens.starts[at] : tokens.ends[at]]
    ):
        before = tokens.text[max(0, tokens.starts[at] - 12) : tokens.starts[at]].lower()
        return before.endswith(("in ", "since ", "until ", "from ", "through ", "and ", "to "))
    if tokens.text[tokens.ends[at] : tokens.ends[at] + 1].isalpha():  # "groups 1A and 2A comprised patients"
        return True
    before = tokens.text[max(0, tokens.starts[at] - 28) : tokens.starts[at]].lower()
    return before.endswith(
        (
            "type ",
            "grade ",
            "phase ",
            "level ",
            "class ",
            "stage ",
            "group ",
            "cohort ",
            "call ",
            "to harm ",
            "to treat ",
        )
    ) or bool(_GRADED.search(before))


_MONTH = re.compile(
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\s(?:\d{1,2},?\s)?$",
    re.I,
)
#: "grade 3 and 4 events", "NNH value of 189 patients", "from 160 to 180 patients had to be treated".
_GRADED = re.compile(
    r"\b(?:type|grade|phase|level|class|stage|group|study|studie|trial|experiment)s?\s[0-9iv]+\s?(?:and|or|to|-|,|/)\s?$|\bnn[th][hb]?\b[^.;]{0,18}$"
)


def _sum(tokens: Tokens, match: re.Match[str]) -> tuple[str, str]:
    total, a, b = (tokens.number(match.start(name)).value for name in ("n", "a", "b"))
    words = tokens.text[tokens.starts[match.start()] : tokens.ends[match.end() - 1]].lower()
    said = f"{a:g} + {b:g} = {a + b:g}"
    if a + b == total:
        return CONSISTENT, said
    if tokens.kinds[match.start() - 1 : match.start()] == "a":
        return NOT_CHECKABLE, f"{said}, not {total:g}; the number before it may be of the same sum"
    if any(word in words for word in _DIVIDED):
        return INCONSISTENT, f"{said}, not {total:g}"
    return NOT_CHECKABLE, f"{said}, not {total:g}; whether they are all is not said"


#: What a count of people may say that they are: those at the start, and those who are left in an analysis.
_ROLE = re.compile(
    r"\b(?:(?P<started>treated|enroll?ed|randomi[sz]ed|recruited|eligible|screened)"
    r"|(?P<left>included|analy[sz]ed|completed|evaluated|assessed|followed))\b",
    re.I,
)


def _role(claim: FoundClaim, text: str) -> str | None:
    found = _ROLE.search(text, claim.start, claim.end + 24)
    return None if found is None else found.lastgroup


def with_denominators(claims: list[FoundClaim], text: str) -> list[FoundClaim]:
    """Where the text says how many started and how many are left, a proportion of those left is set against all.

    Nothing is judged by it: which denominator is right is a question of the protocol.
    """
    counts = [c for c in claims if c.kind == "count" and c.measure == "participants" and c.n]
    started = [c for c in counts if _role(c, text) == "started"]
    left = [c for c in counts if _role(c, text) == "left"]
    if not started or not left:
        return claims
    most = max(started, key=lambda c: c.n or 0)
    done: list[FoundClaim] = []
    for claim in claims:
        why = claim.why
        if claim in left and claim.n and most.n and claim.n < most.n:
            rest = most.n - claim.n
            share = 100 * rest / most.n
            why = f"{claim.n}/{most.n} = {100 - share:.1f}%; {rest} ({share:.1f}%) are not among them"
        elif (
            claim.kind == "proportion"
            and claim.n
            and most.n
            and claim.total in {c.n for c in left}
            and claim.total != most.n
        ):
            why += f"; of all {most.n} it is {claim.n}/{most.n} = {100 * claim.n / most.n:.1f}%"
        done.append(replace(claim, why=why) if why != claim.why else claim)
    return done
