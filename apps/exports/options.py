"""What one may choose about an export, checked once and kept with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgmentOptions:
    #: whose
    raters: Literal["all", "humans", "judges"] = "all"
    #: warm-up, gold, late and adjudicated judgments too; they carry their mark
    marked: bool = True
    #: every revision instead of the latest one
    revisions: bool = False

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, object]) -> Self:
        return cls(**row)  # type: ignore[arg-type]  # it was made by as_dict


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceOptions:
    #: the criterion that says which is better
    criterion: str = "overall"
    #: an adjudicated verdict stands before the majority, or only adjudicated ones count
    source: Literal["majority", "adjudicated"] = "majority"
    #: people with a verdict on the item
    min_raters: int = 1
    #: share of them on the side that won; above a half, whatever is set
    min_agreement: float = 0.5
    #: strings, or lists of {"role", "content"}; TRL takes both, but one file holds one
    form: Literal["text", "conversational"] = "text"
    #: two more columns, `item` and `agreement`; some trainers refuse columns they do not know
    extras: bool = False

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, object]) -> Self:
        return cls(**row)  # type: ignore[arg-type]  # it was made by as_dict
