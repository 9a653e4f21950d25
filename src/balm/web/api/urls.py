"""``/api/v1/`` for programs, and the page on which a person makes their tokens."""

from __future__ import annotations

from django.urls import path

from balm.web.api import certainty, full_texts, judging, reading, setting_up, settling, tokens, versions
from balm.web.api.interface import api, router

#: The modules whose calls stand in the router; naming them here brings them in.
CALLS = (reading, judging, full_texts, settling, setting_up, certainty, versions)
api.add_router("", router)

urlpatterns = [
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<int:number>/revoke/", tokens.revoke, name="revoke_token"),
    path("api/v1/", api.urls),
]
