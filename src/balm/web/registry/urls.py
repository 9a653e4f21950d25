"""Addresses of clinics: ``/clinics/<clinic>/...``, and a patient's own form."""

from __future__ import annotations

from django.urls import include, path

from balm.web.registry import courses, data, follow_up, participants, people, reports, sessions, today

IN_CLINIC = [
    path("", today.today, name="clinic"),
    path("due/", follow_up.due, name="clinic_due"),
    path("participants/", participants.listed, name="clinic_participants"),
    path("participants/<str:participant>/", participants.one, name="clinic_participant"),
    path("participants/<str:participant>/course/", participants.course, name="clinic_new_course"),
    path("participants/<str:participant>/consent/", participants.consent, name="clinic_consent"),
    path("participants/<str:participant>/identity/", participants.identity, name="clinic_identity"),
    path("participants/<str:participant>/identity/keep/", participants.keep, name="clinic_identity_keep"),
    path("participants/<str:participant>/identity/erase/", participants.erase, name="clinic_identity_erase"),
    path("courses/<str:course>/", courses.one, name="clinic_course"),
    path("courses/<str:course>/session/", courses.session, name="clinic_new_session"),
    path("courses/<str:course>/past/", courses.past, name="clinic_past_session"),
    path("courses/<str:course>/visits/<str:visit>/", follow_up.visit, name="clinic_visit"),
    path("courses/<str:course>/visits/<str:visit>/link/", follow_up.link, name="clinic_link"),
    path("courses/<str:course>/record/<str:table>/", courses.record, name="clinic_record"),
    path("sessions/<str:session>/", sessions.one, name="clinic_session"),
    path("sessions/<str:session>/act/<str:act>/", sessions.act, name="clinic_session_act"),
    path("sessions/<str:session>/sign/", sessions.sign_off, name="clinic_session_sign"),
    path("sessions/<str:session>/amend/", sessions.amend, name="clinic_session_amend"),
    path("sessions/<str:session>/calculations/", sessions.calculations, name="clinic_calculations"),
    path("segments/<str:segment>/", sessions.correct, name="clinic_segment"),
    path("import/", data.bring, name="clinic_import"),
    path("export/", data.take, name="clinic_export"),
    path("definition/", data.definition, name="clinic_definition"),
    path("reports/", reports.choose, name="clinic_reports"),
    path("reports/audit/", reports.report, name="clinic_audit"),
    path("people/", people.people, name="clinic_people"),
    path("people/<slug:code>/remove/", people.remove, name="clinic_person_remove"),
    path("people/invitations/<int:number>/withdraw/", people.withdraw, name="clinic_invitation_withdraw"),
    path("trail/", people.trail, name="clinic_trail"),
]

urlpatterns = [
    path("clinics/", people.clinics, name="clinics"),
    path("clinics/<slug:clinic>/", include(IN_CLINIC)),
    path("clinic-invitations/<str:secret>/", people.invitation, name="clinic_invitation"),
    path("follow-up/<str:secret>/", follow_up.own_form, name="follow_up"),
]
