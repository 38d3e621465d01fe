"""Each process of a test run has a Redis of its own, so that a test may empty it."""

from __future__ import annotations

import os

from django.conf import settings


def test_settings_name_the_redis_of_this_process() -> None:
    assert os.environ["REDIS_URL"] == settings.REDIS_URL
