"""Screening: addresses under ``/reviews/<slug>/screening/``."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter

from balm.review.screening.outcomes import STAGES
from balm.web.screening import conflicts, views


class StageConverter:
    """A stage of screening in an address."""

    regex = "|".join(STAGES)

    def to_python(self, value: str) -> str:
        """The stage."""
        return value

    def to_url(self, value: str) -> str:
        """Its word."""
        return value


register_converter(StageConverter, "screening_stage")

urlpatterns: list[URLPattern] = [
    path("", views.overview, name="screening"),
    path("<screening_stage:stage>/", views.read, name="screening_read"),
    path("<screening_stage:stage>/next/", views.following, name="screening_next"),
    path("<screening_stage:stage>/votes/", views.vote, name="screening_vote"),
    path("<screening_stage:stage>/mine/", views.mine, name="screening_mine"),
    path("<screening_stage:stage>/open/", views.opened, name="screening_open"),
    path("<screening_stage:stage>/close/", views.closed, name="screening_close"),
    path("<screening_stage:stage>/agreement/", views.agreement, name="screening_agreement"),
    path("<screening_stage:stage>/conflicts/", conflicts.conflicts, name="screening_conflicts"),
    path("<screening_stage:stage>/records/<str:record>/", conflicts.record, name="screening_record"),
    path("<screening_stage:stage>/records/<str:record>/settle/", conflicts.settle, name="screening_settle"),
    path("<screening_stage:stage>/records/<str:record>/remark/", conflicts.say, name="screening_remark"),
]
