"""A server that is killed in the middle of an import: after its restart the import goes on, and is there once."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.web.real_server import CSRF, ROOT, RealServer

POSTGRESQL = os.environ.get("BALM_TEST_DATABASE_URL") or os.environ.get("BALM_TEST_POSTGRESQL") or ""
BEFORE, BROUGHT = 4, 1500

LOOK = """
import json, sys
import django
django.setup()
from datetime import timedelta
from balm.actions.team.deduplication import canonical_ids, looked_at_all
from balm.store.events.chain import broken_links, chains
from balm.store.events.models import Event
from balm.store.records.models import Derived, Import, Upload
from balm.store.reviews.models import Review
from balm.store.reviews.package_rows import package_of
review = Review.objects.get()
if "later" in sys.argv:  # as if time had passed since the server stopped
    for upload in Upload.objects.defer("content"):
        Upload.objects.filter(pk=upload.pk).update(seen=upload.seen - timedelta(hours=1))
    for one in Derived.objects.exclude(looking=None):
        Derived.objects.filter(pk=one.pk).update(looking=one.looking - timedelta(hours=1))
package = package_of(review)
print(json.dumps({
    "states": list(Upload.objects.values_list("state", flat=True)), "imports": Import.objects.count(),
    "events": Event.objects.filter(action="import search").count(), "records": len(package.records),
    "searches": len(package.searches), "unique": len(canonical_ids(review)), "looked": looked_at_all(review),
    "broken": [line for chain in chains() for line in broken_links(chain)],
}))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    if request.param == "postgresql" and not POSTGRESQL:
        pytest.skip("BALM_TEST_DATABASE_URL names no PostgreSQL server")
    made = RealServer(POSTGRESQL if request.param == "postgresql" else "", workers=1)
    try:
        yield made.set_up(BEFORE, 2).start()
    finally:
        made.remove()


def look(server: RealServer, *how: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *how], cwd=ROOT, env=server.environment, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def ask(server: RealServer, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    cookie = f"sessionid={server.sessions['lead']}; csrftoken={CSRF}"
    connection.request(
        method, f"/reviews/{server.slug}/{path}", body, {"Cookie": cookie, "X-CSRFToken": CSRF, **headers}
    )
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def export() -> bytes:
    """Each record twice, the second time in capitals: half of them are duplicates."""
    out = []
    for k in range(BROUGHT):
        n = k // 2
        title = f"Ketamine infusion number {n} for chronic pain of cohort {n * 7919 % 10007}"
        out.append(
            f"TY  - JOUR\nTI  - {title.upper() if k % 2 else title}\nAU  - Author{n}, Mary\nPY  - 2015\nJO  - Pain\n"
            f"VL  - {n}\nSP  - {n + 3}\nDO  - 10.1000/x{n}\nAB  - {'Words of the abstract. ' * 30}\nER  - \n"
        )
    return "".join(out).encode()


def test_a_killed_import_goes_on_and_is_there_once(server: RealServer) -> None:
    body = b"".join(
        [
            b"--edge\r\nContent-Disposition: form-data; name=\"submission\"\r\n\r\nonce\r\n",
            b"--edge\r\nContent-Disposition: form-data; name=\"files\"; filename=\"pain.ris\"\r\n\r\n", export(),
            b"\r\n--edge--\r\n",
        ]
    )  # fmt: skip
    sent = {"Content-Type": "multipart/form-data; boundary=edge"}
    status, _ = ask(server, "POST", "records/import/", body, **sent)
    assert status == 302
    time.sleep(0.5)  # in the middle of reading, adding or looking for duplicates
    server.kill()
    left = look(server, "later")
    assert left["records"] in (BEFORE, BEFORE + BROUGHT), "all of the file or nothing of it"
    assert left["records"] == BEFORE + BROUGHT * int(str(left["imports"]))
    server.start()
    again, _ = ask(server, "POST", "records/import/", body, **sent)  # the browser sends again what got no answer
    assert again == 302
    for _ in range(600):
        status, page = ask(server, "GET", "records/uploads/", **{"HX-Request": "true"})
        assert status == 200
        if "every 1s" not in page:
            break
        time.sleep(0.2)
    found = look(server)
    assert found == {
        "states": ["done"], "imports": 1, "events": 1, "records": BEFORE + BROUGHT, "searches": 1,
        "unique": BEFORE + BROUGHT // 2, "looked": True, "broken": [],
    }  # fmt: skip
