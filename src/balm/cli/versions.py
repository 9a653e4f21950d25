"""``balm versions``: the history of a review, how a result grew with it, and what changed since a version."""

from __future__ import annotations

import argparse

from balm.cli.command import Command, UsageError, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm versions``."""
    parser.add_argument("folder", metavar="DIR", help="folder of the review package (the one that holds review.toml)")
    parser.add_argument("--since", metavar="VERSION", help="what changed since this version, from search to certainty")
    parser.add_argument("--analysis", metavar="ID", help="how the result of this analysis grew from version to version")
    parser.add_argument("--forest", metavar="FILE", help="with --analysis: the plot by version (.svg .png .pdf)")
    parser.add_argument("--update", metavar="VERSION", help="begin an update: new searches and studies come to it")
    parser.add_argument("--label", metavar="TEXT", help="with --update: its name in print")
    parser.add_argument("--trigger", metavar="TEXT", help="with --update: why the review is updated")
    parser.add_argument("--searched", metavar="DATE", help="with --update: date of its search, as YYYY-MM-DD")
    parser.add_argument(
        "--release", metavar="VERSION", help="freeze the latest version under releases/, once and for all"
    )
    parser.add_argument("--by", metavar="NAME", help="with --release: who releases it")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="whether every release is still as it was released; DIR may be one release, as a folder or zip",
    )
    parser.add_argument("--json", action="store_true", help="print values as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for; the history where nothing was."""
    asked = [f"--{name}" for name in ("since", "analysis", "update", "release", "verify") if getattr(arguments, name)]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} are {len(asked)} questions; ask one at a time")
    if arguments.forest and not arguments.analysis:
        raise UsageError("--forest belongs to --analysis ID")
    if bool(arguments.release) != bool(arguments.by):
        raise UsageError("--release VERSION and --by NAME belong together")
    if not arguments.update and (alone := [n for n in ("label", "trigger", "searched") if getattr(arguments, n)]):
        raise UsageError(f"--{alone[0]} belongs to --update VERSION")
    if arguments.update:
        return _update(arguments)
    if arguments.release or arguments.verify:
        return _releases(arguments)
    from balm.actions.review import Review
    from balm.actions.versions import changes_since, released_results, result_by_version
    from balm.report import version_words as words

    review = Review.load(arguments.folder)
    package = review.package
    plain: object
    if arguments.since:
        changes = changes_since(review, arguments.since)
        plain, text = words.changes_plain(changes), words.changes_text(changes, package)
    elif arguments.analysis:
        steps = result_by_version(review, arguments.analysis, forest=arguments.forest)
        plain, text = (
            words.grown_plain(steps),
            words.grown_text(steps, package, released_results(review, arguments.analysis)),
        )
    else:
        plain, text = words.history_plain(package), words.history_text(package)
    if arguments.json:
        print_json(plain)
    else:
        print(text)
    return 0


def _update(arguments: argparse.Namespace) -> int:
    """Begin an update."""
    from balm.actions.versions import begin_update

    about = {name: getattr(arguments, name) for name in ("label", "trigger", "searched")}
    new = begin_update(arguments.folder, arguments.update, **about)
    if arguments.json:
        print_json({"version": new.version, "label": new.label})
        return 0
    print(f"{new.label} begins: what came before is held by the version before it.")
    print(f"Next: `balm import {arguments.folder} FILE...` for its search; only records that are new are screened.")
    return 0


def _releases(arguments: argparse.Namespace) -> int:
    """Freeze a version, or check those that are frozen."""
    from balm.actions.versions import check_releases, release

    if arguments.release:
        found = [release(arguments.folder, arguments.release, by=arguments.by)]
    else:
        found = check_releases(arguments.folder)
    if arguments.json:
        print_json([{"version": r.version, "released": r.released, "by": r.by, "hash": r.hash} for r in found])
        return 0
    for r in found:
        print(f"release {r.number}, version {r.version}: {r.released} by {r.by}, {len(r.files)} files")
        print(f"  hash {r.hash}")
    if arguments.verify and found and found[0].number > 1:
        print(f"  follows the release with the hash {found[0].previous}, which is not here")
    if arguments.verify:
        print("Every release is as it was released." if found else "No version has been released yet.")
    return 0


VERSIONS = Command(
    about=(
        "The versions of a review (versions.csv) in the order of time, with the studies each had. --since: what\n"
        "changed since a version, with the trial that moved each result and the judgements to be made again.\n"
        "--analysis: one result with the studies of each version, and of each published review's search.\n"
        "--release: data, results and report frozen, with one hash over all of them and the release before."
    ),
    example="balm versions reviews/ketamine-chronic-pain --since orhurhu-2019",
    configure=configure,
    run=run,
)
