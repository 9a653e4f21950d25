"""Addresses. A review's pages stand under ``/reviews/<slug>/<stage>/``; the stage has the same word everywhere."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("", include("balm.web.reviews.urls")),
]
