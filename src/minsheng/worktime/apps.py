from django.apps import AppConfig


class WorktimeConfig(AppConfig):
    name = "minsheng.worktime"
    verbose_name = "工作时间与时限"
