"""The citizen's forms beside filing (steps.py), and the fields that all share.

What is wrong is said at its field, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from minsheng.cases import attachments
from minsheng.cases.choices import Satisfaction, Solved
from minsheng.cases.details import TYPED_LENGTH
from minsheng.errors import Refused
from minsheng.portal import rules
from minsheng.ui.forms import FilesField, Form, MomentInput, words

COMMENT_LENGTH = 500

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
        max_length=TYPED_LENGTH,
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


YES, NO, UNSURE = "yes", "no", "unsure"


class YesNo(forms.ChoiceField):
    """A question that may be passed over: yes is True, no is False, anything less is None; none is marked beforehand."""

    widget = forms.RadioSelect

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, error_messages={"invalid_choice": "请从列出的几项里选，或者不选。"}, **kwargs)

    def clean(self, value: Any) -> bool | None:
        """What was said."""
        return {YES: True, NO: False}.get(super().clean(value))


class RatingForm(Form):
    """Two presses: how satisfied, and whether it is solved. On the way to the second, two more that may be passed over
    (domain.md §2.7 names all four). There is no default: what was not pressed was not said, “记不清” says no more than that."""

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
    contacted = YesNo(label="有人为这件事联系过您吗？", choices=[(YES, "联系过"), (NO, "没有"), (UNSURE, "记不清")])
    truthful = YesNo(label="答复里说的情况属实吗？", choices=[(YES, "属实"), (NO, "不属实"), (UNSURE, "说不清")])
    comment = Words(label="想说的话", max_length=COMMENT_LENGTH, rows=2, required=False)
