"""Start a review package: the plan with a place for every answer, and every table with its header."""

from __future__ import annotations

import datetime
import re
import shutil
import tempfile
from pathlib import Path

from balm.review.plan import FILE
from balm.review.schema import TABLES
from balm.vocabulary.problems import InputError, Problem

#: A plan that is valid as it stands and tells what to replace. ``@id@`` and ``@date@`` are filled in.
PLAN = """\
# The plan of this review. Every answer in "..." is an example: replace it with yours.
# `balm check` names everything that is wrong in this folder; `balm report` writes the report.

[review]
id = "@id@"
title = "Title of the review"
version = "0.1"
date = "@date@"
status = "planned"

[question]
population = "Adults with ..."
intervention = "Drug, route and dose range"
comparators = "Placebo, usual care, other active treatment"
outcomes = "Pain intensity; adverse events"
designs = "Randomised controlled trials"

# Settled before the first record is read; `balm screen stop` tests against it and never stops anything.
[screening]
reviewers = 2
target_recall = 0.95
alpha = 0.05
# One reason is given for each full text left out: the first of these that applies.
exclusion_reasons = [
    "Not a report of primary data",
    "Other population",
    "Other intervention",
    "Other comparator",
    "Other design",
    "No outcome of this review",
]

[screening.highlights]  # marked in titles and abstracts while screening
include = ["random", "placebo"]
exclude = ["rats", "mice"]

[[eligibility]]
name = "Population"
include = "Adults with chronic pain (at least 3 months)"
exclude = "Acute or procedural pain"

[[people]]
name = "Your name"
role = "reviewer"

[[scales]]
id = "nrs"
name = "Numerical rating scale"
low = 0
high = 10
unit = "points"

[[windows]]  # days after the intervention: after `after`, up to `until`
id = "week-1"
name = "up to 1 week"
after = 0
until = 7
from_start = true

[[outcomes]]
id = "pain"
name = "Pain intensity"
domain = "pain"
kind = "continuous"
direction = "lower is better"
scale = "nrs"
unit = "points"

[[comparisons]]
id = "drug-placebo"
name = "Drug versus placebo"
group_1 = "drug"
group_2 = "placebo"
roles_1 = ["intervention"]
roles_2 = ["placebo"]

# [[analyses]] come when there are results to plan for; see the format in the documentation.
"""


def new_review(folder: str | Path) -> tuple[Path, ...]:
    """Write a package that `balm check` passes into a new or empty ``folder``; the files written, in order.

    Nothing is ever overwritten: a folder that holds anything is refused, and a failure half-way leaves nothing behind.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InputError(Problem("is a file; give the name of a new folder", file=str(folder)))
    if target.is_dir() and any(target.iterdir()):
        raise InputError(Problem("is not empty; give the name of a new folder", file=str(folder)))
    if not target.parent.is_dir():
        raise InputError(Problem(f"there is no folder {str(target.parent)!r}; make it first", file=str(folder)))
    contents = {FILE: plan(target.resolve().name)}
    for table in TABLES:
        contents[table.file] = ",".join(column.name for column in table.columns) + "\n"
    try:
        made = Path(tempfile.mkdtemp(prefix=".balm-new-", dir=target.parent))
        try:
            for name, text in contents.items():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).write_text(text, encoding="utf-8", newline="")
            made.chmod(0o755)
            made.replace(target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise InputError(Problem(f"cannot be written: {error.strerror or error}", file=str(folder))) from None
    return tuple(target / name for name in contents)


def plan(name: str) -> str:
    """The plan of a package in a folder called ``name``."""
    identifier = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "review"
    return PLAN.replace("@id@", identifier).replace("@date@", datetime.date.today().isoformat())
