"""Addresses. A review's pages stand under ``/reviews/<slug>/<stage>/``; the stage has the same word everywhere."""

from __future__ import annotations

from django.urls import include, path

#: Stage -> the word in the address; its addresses are in ``balm.web.<stage>.urls``.
STAGE_ADDRESSES = {
    "members": "members",
    "set_up": "set-up",
    "records": "records",
    "deduplication": "deduplication",
    "screening": "screening",
    "full_texts": "full-texts",
    "extraction": "extraction",
    "risk_of_bias": "risk-of-bias",
    "synthesis": "synthesis",
    "certainty": "certainty",
    "flow": "flow",
    "versions": "versions",
    "report": "report",
    "guidance": "guidance",
    "claims": "claims",
    "archive": "archive",
    "audit": "audit",
}

urlpatterns = [
    path("", include("balm.web.accounts.urls")),
    path("", include("balm.web.api.urls")),
    path("account/", include("allauth.urls")),
    path("", include("balm.web.reviews.urls")),
    path("", include("balm.web.registry.urls")),
    *(
        path(f"reviews/<slug:slug>/{word}/", include(f"balm.web.{stage}.urls"))
        for stage, word in STAGE_ADDRESSES.items()
    ),
]
