"""``balm screen``: order, simulate, test whether it may be enough, and show how far reviewers agree."""

from __future__ import annotations

import argparse

from balm.cli.command import Command, print_json

#: What `balm screen` can do: word -> one line.
TASKS = {
    "rank": "what to read next: the frozen batches of a package, then the order of all other records",
    "simulate": "what this order would have saved on a set whose labels are all known",
    "stop": "the stopping test: recall so far, with its bound; it informs and never stops anything",
    "agreement": "how far each pair of reviewers agreed in their first independent votes",
}
SHOWN = 20


def configure_screen(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm screen``."""
    parser.add_argument(
        "task",
        choices=tuple(TASKS),
        metavar="TASK",
        help="; ".join(f"`{name}`: {what}" for name, what in TASKS.items()),
    )
    parser.add_argument(
        "source", metavar="DIR|FILE", help="review package; for simulate, a CSV file of labelled records"
    )
    parser.add_argument("--stage", choices=("title-abstract", "full-text"), help="stage (default: title-abstract)")
    parser.add_argument("--question", metavar="WORDS", help="rank: start from these words (default: the protocol's)")
    parser.add_argument(
        "--batch", metavar="N", type=int, help="rank: freeze the next N records for every reviewer, in `batches.csv`"
    )
    parser.add_argument(
        "--reviewer", metavar="NAME", help="rank: what this reviewer has still to read in the frozen batches"
    )
    parser.add_argument(
        "--labels",
        metavar="COLUMN",
        help="simulate: the column of labels: 1/0, yes/no, included/excluded, or empty (required)",
    )
    parser.add_argument(
        "--prior-included", metavar="ROW", type=int, action="append", help="simulate: row known to be included, from 0"
    )
    parser.add_argument(
        "--prior-excluded", metavar="ROW", type=int, action="append", help="simulate: row known to be excluded, from 0"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="draws what is left to chance (default: 0)")
    parser.add_argument(
        "--schedule", metavar="WHEN", help="simulate: learn after `every` label (default), or every `2%%` of the labels"
    )
    parser.add_argument("--plot", metavar="FILE", help="simulate, stop: write found against screened (.svg .png .pdf)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


#: Option -> the tasks it belongs to; anywhere else it is an error, not ignored.
BELONGS = {
    "stage": ("rank", "stop", "agreement"),
    "question": ("rank",),
    "batch": ("rank",),
    "reviewer": ("rank",),
    "labels": ("simulate",),
    "prior_included": ("simulate",),
    "prior_excluded": ("simulate",),
    "seed": ("rank", "simulate"),
    "schedule": ("simulate",),
    "plot": ("simulate", "stop"),
}


def screen(arguments: argparse.Namespace) -> int:
    """Do the task that is asked for."""
    from balm.cli.command import UsageError

    for option, tasks in BELONGS.items():
        if getattr(arguments, option) is not None and arguments.task not in tasks:
            raise UsageError(f"--{option.replace('_', '-')} belongs to {' and '.join(tasks)}, not to {arguments.task}")
    if arguments.seed is not None and arguments.seed < 0:
        raise UsageError(f"--seed must be 0 or more; got {arguments.seed}")
    return {"rank": _rank, "simulate": _simulate, "stop": _stop, "agreement": _agreement}[arguments.task](arguments)


def _rank(arguments: argparse.Namespace) -> int:
    from balm.actions.screening import rank_review
    from balm.actions.screening_batches import freeze_batch
    from balm.cli.command import UsageError

    if arguments.batch is not None:
        if arguments.batch < 1:
            raise UsageError(f"--batch must be 1 or more; got {arguments.batch}")
        freeze_batch(
            arguments.source,
            stage=_stage(arguments),
            size=arguments.batch,
            question=arguments.question,
            seed=arguments.seed or 0,
        )
    screened, ranking = rank_review(
        arguments.source, stage=_stage(arguments), question=arguments.question, seed=arguments.seed or 0
    )
    reviewer = arguments.reviewer
    frozen = screened.to_read(reviewer)
    if arguments.json:
        batches = [{"batch": b, "read": read, "records": size} for b, read, size in screened.progress(reviewer)]
        print_json({"stage": screened.stage, "batches": batches, "to_read": list(frozen), **ranking.to_dict()})
        return 0
    for batch, read, size in screened.progress(reviewer):
        print(f"Batch {batch}: {read:,} of {size:,} records read by {reviewer or 'all reviewers'}")
    titles = {r.id: r.title or "(no title)" for r in screened.records}
    if frozen:
        print("Frozen, the same order for everyone:")
        _list(frozen, titles)
        print("After them, ordered anew whenever a batch is finished:")
    print(ranking)
    _list(tuple(str(i) for i in ranking.ids), titles)
    return 0


def _list(records: tuple[str, ...], titles: dict[str, str]) -> None:
    for place, record in enumerate(records[:SHOWN], start=1):
        print(f"{place:>4}  {record}  {titles.get(record, '(no title)')}")
    if len(records) > SHOWN:
        print(f"      and {len(records) - SHOWN:,} more; --json prints all")


def _simulate(arguments: argparse.Namespace) -> int:
    from balm.actions.screening import simulate_table
    from balm.cli.command import UsageError

    if arguments.labels is None:
        raise UsageError("simulate needs --labels COLUMN")
    done = simulate_table(
        arguments.source,
        labels=arguments.labels,
        prior_included=arguments.prior_included,
        prior_excluded=arguments.prior_excluded,
        seed=arguments.seed or 0,
        schedule=arguments.schedule or "every",
    )
    if arguments.plot:
        from balm.plots.screening import recall_curve

        recall_curve(done.found, path=arguments.plot)
    if arguments.json:
        print_json(done.to_dict())
        return 0
    print(f"{arguments.source}: {done.n:,} records, {done.n_included:,} included; started from included row", end=" ")
    print(f"{_rows(done.prior_included)} and excluded row {_rows(done.prior_excluded)}, schedule {done.schedule}")
    if done.unlabelled:
        print(f"  {done.unlabelled:,} rows without a label are left out")
    if not done.found.any():
        print("  the priors are all the included records there are: nothing is left to find")
    for name, value in (*done.rows(), ("seconds", f"{done.seconds:.2f}")):
        print(f"  {name:<38}{value}")
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    from balm.actions.screening import screening_of
    from balm.review.screening.heuristics import in_a_row

    screened = screening_of(arguments.source, stage=_stage(arguments))
    test = screened.test()
    rule = in_a_row(screened.found, len(screened.records))
    if arguments.plot:
        from balm.plots.screening import recall_curve

        recall_curve(screened.found, n=len(screened.records), tests=screened.history(), path=arguments.plot)
    if arguments.json:
        heuristic = {"name": rule.name, "value": rule.value, "limit": rule.limit, "caution": rule.caution}
        print_json({"stage": screened.stage, **test.to_dict(), "heuristics": [heuristic]})
        return 0
    print(test.sentence())
    print(rule.sentence())
    print("Whether to stop is decided by the team; the test assumes the target and alpha were set before screening.")
    return 0


def _agreement(arguments: argparse.Namespace) -> int:
    from balm.actions.screening import screening_of

    screened = screening_of(arguments.source, stage=_stage(arguments))
    pairs = screened.agreement()
    if arguments.json:
        print_json(
            {"stage": screened.stage, "pairs": [{"first": a, "second": b, **found.to_dict()} for a, b, found in pairs]}
        )
        return 0
    if not pairs:
        print(f"no record has first votes of two reviewers at {screened.stage} yet")
    for one, two, found in pairs:
        print(f"{one} and {two}, {screened.stage}: {found}")
    return 0


def _stage(arguments: argparse.Namespace) -> str:
    return arguments.stage or "title-abstract"


def _rows(rows: tuple[int, ...]) -> str:
    return ", ".join(str(r) for r in rows)


SCREEN = Command(
    about=(
        "Prioritised screening. The order is learned from settled outcomes only, so that it tells no reviewer another\n"
        "one's open vote; without any it starts from the words of the question. `rank --batch N` freezes the next\n"
        "records for all reviewers; `rank` goes on with the frozen batches and orders only what is in none. The\n"
        "stopping test takes its target and alpha from [screening] in review.toml; it informs the team and never\n"
        "stops a review."
    ),
    example="balm screen simulate labelled.csv --labels label_included",
    configure=configure_screen,
    run=screen,
)
