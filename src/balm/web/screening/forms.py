"""What is sent to the screening pages, as it comes from a browser: shape only, the rules are the actions'."""

from __future__ import annotations

from django import forms

from balm.actions.team.screening import MOST, NOTE, SIZE


class VoteForm(forms.Form):
    """A vote; ``excluded_for`` is the button of a reason, which excludes with it."""

    record = forms.CharField(max_length=500)
    batch = forms.IntegerField(min_value=1, required=False)
    decision = forms.CharField(max_length=12, required=False)
    reason = forms.CharField(max_length=300, required=False)
    excluded_for = forms.CharField(max_length=300, required=False)
    note = forms.CharField(max_length=NOTE + 1, required=False)
    seconds = forms.FloatField(required=False)
    order_shown = forms.IntegerField(min_value=0, max_value=2_000_000_000, required=False)
    submission = forms.CharField(max_length=64)

    def vote(self) -> dict[str, object]:
        """The arguments of the action."""
        given = dict(self.cleaned_data)
        if reason := given.pop("excluded_for"):
            given |= {"decision": "exclude", "reason": reason}
        return given


class DecisionForm(forms.Form):
    """An adjudication, or a remark that may propose one."""

    decision = forms.CharField(max_length=320, required=False)  # `exclude:` and a reason, at full text
    reason = forms.CharField(max_length=300, required=False)
    note = forms.CharField(max_length=NOTE + 1, required=False)
    turn = forms.IntegerField(min_value=1, max_value=1000, required=False)
    submission = forms.CharField(max_length=64)


class OpeningForm(forms.Form):
    """Who screens at a stage, and in sittings of how many records."""

    screeners = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="Who screens",
        error_messages={"required": "Choose at least one person."},
    )
    experts = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Experts: one of them reads every record",
    )
    size = forms.IntegerField(min_value=1, max_value=MOST, initial=SIZE, label="Records in a batch, for each person")
    reason = forms.CharField(max_length=2000, required=False, label="Reason, where people change")

    def __init__(self, *args: object, people: list[tuple[str, str]], **more: object) -> None:
        super().__init__(*args, **more)
        self.fields["screeners"].choices = people
        self.fields["experts"].choices = people
