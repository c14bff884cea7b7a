"""The machine checks of replies: a table of what units really write, and what should catch the eye."""

from __future__ import annotations

import pytest

from minsheng.cases.reply_rules import reply_flaws, reply_hints

GOOD = (
    "您好！您反映工地夜间施工的问题，我局执法人员11月25日22时到现场核查，情况属实。依据《噪声污染防治法》第四十三条，"
    "已责令停止夜间作业，并立案查处。我们将于11月30日前复查。感谢您的监督。"
)


def codes(text: str, basis: str = "《噪声污染防治法》", contacted: bool = True) -> list[str]:
    return [hint.code for hint in reply_flaws(text, basis=basis, contacted=contacted)]


def test_a_good_reply_has_no_hint() -> None:
    assert reply_hints(GOOD, basis="", contacted=True) == []


def test_nothing_written_yet_has_no_hint() -> None:
    assert reply_hints("  \n", basis="", contacted=False) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您好，您的问题已收悉，谢谢。", ["no_process"]),
        ("经现场核查，我们将尽快修复路灯。", ["no_deadline"]),
        ("经现场核查，我们将于12月5日前修复路灯。", []),
        ("经现场核查，下周内修复。后续还将加强巡查。", ["no_deadline"]),
        ("经核查，该路段不属于我局管辖，请您向交警部门反映。", ["buck_passing"]),
        ("经核查情况属实，已安排人员清理，绝不再发生类似情况。", ["absolute_promise"]),
        ("经核查情况属实，保证三天内彻底解决。", ["absolute_promise"]),
        ("经核查，物业已退还保证金。", []),
        ("工作人员已联系来电人林小满女士（13800138000），现场处理完毕。", ["privacy"]),
        ("已电话联系诉求人并告知待遇标准。", []),
    ],
)
def test_what_catches_the_eye(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_a_basis_may_stand_in_its_field_or_in_the_text() -> None:
    text = "经现场核查，情况不属实。"
    assert codes(text, basis="") == ["no_basis"]
    assert codes(text, basis="现场照片及检测报告") == []
    assert codes(text + "依据榕政办〔2023〕12号执行。", basis="") == []


def test_a_citizen_not_reached_is_told() -> None:
    assert codes("经现场核查，情况不属实。", contacted=False) == ["no_outreach"]


def test_the_personal_values_are_not_repeated() -> None:
    (hint,) = reply_hints("已联系您的手机13800138000并处理。", basis="现场照片", contacted=True)
    assert "13800138000" not in hint
    assert "电话" in hint


def test_the_order_is_that_of_the_list_of_reasons() -> None:
    text = "请自行解决，我们将尽快答复，绝对不会有问题，电话13800138000。"
    assert codes(text, basis="", contacted=False) == [
        "no_process", "no_basis", "no_outreach", "privacy", "buck_passing", "absolute_promise",
    ]  # fmt: skip
