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

from . import answers, bindings, plain
from .copying import Loaded
from .cursor import Cursor
from .locks import Locks
from .running import run
from .session import PARAMETERS, Session

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
    loaded: Loaded = field(default_factory=dict)


def serve(host: str, port: int, record: Path | None, *, end_with_stdin: bool) -> None:
    """Until SIGTERM. Says `ready <port>` once it listens. Whoever keeps it alive may hold its standard input open:
    then it does not outlive a keeper that was killed."""
    if end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    listening = socket.create_server((host, port))
    app = application(House())
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    sys.stdout.write(f"ready {listening.getsockname()[1]}\n")
    sys.stdout.flush()
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        shutil.rmtree(stage.LOCAL_BUCKET_PATH, ignore_errors=True)


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def application(house: House) -> Starlette:
    async def login(request: Request) -> Response:
        return _login(house, request, await _body(request))

    async def session(request: Request) -> Response:
        found = house.sessions.get(_token(request))
        if found is None:
            return _gone()
        if request.query_params.get("delete"):
            del house.sessions[_token(request)]
            await run_in_threadpool(found.close)
        return JSONResponse({"data": None, "code": None, "message": None, "success": True})

    async def query(request: Request) -> Response:
        found = house.sessions.get(_token(request))
        if found is None:
            return _gone()
        asked, body = request.query_params.get("requestId", ""), await _body(request)
        return await run_in_threadpool(_answer, house, found, asked, body, request)

    return Starlette(
        routes=[
            Route("/session/v1/login-request", login, methods=["POST"]),
            Route("/session", session, methods=["POST"]),
            Route("/session/heartbeat", session, methods=["POST"]),
            Route("/queries/v1/query-request", query, methods=["POST"]),
            Route("/queries/v1/abort-request", lambda _: JSONResponse({"success": True}), methods=["POST"]),
            Route("/fs_bucket/{path:path}", theirs.bucket_upload, methods=["PUT"]),
            Route("/telemetry/send", lambda _: JSONResponse({"success": True}), methods=["POST"]),
        ]
    )


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
    session = connection.tieout_session = Session(connection, house.locks)
    session.warehouse = (name := request.query_params.get("warehouse")) and theirs.normalise_ident(name)
    session.role = ((name := request.query_params.get("roleName")) and theirs.normalise_ident(name)) or session.role
    for name, value in (body["data"].get("SESSION_PARAMETERS") or {}).items():
        if name.upper() in PARAMETERS:
            plain.set_parameter(session.parameters, name, str(value))
    token = secrets.token_urlsafe(32)
    house.sessions[token] = session
    data = {
        "token": token, "masterToken": secrets.token_urlsafe(32), "serverVersion": theirs.SERVER_VERSION,
        "validityInSeconds": 3600, "masterValidityInSeconds": 14400, "sessionId": session.number,
        "parameters": _parameters(session),
        "sessionInfo": {
            "databaseName": database, "schemaName": schema,
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


def _answer(house: House, session: Session, asked: str, body: dict[str, Any], request: Request) -> Response:
    with session.busy:
        if (known := session.answered.get(asked)) is not None:
            return JSONResponse(known)
        try:
            told = _run(house, session, body, request)
        except Error as error:
            code = f"{error.errno:06d}"
            data = {"errorCode": code, "sqlState": error.sqlstate, "queryId": secrets.token_hex(16)}
            told = {"data": data, "code": code, "message": error.raw_msg, "success": False}
        except NotImplementedError as error:
            data = {"errorCode": "000002", "sqlState": "0A000"}
            message = f"Unsupported feature of the stand-in: {error}"
            told = {"data": data, "code": "000002", "message": message, "success": False}
        except _MISTAKES as error:
            _log.exception("%s", body.get("sqlText"))
            data = {"errorCode": "300002", "sqlState": "XX000"}
            message = f"A mistake in the stand-in: {type(error).__name__}: {error}"
            told = {"data": data, "code": "300002", "message": message, "success": False}
        session.remember(asked, told)
        return JSONResponse(told)


def _run(house: House, session: Session, body: dict[str, Any], request: Request) -> dict[str, Any]:
    values, batch = bindings.read(body.get("bindings") or {})
    if batch is None:
        cursor = run(session, body["sqlText"], values, house.loaded)
        count = None
    else:
        count = 0
        for row in batch:
            cursor = run(session, body["sqlText"], row, house.loaded)
            count += cursor.rows.column(0)[0].as_py()
    upload = cursor._last_transformed.args.get("put_stage_data")
    session.last_query = cursor.sfqid
    if upload:
        if not values:
            upload["stageInfo"] = theirs.gcs_stage_info(request, cursor._last_transformed, upload)
        return {"data": {**upload, "queryId": cursor.sfqid}, "success": True}
    return {"data": _data(session, cursor, count), "success": True}


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
