"""Our own exceptions as pages: what may not be done (403), what is wrong with the input (422). Never a traceback.

An address that takes a form alone, opened as a page (typed in, loaded again, or after signing in once more), says so:
the answer would be an empty page otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from balm.actions.team.acting import Refused
from balm.vocabulary.problems import InputError


class refusals:
    """Middleware: turns :class:`Refused` and :class:`InputError` that a view lets through into a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hand the request on."""
        response = self.get_response(request)
        if request.path.startswith("/api/"):
            return as_problems(response)
        opened = request.method in ("GET", "HEAD")
        if not opened or response.status_code != 405 or response.content:
            return response
        page = render(request, "405.html", status=405)  # the same bytes for everybody and every address
        page.headers["Allow"] = response.headers.get("Allow", "POST")
        return page

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for an exception of ours; ``None`` for any other."""
        if isinstance(exception, Refused):
            return render(request, "refused.html", {"why": str(exception)}, status=403)
        if isinstance(exception, InputError):
            shown = {"problems": exception.problems, "sent": _words_sent(request)}
            return render(request, "problems.html", shown, status=422)
        return None


#: What a program is told where no call of the interface answers it.
REASONS = {
    400: "the request cannot be read",
    404: "there is no such call",
    405: "this call has another method; the header Allow says which",
    413: "the body is too large: 5 MB, and 64 MB with files",
    500: "a fault of the server; nothing was saved",
}


def as_problems(response: HttpResponse) -> HttpResponse:
    """A refusal of the interface that is a page or a bare word, in the form of all others."""
    if response.status_code < 400 or response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    reason = REASONS.get(response.status_code, response.reason_phrase)
    answer = JsonResponse({"problems": [{"reason": reason}]}, status=response.status_code)
    if "Allow" in response.headers:
        answer.headers["Allow"] = response.headers["Allow"]
    return answer


#: What people write in forms, by the names of the fields.
WORDS = ("note", "reason", "text", "label", "name", "title", "strategy")


def _words_sent(request: HttpRequest) -> list[str]:
    """What a person wrote in a form whose page is not shown again: to be copied, so that nothing is lost."""
    return [text for name in WORDS for text in request.POST.getlist(name) if text.strip()]
