"""Where a publication stands."""

from __future__ import annotations

from minsheng.ui.choices import ColouredChoices


class PublicationState(ColouredChoices):
    """Written by one person, reviewed by another, taken back by either side."""

    PROPOSED = "proposed", "待复核", "orange"
    DECLINED = "declined", "退回修改", "secondary"
    PUBLISHED = "published", "已公开", "green"
    WITHDRAWN = "withdrawn", "已撤下", "secondary"
