"""What the interface says of itself holds: calls made up from its schema meet no fault of the server."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from balm.actions.team.screening import open_stage
from balm.actions.team.tokens import make_token
from balm.store.accounts.models import User
from balm.web.api.interface import api
from tests.web.conftest import Team

#: Calls made up for each operation and person; the same ones every time.
CALLS = 8
#: What stands in the addresses of half of the calls, so that they reach something.
REAL = {
    "table": "studies", "study": "sigtermans2009", "report": "noppers2011", "code": "tariq", "stage": "title-abstract",
}  # fmt: skip


def operations() -> list[Any]:
    import balm.web.urls  # noqa: F401  (brings the calls in)

    schema = schemathesis.openapi.from_dict(api.get_openapi_schema())
    schema.config.generation.allow_x00 = True
    return [result.ok() for result in schema.get_all_operations()]


def name(operation: Any) -> str:
    return f"{operation.method.upper()} {operation.path}"


@pytest.mark.parametrize("operation", operations(), ids=name)
def test_made_up_calls_meet_no_fault(team: Team, operation: Any) -> None:
    open_stage(team.owner.acting, "title-abstract", ["olga", "tariq"])
    for someone in (team.reader, team.owner):
        made_up_calls(team, operation, someone.user)


def made_up_calls(team: Team, operation: Any, user: User) -> None:
    _, secret = make_token(user, "schemathesis", scope="write")
    client = Client(headers={"authorization": f"Bearer {secret}"}, raise_request_exception=False)
    real = REAL | {"slug": team.review.slug}
    faults: list[str] = []
    statuses: set[int] = set()

    @hypothesis.seed(20261122)
    @settings(
        max_examples=CALLS, deadline=None, database=None, derandomize=False, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), meant=strategies.booleans())
    def call(case: Any, meant: bool) -> None:
        values = dict(case.path_parameters or {})
        if meant:  # half of the calls reach the review
            values |= {k: v for k, v in real.items() if k in values}
        case.path_parameters = values
        response = answer(client, case)
        statuses.add(response.status_code)
        as_described(case, response)
        if response.status_code >= 500:
            faults.append(f"{case.method} {case.formatted_path} {case.query} {case.body!r}: {response.status_code}")
        elif response.status_code >= 400 and response.headers["Content-Type"].startswith("application/json"):
            assert response.json()["problems"], response.content

    call()
    assert not faults, "\n".join(faults)
    assert statuses - {401}


#: What an answer is held against: the status, the kind of content and the content that the description names.
CHECKS = [checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance]


def as_described(case: Any, response: Any) -> None:
    """The answer is one that the description tells of."""
    sent = requests.Request(case.method, f"http://testserver{case.formatted_path}").prepare()
    headers = {name.lower(): [value] for name, value in response.headers.items()}
    case.validate_response(Response(response.status_code, headers, response.content, sent, 0.1, False), checks=CHECKS)


def answer(client: Client, case: Any) -> Any:
    """The call through the application itself, without a socket."""
    sent = case.as_transport_kwargs(base_url="http://testserver")
    prepared = requests.Request(
        **{
            k: sent[k]
            for k in ("method", "url", "params", "data", "json", "files", "headers")
            if sent.get(k) is not None
        }
    ).prepare()
    path = prepared.path_url
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else body
    kind = prepared.headers.get("Content-Type") or "application/octet-stream"
    return client.generic(case.method, path, body, content_type=kind)
