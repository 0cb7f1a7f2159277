"""Values of every type of PostgreSQL, and the text that the warehouse's value has when it is written out."""

from __future__ import annotations

from collections.abc import Iterable

TYPES_MADE = """
    create type mood as enum ('fine', 'so "so"');
    create domain positive as int check (value > 0);
    create domain tags as text[];
    create type pair as (a int, b text);
    create type "Odd Pair" as ("First One" pair, moods mood[], price numeric, yes bool, doc jsonb);
"""

_LONG = "12345678901234567890123456789012345678901.50"

VALUES: list[tuple[str, str, str]] = [
    ("bool", "true", "true"),
    ("bool", "false", "false"),
    ("smallint", "-32768", "-32768"),
    ("integer", "2147483647", "2147483647"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("numeric", "'NaN'", "NaN"),
    ("numeric", "'-Infinity'", "-Infinity"),
    ("numeric", "0.10", "0.10"),
    ("numeric", _LONG, _LONG),
    ("numeric", "1e-20", "0.00000000000000000001"),
    ("numeric(12,2)", "-0.015", "-0.02"),
    ("numeric(12,2)", "9999999999.99", "9999999999.99"),
    ("numeric(38,10)", "-1234567890123456789012345678.0123456789", "-1234567890123456789012345678.0123456789"),
    ("numeric(40,2)", "1.5", "1.50"),
    ("numeric(5,-2)", "12345", "12300"),
    ("numeric(3,5)", "0.00123", "0.00123"),
    ("real", "'NaN'", "nan"),
    ("real", "1.1", "1.1"),
    ("real", "'-Infinity'", "-inf"),
    ("real", "'-0'", "-0.0"),
    ("double precision", "0.1", "0.1"),
    ("double precision", "1e308", "1e+308"),
    ("double precision", "5e-324", "5e-324"),
    ("double precision", "'-0'", "-0.0"),
    ("double precision", "'Infinity'", "inf"),
    ("money", "'-1234.5'", "-$1,234.50"),
    ("text", "''", ""),
    ("text", "'naïve 日本 \U0001f600'", "naïve 日本 \U0001f600"),
    ("text", "E'two\\nlines\\ttab \\\\ \"quote\"'", 'two\nlines\ttab \\ "quote"'),
    ("char(5)", "'ab'", "ab   "),
    ("char(5)", "''", "     "),
    ("bpchar", "'ab '", "ab "),
    ("varchar(9)", "'ab '", "ab "),
    ("name", "'Order Items'", "Order Items"),
    ('"char"', "'a'", "a"),
    ('"char"', "'\\351'", "\\351"),
    ("bytea", "''", ""),
    ("bytea", "'\\x00ff10'", "\\x00\\xFF\\x10"),
    ("date", "'2024-02-29'", "2024-02-29"),
    ("date", "'infinity'", "infinity"),
    ("date", "'-infinity'", "-infinity"),
    ("date", "'0044-03-15 BC'", "0044-03-15 (BC)"),
    ("date", "'4714-11-24 BC'", "4714-11-24 (BC)"),
    ("date", "'5874897-12-31'", "5874897-12-31"),
    ("time", "'24:00:00'", "24:00:00"),
    ("time", "'00:00:00.000001'", "00:00:00.000001"),
    ("time(3)", "'23:59:59.9999'", "24:00:00"),
    ("timetz", "'24:00:00-15:59:59'", "24:00:00-15:59:59"),
    ("timestamp", "'2024-05-01 12:34:56.789'", "2024-05-01 12:34:56.789"),
    ("timestamp", "'infinity'", "infinity"),
    ("timestamp", "'-infinity'", "-infinity"),
    ("timestamp", "'0001-01-01 10:00 BC'", "0001-01-01 (BC) 10:00:00"),
    ("timestamp", "'294247-01-10 04:00:54.775806'", "294247-01-10 04:00:54.775806"),
    ("timestamptz", "'2024-05-01 12:34:56.789+02'", "2024-05-01 10:34:56.789+00"),
    ("timestamptz", "'infinity'", "infinity"),
    ("timestamptz", "'-infinity'", "-infinity"),
    ("timestamptz", "'4714-11-24 00:00:00+00 BC'", "4714-11-24 (BC) 00:00:00+00"),
    ("timestamptz", "'12024-05-01 00:00+00'", "12024-05-01 00:00:00+00"),
    ("interval", "'1 year 2 days 03:04:05.5'", "P1Y2DT3H4M5.5S"),
    ("interval", "'-1 mon +1 day'", "P-1M1D"),
    ("interval", "'infinity'", "infinity"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", '\'{"b": 1, "a":  [1,2],"b":2}\'', '{"b": 1, "a":  [1,2],"b":2}'),
    ("jsonb", '\'{"b": 1.10, "a": null}\'', '{"a": null, "b": 1.10}'),
    ("jsonb", "'null'", "null"),
    ("inet", "'10.0.0.1'", "10.0.0.1"),
    ("inet", "'10.0.0.0/8'", "10.0.0.0/8"),
    ("cidr", "'2001:db8::/32'", "2001:db8::/32"),
    ("macaddr", "'08002b:010203'", "08:00:2b:01:02:03"),
    ("macaddr8", "'08002b0102030405'", "08:00:2b:01:02:03:04:05"),
    ("bit(3)", "B'101'", "101"),
    ("varbit", "B''", ""),
    ("tsvector", "'a fat cat'", "'a' 'cat' 'fat'"),
    ("tsquery", "'fat & !cat'", "'fat' & !'cat'"),
    ("point", "'(1,2.5)'", "(1,2.5)"),
    ("line", "'{1,-1,0}'", "{1,-1,0}"),
    ("lseg", "'[(0,0),(1,1)]'", "[(0,0),(1,1)]"),
    ("box", "'(1,1),(0,0)'", "(1,1),(0,0)"),
    ("path", "'((0,0),(1,1))'", "((0,0),(1,1))"),
    ("polygon", "'((0,0),(1,1),(1,0))'", "((0,0),(1,1),(1,0))"),
    ("circle", "'<(0,0),1>'", "<(0,0),1>"),
    ("pg_lsn", "'16/B374D848'", "16/B374D848"),
    ("oid", "4294967295", "4294967295"),
    ("regclass", "'pg_class'", "pg_class"),
    ("xid8", "'18446744073709551615'", "18446744073709551615"),
    ("int2vector", "'1 2'", "1 2"),
    ("int4range", "'[1,5]'", "[1,6)"),
    ("int4range", "'empty'", "empty"),
    ("numrange", "'(,1.50]'", "(,1.50]"),
    ("tstzrange", "'[2024-01-01 00:00+00,infinity)'", '["2024-01-01 00:00:00+00",infinity)'),
    ("datemultirange", "'{[2024-01-01,2024-01-03),[2024-02-01,)}'", "{[2024-01-01,2024-01-03),[2024-02-01,)}"),
    ("mood", "'so \"so\"'", 'so "so"'),
    ("positive", "7", "7"),
    ("int[]", "'{}'", "[]"),
    ("int[]", "'{1,NULL,-3}'", "[1, null, -3]"),
    ("int[]", "'{{1,2},{3,4}}'", "[[1, 2], [3, 4]]"),
    ("int[]", "'[0:1]={1,2}'", '{"bounds": "[0:1]", "elements": [1, 2]}'),
    ("int[]", "'[1:1][-2:-1]={{1,2}}'", '{"bounds": "[1:1][-2:-1]", "elements": [[1, 2]]}'),
    ("bigint[]", "'{9223372036854775807}'", "[9223372036854775807]"),
    ("numeric[]", f"'{{0.10,NaN,{_LONG}}}'", f'[0.10, "NaN", {_LONG}]'),
    ("double precision[]", "'{0.1,-Infinity,1e300,-0}'", '[0.1, "-Infinity", 1e+300, -0]'),
    ("bool[]", "'{t,f,NULL}'", "[true, false, null]"),
    ("text[]", """'{1,NULL,"a,b","NULL",null,""}'""", '["1", null, "a,b", "NULL", null, ""]'),
    ("text[]", r"""'{"q\"uo\\te","{br}ace"," sp ",日本}'""", r'["q\"uo\\te", "{br}ace", " sp ", "日本"]'),
    ("text[]", "array[E'two\\nlines']", '["two\\nlines"]'),
    ("varchar(3)[]", "'{{a,b},{\"c d\",NULL}}'", '[["a", "b"], ["c d", null]]'),
    ("timestamptz[]", "'{infinity,\"2024-05-01 00:00+02\"}'", '["infinity", "2024-04-30 22:00:00+00"]'),
    ("bytea[]", r"array['\x00ff'::bytea]", r'["\\x00ff"]'),
    ("jsonb[]", """array['{"a": [1, "x"]}'::jsonb, '2']""", '[{"a": [1, "x"]}, 2]'),
    ("box[]", "'{(1,1),(0,0);(3,3),(2,2)}'", '["(1,1),(0,0)", "(3,3),(2,2)"]'),
    ("int4range[]", "'{\"[1,5)\",empty}'", '["[1,5)", "empty"]'),
    ("mood[]", "'{fine,\"so \\\"so\\\"\"}'", '["fine", "so \\"so\\""]'),
    ("tags", "'{a,b}'", '["a", "b"]'),
    ("pair", "row(null, null)", '{"a": null, "b": null}'),
    ("pair", "row(1, '')", '{"a": 1, "b": ""}'),
    ("pair", "row(1, E'x,\"y\" \\\\ (z)')", '{"a": 1, "b": "x,\\"y\\" \\\\ (z)"}'),
    ("pair[]", "array[row(1, 'a b'), null, row(null, '\"')]::pair[]",
     '[{"a": 1, "b": "a b"}, null, {"a": null, "b": "\\""}]'),
    ('"Odd Pair"', """row(row(1, 'x,y'), '{fine,"so \\"so\\""}', 1.50, true, '{"k": "v"}')""",
     '{"First One": {"a": 1, "b": "x,y"}, "moods": ["fine", "so \\"so\\""], "price": 1.50, "yes": true,'
     ' "doc": {"k": "v"}}'),
]  # fmt: skip


def column_of(type_: str) -> str:
    """The name of the gallery's column of this type."""
    return f"c{list(dict.fromkeys(held for held, _, _ in VALUES)).index(type_)}"


def gallery(table: str = "gallery") -> str:
    """The statements that make a table with a column for each type."""
    columns = ", ".join(f"{column_of(type_)} {type_}" for type_ in dict.fromkeys(held for held, _, _ in VALUES))
    return f"{TYPES_MADE}; create table {table} (id int primary key, {columns})"


def rows(ids: Iterable[int], table: str = "gallery") -> str:
    """The statements that write these rows of it, a value each."""
    written = [(at, *VALUES[at][:2]) for at in ids]
    return "; ".join(
        f"insert into {table} (id, {column_of(type_)}) values ({at}, {value})" for at, type_, value in written
    )
