"""Fields that find topics, places and units as one types, and the agent's intake form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.urls import reverse_lazy

from minsheng.cases import attachments, phrases
from minsheng.cases.choices import ApplicantKind, Channel, RequestKind, Urgency
from minsheng.cases.details import TITLE_LENGTH, TYPED_LENGTH, ApplicantDetails, CaseDetails
from minsheng.cases.models import Applicant, Case, Topic
from minsheng.cases.presenting import place_words
from minsheng.errors import Refused
from minsheng.organisations.forms import PointField
from minsheng.organisations.models import Place, Unit
from minsheng.organisations.queries import valid_at
from minsheng.secrecy import normalise_phone
from minsheng.ui.forms import FilesField, Form, MomentInput, TreeLabel, TreeSelect, words

EXTRA = "extra_"
EXTRA_LENGTH = 200
Options = Iterable[tuple[int, str]]

# --- fields that look up -----------------------------------------------------------------------------------------


class LookupSelect(TreeSelect):
    """A tree select that holds only what is chosen; the rest comes from its list (cases.pickers)."""

    describe: Callable[[Sequence[int]], Options] = staticmethod(lambda keys: ())
    whole: Options = ()  # every option, where no script can fetch them

    def optgroups(self, name: str, value: Any, attrs: dict[str, Any] | None = None) -> Any:
        keys = [int(key) for key in map(str, value) if key.isdecimal() and len(key) < 19]
        self.choices = [("", ""), *(self.whole or (self.describe(keys) if keys else ()))]
        return super().optgroups(name, value, attrs)


class LookupField(forms.ModelChoiceField):
    """One row of reference data. `hold_at(moment)` first: what may be chosen is what is in force then, or is chosen already."""

    default_error_messages = {"invalid_choice": "请从查到的结果里选一项。"}
    list_url: Any = ""
    placeholder = ""

    def __init__(self, **kwargs: Any) -> None:
        select = LookupSelect(list_url=self.list_url, placeholder=self.placeholder)
        select.describe = self._describe
        super().__init__(queryset=self.rows().none(), widget=select, empty_label="", **kwargs)

    def hold_at(self, at: datetime, *, chosen: int | None = None) -> None:
        """Offer what is in force at that moment."""
        self.queryset = self.rows().filter(self.condition(at) | Q(pk=chosen or 0))

    def offer_all(self) -> None:
        """Put every row into the select itself: for a browser without scripts. After `hold_at`."""
        offered = self.queryset or self.rows()
        self.widget.whole = [(row.pk, self.path(row)) for row in offered.order_by("code")]

    def rows(self) -> QuerySet[Any]:
        """All rows, with what their labels need."""
        raise NotImplementedError

    def condition(self, at: datetime) -> Q:
        """Which of them may be chosen."""
        return valid_at(at)

    def path(self, row: Any) -> str:
        """The whole path of one row."""
        return str(row.name)

    def _describe(self, keys: Sequence[int]) -> Iterator[tuple[int, str]]:
        for row in self.rows().filter(pk__in=keys):
            yield row.pk, TreeLabel(row.name, path=self.path(row))


class TopicField(LookupField):
    """A leaf of the topic tree."""

    list_url = reverse_lazy("cases:rows", args=["topics"])
    placeholder = "输入事情的说法或拼音首字母"

    def rows(self) -> QuerySet[Any]:
        return Topic.objects.select_related("parent__parent")

    def condition(self, at: datetime) -> Q:
        return valid_at(at) & Q(level=3)

    def path(self, row: Any) -> str:
        above = row.parent.parent if row.parent_id else None
        return " / ".join(topic.name for topic in (above, row.parent, row) if topic)


class PlaceField(LookupField):
    """A county or a street."""

    list_url = reverse_lazy("cases:rows", args=["places"])
    placeholder = "乡镇街道或县区，可用拼音首字母"

    def rows(self) -> QuerySet[Any]:
        return Place.objects.select_related("parent")

    def path(self, row: Any) -> str:
        return place_words(row)


class UnitField(LookupField):
    """A unit; `dispatchable=None` also those that take no cases."""

    list_url = reverse_lazy("cases:rows", args=["units"])
    placeholder = "单位名称或拼音首字母"

    def __init__(self, *, dispatchable: bool | None = True, **kwargs: Any) -> None:
        self.dispatchable = dispatchable
        super().__init__(**kwargs)
        if dispatchable is None:
            self.widget.list_url = reverse_lazy("cases:rows", args=["all-units"])

    def rows(self) -> QuerySet[Any]:
        return Unit.objects.select_related("parent")

    def condition(self, at: datetime) -> Q:
        return valid_at(at) if self.dispatchable is None else valid_at(at) & Q(dispatchable=self.dispatchable)


def hold_all(form: forms.Form, at: datetime, **chosen: Model | None) -> None:
    """Set every look-up of a form to what is in force at the moment; `chosen` by field name stays choosable."""
    for name, field in form.fields.items():
        if isinstance(field, LookupField):
            row = chosen.get(name)
            field.hold_at(at, chosen=row.pk if row else None)


# --- the topic's own fields --------------------------------------------------------------------------------------


def extra_fields(topic: Topic | None, *, required: bool = True) -> dict[str, forms.Field]:
    """What this topic asks for beside, as form fields (Topic.required_fields)."""
    return {
        EXTRA + item["name"]: forms.CharField(
            label=item["label"],
            max_length=EXTRA_LENGTH,
            required=required,
            error_messages={"required": f"这类诉求须写明{item['label']}。"},
        )
        for item in (topic.required_fields if topic else ())
    }


class TopicDetailsForm(Form):
    """The topic's own fields alone, for the fragment that follows its choice."""

    def __init__(self, *args: Any, topic: Topic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(extra_fields(topic))


# --- intake ------------------------------------------------------------------------------------------------------

_CHANNELS = [(c.value, c.label) for c in (Channel.PHONE, Channel.WALK_IN, Channel.BY_HAND)]
SUBMIT, ACCEPT, ANSWER, DRAFT = "submit", "accept", "answer", "draft"
NEVER_PUBLIC = "匿名、保密、举报的诉求不公开，请不要勾选“同意公开”。"
_PHRASES = {"data-phrases": "phrases", "data-phrases-topic": "topic"}  # ui/phrases.js


class IntakeForm(Form):
    """What an agent writes down while somebody talks. `step` is the button pressed: a draft needs nothing to be filled in."""

    channel = forms.ChoiceField(label="渠道", choices=_CHANNELS, initial=Channel.PHONE, widget=forms.RadioSelect)
    phone = forms.CharField(label="来电号码", max_length=30, required=False)
    name = forms.CharField(label="姓名", max_length=40, required=False)
    anonymous = forms.BooleanField(label="匿名", required=False)
    applicant_kind = forms.ChoiceField(
        label="身份", choices=ApplicantKind.choices, initial=ApplicantKind.PERSON, widget=forms.RadioSelect
    )
    organisation = forms.CharField(label="企业名称", max_length=120, required=False)
    credit_code = forms.CharField(label="统一社会信用代码", max_length=18, required=False)
    text = forms.CharField(
        label="诉求内容", max_length=TYPED_LENGTH, widget=words(6, "何时、何地、何事、有什么要求；照诉求人的话记", **_PHRASES)
    )
    kind = forms.ChoiceField(label="类型", choices=RequestKind.choices, initial=RequestKind.HELP, widget=forms.RadioSelect)
    urgency = forms.ChoiceField(label="紧急程度", choices=Urgency.choices, initial=Urgency.NORMAL, widget=forms.RadioSelect)
    topic = TopicField(label="主题", required=False)
    place = PlaceField(label="事发地", required=False)
    address = forms.CharField(label="详细地址", max_length=200, required=False)
    point = PointField(where_url=reverse_lazy("cases:streets"))
    occurred_at = forms.DateTimeField(label="事发时间", required=False, widget=MomentInput(past_only=True))
    accused_unit = UnitField(label="被反映单位", required=False, dispatchable=None)
    title = forms.CharField(label="标题", max_length=TITLE_LENGTH, required=False)
    files = FilesField(label="附件", required=False)  # type: ignore[assignment]
    confidential = forms.BooleanField(label="保密", required=False)
    publishable = forms.BooleanField(label="同意公开", required=False)
    answer = forms.CharField(label="答复", max_length=TYPED_LENGTH, required=False, widget=words(3, "当场告诉诉求人的话", **_PHRASES))

    def __init__(
        self,
        *args: Any,
        at: datetime,
        topic: Topic | None = None,
        step: str = ACCEPT,
        near: Sequence[int] = (),
        plain: bool = False,
        **kwargs: Any,
    ) -> None:
        """`near`: topics that are likely, for the empty box; `plain`: whole lists in the selects, for a browser without scripts."""
        super().__init__(*args, **kwargs)
        self.at, self.step = at, step
        hold_all(self, at)
        if plain:
            for field in self.fields.values():
                if isinstance(field, LookupField):
                    field.offer_all()
        self.fields["topic"].widget.near = near
        self.fields["topic"].widget.said_in = self["text"].id_for_label
        self.fields.update(extra_fields(topic, required=step != DRAFT))
        self.extra_names = [name for name in self.fields if name.startswith(EXTRA)]
        self.never_public = NEVER_PUBLIC
        self.fields["text"].widget.attrs["data-count"] = TYPED_LENGTH
        self.fields["topic"].required = step in (ACCEPT, ANSWER)
        if step == ACCEPT:
            self.fields["topic"].error_messages["required"] = "请先选定主题，再受理。"
        if step == DRAFT:
            for field in self.fields.values():
                field.required = False

    def clean_phone(self) -> str:
        """A number that can be rung back, however it was written."""
        given: str = self.cleaned_data["phone"]
        if given and self.step != DRAFT and not normalise_phone(given):
            raise ValidationError("这不像一个电话号码，请核对；没有号码可以留空。")
        return given

    def clean_occurred_at(self) -> datetime | None:
        """Nothing is reported before it happened."""
        when: datetime | None = self.cleaned_data["occurred_at"]
        if when and when > self.at:
            raise ValidationError("事发时间还没有到，请核对。")
        return when

    def clean_files(self) -> list[Any]:
        """The sentence beside the field, instead of a refusal that would lose the page."""
        given: list[Any] = self.cleaned_data["files"]
        if len(given) > attachments.MOST_AT_ONCE:
            raise ValidationError(Refused("too_many_files", limit=attachments.MOST_AT_ONCE).sentence)
        for upload in given:
            try:
                attachments.refuse_wrong(upload)
            except Refused as refused:
                raise ValidationError(refused.sentence) from None
        return given

    def clean(self) -> dict[str, Any]:
        """What depends on two fields, or on the button."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.step != DRAFT and cleaned.get("applicant_kind") == ApplicantKind.ENTERPRISE and not cleaned.get("organisation"):
            self.add_error("organisation", "请填写企业名称。")
        self._judge_consent(cleaned)
        self._judge_answer(cleaned.get("answer", ""))
        return cleaned

    def _judge_consent(self, given: dict[str, Any]) -> None:
        """No consent is taken that would not be followed (domain.md §2.10; publishing.queries.may_be_public)."""
        topic = given.get("topic")
        hidden = given.get("anonymous") or given.get("confidential") or given.get("kind") == RequestKind.REPORT
        if self.step != DRAFT and given.get("publishable") and (hidden or (topic and topic.confidential_by_default)):
            self.add_error("publishable", NEVER_PUBLIC)

    def _judge_answer(self, answer: str) -> None:
        """Nothing that was written for the citizen is dropped in silence, and nothing unfinished is told."""
        if self.step == ANSWER and not answer.strip():
            self.add_error("answer", "请写下当场答复的话。")
        elif self.step == ANSWER and (left := phrases.blanks(answer)):
            self.add_error("answer", f"还有没填的空：{'、'.join(left)}。")
        elif self.step in (ACCEPT, SUBMIT) and answer.strip():
            self.add_error("answer", "这里写了当场答复：请按“直接解答并办结”；要转单位办理的，请先清空这一格。")

    def case_details(self) -> CaseDetails:
        """For the actions."""
        given = self.cleaned_data
        return CaseDetails(
            kind=given.get("kind") or RequestKind.HELP,
            text=given.get("text", ""),
            title=given.get("title", ""),
            topic=given.get("topic"),
            urgency=given.get("urgency") or Urgency.NORMAL,
            place=given.get("place"),
            address=given.get("address", ""),
            point=given.get("point"),
            occurred_at=given.get("occurred_at"),
            confidential=given.get("confidential", False),
            publishable=given.get("publishable", False),
            accused_unit=given.get("accused_unit"),
            extra={name.removeprefix(EXTRA): given[name] for name in self.extra_names if given.get(name)},
        )

    def applicant_details(self) -> ApplicantDetails:
        """For the actions."""
        given = self.cleaned_data
        enterprise = given.get("applicant_kind") == ApplicantKind.ENTERPRISE
        return ApplicantDetails(
            kind=given.get("applicant_kind") or ApplicantKind.PERSON,
            name=given.get("name", ""),
            phone=given.get("phone", ""),
            organisation=given.get("organisation", "") if enterprise else "",
            credit_code=given.get("credit_code", "") if enterprise else "",
            anonymous=given.get("anonymous", False),
        )


def initial_of(case: Case) -> dict[str, Any]:
    """A draft as the intake form's first values."""
    who: Applicant = case.applicant
    return {
        "channel": case.channel,
        "phone": who.phone or "",
        "name": who.name or "",
        "anonymous": who.anonymous,
        "applicant_kind": who.kind,
        "organisation": who.organisation,
        "credit_code": who.credit_code,
        **initial_of_details(case),
    }


def initial_of_details(case: Case) -> dict[str, Any]:
    """What of a case can be corrected, as first values."""
    return {
        "text": case.text,
        "title": case.title,
        "kind": case.kind,
        "urgency": case.urgency,
        "topic": case.topic_id,
        "place": case.place_id,
        "address": case.address,
        "point": case.point,
        "occurred_at": case.occurred_at,
        "accused_unit": case.accused_unit_id,
        "confidential": case.confidential,
        "publishable": case.publishable,
        **{EXTRA + name: value for name, value in case.extra.items()},
    }
