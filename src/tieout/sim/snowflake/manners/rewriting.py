"""A statement made ready for the engine: before fakesnow's own rewriting in Snowflake's words, after it in DuckDB's."""

from __future__ import annotations

from collections.abc import Callable

import fakesnow.transforms  # type: ignore[import-not-found]
from sqlglot import exp  # type: ignore[import-not-found]

from . import functions
from .session import Session

_WIDE = 18
"""Up to so many digits a number fits in 64 bits."""


def before(statement: exp.Expression, session: Session) -> exp.Expression:
    """In Snowflake's words. Names are in capitals from here on."""
    statement = statement.transform(fakesnow.transforms.upper_case_unquoted_identifiers, copy=False)
    temporary = _make_temporary(statement, session)
    _name_temporaries(statement, session, temporary=temporary)
    for rewrite in _BEFORE:
        statement = statement.transform(lambda node, rewrite=rewrite: rewrite(node, session), copy=False)
    for call in functions.BEFORE:
        statement = statement.transform(call, copy=False)
    return statement


def after(statement: exp.Expression) -> exp.Expression:
    """In DuckDB's words."""
    return statement.transform(functions.as_text, copy=False)


def normal(identifier: exp.Identifier | None) -> str:
    """A name as the catalog has it: in capitals unless it was quoted."""
    if identifier is None:
        return ""
    name = str(identifier.name)
    return name if identifier.args.get("quoted") else name.upper()


def _make_temporary(statement: exp.Expression, session: Session) -> bool:
    """A plain table of the schema named, under a name of the session's own, so that no other session meets it."""
    if not isinstance(statement, exp.Create) or statement.kind not in ("TABLE", "VIEW"):
        return False
    properties = statement.args.get("properties")
    marks = [mark for mark in (properties.expressions if properties else []) if isinstance(mark, exp.TemporaryProperty)]
    for mark in marks:
        mark.pop()
    if marks:
        made = statement.this.find(exp.Table)
        whole = session.resolve(made.catalog, made.db, made.name)
        session.temporaries[whole] = f"{made.name}~{session.number}"
    return bool(marks)


def _name_temporaries(statement: exp.Expression, session: Session, *, temporary: bool) -> None:
    if not session.temporaries:
        return
    known = {cte.alias for cte in statement.find_all(exp.CTE)}
    made = statement.this.find(exp.Table) if isinstance(statement, exp.Create) and not temporary else None
    for table in list(statement.find_all(exp.Table)):
        if table is made or not isinstance(table.this, exp.Identifier) or (not table.db and table.name in known):
            continue
        name = session.temporaries.get(session.resolve(table.catalog, table.db, table.name))
        if name is not None:
            if not table.alias and _is_read_by_name(table):
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
            table.set("this", exp.to_identifier(name, quoted=True))


def _is_read_by_name(table: exp.Table) -> bool:
    parent = table.parent
    return isinstance(parent, exp.From | exp.Join | exp.Update | exp.Delete) or (
        isinstance(parent, exp.Merge) and table.arg_key in ("this", "using")
    )


def _told_of_session(node: exp.Expression, session: Session) -> exp.Expression:
    name = node.name.upper() if isinstance(node, exp.Anonymous) else type(node).__name__.upper()
    told = {
        "CURRENTSESSION": str(session.number),
        "CURRENT_SESSION": str(session.number),
        "LAST_QUERY_ID": session.last_query,
        "CURRENTTRANSACTION": None if session.transaction is None else str(session.transaction.number),
        "CURRENTDATABASE": session.connection.database,
        "CURRENT_DATABASE": session.connection.database,
        "CURRENTSCHEMA": session.connection.schema,
        "CURRENT_SCHEMA": session.connection.schema,
        "CURRENTWAREHOUSE": session.warehouse,
        "CURRENT_WAREHOUSE": session.warehouse,
        "CURRENTROLE": session.role,
        "CURRENT_ROLE": session.role,
    }
    if name not in told:
        return node
    value = told[name]
    return exp.Literal.string(value) if value is not None else exp.cast(exp.Null(), "VARCHAR")


def _number_of_hex(node: exp.Expression, session: Session) -> exp.Expression:
    """`TO_NUMBER(text, 'XXXX')`."""
    if not isinstance(node, exp.ToNumber):
        return node
    form = node.args.get("format")
    if form is None or not form.is_string or set(form.name.upper()) != {"X"}:
        return node
    digits = exp.Concat(expressions=[exp.Literal.string("0x"), node.this])
    return exp.cast(exp.cast(digits, "HUGEINT", dialect="duckdb"), "DECIMAL(38, 0)")


def _nearest(node: exp.Expression, session: Session) -> exp.Expression:
    """`ASOF JOIN` keeps the rows that find none, and takes no texts."""
    if isinstance(node, exp.Join) and (condition := node.args.get("match_condition")) is not None:
        node.set("match_condition", None)
        node.set("side", "LEFT")
        node.set("on", condition if node.args.get("on") is None else exp.and_(node.args["on"], condition))
    return node


def _no_enforced_keys(node: exp.Expression, session: Session) -> exp.Expression:
    """Snowflake remembers keys and holds nobody to them."""
    if isinstance(node, exp.Schema):
        kept = [each for each in node.expressions if not isinstance(each, _KEYS) and not _is_named_key(each)]
        node.set("expressions", kept)
    if isinstance(node, exp.ColumnDef):
        node.set("constraints", [each for each in node.constraints if not isinstance(each.kind, _KEYS)])
    return node


_KEYS = (
    exp.PrimaryKey,
    exp.ForeignKey,
    exp.UniqueColumnConstraint,
    exp.PrimaryKeyColumnConstraint,
    exp.Reference,
)


def _is_named_key(each: exp.Expression) -> bool:
    return isinstance(each, exp.Constraint) and all(isinstance(part, _KEYS) for part in each.expressions)


def _told_of_rights(node: exp.Expression, session: Session) -> exp.Expression:
    """fakesnow has no such view."""
    if isinstance(node, exp.Table) and (node.db, node.name) == ("INFORMATION_SCHEMA", "TABLE_PRIVILEGES"):
        rights = exp.table_("_fs_table_privileges", "_fs_information_schema", "_fs_global", quoted=True)
        rights.set("alias", exp.TableAlias(this=exp.to_identifier(node.alias or node.name, quoted=True)))
        return rights
    return node


_BEFORE: tuple[Callable[[exp.Expression, Session], exp.Expression], ...] = (
    _told_of_session,
    _number_of_hex,
    _nearest,
    _no_enforced_keys,
    _told_of_rights,
)


def _exact_number(node: exp.Expression) -> exp.Expression:
    """NUMBER without a precision is NUMBER(38,0), which fakesnow squeezes into 64 bits, as it does INT."""
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.DECIMAL and not node.expressions:
        return exp.DataType.build("DECIMAL(38, 0)")
    if isinstance(node, exp.DataType) and node.this in _SMALL:
        return exp.DataType(this=exp.DataType.Type.BIGINT, nested=False)
    return node


_SMALL = (exp.DataType.Type.INT, exp.DataType.Type.SMALLINT, exp.DataType.Type.TINYINT)

_fakesnow_numeric = fakesnow.transforms.numeric_agg_implicit_cast


def _exact_sum(node: exp.Expression) -> exp.Expression:
    """fakesnow makes a floating number of what is summed; a sum of whole numbers has 38 digits in Snowflake."""
    if not isinstance(node, exp.Sum):
        return _fakesnow_numeric(node)
    if isinstance(node.parent, exp.Select):
        return exp.alias_(node, f"SUM({node.this.sql(dialect='snowflake').upper()})", quoted=True)
    return node


def _trimmed(node: exp.Expression) -> exp.Expression:
    """What is trimmed is text; fakesnow forgets at which end, and of what."""
    if isinstance(node, exp.Trim) and not isinstance(node.this, exp.Cast):
        node.set("this", exp.cast(node.this, "VARCHAR"))
    return node


fakesnow.transforms.trim_cast_varchar = _trimmed
fakesnow.transforms.integer_precision = _exact_number
fakesnow.transforms.numeric_agg_implicit_cast = _exact_sum
