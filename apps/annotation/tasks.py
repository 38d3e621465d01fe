"""What happens to rounds in the background."""

from __future__ import annotations

from celery import shared_task

from apps.annotation import services


@shared_task(expires=60)  # the next one does the same: they need not pile up where no worker runs
def return_expired() -> None:
    """Beat runs it every minute: places whose lease ran out go back into the queue."""
    services.return_expired()
