from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "minsheng.platform"
    verbose_name = "平台"

    def ready(self) -> None:
        from minsheng.platform import checks  # noqa: F401 - registers them
