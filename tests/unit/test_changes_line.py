"""One line, understood or faulty."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.capture.changes.line import LineDecoder, looks_odd

KEY = {"id": "A1"}


def decode(line: bytes):
    return LineDecoder("erp").decode(line, odd=looks_odd(line))


def line(**members) -> bytes:
    told = {"stream": "erp.account", "kind": "image", "key": KEY, "fields": {"amount": "1"}, "order": {"position": 7}}
    told.update(members)
    return json.dumps({name: value for name, value in told.items() if value is not ...}).encode()


def test_a_value_keeps_its_exact_text() -> None:
    texts = [
        "45000.00",
        "1e400",
        "12345678901234567890123",
        "-0",
        '"\\u00e9"',
        '{"b": 1,  "a": [1, 2]}',
        "null",
        "true",
    ]

    for text in texts:
        raw = b'{"stream":"erp.account","kind":"image","key":{"id":1},"fields":{"v": %s },"order":{"position":1}}'
        said = decode(raw % text.encode())

        assert said.fault is None
        assert said.values == {"id": b"1", "v": text.encode()}


def test_cover_and_key_are_sorted_names() -> None:
    said = decode(line(key={"b": 1, "a": True}, fields={"z": 1, "é": 2, "c": None}))

    assert (said.shape.keyed, said.shape.cover) == ('["a","b"]', '["c","z","é"]')


def test_an_image_without_fields_has_an_empty_cover() -> None:
    assert decode(line(fields=...)).shape.cover == "[]"
    assert decode(line(fields=...)).fault is None


def test_a_field_that_repeats_the_key_leaves_the_cover() -> None:
    said = decode(line(key={"id": "é"}, fields={"id": "\u00e9", "amount": 1}))

    assert said.fault is None
    assert said.shape.cover == '["amount"]'
    assert said.values == {"id": b'"\\u00e9"', "amount": b"1"}


@pytest.mark.parametrize(
    ("order", "watermark", "expected"),
    [
        ({"position": 5}, None, (5, 1, 0)),
        ({"position": 5, "class": "event", "minor": -2}, None, (5, 1, -2)),
        ({"position": 5, "class": "read"}, 9, (9, 0, 0)),
        ({"position": 9, "class": "read", "minor": 1}, 5, (9, 0, 1)),
        ({"class": "read"}, 9, (9, 0, 0)),
        ({"position": -(2**63)}, None, (-(2**63), 1, 0)),
        ({"position": 2**63 - 1}, None, (2**63 - 1, 1, 0)),
    ],
)
def test_the_order_is_that_of_the_line_and_a_read_stands_at_the_later_of_stamp_and_watermark(
    order, watermark, expected
) -> None:
    said = decode(line(order=order, watermark=watermark))

    assert (said.position, said.read, said.minor) == expected
    assert said.fault is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"garbage", "undecodable"),
        (b"[1]", "bad_line"),
        (line()[:-1], "undecodable"),
        (line().replace(b'"1"', b'"\xff"'), "undecodable: byte"),
        (line().replace(b'"1"', b"NaN"), "undecodable"),
        (line().replace(b'"1"', b"01"), "undecodable"),
        (line().replace(b'"1"', b'"\\ud800"'), "undecodable: a lone surrogate"),
        (line().replace(b'"1"', b'{"a": 1, "a": 2}'), "undecodable: the name a stands twice"),
        (line().replace(b'"1"', b'{"a" :1,"a":2}'), "undecodable: the name a stands twice"),
        (line().replace(b'"amount"', b'"a" : 1, "\\u0061"'), "undecodable: the name a stands twice"),
        (line().replace(b'"1"', b"[" * 300 + b"]" * 300), "undecodable: nested deeper"),
        (line().replace(b'"1"', b"[" * 100_000), "undecodable: nested deeper"),
        (line(extra=1), "bad_line"),
        (line(order={"position": 7, "extra": 1}), "bad_line"),
        (line(order={"position": 7.0}), "bad_line"),
        (line(order={"position": 2**63}), "bad_line"),
        (line(order={"position": 10**30}), "bad_line"),
        (line(order={"position": "7"}), "bad_line"),
        (line(order={"position": True}), "bad_line"),
        (line(watermark=-(2**63) - 1), "bad_line"),
        (line(order=...), "bad_order"),
        (line(order={"class": "read", "position": 7}), "bad_order"),
        (line(order={"class": "reed", "position": 7}), "bad_order"),
        (line(stream=...), "bad_line"),
        (line(stream="crm.account"), "wrong_stream"),
        (line(stream="account"), "bad_stream"),
        (line(stream="erp."), "bad_stream"),
        (line(stream="erp.a/b"), "bad_stream"),
        (line(kind="upsert"), "bad_kind"),
        (line(kind=...), "bad_kind"),
        (line(key=...), "bad_key"),
        (line(key={}), "bad_key"),
        (line(kind="gap", key={}), "bad_key"),
        (line(key={"id": 1.5}), "bad_key"),
        (line(key={"id": {"a": 1}}), "bad_key"),
        (line(kind="truncate"), "bad_line"),
        (line(fields={"id": "A2"}), "key_conflict"),
        (line(fields={"_KEY": "A2"}), "reserved_name"),
        (line(fields={"a\0": "A2"}), "bad_name"),
        (line(fields={f"c{at}": 1 for at in range(2_001)}), "bad_name"),
        (line(sweep={"id": "x", "part": "begin", "watermark": 1}), "bad_line"),
        (b'{"stream": "erp.account", "sweep": {"id": "x", "part": "middle", "watermark": 1}}', "bad_line"),
        (b'{"stream": "erp.account", "sweep": {"id": "x", "part": "end", "watermark": 1, "rows": -1}}', "bad_line"),
    ],
)
def test_a_line_that_breaks_the_rule_is_faulty_for_its_reason(text, reason) -> None:
    said = decode(text)

    assert str(said.fault).startswith(reason)


def test_harmless_oddities_are_no_faults() -> None:
    texts = [
        line().replace(b'":', b'" :'),
        line(fields={"a": {"x": 1}, "b": 'say ":" twice ":'}),
        line(fields={"a": [[1, {"b": None}]] * 300}),
        line(watermark=None, observed_at=None),
        line(fields={"a": "\0", "b": "😀"}),
        line() + b" \t",
    ]

    assert [decode(text).fault for text in texts] == [None] * len(texts)


def test_a_faulty_line_keeps_its_stream_key_kind_and_order_where_they_can_be_read() -> None:
    said = decode(line(extra=1, order={"position": 3, "class": "read"}, watermark=8))

    assert (said.object, said.kind, said.position, said.read, said.values) == (
        "account",
        "image",
        8,
        0,
        {"id": b'"A1"'},
    )
    assert said.mentions


def test_a_faulty_line_does_not_guess_what_stands_twice() -> None:
    said = decode(
        b'{"stream": "erp.account", "key": {"id": 1}, "key": {"id": 2}, "kind": "delete", "order": {"position": 1}}'
    )

    assert (said.object, said.values, said.mentions) == ("account", {}, False)


def test_a_torn_line_is_still_known_by_the_stream_in_its_bytes() -> None:
    assert decode(b'{"stream": "erp.account", "key": {"id').object == "account"
    assert decode(b'{"stream": "crm.account", "key": {"id').object is None


def test_a_null_in_the_key_is_left_to_the_contract_but_is_no_mention() -> None:
    said = decode(line(key={"id": None}))

    assert said.fault is None
    assert said.values["id"] == b"null"
    assert not said.mentions


@given(st.binary(max_size=200))
def test_no_bytes_raise(data) -> None:
    assert decode(data).fault is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NAME = st.text(st.characters(exclude_characters="\0_", exclude_categories=["Cs"]), min_size=1, max_size=4)


@given(
    fields=st.dictionaries(NAME, JSON, max_size=4), ascii_=st.booleans(), separators=st.sampled_from([":", " : ", ": "])
)
def test_what_any_writer_of_json_writes_is_read_back_as_it_was(fields, ascii_, separators) -> None:
    told = {"stream": "erp.account", "kind": "image", "key": {"the key": 1}, "fields": fields, "order": {"position": 1}}

    said = decode(json.dumps(told, ensure_ascii=ascii_, separators=(",", separators)).encode("utf-8", "surrogatepass"))

    has_surrogate = any("\ud800" <= letter <= "\udfff" for letter in json.dumps(fields, ensure_ascii=False))
    if has_surrogate:
        assert said.fault is not None
    else:
        assert said.fault is None
        assert {name: json.loads(text) for name, text in said.values.items()} == {"the key": 1, **fields}


@given(at=st.integers(0, 150), byte=st.integers(0, 255), instead=st.booleans())
def test_whatever_is_taken_is_strict_json_without_a_name_twice(at, byte, instead) -> None:
    good = line(fields={"a": {"b": [1, "x\\u0041"]}, "c": 1.5e3})
    bad = good[:at] + bytes([byte]) + good[at + instead :]

    said = decode(bad)

    if said.fault is None:
        json.loads(bad.decode("utf-8"), object_pairs_hook=_no_doubles, parse_constant=_no_doubles)


def _no_doubles(pairs):
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)
