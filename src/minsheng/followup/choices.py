"""How the citizen's verdict was heard (domain.md §2.7)."""

from minsheng.ui.choices import ColouredChoices


class FollowUpMethod(ColouredChoices):
    """回访方式."""

    PHONE = "phone", "人工电话"
    LINK = "link", "诉求人自评"
