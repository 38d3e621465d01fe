"""How the pages get a dataset or an item, and who may see which system wrote what."""

from __future__ import annotations

from django.http import Http404

from apps.datasets.models import Dataset, Item
from apps.projects.models import Membership, Project, Role


def dataset_or_404(project: Project, dataset_id: int) -> Dataset:
    dataset = Dataset.objects.filter(project=project, pk=dataset_id).first()
    if dataset is None:
        raise Http404
    return dataset


def item_or_404(project: Project, item_id: int) -> Item:
    """The item with its dataset, its responses and their systems."""
    item = (
        Item.objects.select_related("dataset")
        .prefetch_related("responses__system")
        .filter(dataset__project=project, pk=item_id)
        .first()
    )
    if item is None:
        raise Http404
    return item


def sees_systems(membership: Membership) -> bool:
    """Annotators never do. Leads do unless the project hides systems from them too; admins can change that anyway."""
    if membership.role == Role.ANNOTATOR:
        return False
    return membership.role == Role.ADMIN or not membership.project.blind_leads
