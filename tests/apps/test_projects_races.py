"""Two posts at the same moment, on committed data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.accounts.services import create_login_link
from apps.projects import services
from apps.projects.models import Membership, Role
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls):
    """Run the calls in threads that start together; results in order, exceptions as results."""
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait()
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_one_of_two_posts_wins_the_invitation():
    project = make_project()
    path = services.invite(project=project, role=Role.ANNOTATOR, by=make_user(), by_role=Role.ADMIN)[1]
    answers = at_once(
        *[lambda name=name: Client().post(path, {"username": name}).status_code for name in ("ann", "ben")]
    )
    assert sorted(answers) == [302, 410]
    assert User.objects.filter(username__in=["ann", "ben"]).count() == 1
    assert Membership.objects.filter(project=project).count() == 1


def test_two_invitations_for_one_name_leave_the_second_open():
    project = make_project()
    paths = [
        services.invite(project=project, role=Role.ANNOTATOR, by=make_user(), by_role=Role.ADMIN)[1] for _ in range(2)
    ]
    answers = at_once(*[lambda path=path: Client().post(path, {"username": "ann"}).status_code for path in paths])
    assert sorted(answers) == [302, 422]
    assert project.invitations.filter(accepted_at=None).count() == 1


def test_one_of_two_posts_wins_the_sign_in_link():
    path = create_login_link(user=make_user())
    assert sorted(at_once(*[lambda: Client().post(path).status_code] * 3)) == [302, 410, 410]


def test_two_admins_cannot_remove_each_other_at_once():
    project = make_project()
    memberships = [Membership.objects.get(user=make_member(project, Role.ADMIN)) for _ in range(2)]
    results = at_once(*[lambda m=m: services.remove_member(membership=m, by=Role.ADMIN) for m in memberships])
    assert sorted(type(result).__name__ for result in results) == ["LastAdmin", "NoneType"]


def test_two_projects_of_one_name_get_two_slugs():
    users = [make_user(), make_user()]
    made = at_once(
        *[lambda user=user: services.create_project(name="Same", language="en", by=user).slug for user in users]
    )
    assert sorted(made) == ["same", "same-2"]
