"""Template tags: what people read of moments, spans, lights, marks; and that nothing typed by anybody becomes HTML."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django import forms as django_forms
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from minsheng.ui import forms, times
from minsheng.ui.choices import ColouredChoices
from minsheng.ui.marks import find_words, pieces

NOW = datetime(2026, 11, 26, 6, 5, tzinfo=UTC)  # 14:05 in Shanghai


class Fruit(ColouredChoices):
    APPLE = "apple", "苹果", "red"
    PEAR = "pear", "梨"


def draw(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


def test_choices_have_label_and_colour() -> None:
    assert Fruit.choices == [("apple", "苹果"), ("pear", "梨")]
    assert (Fruit.APPLE.colour, Fruit.PEAR.colour) == ("red", "secondary")
    assert Fruit.colour_of("apple") == "red" and Fruit.colour_of("?") == "secondary"


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW, "11-26 周四 14:05"),
        (datetime(2026, 11, 26, 16, 0, tzinfo=UTC), "11-27 周五 00:00"),  # the next day already in Shanghai
        (datetime(2025, 12, 31, 15, 59, tzinfo=UTC), "2025-12-31 周三 23:59"),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), "01-01 周四 00:00"),  # this year already in Shanghai
    ],
)
def test_moment_names_the_year_only_when_it_is_another(moment: datetime, text: str) -> None:
    assert times.moment(moment, NOW) == text


def test_a_deadline_at_midnight_is_24_o_clock_of_the_day_before() -> None:
    assert times.due(datetime(2026, 11, 30, 16, 0, tzinfo=UTC), NOW) == "11-30 周一 24:00 前"
    assert times.due(datetime(2026, 11, 30, 4, 30, tzinfo=UTC), NOW) == "11-30 周一 12:30 前"
    assert times.due(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), NOW) == "12-31 周四 24:00 前"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=59), "不到 1 分钟"),
        (timedelta(minutes=7), "7 分钟"),
        (timedelta(hours=2), "2 小时"),
        (timedelta(hours=2, minutes=10, seconds=59), "2 小时 10 分"),
        (timedelta(days=1, hours=3, minutes=40), "1 天 3 小时"),
        (timedelta(days=-2), "2 天"),
    ],
)
def test_span_says_the_two_largest_units(length: timedelta, text: str) -> None:
    assert times.span(length) == text


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9000)))
def test_span_never_says_more_than_has_passed(length: timedelta) -> None:
    words = times.span(length).split()
    if words[0].isdigit():
        minutes = {"天": 1440, "小时": 60, "分": 1, "分钟": 1}
        said = sum(int(words[i]) * minutes[words[i + 1]] for i in range(0, len(words), 2))
        assert timedelta(minutes=said) <= length


def test_waited_reads_like_speech() -> None:
    since = NOW - timedelta(hours=2, minutes=10)
    assert draw("{{ since|waited:now }}", since=since, now=NOW) == "等了 2 小时 10 分"
    assert draw("{{ now|waited:now }}", now=NOW) == "等了不到 1 分钟"
    assert draw("{{ none|waited }}{{ none|moment }}{{ none|due }}{{ none|elapsed }}", none=None) == ""
    assert draw("{{ d|day:now }}", d=date(2026, 11, 26), now=NOW) == "11-26 周四"


def test_light_is_colour_and_shape_and_words() -> None:
    drawn = [draw("{% light l %}", l=name) for name in ("none", "yellow", "orange", "red")]
    assert len({d.split("aria-label")[1] for d in drawn}) == 4
    assert len({d.split(">", 1)[1] for d in drawn}) == 4
    assert "light-none" in draw("{% light l %}", l="<b>")
    assert "&lt;b&gt;" in draw("{% light 'red' l %}", l="<b>")


def test_state_badge_takes_members_and_stored_values() -> None:
    assert "state-red" in draw("{% state_badge v %}", v=Fruit.APPLE) and "苹果" in draw(
        "{% state_badge v %}", v=Fruit.APPLE
    )
    assert "苹果" in draw('{% state_badge "apple" "Fruit" %}')
    assert "&lt;x&gt;" in draw("{% state_badge v 'Fruit' %}", v="<x>")
    assert draw('{{ "pear"|label_of:"Fruit" }}') == "梨"
    with pytest.raises(TemplateSyntaxError):
        draw('{% state_badge "apple" "Nothing" %}')


def test_marks_escape_everything() -> None:
    text = "<script>我要跳楼</script>"
    at = text.index("跳楼")
    html = draw("{% mark text spans %}", text=text, spans=[(at, at + 2, "risk"), (0, 3, "personal")])
    assert "<script" not in html and html.count("<mark") == 2 and "（风险词）" in html
    assert draw("{{ t|hits:words }}", t="路灯<路灯>", words=["路灯"]).count('<mark class="mark-hit">路灯</mark>') == 2


@given(st.text(), st.lists(st.tuples(st.integers(-5, 30), st.integers(-5, 30), st.sampled_from(["risk", "personal"]))))
def test_pieces_are_the_text(text: str, spans: list[tuple[int, int, str]]) -> None:
    assert "".join(part for part, _ in pieces(text, spans)) == text


@given(st.text(alphabet="路灯不亮ßİAa"), st.text(alphabet="路灯ßİa", min_size=1, max_size=3))
def test_found_words_lie_within_the_text(text: str, word: str) -> None:
    for start, end, _ in find_words(text, [word]):
        assert text[start:end].casefold() == word.casefold()


def test_time_left_explains_itself_without_a_mouse() -> None:
    html = draw('{% time_left "剩 1 天" "自批转次日起算" "yellow" %}')
    assert "<details" in html and "<summary>剩 1 天</summary>" in html and "自批转次日起算" in html
    assert "<details" not in draw('{% time_left "剩 1 天" %}')


def test_masked_asks_why_before_it_shows() -> None:
    html = draw("{% masked v '/reveal/' '电话' %}", v="138****1200")
    assert 'method="post"' in html and 'name="reason" required' in html
    assert "<form" not in draw("{% masked v %}", v="138****1200")


def test_version_fields_keep_what_was_posted() -> None:
    request = RequestFactory().post("/", {"version": "3", "submission": "s-1"})
    again = draw("{% version_fields 5 %}", request=request)
    assert 'value="3"' in again and 'value="s-1"' in again
    anyway = draw("{% version_fields 5 True %}", request=request)
    assert 'value="5"' in anyway and 'value="s-1"' in anyway
    fresh = draw("{% version_fields 5 %}", request=RequestFactory().get("/"))
    assert 'value="5"' in fresh and draw("{% version_fields %}") != draw("{% version_fields %}")


class Example(forms.Form):
    unit = django_forms.ChoiceField(
        label="单位",
        widget=forms.TreeSelect(list_url="/units/"),
        choices=[("", ""), ("1", forms.TreeLabel("<城管>", depth=1, path="鼓楼 / <城管>", search="cg"))],
    )
    words = django_forms.CharField(label="意见", help_text="写给单位", widget=forms.words(3))
    found = django_forms.ChoiceField(label="属实", choices=[("1", "是"), ("2", "否")], widget=django_forms.RadioSelect)
    attachments = forms.FilesField(label="附件", required=False)
    when = django_forms.DateTimeField(label="时间", required=False, widget=forms.MomentInput(past_only=True))


def test_a_form_ties_each_error_and_hint_to_its_field() -> None:
    html = str(Example({}))
    assert 'role="alert"' in html and 'href="#id_words"' in html and "意见：请填写意见。" in html
    assert 'aria-describedby="id_words_helptext id_words_error"' in html
    for part in ('id="id_words_helptext"', 'id="id_words_error"', 'aria-invalid="true"', "请选择单位。"):
        assert part in html
    assert '<fieldset class="field field-group has-error" id="id_found"' in html
    assert 'data-list-url="/units/"' in html and "&lt;城管&gt;" in html and "<城管>" not in html
    assert 'type="datetime-local"' in html and 'max="' in html and "multiple" in html


def test_files_field_gives_a_list() -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    field = forms.FilesField(required=False)
    one = SimpleUploadedFile("a.jpg", b"x")
    assert field.clean([one, one]) == [one, one] and field.clean(one) == [one] and field.clean(None) == []
    with pytest.raises(django_forms.ValidationError):
        forms.FilesField().clean([])
