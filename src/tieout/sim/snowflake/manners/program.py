"""The server: sessions, statements and uploads over Snowflake's own HTTP, as its drivers speak it."""

from __future__ import annotations

import gzip
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import fakesnow.server as theirs  # type: ignore[import-not-found]
import pyarrow as pa
import uvicorn  # type: ignore[import-not-found]
from fakesnow.statement_type import DML_TYPE_IDS  # type: ignore[import-not-found]
from fakesnow.transforms import stage  # type: ignore[import-not-found]
from snowflake.connector.errors import Error
from sqlglot.errors import SqlglotError  # type: ignore[import-not-found]
from starlette.applications import Starlette  # type: ignore[import-not-found]
from starlette.concurrency import run_in_threadpool  # type: ignore[import-not-found]
from starlette.requests import Request  # type: ignore[import-not-found]
from starlette.responses import JSONResponse, Response  # type: ignore[import-not-found]
from starlette.routing import Route  # type: ignore[import-not-found]

from . import account, answers, bindings, catalog, macros, plain
from .cursor import Cursor
from .errors import refusal
from .faults import Fault, Faults
from .locks import Locks
from .recording import Record
from .running import Memory, run
from .session import PARAMETERS, Session

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

_results_max = 100

_log = logging.getLogger("stand-in")

_MISTAKES = (
    ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError,
    SqlglotError, duckdb.Error, pa.ArrowException,
)  # fmt: skip
"""Told to the client at once; a status of 500 would make it try again for minutes."""


@dataclass
class House:
    """What all sessions share."""

    locks: Locks = field(default_factory=Locks)
    sessions: dict[str, Session] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    faults: Faults = field(default_factory=Faults)
    record: Record = field(default_factory=lambda: Record(None))


def serve(host: str, port: int, record: Path | None, *, end_with_stdin: bool) -> None:
    """Until SIGTERM. Says `ready <port>` once it listens. Whoever keeps it alive may hold its standard input open:
    then it does not outlive a keeper that was killed."""
    if end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    listening = socket.create_server((host, port))
    # Inherited by each connection: without it an answer in two parts waits 40 ms for the other side's receipt.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = application(House(record=Record(record)))
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    sys.stdout.write(f"ready {listening.getsockname()[1]}\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn, having stopped, sends itself the signal again
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        shutil.rmtree(stage.LOCAL_BUCKET_PATH, ignore_errors=True)


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


theirs.shared_fs.duck_conn.execute(macros.creation("memory"))
theirs.shared_fs.duck_conn.execute(catalog.columns())
account.prepare(theirs.shared_fs.duck_conn)
theirs.shared_fs.create_database_on_connect = theirs.shared_fs.create_schema_on_connect = False
"""To name a database at the login makes none; the session begins without one if it is not there."""


def application(house: House) -> Application:
    async def login(request: Request) -> Response:
        return _login(house, request, await _body(request))

    async def session(request: Request) -> Response:
        found = house.sessions.get(_token(request))
        if found is None:
            return _gone()
        if request.query_params.get("delete"):
            house.sessions.pop(_token(request), None)
            await run_in_threadpool(found.close)
        return JSONResponse({"data": None, "code": None, "message": None, "success": True})

    async def query(request: Request) -> Response:
        return await _query(house, request)

    async def renew(request: Request) -> Response:
        found = house.sessions.get((await _body(request))["oldSessionToken"])
        return _gone() if found is None else _renewed(house, found)

    async def abort(request: Request) -> Response:
        """What runs in the session ends with error 000604. Who waits for a lock goes on waiting."""
        if (found := house.sessions.get(_token(request))) is not None:
            found.engine.interrupt()
        return JSONResponse({"success": True})

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            house.faults.post(await _body(request))
        elif request.method == "DELETE":
            house.faults.clear()
        return JSONResponse(house.faults.told())

    inner = Starlette(
        routes=[
            Route("/session/v1/login-request", login, methods=["POST"]),
            Route("/session", session, methods=["POST"]),
            Route("/session/token-request", renew, methods=["POST"]),
            Route("/stand-in/faults", faults, methods=["GET", "POST", "DELETE"]),
            Route("/session/heartbeat", session, methods=["POST"]),
            Route("/queries/v1/query-request", query, methods=["POST"]),
            Route("/queries/v1/abort-request", abort, methods=["POST"]),
            Route("/fs_bucket/{path:path}", theirs.bucket_upload, methods=["PUT"]),
            Route("/telemetry/send", lambda _: JSONResponse({"success": True}), methods=["POST"]),
        ]
    )

    async def outer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        """With the connection at hand, which a fault may have to cut."""
        await inner({**scope, "stand_in.transport": receive.__self__.transport}, receive, send)

    return outer


async def _query(house: House, request: Request) -> Response:
    found = house.sessions.get(_token(request))
    if found is None:
        return _gone()
    body = await _body(request)
    fault = house.faults.of(body.get("sqlText", ""))
    answer = await run_in_threadpool(_meet, house, found, fault, body, request)
    if fault is not None and fault.ends_session:
        house.sessions.pop(_token(request), None)
        await run_in_threadpool(found.close)
    if fault is not None and fault.kind in ("drop", "lose_answer"):
        request.scope["stand_in.transport"].abort()
    return answer


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    read: dict[str, Any] = json.loads(body)
    return read


def _token(request: Request) -> str:
    return str(request.headers.get("Authorization", ""))[17:-1]


def _gone() -> Response:
    return _refused("390111", "Session no longer exists. New login required to access the service.", None)


def _refused(code: str, message: str, state: str | None) -> Response:
    data = {"errorCode": code, "sqlState": state, "queryId": None}
    return JSONResponse({"data": data, "code": code, "message": message, "success": False})


def _login(house: House, request: Request, body: dict[str, Any]) -> Response:
    database, schema = (
        (name := request.query_params.get(key)) and theirs.normalise_ident(name)
        for key in ("databaseName", "schemaName")
    )
    connection = theirs.shared_fs.connect(database, schema)
    if not connection.database_set:
        connection.database = connection._schema = None
    elif not connection.schema_set:
        connection._schema = None
    asked = body["data"].get("SESSION_PARAMETERS") or {}
    if database and not connection.database_set and asked.get("CLIENT_VALIDATE_DEFAULT_PARAMETERS"):
        return _refused("390201", "The requested database does not exist or not authorized.", "08004")
    session = connection.tieout_session = Session(connection, house.locks)
    session.warehouse = (name := request.query_params.get("warehouse")) and theirs.normalise_ident(name)
    session.role = ((name := request.query_params.get("roleName")) and theirs.normalise_ident(name)) or session.role
    session.show_moments_in(session.parameter("TIMEZONE"))
    for name, value in asked.items():
        if name.upper() in PARAMETERS:
            plain.set_parameter(session, name, str(value))
    token = secrets.token_urlsafe(32)
    house.sessions[token] = session
    data = {
        "token": token, "masterToken": secrets.token_urlsafe(32), "serverVersion": theirs.SERVER_VERSION,
        "validityInSeconds": 3600, "masterValidityInSeconds": 14400, "sessionId": session.number,
        "parameters": _parameters(session),
        "sessionInfo": {
            "databaseName": connection.database, "schemaName": connection.schema,
            "warehouseName": session.warehouse, "roleName": session.role,
        },
    }  # fmt: skip
    return JSONResponse({"data": data, "success": True})


def _parameters(session: Session) -> list[dict[str, Any]]:
    """What a driver wants to know; without a threshold it would send long array bindings as a file."""
    return [
        {"name": "AUTOCOMMIT", "value": session.is_set("AUTOCOMMIT")},
        {"name": "TIMEZONE", "value": session.parameter("TIMEZONE")},
        {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
        {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
    ]


def _renewed(house: House, session: Session) -> Response:
    """Another token for the same session, as a driver asks for when it is told that the old one has expired."""
    token = secrets.token_urlsafe(32)
    house.sessions[token] = session
    data = {
        "sessionToken": token, "validityInSecondsST": 3600, "masterToken": secrets.token_urlsafe(32),
        "validityInSecondsMT": 14400, "sessionId": session.number,
    }  # fmt: skip
    return JSONResponse({"data": data, "success": True})


def _meet(house: House, session: Session, fault: Fault | None, body: dict[str, Any], request: Request) -> Response:
    match fault.kind if fault is not None else None:
        case "drop":
            return Response()
        case "unavailable":
            return Response(status_code=503)
        case "session_expired":
            return _refused("390112", "Your session has expired. Please login again.", None)
        case "token_expired":
            return _refused("390114", "Authentication token has expired. The user must authenticate again.", "08001")
        case "lock_waiters" | "cancelled" as kind:
            return JSONResponse(_told_of(refusal(kind, table="T")))
        case "delay":
            threading.Event().wait(fault.seconds if fault is not None else 0)
    return _answer(house, session, body, request)


def _answer(house: House, session: Session, body: dict[str, Any], request: Request) -> Response:
    asked = request.query_params.get("requestId", "")
    with session.busy:
        if (known := session.answered.get(asked)) is not None:
            return JSONResponse(known)
        within = session.transaction is not None
        session.kind = "unknown"
        try:
            told = _run(house, session, body, request)
        except Error as error:
            told = _told_of(error)
        except NotImplementedError as error:
            told = _told_of(refusal("unsupported", what=f"{error} in the stand-in"))
        except _MISTAKES as error:
            _log.exception("%s", body.get("sqlText"))
            told = _told_of(refusal("mistake", what=f"{type(error).__name__}: {error}"))
        session.remember(asked, told)
        house.record.write(session, body, told, kind=session.kind, within=within)
        return JSONResponse(told)


def _told_of(error: Error) -> dict[str, Any]:
    code = f"{error.errno:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate, "queryId": secrets.token_hex(16)}
    return {"data": data, "code": code, "message": error.raw_msg, "success": False}


def _run(house: House, session: Session, body: dict[str, Any], request: Request) -> dict[str, Any]:
    values, batch = bindings.read(body.get("bindings") or {})
    if batch is None:
        cursor = run(session, body["sqlText"], values, house.memory)
        count = None
    else:
        count = 0
        for row in batch:
            cursor = run(session, body["sqlText"], row, house.memory)
            count += cursor.rows.column(0)[0].as_py()
    _forget_old(session.connection.results_cache)
    upload = cursor._last_transformed.args.get("put_stage_data")
    session.last_query = cursor.sfqid
    if upload:
        if not values:
            upload["stageInfo"] = theirs.gcs_stage_info(request, cursor._last_transformed, upload)
        return {"data": {**upload, "queryId": cursor.sfqid}, "success": True}
    return {"data": _data(session, cursor, count), "success": True}


def _forget_old(results: dict[str, Any]) -> None:
    """fakesnow keeps each answer for good, for RESULT_SCAN; sessions may do this at once."""
    for query in list(results)[:-_results_max]:
        results.pop(query, None)


def _data(session: Session, cursor: Cursor, count: int | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "parameters": _parameters(session),
        "rowtype": cursor.columns,
        "total": cursor.rows.num_rows,
        "returned": cursor.rows.num_rows,
        "queryId": cursor.sfqid,
        "statementTypeId": cursor.type_id,
        "finalDatabaseName": session.connection.database,
        "finalSchemaName": session.connection.schema,
        "finalWarehouseName": session.warehouse,
        "finalRoleName": session.role,
    }
    if cursor.type_id in DML_TYPE_IDS:
        done = [list(row.values()) for row in cursor.rows.to_pylist()] if count is None else [[count]]
        return {**told, "queryResultFormat": "json", "rowset": [[str(each) for each in row] for row in done]}
    batch = b64encode(answers.encoded(cursor.rows, cursor.columns)).decode()
    return {**told, "queryResultFormat": "arrow", "rowsetBase64": batch}
