"""The one list of the desk's keys, and what someone may make of it.

A key is `KeyboardEvent.code`: the place on the keyboard, so that it is the same in every layout and input method;
`Shift+` in front of it where Shift is held. The desk's scripts get the result of `keys_of`.
Not in the list, since they cannot be changed: `1`-`9` for a score, and Shift with the left or right key for "much".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    label: Promise
    codes: tuple[str, ...]


ACTIONS = (
    Action("left", _("Left answer is better"), ("Digit1", "KeyA", "ArrowLeft")),
    Action("right", _("Right answer is better"), ("Digit2", "KeyB", "ArrowRight")),
    Action("tie", _("Tie"), ("Digit0", "KeyE")),
    Action("both_bad", _("Both bad"), ("KeyX",)),
    Action("up", _("Question before"), ("ArrowUp",)),
    Action("down", _("Question after"), ("ArrowDown",)),
    Action("submit", _("Submit, next item"), ("Enter",)),
    Action("back", _("Back to the last item"), ("Shift+ArrowLeft",)),
    Action("undo", _("Undo"), ("KeyU",)),
    Action("skip", _("Skip"), ("KeyS",)),
    Action("flag", _("Flag for a lead"), ("KeyF",)),
    Action("note", _("Write a note"), ("KeyN",)),
    Action("guidelines", _("Guidelines"), ("KeyG",)),
    Action("raw", _("Text as it was written"), ("KeyR",)),
    Action("diff", _("Differences"), ("KeyD",)),
    Action("linked", _("Scroll both together"), ("KeyL",)),
    Action("fold", _("Fold the instruction"), ("KeyI",)),
    Action("keys", _("List of keys"), ("Shift+Slash",)),
)
BY_NAME = {action.name: action for action in ACTIONS}
#: these stand on screens without scores, so digits are free for them
_MAY_BE_DIGITS = {"left", "right", "tie"}

_SHOWN = {
    **{f"Key{letter}": letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    **{f"Digit{digit}": digit for digit in "0123456789"},
    **{f"Numpad{digit}": f"Num {digit}" for digit in "0123456789"},
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "Enter": "Enter",
    "Backspace": "Backspace",
    "Delete": "Delete",
    "Insert": "Insert",
    "Home": "Home",
    "End": "End",
    "PageUp": "Page Up",
    "PageDown": "Page Down",
    "Minus": "-",
    "Equal": "=",
    "BracketLeft": "[",
    "BracketRight": "]",
    "Backslash": "\\",
    "Semicolon": ";",
    "Quote": "'",
    "Backquote": "`",
    "Comma": ",",
    "Period": ".",
    "Slash": "/",
    "IntlBackslash": "<",
    "NumpadEnter": "Num Enter",
    "NumpadAdd": "Num +",
    "NumpadSubtract": "Num -",
    "NumpadDecimal": "Num .",
    "NumpadMultiply": "Num *",
    "NumpadDivide": "Num /",
}
_SHIFT = "⇧"
_CODES = {text.casefold(): code for code, text in _SHOWN.items()}


def is_key(code: str) -> bool:
    """Whether the desk can listen for it. Tab, Escape and Space are not in the list: they move about the page."""
    return code.removeprefix("Shift+") in _SHOWN


def shown(code: str) -> str:
    """The key as it stands on an English keyboard: `⇧←`, `U`."""
    if code == "Shift+Slash":
        return "?"
    held = _SHIFT if code.startswith("Shift+") else ""
    plain = code.removeprefix("Shift+")
    return held + _SHOWN.get(plain, plain)


def code_of(text: str) -> str:
    """What `shown` says, or somebody typed, as a code again; what is no key stays as it is."""
    text = text.strip()
    if text == "?":
        return "Shift+Slash"
    held = "Shift+" if text.startswith((_SHIFT, "Shift+")) else ""
    plain = text.removeprefix(_SHIFT).removeprefix("Shift+").strip()
    return held + _CODES.get(plain.casefold(), plain)


def every_key() -> dict[str, str]:
    """Code → how it is shown, for a script that listens for keys."""
    return {code: shown(code) for plain in _SHOWN for code in (plain, f"Shift+{plain}")}


def keys_of(own: Mapping[str, str]) -> dict[str, list[str]]:
    """Action → the codes that do it, for someone whose own keys are `own`; an own key replaces all of everyone's."""
    return {action.name: [own[action.name]] if action.name in own else list(action.codes) for action in ACTIONS}


def clashes(own: Mapping[str, str]) -> dict[str, Promise | Action]:
    """What is wrong with each own key: another action that has it, or a sentence; empty where all is well."""
    wrong: dict[str, Promise | Action] = {}
    keys = keys_of(own)
    for name, code in own.items():
        plain = code.removeprefix("Shift+")
        other = next((BY_NAME[other] for other, codes in keys.items() if other != name and code in codes), None)
        if not is_key(code):
            wrong[name] = _("This key cannot be used. Take a letter, an arrow or a sign.")
        elif other is not None:
            wrong[name] = other
        elif plain.startswith(("Digit", "Numpad")) and plain[-1:].isdigit() and name not in _MAY_BE_DIGITS:
            wrong[name] = _("Digits choose a score. Take another key.")
        elif code != plain and plain in (*keys["left"], *keys["right"]):
            wrong[name] = _("With Shift, the keys for left and right mean “much better”. Take another key.")
    return wrong
