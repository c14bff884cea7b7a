"""The supervisor's child that watches the embedded database: `python -m minsheng.platform.postgres_guard`.

The database itself is nobody's child: it outlives a killed supervisor. This process looks at it twice a second and
starts it when it is gone; recovery may take minutes, during which the supervisor stays free to answer.
"""

from __future__ import annotations

import signal
import sys
import time

from minsheng.platform.postgres import PostgresError, embedded

SECONDS = 0.5


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    server = embedded()
    while True:
        if server.running() is None:
            print("database ended; starting it again", file=sys.stderr, flush=True)
            try:
                server.ensure_running()
            except PostgresError as error:
                sys.exit(str(error))
        time.sleep(SECONDS)


if __name__ == "__main__":
    main()
