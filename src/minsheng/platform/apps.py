from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "minsheng.platform"
    verbose_name = "平台"

    def ready(self) -> None:
        from minsheng.platform import checks, health  # noqa: F401 - checks registers its own
        from minsheng.ui import alarms

        alarms.watch("processes", alarms=health.supervisor_alarms)
