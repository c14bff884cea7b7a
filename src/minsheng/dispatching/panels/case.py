"""拆分, 并案, 重新办理: what becomes of the case itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from minsheng.cases import actions, clocks, panels
from minsheng.cases.choices import RequestKind
from minsheng.cases.details import TEXT_LENGTH, TITLE_LENGTH, CaseDetails
from minsheng.cases.forms import PlaceField, TopicField, hold_all
from minsheng.cases.models import Case
from minsheng.cases.panels import Panel, ReasonPanel
from minsheng.cases.panels.intake import details_of
from minsheng.cases.presenting import place_words
from minsheng.cases.rules import normalise_number
from minsheng.cases.wording import day_words
from minsheng.dispatching.actions import merge_case, reopen_case, split_case, why_not_merged
from minsheng.dispatching.queries import mergeable
from minsheng.ui.forms import words

# The case itself and up to four parts split off it.
PARTS = range(2, 6)
_FIELDS = ("kind", "topic", "place", "title", "text")


class SplitPanel(Panel):
    """拆分: the case keeps its number and what stays with it; each part gets a number and goes its own way."""

    icon = "git-fork"
    template = "dispatching/panels/split.html"
    submit_label = "拆分"
    consequence = "每件各有编号，分别批转；答复群众的时限都从原受理时算起，群众会收到新编号和查询码。"
    title = forms.CharField(label="标题", max_length=TITLE_LENGTH)
    text = forms.CharField(label="留在本件的内容", max_length=TEXT_LENGTH, widget=words(4))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in PARTS:
            self.fields.update(self._part(number))
        hold_all(self, self.at)
        self.initial.update(title=self.case.title, text=self.case.text)
        for number in PARTS:
            self.initial.update({f"kind_{number}": self.case.kind, f"place_{number}": self.case.place_id})

    @staticmethod
    def _part(number: int) -> dict[str, forms.Field]:
        return {
            f"text_{number}": forms.CharField(label="内容", required=False, max_length=TEXT_LENGTH, widget=words(3)),
            f"title_{number}": forms.CharField(
                label="标题", required=False, max_length=TITLE_LENGTH, help_text="留空则取内容的头一句"
            ),
            f"kind_{number}": forms.ChoiceField(label="类型", required=False, choices=RequestKind.choices),
            f"topic_{number}": TopicField(label="主题", required=False),
            f"place_{number}": PlaceField(label="事发地", required=False),
        }

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """Each part with its fields; those beyond the first stay folded until one is wanted."""
        return [
            {
                "number": number,
                "fields": [self[f"{name}_{number}"] for name in ("text", "title", "kind", "topic", "place")],
                "open": number == PARTS[0] or bool(self.is_bound and self.data.get(f"text_{number}")),
            }
            for number in PARTS
        ]

    def clean(self) -> dict[str, Any]:
        """At least one part; each with a topic, so that it can be dispatched."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        filled = [number for number in PARTS if (cleaned.get(f"text_{number}") or "").strip()]
        for number in filled:
            if not cleaned.get(f"topic_{number}") and f"topic_{number}" not in self.errors:
                self.add_error(f"topic_{number}", "请选定这一件的主题。")
        if not filled:
            self.add_error(f"text_{PARTS[0]}", "请写出要拆出的诉求。")
        cleaned["filled"] = filled
        return cleaned

    def _details(self, number: int) -> CaseDetails:
        given = {name: self.cleaned_data.get(f"{name}_{number}") for name in _FIELDS}
        return CaseDetails(
            kind=given["kind"] or self.case.kind,
            text=given["text"] or "",
            title=given["title"] or "",
            topic=given["topic"],
            place=given["place"],
            urgency=self.case.urgency,
            occurred_at=self.case.occurred_at,
            address=self.case.address if given["place"] == self.case.place else "",
            point=self.case.point if given["place"] == self.case.place else None,
        )

    @property
    def done(self) -> str:
        """How many."""
        return f"已拆出 {len(self.cleaned_data['filled'])} 件，都在待批转。"

    def perform(self, **stamp: Any) -> list[Case]:
        """Split, and leave with the case what was left to it: both or neither."""
        parts = [self._details(number) for number in self.cleaned_data["filled"]]
        kept = {name: self.cleaned_data[name] for name in ("title", "text")}
        with transaction.atomic():
            made = split_case(actor=self.actor, at=self.at, case=self.case, parts=parts, **stamp)
            if any(kept[name] != getattr(self.case, name) for name in kept):
                actions.correct_case(
                    actor=self.actor,
                    at=self.at,
                    case=self.case,
                    details=details_of(self.case, **kept),
                    note="拆分后本件留下的内容",
                )
        return made


class MergePanel(Panel):
    """并案: this case ends in another; that one's words stand here, this one's beside."""

    icon = "git-merge"
    template = "dispatching/panels/merge.html"
    danger = True
    submit_label = "并入，本件办结"
    consequence = "并入后：本件办结，群众会收到另一件的编号，并在那一件答复时得到同样的结果。并入后不能撤销。"
    candidate = forms.ChoiceField(label="可能是同一件事", required=False, widget=forms.RadioSelect)
    number = forms.CharField(label="另一件的编号", required=False, max_length=30)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found = mergeable(self.actor, self.case, at=self.at)
        field: Any = self.fields["candidate"]
        field.choices = [(other.number, other.number) for other, _ in self.found]

    @property
    def candidates(self) -> list[dict[str, Any]]:
        """Each with its radio, its words, and why it may be the same."""
        return [
            {"box": box, "case": other, "why": why, "place": place_words(other.place)}
            for box, (other, why) in zip(self["candidate"], self.found, strict=True)
        ]

    def clean(self) -> dict[str, Any]:
        """The typed number counts before the radio."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        number = normalise_number(cleaned.get("number") or "") or cleaned.get("candidate")
        if not number:
            self.add_error("number", "请选一件，或填它的编号。")
            return cleaned
        into = Case.objects.visible_to(self.actor).filter(number=number).first()
        why = why_not_merged(self.case, into, at=self.at) if into else "没有这个编号，请核对"
        if why:
            self.add_error("number", ValidationError(f"{number} 不能并入：{why}。"))
        cleaned["into"] = into
        return cleaned

    @property
    def done(self) -> str:
        """Which into which."""
        return f"{self.case.number} 已并入 {self.cleaned_data['into'].number}。"

    def perform(self, **stamp: Any) -> Case:
        """Merge."""
        return merge_case(actor=self.actor, at=self.at, case=self.case, into=self.cleaned_data["into"], **stamp)


class ReopenPanel(ReasonPanel):
    """重新办理."""

    icon = "refresh"
    action = staticmethod(reopen_case)

    @property
    def consequence(self) -> str:
        """A new round with its own limit."""
        due = clocks.citizen_clock(self.case, at=self.at).due_at
        return (
            f"重新办理后：第 {self.case.round + 1} 轮，进入待批转，{day_words(due, self.at)} 24:00 前答复群众；"
            "原来的评价保留。"
        )


panels.register("split", SplitPanel)
panels.register("merge", MergePanel)
panels.register("reopen", ReopenPanel)
