"""What `manage.py` does in its environment: its own two commands, or Django's with the services they need."""

from __future__ import annotations

import os
import signal
import sys

import environ

from apps.config.bootstrap import ROOT, say
from apps.config.embedded import ServiceError, add_programs_to_path, services, var_folder

#: commands that read files, write files or ask nothing of the database
WITHOUT_SERVICES = {
    *("analyze", "gate", "judge_templates"),
    *("check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "makemessages"),
    *("startapp", "startproject", "help", "version", "--help", "-h", "--version"),
}
HELP = """\
Jurybox:
  python3 manage.py up      start everything on this machine and print the address (up --help for options)
  python3 manage.py test    format, lint, types, layers and every test; with arguments: only those tests
"""


def run(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    name = argv[1] if len(argv) > 1 else "help"
    try:
        if name == "test":
            # Before .env and the settings' name are in the environment: tests start servers of their own, and pytest
            # must not read the settings before it has.
            from apps.config import checks

            return checks.main(argv[2:])
        if (ROOT / ".env").is_file():
            environ.Env.read_env(str(ROOT / ".env"))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apps.config.settings")
        if name == "up":
            from apps.config import up

            return up.main(argv[2:])
        if name in {"help", "--help", "-h"} and len(argv) <= 2:
            print(HELP)
        if name in WITHOUT_SERVICES or {"--help", "-h"} & set(argv) or os.environ.get("JURYBOX_MODE") == "production":
            return django(argv)
        with services(var_folder(), command=f"manage.py {name}", external=os.environ, say=say) as urls:
            os.environ |= urls
            add_programs_to_path()
            return django(argv)
    except ServiceError as error:
        say(str(error))
        return 1
    except PermissionError as error:
        say(f"{error}\nAnother user (root?) made this. Run the command as that user, or change the owner with chown.")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # `manage.py ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def django(argv: list[str]) -> int:
    """Run a Django command; a command ends with SystemExit when it has an exit status of its own."""
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(argv)
    except ImproperlyConfigured as error:
        say(str(error))
        return 1
    return 0
