"""Tags and filters of every screen; a builtin library (settings), so no template loads it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.forms import BoundField
from django.forms import widgets as w
from django.template import Context
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from minsheng.secrecy import watch_token
from minsheng.ui import looks, times
from minsheng.ui.choices import ColouredChoices
from minsheng.ui.marks import Span, find_words, pieces

register = template.Library()

# Light is colour and shape: one man in twelve does not see the colour (screens.md).
LIGHTS = {
    "none": ("时限充裕", '<circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5"/>'),
    "yellow": ("黄灯，临近时限", '<circle cx="6" cy="6" r="5" fill="currentColor"/>'),
    "orange": ("橙灯，即将到期", '<path d="M6 .3 11.7 6 6 11.7.3 6Z" fill="currentColor"/>'),
    "red": ("红灯，已逾期", '<path d="M6 .6 11.8 11H.2Z" fill="currentColor"/>'),
}
MARKS = {"risk": "风险词", "personal": "个人信息", "hit": ""}


@register.simple_tag
def light(value: Any, label: str = "") -> SafeString:
    """`{% light "red" %}`: none ○, yellow ●, orange ◆, red ▲. `label` replaces the spoken text."""
    name = str(getattr(value, "value", value) or "none")
    if name not in LIGHTS:
        name = "none"
    spoken, shape = LIGHTS[name]
    return format_html(
        '<svg class="light light-{}" viewBox="0 0 12 12" role="img" aria-label="{}">{}</svg>',
        name, label or spoken, SafeString(shape),
    )  # fmt: skip


@register.simple_tag
def icon(name: str, label: str = "", extra: str = "") -> SafeString:
    """`{% icon "phone" %}`: a Tabler icon; silent to screen readers unless `label` is given."""
    if label:
        return format_html('<i class="ti ti-{} {}" role="img" aria-label="{}"></i>', name, extra, label)
    return format_html('<i class="ti ti-{} {}" aria-hidden="true"></i>', name, extra)


@register.tag
def alike(parser: Parser, token: Token) -> AlikeNode:
    """`{% alike key %}…{% endalike %}`: what stands between is drawn once for all who look again under this key (ui.looks); "": as it
    is."""
    key = parser.compile_filter(token.split_contents()[1])
    nodelist = parser.parse(("endalike",))
    parser.delete_first_token()
    return AlikeNode(key, nodelist)


class AlikeNode(template.Node):
    """As `alike` says."""

    def __init__(self, key: FilterExpression, nodelist: NodeList) -> None:
        self.key, self.nodelist = key, nodelist

    def render(self, context: Context) -> SafeString:
        """The part, as drawn a moment ago or now."""
        key = self.key.resolve(context)
        return SafeString(looks.once(key, lambda: str(self.nodelist.render(context)))) if key else self.nodelist.render(context)


@register.simple_tag
def watch(number: Any) -> str:
    """`{% watch row.number %}`: the name under which the stream tells of a case to who was shown it."""
    return watch_token(str(number)) if number else ""


def _now(now: Any) -> datetime:
    return now if isinstance(now, datetime) else timezone.now()


@register.filter
def moment(value: datetime | None, now: Any = None) -> str:
    """`11-26 周四 14:05`; the year only when it is another one. Nothing for None."""
    return times.moment(value, _now(now)) if value else ""


@register.filter
def day(value: date | None, now: Any = None) -> str:
    """`11-26 周四`, of a day or of the day of a moment; the year only when it is another one."""
    if isinstance(value, datetime):
        value = timezone.localtime(value, times.SHANGHAI).date()
    return times.day(value, timezone.localtime(_now(now), times.SHANGHAI).date()) if value else ""


@register.filter
def due(value: datetime | None, now: Any = None) -> str:
    """A deadline: `11-30 周一 24:00 前`."""
    return times.due(value, _now(now)) if value else ""


@register.filter
def elapsed(value: datetime | timedelta | None, now: Any = None) -> str:
    """`2 小时 10 分`, of a timedelta or since a moment."""
    if value is None:
        return ""
    return times.span(value if isinstance(value, timedelta) else _now(now) - value)


@register.filter
def waited(value: datetime | timedelta | None, now: Any = None) -> str:
    """`等了 2 小时 10 分`."""
    text = elapsed(value, now)
    return f"等了 {text}" if text[:1].isdigit() else f"等了{text}" if text else ""


def _member(value: Any, choices: Any) -> Any:
    """The choice that a stored value means; `choices` is the class or its name."""
    if isinstance(value, ColouredChoices) or not choices:
        return value
    if isinstance(choices, str):
        choices = next((c for c in _subclasses(ColouredChoices) if c.__name__ == choices), None)
        if choices is None:
            raise template.TemplateSyntaxError("state_badge: no ColouredChoices of that name")
    try:
        return choices(value)
    except ValueError:
        return value


def _subclasses(cls: type[ColouredChoices]) -> Iterable[type[ColouredChoices]]:
    sub: type[ColouredChoices]
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


@register.simple_tag
def state_badge(value: Any, choices: Any = None) -> SafeString:
    """`{% state_badge case.state "CaseState" %}`: label and colour of a ColouredChoices value (class or class name)."""
    member = _member(value, choices)
    colour = getattr(member, "colour", "secondary")
    return format_html('<span class="state state-{}">{}</span>', colour, getattr(member, "label", member))


@register.filter
def label_of(value: Any, choices: Any) -> str:
    """`{{ task.state|label_of:"TaskState" }}`: the Chinese label alone."""
    return str(getattr(_member(value, choices), "label", value))


@register.inclusion_tag("ui/time_left.html")
def time_left(text: str, sentence: str = "", light: Any = "none") -> dict[str, Any]:
    """`{% time_left "剩 6 小时" sentence "yellow" %}`: how long is left; hover, focus or press tells why."""
    return {"text": text, "sentence": sentence, "light": light}


@register.simple_tag
def mark(text: str, spans: Iterable[Span] = ()) -> SafeString:
    """`{% mark case.text spans %}`: spans are (start, end, "risk" | "personal" | "hit"); all text is escaped."""
    return format_html_join("", "{}", ((_piece(part, kind),) for part, kind in pieces(text, spans)))


@register.filter
def hits(text: str, words: Iterable[str] | str | None) -> SafeString:
    """`{{ row.title|hits:words }}`: the searched words marked."""
    wanted = [words] if isinstance(words, str) else list(words or ())
    return mark(text, find_words(text, wanted))


def _piece(part: str, kind: str) -> str:
    if not kind:
        return part
    spoken = MARKS.get(kind, "")
    note = format_html('<span class="visually-hidden">（{}）</span>', spoken) if spoken else ""
    return format_html('<mark class="mark-{}">{}</mark>{}', kind, part, note)


@register.inclusion_tag("ui/masked.html", takes_context=True)
def masked(context: Context, value: str, reveal_url: str = "", name: str = "") -> dict[str, Any]:
    """`{% masked "林**" url "姓名" %}`: an already masked value; with a url, “显示” asks why and posts `reason` there (audited)."""
    return {
        "value": value, "reveal_url": reveal_url, "name": name, "uid": uuid.uuid4().hex[:8],
        "csrf_token": context.get("csrf_token"),
    }  # fmt: skip


@register.simple_tag(takes_context=True)
def version_fields(context: Context, versioned: Any = None, fresh: bool = False) -> SafeString:
    """
    `{% version_fields case %}`: hidden `version` (what the screen was drawn from) and `submission` (one per intended write).

    After a failed POST both are kept as posted, so that a second try is still the same submission on the same version;
    `fresh=True` takes the present version, for “仍然提交” after the changes have been shown.
    """
    request = context.get("request")
    posted = request.POST if request is not None and request.method == "POST" else {}
    submission = posted.get("submission") or str(uuid.uuid4())
    html = format_html('<input type="hidden" name="submission" value="{}">', submission)
    if versioned is not None:
        current = getattr(versioned, "version", versioned)
        version = current if fresh else posted.get("version") or current
        html += format_html('<input type="hidden" name="version" value="{}">', version)
    return html


@register.filter
def control(field: BoundField) -> SafeString:
    """A form field's widget with the classes of its kind, whichever form it comes from (ours or a library's)."""
    widget = field.field.widget
    css = widget.attrs.get("class", "")
    if isinstance(widget, w.CheckboxInput | w.RadioSelect | w.CheckboxSelectMultiple):
        own = "form-check-input"
    elif isinstance(widget, w.Select):
        own = "form-select"
    else:
        own = "form-control"
    if field.errors:
        own += " is-invalid"
    return field.as_widget(attrs={"class": f"{own} {css}".strip()})


@register.filter
def choice_control(option: Any) -> SafeString:
    """One radio or checkbox of a group, with its class."""
    option.data["attrs"]["class"] = "form-check-input"
    return option.tag()


@register.filter
def is_check(field: BoundField) -> bool:
    """A lone checkbox, whose label follows it."""
    return isinstance(field.field.widget, w.CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Radios or checkboxes, which need a fieldset and legend."""
    return isinstance(field.field.widget, w.RadioSelect | w.CheckboxSelectMultiple)


@register.filter
def file_size(value: int | None) -> str:
    """`8.0 MB`, `312 KB`."""
    size = value or 0
    return f"{size / 1048576:.1f} MB" if size >= 1048576 else f"{max(1, size // 1024)} KB"
