"""Start a review on the server: from its question, or from a file that a person brings."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import tomlkit
from django.utils.text import slugify

from balm.actions.member_table import read_members
from balm.actions.new_review import plan
from balm.actions.revman import read_revman
from balm.actions.team.archive import MEMBER_COLUMNS, bring_archive, unpack
from balm.actions.team.packages import slug_of, start_review
from balm.review.plan import FILE
from balm.review.reading import read_package
from balm.review.revman.package_out import package_files
from balm.review.schema import TABLES
from balm.store.accounts.models import User
from balm.store.reviews.models import Review
from balm.vocabulary.problems import InputError, Problem

#: Words that stand where a review's address stands; no review may be called so.
TAKEN = frozenset({"new"})
#: The largest file a review is started from.
MAX_UPLOAD = 512 * 1024**2

#: What the plan of ``balm new`` shows by example, of a review of pain: on a server it would stand beside every record.
EXAMPLES = ("eligibility", "scales", "windows", "outcomes", "comparisons")


def start_from_question(user: User, *, title: str, question: Mapping[str, str]) -> Review:
    """A new review with its title and question, and reasons for exclusion to begin with; nothing of another subject."""
    wanted = title.strip()
    made = tomlkit.parse(plan(free_slug(wanted)).split("\n\n", 1)[1])  # without its word to whoever edits a file
    made["review"]["title"] = wanted  # type: ignore[index]
    people = made["people"]
    people[0]["name"] = str(user)  # type: ignore[index]
    people[0]["role"] = "lead"  # type: ignore[index]
    for name in EXAMPLES:
        del made[name]
    made["question"] = {part: text.strip() for part, text in question.items() if text.strip()}
    files = {FILE: tomlkit.dumps(made).encode()}
    for table in TABLES:
        files[table.file] = (",".join(column.name for column in table.columns) + "\n").encode()
    return _start(files, user)


def start_from_file(user: User, data: bytes, name: str, *, claim: str = "") -> Review:
    """A review from an archive of a server, the zip of a package's folder, or a RevMan file; its content decides."""
    if len(data) > MAX_UPLOAD:
        raise InputError(Problem(f"is larger than {MAX_UPLOAD // 1024**2} MB", file=name))
    if not data:
        raise InputError(Problem("is empty", file=name))
    if data[:4] == b"PK\x03\x04":
        files = _without_folder(unpack(data))
        if "team/review.json" in files:
            return _bring(data, files, user, claim)
        if FILE in files:
            return _start(files, user)
    return _start(_from_revman(data, name), user)


def _bring(data: bytes, files: Mapping[str, bytes], user: User, claim: str) -> Review:
    if not claim:
        try:
            members = read_members(files["team/members.csv"], MEMBER_COLUMNS, "team/members.csv")
        except KeyError:
            raise InputError(Problem("is missing: the archive is not whole", "team/members.csv")) from None
        leads = [row["code"] for row in members if row["role"] == "lead"]
        if len(leads) != 1:
            raise InputError(f"the archive has the leads {leads}; say whose place you take")
        claim = str(leads[0])
    try:
        about = json.loads(files["team/review.json"])
        if about["slug"] in TAKEN:
            raise InputError(Problem("is a word of the server's own addresses", "team/review.json", column="slug"))
        return bring_archive(data, user=user, claim=claim)
    except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the archive is damaged: {error}; nothing was brought in") from None


def _from_revman(data: bytes, name: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="balm-upload-") as folder:
        place = Path(folder) / (PurePosixPath(name.replace("\\", "/")).name[-100:].lstrip(".") or "file")
        place.write_bytes(data)
        review = read_revman(place)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    files = package_files(review, free_slug(Path(name).stem), today)
    return {path: text.encode() for path, text in files.items()}


def _without_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a zip whose only entry at the top is a folder, without that folder; system files are passed over."""
    kept = {
        name: data
        for name, data in files.items()
        if not any(part in ("__MACOSX", ".DS_Store", ".git") for part in PurePosixPath(name).parts)
    }
    tops = {name.split("/", 1)[0] for name in kept}
    if len(tops) == 1 and f"{min(tops)}/{FILE}" in kept:
        return {name.split("/", 1)[1]: data for name, data in kept.items()}
    return kept


def _start(files: Mapping[str, bytes], user: User) -> Review:
    package, problems = read_package(files, Path("package"))
    if package is None:
        raise InputError(problems)
    if slug_of(package) in TAKEN:
        raise InputError(Problem("is a word of the server's own addresses; give another id", FILE, column="review.id"))
    name = user.name.strip() or "Lead"
    return start_review(files, user=user, code=slugify(name.split(" ")[0])[:60] or "lead", name=name)


def free_slug(title: str) -> str:
    """An address for a review of this title that no review has."""
    wanted = slugify(title)[:60] or "review"
    for slug in (wanted, *(f"{wanted}-{i}" for i in range(2, 1000))):
        if slug not in TAKEN and not Review.objects.filter(slug=slug).exists():
            return slug
    raise InputError(f"there are a thousand reviews called {wanted!r}; give another title")
