"""What became of an audited attempt."""

from minsheng.ui.choices import ColouredChoices


class Outcome(ColouredChoices):
    """GB/T 22239-2019 8.1.4.3: a record says whether the attempt succeeded."""

    DONE = "done", "成功"
    REFUSED = "refused", "被拒绝", "orange"
    FAILED = "failed", "失败", "red"
