-- plain --
-- What the server writes.
{{ value }}, '|'

-- sized --
-- How long it is, and what the server writes.
case when {{ value }} is not null then octet_length(concat({{ value }})) end, ':', {{ value }}, '|'

-- bits4 --
-- The bytes of a floating number.
encode(float4send({{ value }}), 'hex'), '|'

-- bits8 --
-- The bytes of a floating number of double precision.
encode(float8send({{ value }}), 'hex'), '|'

-- bytes --
-- Bytes.
'x' || encode({{ value }}, 'hex'), '|'

-- joined --
-- Texts one behind the other.
concat({% for part in parts %}{{ part }}{% if not loop.last %}, {% endif %}{% endfor %})

-- fingerprint --
-- The first digits of the MD5 of a row's text, as a number.
('x' || left(md5({{ text }}), {{ digits }}))::bit({{ digits * 4 }})::bigint

-- alike --
-- A text of whatever type, to be ordered by its bytes.
concat({{ column }}) collate "C"

-- bucket --
-- The place of a value among ascending bounds, which come as a JSON array of text.
width_bucket({{ column }}, (
    select array_agg({{ bound }} order by place)
    from json_array_elements_text($1::json) with ordinality as bounds (bound, place)
))

-- summed --
-- Per bucket of a share of the rows: how many there are, and what their fingerprints sum to.
select {{ bucket }} as bucket, count(*) as rows, sum({{ fingerprint }})::text as sum
from {{ share.table }}
where {{ share.condition }} and {{ within }}
group by 1;

-- fingerprints --
-- Of the rows of a share that lie in buckets.
select {{ fingerprint }} as fingerprint from {{ share.table }} where {{ share.condition }} and {{ within }};

-- rows --
-- The rows of a share that lie in buckets and have one of the fingerprints, which come as a JSON array.
select {% for column in columns %}{{ column.read }} as {{ column.name }}{% if not loop.last %}, {% endif %}{% endfor %}

from {{ share.table }}
where {{ share.condition }} and {{ within }}
    and {{ fingerprint }} in (select wanted::bigint from json_array_elements_text($2::json) as list (wanted));

-- in_buckets --
-- The rows of many buckets, which come as a JSON array behind that of the bounds.
{{ bucket }} in (select number::integer from json_array_elements_text($3::json) as list (number))

-- between --
-- The rows from one of the bounds up to another, of which either may be missing.
({% if first %}{{ column }} >= {{ first }}{% endif %}{% if first and last %} and {% endif %}{% if last %}{{ column }} < {{ last }}{% endif %})

-- nth_bound --
-- One of the bounds.
($1::json ->> {{ place }})
