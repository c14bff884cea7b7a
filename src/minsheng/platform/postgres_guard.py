"""The supervisor's child that watches the embedded database: `python -m minsheng.platform.postgres_guard`.

The database itself is nobody's child: it outlives a killed supervisor. This process starts it or finds it running, looks
at it twice a second, and ends when it is gone; the supervisor counts that and starts this again, which starts the
database. Recovery may take minutes, during which the supervisor stays free to answer.
"""

from __future__ import annotations

import signal
import sys
import time

from minsheng.platform.postgres import PostgresError, embedded

SECONDS = 0.5


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server = embedded()
    try:
        server.ensure_running()
    except PostgresError as error:
        sys.exit(str(error))
    while server.running() is not None:
        time.sleep(SECONDS)
    sys.exit("The database is gone.")


if __name__ == "__main__":
    main()
