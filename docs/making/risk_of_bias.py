"""Tables of the risk-of-bias instruments: what each is, its questions, and its rules branch by branch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from balm.review.risk_of_bias.instrument import ANSWERS, INSTRUMENTS, SETS, Condition, Domain, Instrument, instrument
from balm.review.risk_of_bias.words import DIRECTIONS, JUDGEMENTS

_OVERALL = {
    "rob2": "low when every domain is low; high when one is high; else some concerns, which a person may raise to high",
    "worst": "the most severe domain; no information only where none is serious or critical",
    "none": "none",
}


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def instruments() -> str:
    """A row an instrument."""

    def rows() -> Iterable[Iterable[str]]:
        for name in INSTRUMENTS:
            one = instrument(name)
            ruled = [d.id for d in one.domains if d.parts]
            yield (
                f"`{name}`",
                one.name,
                one.version,
                one.per,
                ", ".join(one.judgements),
                "by rules" if ruled else "by the person",
                _OVERALL[one.overall],
                f"{one.source}; checked {one.reviewed}",
            )

    return _table(["`instrument`", "name", "version", "judges a", "judgements", "domains", "overall", "source"], rows())


def rules() -> str:
    """Every domain of every instrument with its questions, and its rules where it has them."""
    parts = []
    for name in INSTRUMENTS:
        one = instrument(name)
        parts += [f"## {one.name} ({one.version})", ""]
        for domain in one.domains:
            parts += [*_domain(one, domain), ""]
    return "\n".join(parts).strip()


def _domain(one: Instrument, domain: Domain) -> list[str]:
    lines = [f"### {domain.id}. {domain.name}" + (f" ({one.name})" if one.overall == "rob2" else ""), ""]
    if domain.ask:
        lines += [domain.ask, ""]
    if domain.questions:
        rows = ([q.id, q.text, ", ".join(q.answers), _asked(q.asked)] for q in domain.questions)
        lines += [_table(["question", "in our words", "answers", "asked when"], rows), ""]
    for part in domain.parts:
        if len(domain.parts) > 1:
            lines += [f"Part: {part.name}. The domain takes the worse part.", ""]
        lines += [_table(["if", "then", "because"], ([_when(r.when), r.then, r.because] for r in part.rules)), ""]
    if not domain.parts:
        lines += [f"Judged by the person: {', '.join(one.judgements)}.", ""]
    return lines[:-1]


def _asked(conditions: tuple[Condition, ...]) -> str:
    return " or ".join(_when(condition) for condition in conditions) if conditions else "always"


def _when(condition: Condition) -> str:
    if not condition:
        return "otherwise"
    return " and ".join(f"{question} is {_answers(answers)}" for question, answers in condition.items())


def _answers(answers: frozenset[str]) -> str:
    """Answers as the tool writes them: Y/PY, N/PN, NI."""
    named = [word for word, members in SETS.items() if set(members) <= answers]
    rest = [a for a in ANSWERS if a in answers and not any(a in SETS[word] for word in named)]
    return " or ".join(["/".join(SETS[word]) for word in named] + rest)


def words() -> str:
    """Judgements and directions."""
    listed: Mapping[str, Iterable[str]] = {
        "answers": (f"`{short}` {said}" for short, said in ANSWERS.items()),
        "judgements": (f"`{word}`" for word in JUDGEMENTS),
        "directions": (f"`{word}`" for word in DIRECTIONS),
    }
    return "\n".join(f"- {name.capitalize()}: {', '.join(items)}." for name, items in listed.items())
