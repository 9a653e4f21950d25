"""The interface for programs: who comes in with a token, and what every answer looks like when something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Router, Schema
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.security import HttpBearer

import balm
from balm.actions.team.acting import Acting, Refused, acting_in
from balm.actions.team.tokens import token_for
from balm.store.accounts.models import User
from balm.store.api.models import Token
from balm.vocabulary.problems import InputError, Problem

#: What no database keeps as text: NUL, and halves of surrogate pairs.
NO_TEXT = re.compile("[\x00\ud800-\udfff]")
#: Methods that change nothing.
READING = ("GET", "HEAD", "OPTIONS")


class ProblemOut(Schema):
    """One thing that is wrong, and where."""

    reason: str
    file: str = ""
    row: int | None = None
    column: str = ""
    value: str | None = None


class Problems(Schema):
    """Why nothing was done."""

    problems: list[ProblemOut]


class WithToken(HttpBearer):
    """``Authorization: Bearer balm_...``; cookies let nobody in, so that no other site acts through a browser."""

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        """The token, or ``None`` for 401; one that only reads is refused where something would change."""
        found = token_for(token)
        if found is None:
            return None
        if request.method not in READING and not found.may_write:
            raise Refused("this token may only read; make one that may write")
        given = [request.path, *(text for values in request.GET.lists() for text in (values[0], *values[1]))]
        if any(NO_TEXT.search(text) for text in given):
            raise InputError("the address holds a character that is no text")
        request.user = found.user
        return found


class PlainText(Parser):
    """JSON bodies whose texts can be kept by a database."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body; refused (400) where it is no JSON or holds what is no text."""
        body = json.loads(request.body, parse_constant=_no_number)
        _only_text(body)
        return body


def _only_text(value: Any) -> None:
    if isinstance(value, str) and NO_TEXT.search(value):
        raise ValueError("it holds a character that is no text")
    for part in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        _only_text(part)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


api = NinjaAPI(
    title="balm",
    version="1",
    urls_namespace="api-1",
    description=(
        "A review team's server for programs. Every call carries a token of a person and may do what that person may: "
        "the same roles, the same blinding. Numbers are given in full precision."
    ),
    auth=WithToken(),
    docs_url=None,
    parser=PlainText(),
    openapi_extra={"info": {"x-software-version": balm.__version__}},
)


def _file(kind: str) -> dict[str, Any]:
    """How a call whose answer is a file is described."""
    return {"responses": {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}}


ZIP, PDF = _file("application/zip"), _file("application/pdf")

#: One router for reading and judging: both have calls at the same addresses.
router = Router()


def entered(request: HttpRequest, slug: str, act: str) -> Acting:
    """The token's person in the review at ``slug``, allowed to do ``act``; 404 where they are no member."""
    token = cast(Token, request.auth)  # type: ignore[attr-defined]
    acting = acting_in(slug, token.user, session=f"token {token.pk}", request_id=getattr(request, "request_id", ""))
    if acting is None:
        raise Http404
    acting.check(act)
    return acting


def person(request: HttpRequest) -> User:
    """Whose token it is."""
    return cast(Token, request.auth).user  # type: ignore[attr-defined]


def _answer(request: HttpRequest, problems: Sequence[Problem], status: int) -> HttpResponse:
    told = [{"reason": p.reason, "file": p.file, "row": p.row, "column": p.column, "value": p.value} for p in problems]
    return api.create_response(request, {"problems": told}, status=status)


@api.exception_handler(InputError)
def _input(request: HttpRequest, error: InputError) -> HttpResponse:
    return _answer(request, error.problems, 422)


@api.exception_handler(Refused)
def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
    return _answer(request, [Problem(str(error))], 403)


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _answer(request, [Problem("there is no such thing, or not for you")], 404)


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _answer(request, [Problem(str(error))], error.status_code)


@api.exception_handler(ValidationError)
def _shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [
        Problem(e["msg"], column=".".join(str(part) for part in e["loc"] if part not in ("body", "query", "path")))
        for e in error.errors
    ]
    return _answer(request, problems, 422)
