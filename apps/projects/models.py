"""Projects: the workspace, who belongs to it and in which role, and what annotators see there."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Project(models.Model):
    class Rationale(models.TextChoices):
        OFF = "off", _("Not asked")
        OPTIONAL = "optional", _("Optional")
        REQUIRED = "required", _("Required")

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(_("what it is about"), blank=True, max_length=2000)
    #: the language new members start with; everyone may change their own
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    overlap = models.PositiveSmallIntegerField(
        _("people for each item"), default=3, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    show_context = models.BooleanField(_("show the context"), default=True)
    show_reference = models.BooleanField(_("show the reference answer"), default=False)
    show_scenario = models.BooleanField(_("show the scenario"), default=False)
    one_key_submit = models.BooleanField(_("one key chooses and submits"), default=True)
    rationale = models.CharField(_("reasons"), max_length=8, choices=Rationale, default=Rationale.OPTIONAL)
    #: annotators never see systems; with this, leads do not either
    blind_leads = models.BooleanField(_("hide systems from leads too"), default=False)
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    is_demo = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="projects_created"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="projects")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(overlap__gte=1) & Q(overlap__lte=50), name="project_overlap_1_to_50"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="project_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(rationale__in=["off", "optional", "required"]), name="project_rationale_known"
            ),
        ]


class Role(models.TextChoices):
    ANNOTATOR = "annotator", _("Annotator")
    LEAD = "lead", _("Lead")
    ADMIN = "admin", _("Admin")


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="membership_once_a_project"),
            models.CheckConstraint(condition=Q(role__in=["annotator", "lead", "admin"]), name="membership_role_known"),
        ]


class Invitation(models.Model):
    """A link by which someone joins a project, once. Only the digest of its token is kept."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.ANNOTATOR)
    note = models.CharField(_("for whom"), max_length=120, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=["annotator", "lead", "admin"]), name="invitation_role_known"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"),
        ]
