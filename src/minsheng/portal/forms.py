"""The citizen's forms. Nothing is asked that is not needed; what is wrong is said at its field, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms import BoundField
from django.utils.html import format_html

from minsheng.cases import attachments
from minsheng.cases.choices import ApplicantKind, RequestKind, Satisfaction, Solved
from minsheng.cases.details import TEXT_LENGTH, ApplicantDetails, CaseDetails
from minsheng.cases.models import Topic
from minsheng.cases.reference_queries import leaf_topics
from minsheng.errors import Refused
from minsheng.organisations.choices import PlaceLevel
from minsheng.organisations.models import Place
from minsheng.organisations.queries import valid_at
from minsheng.portal import rules
from minsheng.secrecy import normalise_phone
from minsheng.ui.forms import FilesField, Form, MomentInput, TreeLabel, TreeSelect, words

COMMENT_LENGTH = 500
OLDEST = timedelta(days=20 * 365)

KINDS: tuple[tuple[str, str, str], ...] = (
    (RequestKind.HELP.value, "求助", "遇到困难，需要有人来帮忙解决"),
    (RequestKind.COMPLAINT.value, "投诉", "自己的利益受了损害，或对服务不满意"),
    (RequestKind.CONSULTATION.value, "咨询", "想问清楚：怎么办、找谁、要什么材料"),
    (RequestKind.REPORT.value, "举报", "有人违法违规，希望查处。一律为您保密"),
    (RequestKind.SUGGESTION.value, "建议", "希望某件事办得更好"),
    (RequestKind.PRAISE.value, "表扬", "感谢某个人或某个单位"),
)

_LONG = {
    "max_length": "最多 %(limit_value)d 字，您写了 %(show_value)d 字，请删减一些。",
    "null_characters_not_allowed": "里面有无法保存的字符，请删去后再提交。",
}
_MOMENTS = [
    "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y.%m.%d %H:%M", "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M", "%Y年%m月%d日%H:%M", "%Y年%m月%d日 %H时%M分", "%Y年%m月%d日%H时%M分", "%Y年%m月%d日%H时", "%Y年%m月%d日",
]  # fmt: skip


class Line(forms.CharField):
    """One line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["error_messages"] = {**_LONG, **kwargs.get("error_messages", {})}
        super().__init__(**kwargs)


class Words(Line):
    """Several lines. A browser sends two characters for a line's end and counts one; so do we."""

    def __init__(self, *, rows: int = 5, placeholder: str = "", **kwargs: Any) -> None:
        super().__init__(widget=words(rows, placeholder), **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No `maxlength`: it would cut what is pasted without a word. The counter tells, and the server."""
        return {"data-count": str(self.max_length)} if self.max_length else {}

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else text


class Moment(forms.DateTimeField):
    """A day and perhaps an hour; also where the browser knows no picker and people type."""

    widget = MomentInput(past_only=True)

    def __init__(self, **kwargs: Any) -> None:
        kwargs["input_formats"] = _MOMENTS
        kwargs["error_messages"] = {"invalid": "看不出是哪一天，请写成 2026-11-23 22:30 这样；记不清可以不填。"}
        super().__init__(**kwargs)


class Files(FilesField):
    """Photographs and files; an empty one gets its own sentence from the check of content."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_empty_file=True, **kwargs)


def checked_files(files: Sequence[UploadedFile], *, held: int = 0) -> tuple[list[UploadedFile], list[str]]:
    """Those that can be kept, and a sentence for each that cannot."""
    good: list[UploadedFile] = []
    wrong: list[str] = []
    if len(files) + held > attachments.MOST_AT_ONCE:
        return [], [Refused("too_many_files", limit=attachments.MOST_AT_ONCE).sentence]
    for upload in files:
        try:
            attachments.refuse_wrong(upload)
        except Refused as refused:
            wrong.append(refused.sentence)
        else:
            good.append(upload)
    return good, wrong


def files_hint() -> str:
    """What may be sent, in one line."""
    return (
        f"手机可以直接拍照。最多 {attachments.MOST_AT_ONCE} 个，每个不超过 {settings.HOTLINE['attachment_megabytes']} MB；"
        "照片、录音、视频、PDF、Word、Excel 都可以。"
    )


class WithFiles(Form):
    """A form that files come with. Good ones of a form that has an error elsewhere are in `good_files`, to be held."""

    files = Files(label="照片或文件")  # type: ignore[assignment]

    def __init__(self, *args: Any, held: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = held
        self.good_files: list[UploadedFile] = []
        self.fields["files"].help_text = files_hint()

    def clean_files(self) -> list[UploadedFile]:
        """Each wrong file gets its sentence."""
        self.good_files, wrong = checked_files(self.cleaned_data["files"], held=self.held)
        if wrong:
            raise ValidationError(wrong)
        return self.good_files


class FilingForm(WithFiles):
    """What happened, where, and how to reach you."""

    kind = forms.ChoiceField(
        label="您想要",
        choices=[(value, format_html("<b>{}</b> <span class=\"meaning\">{}</span>", name, meaning)) for value, name, meaning in KINDS],
        widget=forms.RadioSelect,
        error_messages={"required": "请选一项最接近的；选错了也不要紧，我们会帮您改。", "invalid_choice": "请从列出的几项里选一项。"},
    )
    text = Words(
        label="发生了什么",
        max_length=TEXT_LENGTH,
        rows=7,
        help_text="什么时候、在哪里、发生了什么事，您希望怎么解决。照平常说话写就行。",
        error_messages={"required": "请写一写发生了什么，一两句话也可以。"},
    )
    occurred_at = Moment(label="什么时候发生的", required=False, help_text="记不清可以不填。")
    topic = forms.ChoiceField(
        label="属于哪一类",
        required=False,
        widget=TreeSelect(placeholder="输入几个字查找，如“路灯”"),
        help_text="不确定就不用选。",
        error_messages={"invalid_choice": "请从列出的类别里选；不确定就不用选。"},
    )
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
    name = Line(label="怎么称呼您", max_length=40, required=False)
    phone = Line(
        label="电话号码",
        max_length=30,
        required=False,
        help_text="办理的单位要向您核实情况、答复您。",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    anonymous = forms.BooleanField(
        label="匿名（不留姓名）", required=False, help_text="电话可留可不留。不留电话，就只能凭编号和查询码来看答复。"
    )
    confidential = forms.BooleanField(
        label="请为我保密", required=False, help_text="办理的单位看不到您的姓名和电话。举报一律保密，不用勾选。"
    )
    organisation = Line(label="企业名称", max_length=120, required=False)
    credit_code = Line(label="统一社会信用代码", max_length=40, required=False, help_text="营业执照上的 18 位代码。")
    publishable = forms.BooleanField(
        label="同意隐去个人信息后公开",
        required=False,
        help_text="让遇到同样事情的人也能看到答复。不同意，一样办理。",
    )
    # A field that no person sees. Whoever fills it in is asked again with it empty: a person presses once more.
    homepage = Line(label="这一栏请不要填写", max_length=2000, required=False)

    WHAT = ("kind", "text", "files", "occurred_at", "topic")
    WHERE = ("county", "street", "address")
    WHO = ("name", "phone", "anonymous", "confidential")
    FOR_ENTERPRISE = ("organisation", "credit_code")

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        self.places = {place.code: place for place in Place.objects.filter(valid_at(at)).select_related("parent").order_by("code")}
        self.topics = leaf_topics(at=at)
        fields: Any = self.fields
        fields["county"].choices = [("", "请选择"), *_counties(self.places.values())]
        fields["street"].choices = [("", "请选择"), *_streets(self.places.values())]
        fields["topic"].choices = [("", "不确定，请工作人员帮我选"), *_leaves(self.topics)]
        self.order_fields([*self.WHAT, *self.WHERE, *self.WHO, *self.FOR_ENTERPRISE, "publishable", "homepage"])

    def _bound(self, names: Iterable[str]) -> list[BoundField]:
        return [self[name] for name in names]

    def sections(self) -> list[tuple[str, str, list[BoundField]]]:
        """(key, heading, fields) in the order in which they are asked."""
        return [
            ("what", "您遇到了什么事？", self._bound(self.WHAT)),
            ("where", "在哪里？", self._bound(self.WHERE)),
            ("who", "怎么联系您？", self._bound(self.WHO)),
        ]

    def enterprise(self) -> list[BoundField]:
        """Fields that only an enterprise fills in."""
        return self._bound(self.FOR_ENTERPRISE)

    @property
    def enterprise_open(self) -> bool:
        """Something stands in them already, or is wrong with them."""
        return any(self[name].value() or name in self.errors for name in self.FOR_ENTERPRISE)

    def clean_occurred_at(self) -> datetime | None:
        """Nothing is reported before it happened; a year such as 0206 is a slip."""
        when: datetime | None = self.cleaned_data["occurred_at"]
        if when and when > self.at + timedelta(minutes=5):
            raise ValidationError("这个时间还没有到，请核对日期。")
        if when and when < self.at - OLDEST:
            raise ValidationError("这个时间太早了，请核对年份。")
        return when

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

    def clean_homepage(self) -> str:
        """Only a machine fills it in, or a browser's overzealous filling."""
        if self.cleaned_data["homepage"]:
            given: Any = self.data.copy()  # type: ignore[attr-defined]
            given["homepage"] = ""
            self.data = given
            self.add_error(None, "还没有提交，请再按一次“提交”。")
        return ""

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
        street, county = self.places.get(cleaned.get("street", "")), cleaned.get("county")
        if street and county and street.parent is not None and street.parent.code != county:
            self.add_error("street", f"{street.name}属于{street.parent.name}，与上面选的不一致，请核对。")
        return cleaned

    def case_details(self) -> CaseDetails:
        """For the actions."""
        given = self.cleaned_data
        return CaseDetails(
            kind=given["kind"],
            text=given["text"],
            topic=next((t for t in self.topics if t.code == given["topic"]), None),
            place=self.places.get(given["street"]) or self.places.get(given["county"]),
            address=given["address"],
            occurred_at=given["occurred_at"],
            confidential=given["confidential"],
            publishable=given["publishable"],
        )

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


class LookUpForm(Form):
    """Number and query code, in any writing."""

    number = Line(
        label="编号",
        max_length=60,
        help_text="以 FZ 开头，如 FZ20261124 02000123K。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"required": "请填写编号。"},
    )
    code = Line(
        label="查询码",
        max_length=30,
        help_text="8 位数字，提交时和编号写在一起。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        error_messages={"required": "请填写查询码。"},
    )

    def clean_number(self) -> str:
        """The check character tells a slip of the pen without asking the database."""
        number = rules.read_number(self.cleaned_data["number"])
        if rules.is_mistyped(number):
            raise ValidationError("编号里有写错或漏掉的字，请对照回执再看一遍。编号共 19 位，以 FZ 开头。")
        return number

    def clean_code(self) -> str:
        """Eight digits."""
        code = rules.read_code(self.cleaned_data["code"])
        if len(code) != 8:
            raise ValidationError("查询码是 8 位数字，请再看一遍。")
        return code


class SupplementForm(WithFiles):
    """One more thing to say."""

    text = Words(
        label="要补充什么",
        max_length=TEXT_LENGTH,
        rows=6,
        help_text="新的情况、更准确的地点、还没有解决的地方。",
        error_messages={"required": "请写下要补充的内容。"},
    )
    field_order = ("text", "files")


class WithdrawForm(Form):
    """Why; withdrawals under pressure are looked for (domain.md §2.11)."""

    reason = Words(
        label="为什么撤回",
        max_length=COMMENT_LENGTH,
        rows=3,
        help_text="如“已经解决了”。",
        error_messages={"required": "请写一下原因，几个字就行。"},
    )


class RatingForm(Form):
    """Two presses: how satisfied, and whether it is solved. There is no default."""

    satisfaction = forms.ChoiceField(
        choices=Satisfaction.choices,
        widget=forms.HiddenInput,
        error_messages={"required": "请先选是否满意。", "invalid_choice": "请先选是否满意。"},
    )
    solved = forms.ChoiceField(
        choices=Solved.choices,
        widget=forms.HiddenInput,
        error_messages={"required": "请选问题解决了没有。", "invalid_choice": "请选问题解决了没有。"},
    )
    comment = Words(label="想说的话", max_length=COMMENT_LENGTH, rows=3, required=False)
