from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "minsheng.accounts"
    verbose_name = "人员与权限"

    def ready(self) -> None:
        from minsheng.accounts import checks, receivers  # noqa: F401 - they register themselves
