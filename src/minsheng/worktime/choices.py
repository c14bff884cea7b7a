"""What the working-time room enumerates: units of a limit, clocks, kinds of calendar days, and the warning light."""

from __future__ import annotations

from typing import Self

from minsheng.ui.choices import ColouredChoices


class LimitUnit(ColouredChoices):
    """How a limit counts: whole working days from the day after, or elapsed hours from the moment itself."""

    WORKING_DAYS = "working_days", "个工作日"
    HOURS = "hours", "小时"


class Clock(ColouredChoices):
    """What a limit limits. `started_by` is the event that starts the clock, as the sentence names it."""

    started_by: str

    def __new__(cls, value: str, started_by: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.colour = "secondary"
        member.started_by = started_by
        return member

    # value, the event that starts it, label
    ACCEPTANCE = "acceptance", "提交", "受理"
    DISPATCH = "dispatch", "受理", "批转"
    READ = "read", "批转", "查阅"
    RETURN_REQUEST = "return_request", "查阅", "申请退件"
    RETURN_DECISION = "return_decision", "申请", "退件裁定"
    HANDLING = "handling", "批转", "办理"
    FIRST_MEASURES = "first_measures", "批转", "先行处置"
    ASSIST = "assist", "批转", "协办"
    AUDIT = "audit", "回复", "审核"
    FOLLOW_UP = "follow_up", "审核通过", "回访"
    SECOND_HANDLING = "second_handling", "批转", "二次办理"
    EXTENSION = "extension", "原时限届满", "延期"
    CITIZEN = "citizen", "受理", "群众时限"


class DayKind(ColouredChoices):
    """Why a day stands in the calendar."""

    HOLIDAY = "holiday", "放假"
    MAKE_UP = "make_up", "调休上班"
    ADJUSTED = "adjusted", "人工调整"


class Light(ColouredChoices):
    """Warning light: colour and shape both, for who does not see the colour (screens.md)."""

    shape: str

    def __new__(cls, value: str, colour: str = "secondary", shape: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.colour = colour
        member.shape = shape
        return member

    # value, colour, shape, label
    NONE = "none", "secondary", "○", "时限充裕"
    YELLOW = "yellow", "yellow", "●", "临近时限"
    ORANGE = "orange", "orange", "◆", "即将到期"
    RED = "red", "red", "▲", "已逾期"
