-- as_it_is --
-- The driver's own value.
{{ value }}

-- as_text --
-- Of types whose cast to text is what the server writes; cheaper than what serves all.
{{ value }}::text

-- as_written --
-- What the server writes, whatever a cast to text would make of it; a row of nothing but nulls is not null.
case when {{ value }} is distinct from null then concat({{ value }}) end

-- as_bigint --
-- A number without a sign.
{{ value }}::bigint

-- asked_as_text --
-- The text of a key as the value that it is.
({{ text }})::{{ cast }}

-- asked_as_moment --
-- The same, with the year before Christ as the warehouse writes it: 0044-03-15 (BC).
translate({{ text }}, '()', '')::{{ cast }}
