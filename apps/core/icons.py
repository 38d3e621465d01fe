"""Every icon of the interface, drawn on a 24 px grid with a 1.75 stroke; `{% icon "check" %}` puts one on a page."""

from __future__ import annotations

PATHS = {
    # Taken from the drawn screens.
    "account": '<circle cx="12" cy="8.5" r="3.75"/><path d="M4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5"/>',
    "book": '<path d="M4.5 5.5c2.5-1 5-1 7.5.7 2.5-1.7 5-1.7 7.5-.7v13c-2.5-1-5-1-7.5.7-2.5-1.7-5-1.7-7.5-.7z'
    'M12 6.2v13"/>',
    "check": '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
    "chevron-down": '<path d="m6 9 6 6 6-6"/>',
    "chevron-left": '<path d="m15 6-6 6 6 6"/>',
    "chevron-right": '<path d="m9 6 6 6-6 6"/>',
    "close": '<path d="M6 6l12 12M18 6 6 18"/>',
    "flag": '<path d="M6 20.5V4.5M6 5c4-2 7 2 12 0v9c-5 2-8-2-12 0"/>',
    "half": '<circle cx="12" cy="12" r="7.5"/><path d="M12 4.5a7.5 7.5 0 0 1 0 15z" fill="currentColor"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 8v.1"/>',
    "keyboard": '<rect x="3" y="6.5" width="18" height="11.5" rx="2"/>'
    '<path d="M7 10.5v.1M11 10.5v.1M15 10.5v.1M8 14.5h8"/>',
    "link": '<path d="M10 14l4-4M8.5 11 6 13.5a3.2 3.2 0 0 0 4.5 4.5L13 15.5M15.5 13 18 10.5A3.2 3.2 0 0 0 13.5 6'
    'L11 8.5"/>',
    "lock": '<rect x="5.5" y="11" width="13" height="8.5" rx="1.5"/><path d="M8.5 11V8a3.5 3.5 0 0 1 7 0v3"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "note": '<path d="M5 5h14v10l-4 4H5zM15 19v-4h4M8.5 9.5h7M8.5 13h4"/>',
    "offline": '<path d="M4 4l16 16M8 8.5A4.5 4.5 0 0 0 7 17.5h9.5M11 7a5 5 0 0 1 6.5 4 3.5 3.5 0 0 1 2.5 5"/>',
    "pause": '<path d="M9 6v12M15 6v12"/>',
    "skip": '<path d="m6 6 7 6-7 6zM18 6v12"/>',
    "theme": '<circle cx="12" cy="12" r="8"/><path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor"/>',
    "upload": '<path d="M12 19V6M6 11.5 12 5.5l6 6"/>',
    "warning": '<path d="M12 4 2.8 19.5h18.4zM12 10v4.5M12 17.2v.1"/>',
    # Drawn to match, for pages that were not drawn.
    "archive": '<path d="M4 5h16v4H4zM5.5 9v10h13V9M10 13h4"/>',
    "circle": '<circle cx="12" cy="12" r="7.5"/>',
    "clock": '<circle cx="12" cy="12" r="8"/><path d="M12 7.5V12l3 2"/>',
    "copy": '<rect x="8.5" y="8.5" width="11" height="11" rx="1.5"/><path d="M15.5 8.5v-4h-11v11h4"/>',
    "download": '<path d="M12 5v13M6 12.5l6 6 6-6"/>',
    "edit": '<path d="M5 19l1-4L16 5l3 3L9 18zM14 7l3 3"/>',
    "external": '<path d="M13 5h6v6M19 5l-9 9M10 6H5v13h13v-5"/>',
    "file": '<path d="M6.5 4h7l4 4v12h-11zM13.5 4v4h4"/>',
    "play": '<path d="m8 5.5 10 6.5-10 6.5z"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "refresh": '<path d="M19 12a7 7 0 1 1-2-5M17 3.5V7h-3.5"/>',
    "search": '<circle cx="11" cy="11" r="6"/><path d="m15.5 15.5 4.5 4.5"/>',
    "stop": '<rect x="6.5" y="6.5" width="11" height="11" rx="1.5"/>',
    "team": '<circle cx="9" cy="9" r="3.25"/><path d="M3 19c.7-3.4 3-5 6-5s5.3 1.6 6 5M15 6a3.25 3.25 0 0 1 0 6'
    'M17 14.500c2 .6 3.4 2 4 4.5"/>',
    "trash": '<path d="M5 7h14M9.5 7V4.500h5V7M7 7l.8 12.500h8.400L17 7M10.5 10.500v5.500M13.5 10.500v5.5"/>',
    "undo": '<path d="M8.5 5 5 8.5 8.5 12M5 8.500h8.500a5.25 5.25 0 0 1 0 10.500H9"/>',
}
