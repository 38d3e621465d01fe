"""Forms about one's own account."""

from __future__ import annotations

import difflib
import zoneinfo
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts import keys
from apps.accounts.models import User
from apps.core.text import validate_line


def password_field(label: Any, *, autocomplete: str, help_text: Any = "", required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        required=required,
        max_length=4096,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


class SignInForm(forms.Form):
    username = UsernameField(label=_("User name"), max_length=150, widget=forms.TextInput(attrs={"autofocus": True}))
    password = password_field(_("Password"), autocomplete="current-password")


class PasswordForm(forms.Form):
    """Set a password, or change it. `ask_current` is off for someone who has none or has just come by a link."""

    current = password_field(_("Password until now"), autocomplete="current-password")
    new = password_field(
        _("New password"),
        autocomplete="new-password",
        help_text=_("At least eight characters; not a common word, not only digits, not like your name."),
    )
    again = password_field(_("The new password again"), autocomplete="new-password")

    def __init__(self, *args: Any, user: User, ask_current: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not ask_current:
            del self.fields["current"]

    def clean_current(self) -> str:
        current: str = self.cleaned_data["current"]
        if not self.user.check_password(current):
            raise ValidationError(_("That is not your password."), code="wrong")
        return current

    def clean_new(self) -> str:
        new: str = self.cleaned_data["new"]
        validate_password(new, self.user)
        return new

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "new" in cleaned and "again" in cleaned and cleaned["new"] != cleaned["again"]:
            self.add_error("again", ValidationError(_("The two are not the same. Type it once more."), code="mismatch"))
        return cleaned


class NewUserFields(forms.Form):
    """What someone chooses who gets an account."""

    username = UsernameField(
        label=_("User name"),
        max_length=150,
        help_text=_("For signing in: letters, digits and @ . + - _"),
        validators=[User.username_validator],
    )
    display_name = forms.CharField(
        label=_("Name shown to others"),
        max_length=120,
        required=False,
        help_text=_("Leads see it beside your labels. Left empty, they see your user name."),
        validators=[validate_line],
    )
    password = password_field(
        _("Password"),
        autocomplete="new-password",
        required=False,
        help_text=_("Left empty, you stay signed in on this device for two weeks, and then need a new link."),
    )
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput(attrs={"data-time-zone": ""}))

    def clean_username(self) -> str:
        username: str = User.normalize_username(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError(_("This name is taken. Choose another one."), code="taken")
        return username

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("password"):
            someone = User(username=cleaned.get("username", ""), display_name=cleaned.get("display_name", ""))
            try:
                validate_password(cleaned["password"], someone)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only to the type checker
    """What one sets for oneself."""

    display_name = forms.CharField(
        label=_("Name shown to others"),
        max_length=120,
        required=False,
        validators=[validate_line],
        help_text=_("Leads see it beside your labels. Left empty, they see your user name."),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_("Dates and times are shown in it. Type a city, such as “Berlin”, and choose."),
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = User
        fields = ("display_name", "language", "theme", "time_zone")
        help_texts: ClassVar[dict[str, Any]] = {
            "language": _("Of the pages. What you judge stays in its own language."),
            "theme": _("The half moon on top of every page switches it as well."),
        }

    def clean_time_zone(self) -> str:
        typed = self.cleaned_data["time_zone"].strip()
        zones = {zone.casefold(): zone for zone in zoneinfo.available_timezones()}
        if (zone := zones.get(typed.casefold().replace(" ", "_"))) is not None:
            return zone
        cities = {zone.rsplit("/", 1)[-1].replace("_", " "): zone for key, zone in zones.items() if "/" in zone}
        close = difflib.get_close_matches(typed.title(), cities, n=1, cutoff=0.7)
        if close:
            raise ValidationError(
                _("There is no time zone “%(typed)s”. Did you mean %(zone)s?"),
                params={"typed": typed, "zone": cities[close[0]]},
            )
        raise ValidationError(
            _("There is no time zone “%(typed)s”. Choose one of the list, such as Europe/Berlin."),
            params={"typed": typed},
        )


class KeysForm(forms.Form):
    """One field an action; left empty, the action has the keys that everyone starts with."""

    def __init__(self, *args: Any, own: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {name: keys.shown(code) for name, code in own.items()}
        for action in keys.ACTIONS:
            self.fields[action.name] = forms.CharField(
                label=str(action.label),
                required=False,
                max_length=30,
                widget=forms.TextInput(attrs={"data-key": "", "autocomplete": "off", "spellcheck": "false"}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        typed = {name: keys.code_of(text) for name, text in cleaned.items() if text}
        own = {name: code for name, code in typed.items() if (code,) != keys.BY_NAME[name].codes}
        for name, wrong in keys.clashes(own).items():
            if isinstance(wrong, keys.Action):
                text = gettext("“%(action)s” has this key.") % {"action": wrong.label}
            else:
                text = str(wrong)
            self.add_error(name, ValidationError(text))
        self.own = own
        return cleaned
