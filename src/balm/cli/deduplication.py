"""``balm dedupe``: duplicates among search exports, with every doubtful pair side by side."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from balm.cli.command import Command, number, print_json
from balm.vocabulary.problems import InputError

#: Questions shown on the terminal unless more are asked for.
SHOWN = 20
#: What is compared side by side, and what it is called.
SIDE_BY_SIDE = (
    ("title", "title"),
    ("authors", "authors"),
    ("year", "year"),
    ("journal", "journal"),
    ("volume", "volume"),
    ("issue", "issue"),
    ("pages", "pages"),
    ("doi", "DOI"),
    ("pmid", "PMID"),
    ("type", "type"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm dedupe``."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="exports of searches, whose format is told from the content; or the folder of one review package, where "
        "decisions are appended to duplicates.csv",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write one record a report: .ris, .nbib, .bib or .csv; merged records hold the best of each field",
    )
    parser.add_argument("--pairs", metavar="FILE", help="write every merged and doubtful pair as CSV, with the reason")
    parser.add_argument(
        "--show",
        metavar="N",
        type=number("--show", at_least=0),
        default=SHOWN,
        help=f"show at most N doubtful pairs (default: {SHOWN})",
    )
    for option, meaning in (
        ("--duplicate", "decide: they are of one report"),
        ("--not-duplicate", "decide: they are of two reports, now and in later imports"),
        ("--same-study", "decide: two reports of one study, now and in later imports"),
        ("--undo", "take a merge or a decision back"),
    ):
        parser.add_argument(
            option, metavar="RECORD", nargs=2, action="append", help=f"of two records of a package {meaning}"
        )
    parser.add_argument("--person", metavar="NAME", help="who decides")
    parser.add_argument("--json", action="store_true", help="print counts, groups and pairs as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Find, write, and show what a person has to decide."""
    from balm.actions.deduplication import dedupe

    appended: int | None = None
    said = [
        (*pair, answer)
        for answer, pairs in (
            ("duplicate", arguments.duplicate),
            ("not duplicate", arguments.not_duplicate),
            ("same study", arguments.same_study),
            ("undo", arguments.undo),
        )
        for pair in pairs or ()
    ]
    if any(Path(file).is_dir() for file in arguments.files):
        from balm.actions.deduplication_of_review import Answer, dedupe_review

        if len(arguments.files) > 1:
            raise InputError("give one review package, or files; `balm import` brings files into a package")
        if arguments.person and not said:
            raise InputError("--person says who decides; give --duplicate, --not-duplicate, --same-study or --undo too")
        done = dedupe_review(
            arguments.files[0],
            answers=[Answer(*words) for words in said],
            person=arguments.person,
            output=arguments.output,
            pairs=arguments.pairs,
        )
        found, appended = done.found, len(done.rows)
    elif said or arguments.person:
        raise InputError("decisions are kept in a review package: give its folder; `balm import` brings files in")
    else:
        found = dedupe(*arguments.files, output=arguments.output, pairs=arguments.pairs)
    counts = found.counts
    receipt = found.records.receipt
    if arguments.json:
        print_json(
            {
                "read": receipt.read,
                "rejected": receipt.rejected,
                **counts,
                **({} if appended is None else {"appended": appended}),
                "group_list": [list(group.ids) for group in found.groups],
                "pairs": [
                    {
                        "record_1": p.record_1,
                        "record_2": p.record_2,
                        "decision": p.decision,
                        "score": p.score,
                        "rule": p.rule,
                        "fields": list(p.fields),
                    }
                    for p in found.pairs
                ],
            }
        )
        return 0
    left_out = f", {receipt.rejected:,} rejected (see `balm import`)" if receipt.rejected else ""
    print(f"{_many(counts['records'], 'record')} read{left_out}")
    print(f"{_many(counts['removed'], 'duplicate')} merged into {_many(counts['groups'], 'report')}")
    print(f"{_many(counts['unique'], 'record')} left")
    if counts["by_hand"] or counts["kept_apart"]:
        apart = _many(counts["kept_apart"], "pair")
        print(f"by persons: {_many(counts['by_hand'], 'duplicate')} merged, {apart} kept apart")
    questions = found.review
    if questions:
        print(f"{_many(len(questions), 'pair')} to decide by a person: not merged")
    for k, pair in enumerate(questions[: int(arguments.show)], start=1):
        print(f"\n{k}. {pair.rule} (score {pair.score:.2f})")
        for line in beside(found.records[pair.record_1], found.records[pair.record_2]):
            print(line)
    if len(questions) > int(arguments.show):
        print(
            f"\n{len(questions) - int(arguments.show):,} more: --show {len(questions)}, or --pairs FILE for all of them"
        )
    if appended is not None:
        print(f"{_many(appended, 'row')} appended to duplicates.csv")
    for name in (arguments.pairs, arguments.output):
        if name is not None:
            print(f"wrote {name}")
    return 0


def _many(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def beside(one: Any, two: Any, *, width: int | None = None) -> Iterator[str]:
    """Two records side by side, a field a line; ``=`` marks what is equal.

    >>> from balm.vocabulary.record import Record
    >>> print(*beside(Record(id="a", year=2015), Record(id="b", year=2016), width=50), sep="\\n")
       record    a                    b
       year      2015                 2016
     = type      article              article
    """
    width = width or min(max(shutil.get_terminal_size((110, 24)).columns, 60), 160)
    half = (width - 13) // 2 + 2
    yield f"   {'record':<9} {_fitted(one.id, half)} {two.id}".rstrip()
    for name, label in SIDE_BY_SIDE:
        a, b = _shown(getattr(one, name)), _shown(getattr(two, name))
        if not a and not b:
            continue
        mark = "=" if a == b else " "
        left, right = _wrapped(a, half - 1), _wrapped(b, half - 1)
        for k in range(max(len(left), len(right))):
            x = left[k] if k < len(left) else ""
            y = right[k] if k < len(right) else ""
            yield f" {mark if k == 0 else ' '} {label if k == 0 else '':<9} {x:<{half}} {y}".rstrip()


def _shown(value: Any) -> str:
    text = "; ".join(value[:6]) + ("; ..." if len(value) > 6 else "") if isinstance(value, tuple) else str(value or "")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _fitted(text: str, width: int) -> str:
    return f"{text if len(text) <= width else text[: width - 1] + '…':<{width}}"


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, max_lines=3, placeholder=" ...") or [""]


DEDUPE = Command(
    about=(
        "Find the records of one and the same report in any number of exports. What is certain is merged; what is\n"
        "doubtful is shown side by side and left alone; a meeting abstract and its paper, a preprint and its paper, a\n"
        "correction, a reply, parts I and II and trials that share a title stay apart. The files are not changed.\n"
        "\n"
        "Given the folder of a review package, its searches are compared and every merge and question is appended to\n"
        "duplicates.csv, beside what persons decided there; nothing is ever taken out of it."
    ),
    example="balm dedupe medline.nbib embase.ris -o unique.ris --pairs pairs.csv",
    configure=configure,
    run=run,
)
