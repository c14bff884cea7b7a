"""Filing in four short steps: what happened, where, how to reach you; then a look at all of it, and send.

Each step's answers are kept as they were sent and judged by its form whenever they are shown, so that a step is done when its
form says so today. Nothing is asked that is not needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.http import QueryDict
from django.urls import reverse_lazy
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.html import format_html

from minsheng.cases.choices import ApplicantKind, RequestKind
from minsheng.cases.details import TYPED_LENGTH, ApplicantDetails, CaseDetails
from minsheng.cases.models import Topic
from minsheng.cases.reference_queries import find_topics, leaf_topics
from minsheng.organisations.choices import PlaceLevel
from minsheng.organisations.forms import PointField
from minsheng.organisations.models import Place
from minsheng.organisations.queries import valid_at
from minsheng.portal import rules
from minsheng.portal.forms import Line, Moment, WithFiles, Words
from minsheng.secrecy import normalise_phone
from minsheng.ui.forms import Form, TreeLabel, TreeSelect

OLDEST = timedelta(days=20 * 365)
MOST_KEPT = 30_000  # characters of one step; more is shown back, and kept nowhere

KINDS: tuple[tuple[str, str, str], ...] = (
    (RequestKind.HELP.value, "求助", "遇到困难，需要有人来帮忙解决"),
    (RequestKind.COMPLAINT.value, "投诉", "自己的利益受了损害，或对服务不满意"),
    (RequestKind.CONSULTATION.value, "咨询", "想问清楚：怎么办、找谁、要什么材料"),
    (RequestKind.REPORT.value, "举报", "有人违法违规，希望查处。一律为您保密"),
    (RequestKind.SUGGESTION.value, "建议", "希望某件事办得更好"),
    (RequestKind.PRAISE.value, "表扬", "感谢某个人或某个单位"),
)


class WhatForm(WithFiles):
    """1 您遇到了什么事？ Words, photographs; the topic is guessed where none is chosen."""

    text = Words(
        label="发生了什么",
        max_length=TYPED_LENGTH,
        rows=7,
        help_text="什么时候、发生了什么事，您希望怎么解决。照平常说话写就行。",
        error_messages={"required": "请写一写发生了什么，一两句话也可以。"},
    )
    kind = forms.ChoiceField(
        label="您想要",
        choices=[(value, format_html("<b>{}</b> <span class=\"meaning\">{}</span>", name, meaning)) for value, name, meaning in KINDS],
        widget=forms.RadioSelect,
        error_messages={"required": "请选一项最接近的；选错了也不要紧，我们会帮您改。", "invalid_choice": "请从列出的几项里选一项。"},
    )
    topic = forms.ChoiceField(
        label="属于哪一类",
        required=False,
        widget=TreeSelect(placeholder="输入几个字查找，如“路灯”"),
        help_text="不确定就不用选，我们按您写的内容来分。",
        error_messages={"invalid_choice": "请从列出的类别里选；不确定就不用选。"},
    )
    field_order = ("text", "files", "kind", "topic")

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topics = leaf_topics(at=at)
        fields: Any = self.fields
        fields["topic"].choices = [("", "不确定，请工作人员帮我选"), *_leaves(self.topics)]

    @property
    def topic_open(self) -> bool:
        """Something is chosen, or wrong with it."""
        return bool(self["topic"].value() or "topic" in self.errors)

    def chosen_topic(self) -> Topic | None:
        """Of the list, by its code."""
        return next((t for t in self.topics if t.code == self.cleaned_data["topic"]), None)


class WhereForm(Form):
    """2 在哪里？ As much as the citizen knows."""

    county = forms.ChoiceField(
        label="哪个县（市、区）",
        required=False,
        help_text="不知道可以不选。",
        error_messages={"invalid_choice": "请从列出的县（市、区）里选。"},
    )
    street = forms.ChoiceField(
        label="哪个乡镇、街道",
        required=False,
        help_text="不知道可以不选。",
        error_messages={"invalid_choice": "请从列出的乡镇、街道里选；不知道可以不选。"},
    )
    address = Line(
        label="详细地址", max_length=200, required=False, help_text="如“金山大道 618 号附近”“某某小区 3 号楼下”，越清楚越好找。"
    )
    point = PointField(
        where_url=reverse_lazy("portal:streets"), own_place=True, help_text="选一下，办理的人更容易找到；不选也可以。"
    )
    occurred_at = Moment(label="什么时候发生的", required=False, help_text="记不清可以不填。")
    field_order = ("address", "point", "county", "street", "occurred_at")

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        self.places = {place.code: place for place in Place.objects.filter(valid_at(at)).select_related("parent").order_by("code")}
        fields: Any = self.fields
        fields["county"].choices = [("", "请选择"), *_counties(self.places.values())]
        fields["street"].choices = [("", "请选择"), *_streets(self.places.values())]

    def clean_occurred_at(self) -> datetime | None:
        """Nothing is reported before it happened; a year such as 0206 is a slip."""
        when: datetime | None = self.cleaned_data["occurred_at"]
        if when and when > self.at + timedelta(minutes=5):
            raise ValidationError("这个时间还没有到，请核对日期。")
        if when and when < self.at - OLDEST:
            raise ValidationError("这个时间太早了，请核对年份。")
        return when

    def clean(self) -> dict[str, Any]:
        """A street lies in its county."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        street, county = self.places.get(cleaned.get("street", "")), cleaned.get("county")
        if street and county and street.parent is not None and street.parent.code != county:
            self.add_error("street", f"{street.name}属于{street.parent.name}，与上面选的不一致，请核对。")
        return cleaned

    def place(self) -> Place | None:
        """The narrower of the two."""
        return self.places.get(self.cleaned_data["street"]) or self.places.get(self.cleaned_data["county"])


class WhoForm(Form):
    """3 怎么联系您？ What being anonymous or confidential means is said beside it."""

    name = Line(label="怎么称呼您", max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    phone = Line(
        label="电话号码",
        max_length=30,
        required=False,
        help_text="办理的单位要向您核实情况、答复您。",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    anonymous = forms.BooleanField(
        label="匿名（不留姓名）",
        required=False,
        help_text="电话可留可不留。不留电话，没有人能打给您，只能凭编号和查询码来看答复。",
    )
    confidential = forms.BooleanField(
        label="请为我保密",
        required=False,
        help_text="办理的单位看不到您的姓名和电话，由热线工作人员与您联系。举报一律保密，不用勾选。",
    )
    organisation = Line(
        label="企业名称", max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    credit_code = Line(label="统一社会信用代码", max_length=40, required=False, help_text="营业执照上的 18 位代码。")

    PERSON = ("name", "phone", "anonymous", "confidential")
    FOR_ENTERPRISE = ("organisation", "credit_code")

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def person(self) -> list[BoundField]:
        """Fields for everybody."""
        return [self[name] for name in self.PERSON]

    def enterprise(self) -> list[BoundField]:
        """Fields that only an enterprise fills in."""
        return [self[name] for name in self.FOR_ENTERPRISE]

    @property
    def enterprise_open(self) -> bool:
        """Something stands in them already, or is wrong with them."""
        return any(self[name].value() or name in self.errors for name in self.FOR_ENTERPRISE)

    def clean_phone(self) -> str:
        """A number that can be rung."""
        given: str = self.cleaned_data["phone"]
        if given and not normalise_phone(given):
            raise ValidationError("这个号码好像不对，请核对。手机号 11 位，座机可以带区号。")
        return given

    def clean_credit_code(self) -> str:
        """With its check character."""
        given = "".join(self.cleaned_data["credit_code"].split()).upper()
        if given and not rules.is_credit_code(given):
            raise ValidationError("这个代码不对，请对照营业执照核对 18 位；也可以不填。")
        return given

    def clean(self) -> dict[str, Any]:
        """What depends on two fields."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("anonymous"):
            if not cleaned.get("name") and "name" not in self.errors:
                self.add_error("name", "请写下您的称呼，如“林女士”；不想留，请勾选“匿名”。")
            if not cleaned.get("phone") and "phone" not in self.errors:
                self.add_error("phone", "请留一个电话，好答复您；不想留，请勾选“匿名”。")
        if cleaned.get("credit_code") and not cleaned.get("organisation"):
            self.add_error("organisation", "请写上企业名称。")
        return cleaned

    def applicant_details(self) -> ApplicantDetails:
        """For the actions. Who names an enterprise speaks for it."""
        given = self.cleaned_data
        return ApplicantDetails(
            kind=ApplicantKind.ENTERPRISE if given["organisation"] else ApplicantKind.PERSON,
            name=given["name"],
            phone=given["phone"],
            organisation=given["organisation"],
            credit_code=given["credit_code"],
            anonymous=given["anonymous"],
        )


class SendForm(Form):
    """4 看一遍，提交: whether it may be published, and nothing else."""

    publishable = forms.BooleanField(
        label="同意隐去个人信息后公开",
        required=False,
        help_text="让遇到同样事情的人也能看到答复。公开前由两名工作人员核对，不会出现您的姓名、电话和门牌。不同意，一样办理；以后也可以改主意。",
    )
    # A field that no person sees. Whoever fills it in is asked again with it empty: a person presses once more.
    homepage = Line(label="这一栏请不要填写", max_length=2000, required=False)

    def clean_homepage(self) -> str:
        """Only a machine fills it in, or a browser's overzealous filling."""
        if self.cleaned_data["homepage"]:
            given: Any = self.data.copy()  # type: ignore[attr-defined]
            given["homepage"] = ""
            self.data = given
            self.add_error(None, "还没有提交，请再按一次“提交”。")
        return ""


@dataclass(frozen=True)
class Step:
    """One page of the way."""

    code: str
    url: str
    heading: str
    form: type[Any]

    @property
    def template(self) -> str:
        """Its page."""
        return f"portal/file/{self.code}.html"


STEPS: tuple[Step, ...] = (
    Step("what", "portal:file", "您遇到了什么事？", WhatForm),
    Step("where", "portal:file_where", "在哪里？", WhereForm),
    Step("who", "portal:file_who", "怎么联系您？", WhoForm),
    Step("check", "portal:file_check", "看一遍，没有问题就提交", SendForm),
)
BY_CODE = {step.code: step for step in STEPS}


def after(code: str) -> Step:
    """The next step."""
    return STEPS[[step.code for step in STEPS].index(code) + 1]


def sent_values(form: Form, posted: QueryDict) -> dict[str, list[str]]:
    """What of a request belongs to this form, files aside."""
    return {name: posted.getlist(name) for name in form.fields if name != "files" and name in posted}


class Answers:
    """All that was given so far, judged anew."""

    def __init__(self, given: Mapping[str, Mapping[str, list[str]]], *, at: datetime) -> None:
        self.given, self.at = given, at

    @cached_property
    def what(self) -> WhatForm:
        return WhatForm(self._data("what"), at=self.at)

    @cached_property
    def where(self) -> WhereForm:
        return WhereForm(self._data("where"), at=self.at)

    @cached_property
    def who(self) -> WhoForm:
        return WhoForm(self._data("who"), at=self.at)

    def _data(self, code: str) -> MultiValueDict[str, str]:
        return MultiValueDict({name: list(values) for name, values in self.given.get(code, {}).items()})

    def form(self, code: str) -> Any:
        """A step's form: as it was sent, or empty where nothing was."""
        return getattr(self, code) if code in self.given else BY_CODE[code].form(at=self.at)

    def missing(self) -> Step | None:
        """The first step that is not done."""
        return next((s for s in STEPS[:-1] if s.code not in self.given or not getattr(self, s.code).is_valid()), None)

    @property
    def text(self) -> str:
        """The citizen's words so far."""
        return (self.given.get("what", {}).get("text") or [""])[0]

    @property
    def guessed(self) -> bool:
        """The topic is our guess."""
        return bool((self.given.get("what", {}).get("guessed") or [""])[0])

    def may_be_published(self) -> bool:
        """Whether consent is asked for at all: never for reports, nor for who stays unknown (domain.md §2.10)."""
        kind = self.what.cleaned_data["kind"]
        return kind != RequestKind.REPORT and not self.who.cleaned_data["confidential"] and not self.who.cleaned_data["anonymous"]

    def case_details(self, *, publishable: bool) -> CaseDetails:
        """For the actions, once no step is missing."""
        what, where = self.what.cleaned_data, self.where.cleaned_data
        return CaseDetails(
            kind=what["kind"],
            text=what["text"],
            topic=self.what.chosen_topic(),
            place=self.where.place(),
            address=where["address"],
            point=where["point"],
            occurred_at=where["occurred_at"],
            confidential=self.who.cleaned_data["confidential"],
            publishable=publishable and self.may_be_published(),
        )


def with_guess(sent: dict[str, list[str]], before: Mapping[str, list[str]], *, at: datetime) -> dict[str, list[str]]:
    """The first step's answers with a topic guessed from the words, where the citizen chose none.

    A guess follows the words when they change; who takes it away, the words unchanged, gets no second one.
    """

    def said(values: Mapping[str, list[str]], name: str) -> str:
        return (values.get(name) or [""])[0]

    topic, old = said(sent, "topic"), said(before, "guessed")
    if (topic and topic != old) or (not topic and before and said(before, "text") == said(sent, "text")):
        return sent
    found = find_topics(said(sent, "text"), at=at, limit=1)
    return sent | {"topic": [t.code for t in found] or [""], "guessed": [t.code for t in found] or [""]}


def _counties(places: Iterable[Place]) -> list[tuple[str, str]]:
    return [(p.code, p.name) for p in places if p.level == PlaceLevel.COUNTY]


def _streets(places: Iterable[Place]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Grouped by county; without JavaScript a plain select."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for place in places:
        if place.parent is not None:
            groups.setdefault(place.parent.name, []).append((place.code, place.name))
    return list(groups.items())


def _leaves(leaves: Iterable[Topic]) -> list[tuple[str, list[tuple[str, TreeLabel]]]]:
    """Under their first level; what people call them finds them too, where the browser can search."""
    groups: dict[str, list[tuple[str, TreeLabel]]] = {}
    for topic in leaves:
        top = topic.parent.parent or topic.parent if topic.parent is not None else topic
        label = TreeLabel(topic.name, path=f"{top.name} / {topic.name}", search=" ".join([*topic.aliases, *topic.keywords]))
        groups.setdefault(top.name, []).append((topic.code, label))
    return list(groups.items())
