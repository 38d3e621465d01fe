"""Reports too large for a page to wait for. What is kept is found by the labels it is of, so twice does no harm."""

from __future__ import annotations

from celery import shared_task

from apps.analytics import dashboard
from apps.rubrics.models import Criterion


@shared_task
def warm(dataset_id: int, criterion_id: int) -> None:
    """Make the report of the labels that are there now, unless it is there."""
    criterion = Criterion.objects.filter(pk=criterion_id).first()
    if criterion is not None:  # else removed with its draft or project meanwhile
        dashboard.make(dataset_id=dataset_id, criterion=criterion)
