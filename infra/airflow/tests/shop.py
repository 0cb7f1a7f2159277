"""A real PostgreSQL with a table of orders, started in tieout's own environment: prints its address, then runs each
line that it is told as a statement, and ends with its input."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import psycopg

from tieout.sim.server import PostgresServer

ROWS = 3000

with tempfile.TemporaryDirectory(prefix="tieout-server-") as folder, PostgresServer(Path(folder) / "data") as server:
    # The server runs as another user where this process is root's.
    Path(folder).chmod(0o755)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create table orders (id bigint primary key, note text, at date)")
        connection.execute(
            "insert into orders select n, 'note', date '2026-01-01' + n::int / 100 from generate_series(1, %s) n",
            [ROWS],
        )
        connection.execute("analyze orders")
        sys.stdout.write(server.url() + "\n")
        sys.stdout.flush()
        for line in sys.stdin:
            connection.execute(line.encode())
            sys.stdout.write("done\n")
            sys.stdout.flush()
