-- create_schemas --
-- Where what is brought stands under the names that it has there.
create schema latest;
create schema raw;
create schema tieout;

-- create_rows --
-- A stream's rows; none yet.
create or replace table {{ latest }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _key varchar, _deleted boolean
);

-- create_prints --
-- Fingerprints by their rows' keys; none yet.
create or replace temp table {{ prints }} (_key varchar, fingerprint bigint);

-- create_history --
-- Its history, or some of it; none yet.
create or replace table {{ raw }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _key varchar, _cover varchar, _order varchar, _batch varchar
);

-- create_books --
-- Some of the books; nothing yet.
create or replace table tieout.books (stream varchar, side varchar, batch varchar, account varchar, count bigint);

-- keep --
-- What came.
insert into {{ table }} by name select * from piece;

-- keys --
-- Keys that a query gives.
select distinct _key from ({{ keys }}) limit {{ keys_max }};
