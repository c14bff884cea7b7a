"""What the working-time room enumerates: units of a limit, clocks, kinds of calendar days, and the warning light."""

from __future__ import annotations

from minsheng.ui.choices import ColouredChoices


class LimitUnit(ColouredChoices):
    """How a limit counts: whole working days from the day after, or elapsed hours from the moment itself."""

    WORKING_DAYS = "working_days", "个工作日"
    HOURS = "hours", "小时"


class Clock(ColouredChoices):
    """What a limit limits."""

    ACCEPTANCE = "acceptance", "受理"
    DISPATCH = "dispatch", "批转"
    READ = "read", "查阅"
    RETURN_REQUEST = "return_request", "申请退件"
    RETURN_DECISION = "return_decision", "退件裁定"
    HANDLING = "handling", "办理"
    FIRST_MEASURES = "first_measures", "先行处置"
    AUDIT = "audit", "审核"
    FOLLOW_UP = "follow_up", "回访"
    SECOND_HANDLING = "second_handling", "二次办理"
    EXTENSION = "extension", "延期"

    @property
    def started_by(self) -> str:
        """The event that starts it, as the sentence of a deadline names it; dispatch starts whatever is not listed."""
        return _STARTED_BY.get(self.value, "批转")


_STARTED_BY = {
    "acceptance": "提交",
    "dispatch": "受理",
    "return_request": "查阅",
    "return_decision": "申请",
    "audit": "回复",
    "follow_up": "审核通过",
}


class DayKind(ColouredChoices):
    """Why a day stands in the calendar."""

    HOLIDAY = "holiday", "放假"
    MAKE_UP = "make_up", "调休上班"
    ADJUSTED = "adjusted", "人工调整"


class Light(ColouredChoices):
    """Warning light: colour and shape both, for who does not see the colour (screens.md)."""

    NONE = "none", "时限充裕"
    YELLOW = "yellow", "临近时限", "yellow"
    ORANGE = "orange", "即将到期", "orange"
    RED = "red", "已逾期", "red"

    @property
    def shape(self) -> str:
        """The mark that says the same without colour."""
        return _SHAPES[self.value]


_SHAPES = {"none": "○", "yellow": "●", "orange": "◆", "red": "▲"}
