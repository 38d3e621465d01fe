#!/usr/bin/env python3
"""The one command of Jurybox: `python3 manage.py up`, `python3 manage.py test`, and everything else that Django has.

It works on a fresh clone: on first use it makes `.venv`, installs what is missing there and goes on inside it.
This file parses on old Pythons, so that it can say which one is needed.
"""

import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
OLDEST = (3, 11)


def go_on_with_a_newer_python():
    # type: () -> int
    """Run the same command with a newer Python of this machine, or say that one is needed."""
    for name in ("python3.12", "python3.11", "python3.13", "python3.14"):
        program = shutil.which(name)
        if program and subprocess.call([program, "-c", "import ensurepip"], stderr=subprocess.DEVNULL) == 0:
            sys.stderr.write("This Python is too old for Jurybox; using %s.\n" % program)
            sys.stderr.flush()
            os.execv(program, [program, *sys.argv])
    sys.stderr.write(
        "Jurybox needs Python %d.%d or newer, and this is Python %d.%d.\n"
        "Install a newer one (Debian 12 and Ubuntu 24.04 have it: sudo apt install python3 python3-venv;\n"
        "elsewhere: https://www.python.org/downloads/) and run: python3.11 manage.py %s\n"
        % (OLDEST + sys.version_info[:2] + (" ".join(sys.argv[1:]),))
    )
    return 1


def main():
    # type: () -> int
    if os.name != "posix":
        sys.stderr.write("Jurybox runs on Linux and macOS. On Windows, run it inside WSL (wsl --install).\n")
        return 1
    if sys.version_info < OLDEST:
        return go_on_with_a_newer_python()
    sys.path.insert(0, ROOT)
    from apps.config import bootstrap

    try:
        bootstrap.enter(dev=sys.argv[1:2] == ["test"])
    except bootstrap.BootstrapError as error:
        sys.stderr.write("%s\n" % error)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Run the command again to go on.\n")
        return 130

    from apps.config import commands

    return commands.run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
