-- rows --
-- All rows of a stream.
select {% for column in carried %}{{ column }}, {% endfor %}_key, _deleted from {{ latest }};

-- rows_of_keys --
-- Those of these keys.
select {% for column in carried %}{{ column }}, {% endfor %}_key, _deleted from {{ latest }}
where _key in (select value::varchar from table(flatten(input => parse_json($keys))));

-- live_rows --
-- How many are live.
select count(*) as counted from {{ latest }} where not _deleted;

-- history --
-- All that was ever said of it.
select {% for column in carried %}{{ column }}, {% endfor %}_key, _cover, _order, _batch from {{ raw }};

-- history_of_keys --
-- What was said of these keys.
select {% for column in carried %}{{ column }}, {% endfor %}_key, _cover, _order, _batch from {{ raw }}
where _key in (select value::varchar from table(flatten(input => parse_json($keys))));

-- history_of_batches --
-- What these batches said.
select {% for column in carried %}{{ column }}, {% endfor %}_key, _cover, _order, _batch from {{ raw }}
where _batch in (select value::varchar from table(flatten(input => parse_json($batches))));

-- books --
-- What the books say of these batches.
select stream, side, batch, account, count from tieout.books
where stream = $stream and side = 'live'
    and batch in (select value::varchar from table(flatten(input => parse_json($batches))));
