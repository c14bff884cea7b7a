"""Forms of intake: accept, correct, supplement, urge, and confidentiality on and off."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django import forms
from django.db import transaction
from django.urls import reverse_lazy

from minsheng.cases import actions, clocks, panels
from minsheng.cases.choices import Channel, ContactPurpose, RequestKind, Urgency
from minsheng.cases.details import TEXT_LENGTH, TITLE_LENGTH, TYPED_LENGTH, CaseDetails
from minsheng.cases.forms import EXTRA, PlaceField, TopicField, UnitField, extra_fields, hold_all, initial_of_details
from minsheng.cases.models import Case, Topic
from minsheng.cases.panels import Panel, ReasonPanel
from minsheng.cases.wording import day_words
from minsheng.organisations.forms import PointField
from minsheng.ui.forms import FilesField, MomentInput, words


def details_of(case: Case, **changes: Any) -> CaseDetails:
    """The case's own details with some of them changed; a new topic keeps of the old one's fields those it asks for too."""
    values: dict[str, Any] = {
        "kind": case.kind,
        "text": case.text,
        "title": case.title,
        "topic": case.topic,
        "urgency": case.urgency,
        "place": case.place,
        "address": case.address,
        "point": case.point,
        "occurred_at": case.occurred_at,
        "confidential": case.confidential,
        "publishable": case.publishable,
        "accused_unit": case.accused_unit,
        "extra": case.extra,
    }
    values |= changes
    asked = {item["name"] for item in (values["topic"].required_fields if values["topic"] else ())}
    values["extra"] = {name: value for name, value in values["extra"].items() if name in asked}
    return CaseDetails(**values)


class _DetailsPanel(Panel):
    """Has look-ups, and begins with what the case says now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hold_all(self, self.at, topic=self.case.topic, place=self.case.place, accused_unit=self.case.accused_unit)
        self.initial = {**initial_of_details(self.case), **self.initial}

    def changed(self, *names: str) -> dict[str, Any]:
        """Those of the fields that differ from the case."""
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name] != getattr(self.case, name)}


class AcceptPanel(_DetailsPanel):
    """受理, with what must be put right first, in one press."""

    icon = "circle-check"
    kind = forms.ChoiceField(label="类型", choices=RequestKind.choices)
    topic = TopicField(label="主题", error_messages={"required": "请先选定主题，再受理。"})
    place = PlaceField(label="事发地", required=False)
    address = forms.CharField(label="详细地址", max_length=200, required=False)
    urgency = forms.ChoiceField(label="紧急程度", choices=Urgency.choices, widget=forms.RadioSelect)
    template = "cases/panels/accept.html"

    @property
    def consequence(self) -> str:
        """Until when the citizen will be answered, if nothing is changed here."""
        topic = self.case.topic
        if topic is None:
            return "选定主题后，按类型和主题算出答复群众的时限，进入待批转。"
        if topic.route:
            return f"“{topic.name}”一般不派单：请先看是否即时转接，或告知法定途径。"
        due = clocks.citizen_clock(self.case, at=self.at).due_at
        return f"受理后进入待批转，{day_words(due, self.at)} 24:00 前答复群众，群众会收到告知。"

    def perform(self, **stamp: Any) -> Case:
        """Correct what was changed, then accept: both or neither."""
        submission: UUID | None = stamp.get("submission")
        changes = self.changed("kind", "topic", "place", "address", "urgency")
        if not changes:
            return actions.accept_case(actor=self.actor, at=self.at, case=self.case, **stamp)
        with transaction.atomic():
            first = uuid5(submission, "correct") if submission else None
            actions.correct_case(
                actor=self.actor,
                at=self.at,
                case=self.case,
                details=details_of(self.case, **changes),
                version=stamp.get("version"),
                submission=first,
            )
            return actions.accept_case(actor=self.actor, at=self.at, case=self.case, submission=submission)


class CorrectPanel(_DetailsPanel):
    """更正要素: the contact keeps the words as they came."""

    icon = "pencil"
    title = forms.CharField(label="标题", max_length=TITLE_LENGTH)
    text = forms.CharField(label="诉求内容", max_length=TEXT_LENGTH, widget=words(6))
    kind = forms.ChoiceField(label="类型", choices=RequestKind.choices)
    topic = TopicField(label="主题", required=False)
    urgency = forms.ChoiceField(label="紧急程度", choices=Urgency.choices, widget=forms.RadioSelect)
    place = PlaceField(label="事发地", required=False)
    address = forms.CharField(label="详细地址", max_length=200, required=False)
    point = PointField(where_url=reverse_lazy("cases:streets"))
    occurred_at = forms.DateTimeField(label="事发时间", required=False, widget=MomentInput(past_only=True))
    accused_unit = UnitField(label="被反映单位", required=False, dispatchable=None)
    publishable = forms.BooleanField(label="同意公开", required=False)
    note = forms.CharField(label="更正说明", max_length=500, required=False)
    submit_label = "更正"
    template = "cases/panels/correct.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.case.applicant.anonymous:  # who stays unknown is never published (domain.md §2.10)
            self.fields["publishable"].disabled = True
            self.fields["publishable"].help_text = "匿名的诉求不公开。"
        # A changed topic asks for its own fields, not for those of the topic that was wrong.
        extra = extra_fields(self._topic(), required=False)
        self.fields.update(extra)
        self.extra_names = list(extra)

    def _topic(self) -> Topic | None:
        """The topic as posted, or as the case has it."""
        posted = self.data.get(self.add_prefix("topic"), "") if self.is_bound else str(self.case.topic_id or "")
        if posted == str(self.case.topic_id or ""):
            return self.case.topic
        return Topic.objects.filter(pk=posted, level=3).first() if posted.isdecimal() and len(posted) < 19 else None

    @property
    def topic_fields(self) -> list[forms.BoundField]:
        """The topic's own fields, which follow its choice on the screen."""
        return [self[name] for name in self.extra_names]

    @property
    def consequence(self) -> str:
        """What is kept, and what is counted anew."""
        kept = "原话照原样保留在来件记录里。"
        return kept + "类型、主题或紧急程度变了，群众的时限从受理时重算并告知。" if self.case.accepted_at else kept

    def perform(self, **stamp: Any) -> Case:
        """All that the form holds becomes the case's."""
        given = dict(self.cleaned_data)
        note = given.pop("note")
        extra = {name.removeprefix(EXTRA): given.pop(name) for name in list(given) if name.startswith(EXTRA)}
        details = details_of(self.case, **given, extra={name: value for name, value in extra.items() if value})
        return actions.correct_case(actor=self.actor, at=self.at, case=self.case, details=details, note=note, **stamp)


class SupplementPanel(Panel):
    """One more contact from the citizen joins the case."""

    icon = "message-plus"
    channel = forms.ChoiceField(
        label="渠道",
        choices=[(c.value, c.label) for c in (Channel.PHONE, Channel.WALK_IN, Channel.BY_HAND)],
        initial=Channel.PHONE,
        widget=forms.RadioSelect,
    )
    purpose = forms.ChoiceField(
        label="目的",
        choices=[(p.value, p.label) for p in ContactPurpose if p is not ContactPurpose.NEW],
        initial=ContactPurpose.SUPPLEMENT,
        widget=forms.RadioSelect,
    )
    text = forms.CharField(label="补充的情况", max_length=TYPED_LENGTH, widget=words(5))
    files = FilesField(label="附件", required=False)  # type: ignore[assignment]
    consequence = "加入这件诉求，承办单位能看到；状态和时限不变。"

    def perform(self, **stamp: Any) -> Case:
        """A citizen's words are never refused because somebody else has worked on the case meanwhile."""
        given, submission = self.cleaned_data, stamp.get("submission")
        return actions.supplement_case(actor=self.actor, at=self.at, case=self.case, submission=submission, **given)


class UrgePanel(ReasonPanel):
    """催办."""

    icon = "bell"
    action = staticmethod(actions.urge_case)
    consequence = "承办单位会在这件诉求的经过里看到催办和理由；时限不变。"


class MakeConfidentialPanel(ReasonPanel):
    """设为保密."""

    icon = "lock"
    action = staticmethod(actions.make_confidential)
    consequence = "承办单位此后只看隐去个人信息的内容，看不到诉求人和附件；只有热线领导可以取消。"


class LiftConfidentialityPanel(ReasonPanel):
    """取消保密."""

    icon = "lock-open"
    danger = True
    action = staticmethod(actions.lift_confidentiality)
    consequence = "承办单位将能看到诉求人（遮挡）、原话和附件。这一步会记入审计日志。"


panels.register("accept", AcceptPanel)
panels.register("correct", CorrectPanel)
panels.register("supplement", SupplementPanel)
panels.register("urge", UrgePanel)
panels.register("make_confidential", MakeConfidentialPanel)
panels.register("lift_confidentiality", LiftConfidentialityPanel)
