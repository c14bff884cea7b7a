"""The command line `minsheng`.

Three commands are the platform's own: up, demo, check. Every other is a room's Django management command, found by its
name: `minsheng audit verify` runs `audit_verify`, `minsheng import-messages FILE` runs `import_messages`. A room adds
one by adding its file; nothing is registered here. `minsheng manage …` reaches Django's own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Collection, Iterator, Sequence

from minsheng.platform import home
from minsheng.platform.postgres import PostgresError, embedded_in_use

# Of Django's own commands, those that an operator needs by name.
DJANGO = {"migrate": "bring the database's tables up to date"}
# Commands that never ask the database: no reason to start one.
WITHOUT_DATABASE = {"help", "version", "collectstatic", "diffsettings", "makemessages", "compilemessages", "startapp"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an error that its user can mend is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "minsheng.platform.settings")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _run(words)
    except PostgresError as error:
        sys.exit(f"minsheng: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _run(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
    elif words[0] in ("up", "demo"):
        _supervise(words)
    elif words[0] == "check":
        _check(words[1:])
    elif words[0] == "manage":
        _manage(words[1:])
    elif (found := find(words, room_commands())) is not None:
        name, rest = found
        _manage([name, *rest])
    else:
        sys.exit(f"minsheng: there is no command {' '.join(words[:2])!r}.\n\n{overview()}")


def find(words: Sequence[str], commands: Collection[str]) -> tuple[str, list[str]] | None:
    """The longest run of leading words that names a command, joined by `_`, and what follows it."""
    leading = []
    for word in words:
        if word.startswith("-"):
            break
        leading.append(word.replace("-", "_"))
    for length in range(len(leading), 0, -1):
        name = "_".join(leading[:length])
        if name in commands:
            return name, list(words[length:])
    return None


def room_commands() -> dict[str, str]:
    """Commands of our own rooms, and the few of Django's that are ours to offer: name → app."""
    import django
    from django.core.management import get_commands

    django.setup()
    return {
        name: app
        for name, app in get_commands().items()
        if name in DJANGO or (isinstance(app, str) and app.startswith("minsheng."))
    }


def overview() -> str:
    """All commands, each with what it does."""
    from django.core.management import load_command_class

    lines = {
        "up": "serve: database, pages, events and worker, under supervision",
        "demo": "the same with demonstration data and logins",
        "check [--deploy]": "ask whether all is set up well; --deploy: for production",
        "manage …": "any command of Django's manage.py",
    }
    for name, app in sorted(room_commands().items()):
        lines[name.replace("_", "-")] = DJANGO.get(name) or load_command_class(app, name).help
    width = max(map(len, lines))
    return "\n".join(["minsheng: a city's 12345 hotline · 民声", *(f"  {k:<{width}}  {v}" for k, v in lines.items())])


def _supervise(words: list[str]) -> None:
    from minsheng.platform import up

    parser = argparse.ArgumentParser(prog=f"minsheng {words[0]}")
    if words[0] == "demo":
        parser.add_argument("--no-serve", action="store_true", help="set up, print the logins, and end")
    options = parser.parse_args(words[1:])
    try:
        if words[0] == "up":
            up.up()
        else:
            up.demo(serve=not options.no_serve)
    except up.NotReady as error:
        sys.exit(f"minsheng: {error}")


def _check(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="minsheng check")
    parser.add_argument("--deploy", action="store_true", help="also ask what only production must answer")
    options = parser.parse_args(words)
    # For production a warning is a failure: whoever knows better silences it, with the reason, in the settings.
    _manage(["check", "--database", "default", *(["--deploy", "--fail-level", "WARNING"] if options.deploy else [])])


def _manage(words: list[str]) -> None:
    from django.core.management import execute_from_command_line

    with _database_for(words):
        execute_from_command_line(["minsheng", *words])


@contextlib.contextmanager
def _database_for(words: list[str]) -> Iterator[None]:
    """Where the database is ours: started if need be, and stopped after the last who uses it."""
    outside = words[:1] == ["bench_push"] and "--inside" not in words  # it makes a database of its own, and runs again in there
    idle = not words or outside or words[0] in WITHOUT_DATABASE or "--help" in words or "-h" in words
    if idle or not home.is_embedded():
        yield
        return
    with embedded_in_use():
        yield


if __name__ == "__main__":
    main()
