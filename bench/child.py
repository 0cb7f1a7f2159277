"""A deed done by a process of its own, as users have it: its time, its CPU and its memory are the system's word.

`python -m bench.child FLOOR ...` is a floor that needs a process of its own too, so that both sides begin alike.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import duckdb
import httpx
import psutil
import psycopg2
import pyarrow as pa
from adbc_driver_postgresql import dbapi
from psycopg2.extras import REPLICATION_LOGICAL, LogicalReplicationConnection
from pyarrow import csv

from tieout.base.errors import Broken, Transient
from tieout.base.sql import literal
from tieout.capture.postgres.lsn import lsn_number
from tieout.run.clock import SystemClock
from tieout.run.serve import SocketReader, socket_path
from tieout.sim.worker import WorkerProcess

from .postgres import counted
from .shop import SQL
from .timing import Watch

PUBLICATION = SLOT = "floor"
_KIB_IN_MIB = 1024
_FOLLOWED_SECONDS_MAX = 600.0
_LOOK_SECONDS = 0.5


def timed(watch: Watch, arguments: Sequence[str], *, codes: Sequence[int] = (0,)) -> None:
    """Runs `python ARGUMENTS` and fills the watch with what it took. Raises Broken when it ends by none of `codes`."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, env=os.environ)
    _, status, usage = os.wait4(process.pid, 0)
    watch.wall = time.perf_counter() - began
    watch.cpu = usage.ru_utime + usage.ru_stime
    watch.peak = usage.ru_maxrss / _KIB_IN_MIB
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        raise Broken(f"bench: {' '.join(arguments)} ended with exit code {process.returncode}.")


def load(url: str, path: str) -> None:
    """ADBC straight into a DuckDB table, batch by batch."""
    with duckdb.connect(path) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        warehouse.execute(SQL("create_wide_copy"))
        with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(str(SQL("read_sales")))
            for batch in cursor.fetch_record_batch():
                warehouse.register("batch", _plain(batch))
                warehouse.execute(SQL("insert_wide"))


def followed(watch: Watch, project: Path, statement: str, *, until: int) -> None:
    """Runs `tieout run` on a project until the statement, which counts, comes to `until`; then stops it. The watch is
    filled with what it took to come there."""
    clock, log = SystemClock(), project / "worker.log"
    reader = SocketReader(socket_path(project / ".tieout" / "warehouse.duckdb"))
    worker, began = WorkerProcess(project, log), time.perf_counter()
    worker.start()
    try:
        for _ in range(int(_FOLLOWED_SECONDS_MAX / _LOOK_SECONDS)):
            worker.check()
            if _counted(reader, statement) >= until:
                break
            clock.sleep(_LOOK_SECONDS)
        watch.wall = time.perf_counter() - began
        process = psutil.Process(worker.pid)
        spent = process.cpu_times()
        watch.cpu, watch.peak = spent.user + spent.system, _peak(process.pid)
        worker.stop()
    finally:
        worker.kill()


def _counted(reader: SocketReader, statement: str) -> int:
    try:
        return int(reader.query(statement).column(0)[0].as_py())
    except Transient:
        return 0  # the worker does not listen yet


def _peak(pid: int) -> float | None:
    """The most memory that a process has had, in MiB; None where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    told = (line.split() for line in status.read_text().splitlines()) if status.exists() else ()
    return next((int(words[1]) / _KIB_IN_MIB for words in told if words[:1] == ["VmHWM:"]), None)


def deals(address: str, token: str, path: str) -> None:
    """All pages of a Bulk result into a DuckDB table."""
    locator, is_first = "", True
    with duckdb.connect(path) as warehouse, httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        warehouse.execute("set TimeZone = 'UTC'")
        while locator != "null":  # bounded: a result ends
            answer = client.get(address + (f"&locator={locator}" if locator else ""), timeout=60.0).raise_for_status()
            locator = answer.headers["Sforce-Locator"]
            page = csv.read_csv(BytesIO(answer.content), parse_options=csv.ParseOptions(newlines_in_values=True))
            warehouse.register("page", page)
            warehouse.execute(SQL("create_deals" if is_first else "insert_deals"))
            is_first = False


def compare(url: str, path: str, warehouse: str) -> None:
    """The source's rows beside a warehouse's, value by value. Raises Broken unless exactly one differs."""
    load(url, path)
    with duckdb.connect(path) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(SQL("attach_here", path=literal(warehouse)))
        (differing,) = connection.execute(SQL("count_differing")).fetchone() or (None,)
    if differing != 1:
        raise Broken(f"bench: {differing} rows differ, and not 1.")


def _plain(batch: pa.RecordBatch) -> pa.Table:
    """ADBC hands numerics over as an opaque type that holds text."""
    arrays = [getattr(column, "storage", column) for column in batch.columns]
    return pa.Table.from_arrays(arrays, names=batch.schema.names)


def count(url: str, until: str) -> None:
    """Receives what a slot holds up to a position of the log, drops it, and lets the server forget it."""
    end = lsn_number(until)
    connection = psycopg2.connect(url, connection_factory=LogicalReplicationConnection)
    with connection.cursor() as cursor:
        options = {"proto_version": "1", "publication_names": PUBLICATION}
        cursor.start_replication(slot_name=SLOT, slot_type=REPLICATION_LOGICAL, options=options, decode=False)
        counted(cursor, end)
        cursor.send_feedback(flush_lsn=end, force=True)  # type: ignore[no-untyped-call]
    connection.close()


_FLOORS = {"load": load, "deals": deals, "count": count, "compare": compare}

if __name__ == "__main__":
    _FLOORS[sys.argv[1]](*sys.argv[2:])
