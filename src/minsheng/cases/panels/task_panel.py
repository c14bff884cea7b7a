"""What every form about a unit's task has in common."""

from __future__ import annotations

from typing import Any

from django import forms

from minsheng.cases.panels import Panel

PROOF_HELP = "如照片、通知书、检测报告；每个文件不超过 30 MB。"


def choose(label: str, options: Any, **more: Any) -> forms.ChoiceField:
    """A handful of answers, all in sight."""
    return forms.ChoiceField(label=label, choices=options, widget=forms.RadioSelect, **more)


class TaskPanel(Panel):
    """A form about a unit's task."""

    def act(self, action: Any, **stamp: Any) -> Any:
        """Call the action with what was filled in, under the same names."""
        return action(actor=self.actor, at=self.at, task=self.task, **self.cleaned_data, **stamp)


class Unversioned(TaskPanel):
    """Notes that add to the record and overwrite nothing: two people may write them at once."""

    def act(self, action: Any, **stamp: Any) -> Any:
        """As above, whatever happened to the case since the screen was drawn."""
        stamp.pop("version", None)
        return super().act(action, **stamp)
