-- shape_of --
-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = $stream and side = $side;

-- forget_shape --
-- They are of none.
delete from tieout.shapes where stream = $stream and side = $side;

-- note_shape --
-- From now on they are of this one.
insert into tieout.shapes (stream, side, shape) select $stream, $side, $shape;

-- columns_of --
-- The columns that the tables of a stream have, with their types.
select table_schema, column_name, data_type, numeric_precision, numeric_scale
from information_schema.columns
where table_name = $table and table_schema in ('RAW', 'LATEST');

-- is_empty --
-- Whether the stream has no row and no history yet: then there is nothing to fold.
select not exists (select 1 from {{ raw }}) and not exists (select 1 from {{ latest }}) as is_empty;

-- drop_rows --
-- The tables whose columns are a contract's.
drop table if exists {{ raw }};
drop table if exists {{ latest }};

-- add_column --
-- A column the contract has gained.
alter table {{ table }} add column if not exists {{ column.name }} {{ column.type }};

-- widen_column --
-- A type that holds all that the old one held.
alter table {{ table }} alter column {{ column.name }} set data type {{ column.type }};

-- unfit_fields --
-- The columns of which something was told that they did not admit.
select distinct field from tieout.unfit where stream = $stream and side = $side;

-- kept_apart --
-- History that told one of these columns while its contract did not know it, and how it was told.
select history._cid, history._cover, history._extra, coalesce(applied.encoding, 'json') as encoding
from {{ raw }} as history
left join tieout.applied as applied
    on history._batch = applied.batch and applied.stream = $stream and applied.side = $side
where history._kind <> 'gap' -- its fields are what is not known
    and ({% for begin in begins %}contains(history._extra, {{ begin }}){% if not loop.last %} or {% endif %}{% endfor %});

-- create_lifted --
-- What was kept apart, as it is with the columns that are there now.
create or replace temporary table {{ lifted }} (
    _cid varchar, _cover varchar, _extra varchar
    {% for field in gained %}
    , {{ field.name }} {{ field.type }}, {{ field.told }} boolean
    {% endfor %}
);

-- read_back --
-- What was kept apart takes its place.
update {{ raw }} as history
set _cover = lifted._cover
    , _extra = lifted._extra
    {% for field in gained %}
    , {{ field.name }} = iff(lifted.{{ field.told }}, lifted.{{ field.name }}, history.{{ field.name }})
    {% endfor %}
from {{ lifted }} as lifted
where history._cid = lifted._cid;

-- note_unfit --
-- What of it no column admits.
delete from tieout.unfit where stream = $stream and side = $side;
insert into tieout.unfit (stream, side, key, field, token)
select $stream, $side, history._key, member.key, max(history._order)
from {{ raw }} as history, lateral flatten(input => try_parse_json(history._extra)) as member
where history._key is not null and history._kind <> 'gap' and history._extra is not null
    and member.key in ({% for field in gained %}{{ field.label }}{% if not loop.last %}, {% endif %}{% endfor %})
group by history._key, member.key;

-- covers --
-- Every cover that there is in the history.
select distinct _cover as cover from {{ raw }};

-- create_covers --
-- Which fields each of them speaks of.
create or replace temporary table {{ covers }} (
    cover varchar, is_complete boolean
    {% for field in fields %}
    , {{ field.covered }} boolean
    {% endfor %}
);

-- create_folded --
-- The registers of the rows under the new contract.
create or replace temporary table {{ folded }} (
    _key varchar, __image varchar
    {% for field in gained %}
    , {{ field.token }} varchar, {{ field.told }} {{ field.type }}
    {% endfor %}
);

-- fold --
-- What was told of the columns that are new, and which images are complete now, the history tells. No two changes of a key
-- have one token, so what was said with it is one value.
insert into {{ folded }}
with tokens as (
    select
        history._key
        , max(iff(covers.is_complete and history._kind in ('image', 'undelete'), history._order, null)) as __image
        {% for field in gained %}
        , max(iff(covers.{{ field.covered }}, history._order, null)) as {{ field.token }}
        {% endfor %}
    from {{ raw }} as history
    inner join {{ covers }} as covers on history._cover = covers.cover
    where history._key is not null
    group by history._key
)

select
    tokens._key
    , max(tokens.__image)
    {% for field in gained %}
    , max(tokens.{{ field.token }})
    , {{ field.one }}(iff(history._order = tokens.{{ field.token }}, history.{{ field.name }}, null))
    {% endfor %}
from tokens
inner join {{ raw }} as history on tokens._key = history._key
group by tokens._key;

-- unfold --
-- The rows take what was folded. What was told of the columns that were known stands field by field, as an image of all of
-- them is perhaps no image of all any more.
update {{ latest }} as held
set _base = iff(folded.__image = held._order, '=', folded.__image)
    , _patch = {{ patch }}
    {% for field in gained %}
    , {{ field.name }} = folded.{{ field.told }}
    {% endfor %}
from (
    select
        latest._key
        , rows_.__image
        , coalesce(rows_.__image, '') as __base
        {% for field in known %}
        , coalesce(latest._patch[{{ field.label }}]::varchar, {{ base }}, '') as {{ field.token }}
        {% endfor %}
        {% for field in gained %}
        , coalesce(rows_.{{ field.token }}, '') as {{ field.token }}
        , rows_.{{ field.told }} as {{ field.told }}
        {% endfor %}
    from {{ latest }} as latest
    left join {{ folded }} as rows_ on latest._key = rows_._key
    -- Of a key that somebody wrote twice by hand one row decides; the next merge of it leaves one.
    qualify row_number() over (partition by latest._key order by latest._order desc) = 1
) as folded
where held._key = folded._key;

-- patch_of --
-- Of the fields' tokens only those that are newer than the newest complete image; a pair without a value is left out.
{% if fields %}
iff(
    {% for field in fields %}folded.{{ field.token }} > folded.__base{% if not loop.last %} or {% endif %}{% endfor %}

    , object_construct(
        {% for field in fields %}
        {{ field.label }}, iff(folded.{{ field.token }} > folded.__base, folded.{{ field.token }}, null){% if not loop.last %},{% endif %}

        {% endfor %}
    )
    , null
)
{% else %}
null
{% endif %}

-- show --
-- Whether a row is shown hangs on what the contract requires.
update {{ latest }} as held
set _deleted = not now.is_shown
from (
    select
        latest._key
        , coalesce(latest._alive, false) and coalesce(latest._born, false)
            and coalesce(({{ life }}) >= floors.floor, false)
            and (
                latest._base is not null
                or (true{% for column in required %} and latest._patch[{{ column.label }}]::varchar is not null{% endfor %})
            ) as is_shown
    from {{ latest }} as latest
    cross join (
        select coalesce(max(floor), '') as floor from tieout.floors where stream = $stream and side = $side
    ) as floors
    qualify row_number() over (partition by latest._key order by latest._order desc) = 1
) as now
where held._key = now._key and held._deleted = now.is_shown;
