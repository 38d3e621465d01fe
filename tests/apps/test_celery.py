"""The Celery application, as the pages see it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from celery import current_app


def test_a_task_sent_from_a_page_thread_goes_to_our_broker(settings) -> None:
    """Celery remembers the current app for one thread; in the others a shared task would go to a broker of its own."""
    with ThreadPoolExecutor(1) as threads:
        broker = threads.submit(lambda: current_app.conf.broker_url).result()
    assert broker == settings.REDIS_URL
