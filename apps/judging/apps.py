from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JudgingConfig(AppConfig):
    name = "apps.judging"
    verbose_name = _("Judging")

    def ready(self) -> None:
        import workers.celery  # noqa: F401 - so that every process sends its tasks to our broker
