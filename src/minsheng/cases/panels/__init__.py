"""The form of each action, opened beside the case. A room registers one per row of the transition table that people press.

    class RejectPanel(Panel):
        ground = forms.ModelChoiceField(...)

        def perform(self, **stamp):
            reject_case(actor=self.actor, at=self.at, case=self.case, ground=self.cleaned_data["ground"], **stamp)

    panels.register("reject", RejectPanel)

`stamp` is version and submission of the screen. The view, the buttons and the errors are the same for all.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms

from minsheng.cases import workflow
from minsheng.cases.guards import Situation
from minsheng.ui.forms import Form, words

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.cases.models import Case, Task


class Panel(Form):
    """A form that knows whom it acts for, when, and on what. Choices are built from `self.situation` in __init__."""

    icon = ""
    submit_label = ""  # the row's label when empty
    danger = False
    template = ""  # a template for the fields, instead of one under the other

    def __init__(self, *args: Any, situation: Situation, row: workflow.Transition, **kwargs: Any) -> None:
        self.situation, self.row = situation, row
        super().__init__(*args, **kwargs)

    @property
    def actor(self) -> User:
        """Who acts."""
        actor: User = self.situation.actor
        return actor

    @property
    def at(self) -> datetime:
        """The moment."""
        return self.situation.at

    @property
    def case(self) -> Case:
        """On what case."""
        return self.situation.case

    @property
    def task(self) -> Task:
        """On what task, for rows of tasks."""
        return self.situation.the_task

    @property
    def consequence(self) -> str:
        """What pressing the button will do, in one line; empty where the label says it."""
        return ""

    @property
    def done(self) -> str:
        """What the person reads afterwards, in one line."""
        return f"{self.row.label}：已完成。"

    def perform(self, **stamp: Any) -> Any:
        """Call the one action, with cleaned_data and the stamp (version, submission)."""
        raise NotImplementedError


class ReasonPanel(Panel):
    """An action that needs nothing but a reason: subclass with `action` set."""

    reason = forms.CharField(label="理由", widget=words(3), max_length=1000)

    def perform(self, **stamp: Any) -> Any:
        """Hand the reason to the action."""
        subject = {"task": self.task} if self.row.subject is workflow.Subject.TASK else {"case": self.case}
        return type(self).action(actor=self.actor, at=self.at, reason=self.cleaned_data["reason"], **subject, **stamp)

    action: Any = None


_panels: dict[str, type[Panel]] = {}


def register(code: str, panel: type[Panel]) -> None:
    """Give an action its form. Errors: KeyError for a code that the table has not, ValueError for a second form."""
    if code not in workflow.BY_CODE:
        raise KeyError(f"no such action: {code}")
    if _panels.get(code, panel) is not panel:
        raise ValueError(f"{code} has a form already")
    _panels[code] = panel


def panel_for(code: str) -> type[Panel] | None:
    """The form of an action; None for actions that no staff screen offers."""
    return _panels.get(code)
