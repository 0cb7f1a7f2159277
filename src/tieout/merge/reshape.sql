-- columns_of --
-- The columns a table has now, with their types.
select column_name, data_type from duckdb_columns() where schema_name = $schema and table_name = $table;

-- stands --
-- Whether the tables are there, and were last made for this contract.
select
    count(*) = 1
    and (
        select count(*) from duckdb_tables()
        where schema_name in ('raw', 'latest', 'quarantine') and table_name = $table
    ) = 3
from tieout.shapes
where stream = $stream and side = $side and shape = $shape;

-- shape_of --
-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = $stream and side = $side;

-- note_shape --
-- From now on they are of this one.
delete from tieout.shapes where stream = $stream and side = $side;
insert into tieout.shapes values ($stream, $side, $shape);

-- add_column --
-- A column the contract has gained.
alter table {{ table }} add column {{ column.name }} {{ column.type }};

-- widen_column --
-- A type that holds all that the old one held.
alter table {{ table }} alter column {{ column.name }} type {{ column.type }};

-- is_empty --
-- Whether the stream has no row and no history yet: then there is nothing to fold.
select not exists (select 1 from {{ raw }}) and not exists (select 1 from {{ latest }});

-- unfit_fields --
-- The columns of which something was told that they did not admit.
select distinct field from tieout.unfit where stream = $stream and side = $side;

-- kept_apart --
-- History that told one of these columns while its contract did not know it, and how it was told.
select history._cid, history._cover, history._extra, coalesce(applied.encoding, 'json') as encoding
from {{ raw }} as history
left join tieout.applied on history._batch = applied.batch and applied.stream = $stream and applied.side = $side
where history._kind <> 'gap' -- its fields are what is not known
    and ({% for begin in begins %}contains(history._extra, {{ begin }}){% if not loop.last %} or {% endif %}{% endfor %});

-- read_back --
-- What was kept apart takes its place.
update {{ raw }} as history
set _cover = lifted._cover
    , _extra = lifted._extra
    {% for field in gained %}
    , {{ field.name }} = case
        when json_contains(lifted._cover, {{ field.quoted }}) and not json_contains(history._cover, {{ field.quoted }})
        then cast(lifted.{{ field.name }} as {{ field.type }})
        else history.{{ field.name }}
    end
    {% endfor %}
from lifted
where history._cid = lifted._cid;

-- note_unfit --
-- What of it no column admits.
delete from tieout.unfit where stream = $stream and side = $side;
insert into tieout.unfit
select $stream, $side, _key, field, max(_order)
from (
    select _key, _order, unnest(json_keys(_extra)) as field
    from {{ raw }}
    where _key is not null and _kind <> 'gap'
        and ({% for begin in begins %}contains(_extra, {{ begin }}){% if not loop.last %} or {% endif %}{% endfor %})
)
where list_contains($fields, field)
group by _key, field;

-- covers --
-- Every cover that there is in the history.
select distinct _cover from {{ raw }};

-- fold --
-- The registers of the rows under the new contract. What was told of the columns that were known stands field by field, as
-- an image of all of them is perhaps no image of all any more; what was told of the others, and which images are complete
-- now, the history tells.
create or replace temp table folded as
with told as (
    select
        history._key
        , max(history._order) filter (where covers.is_complete and history._kind in ('image', 'undelete')) as __image
        {% for field in gained %}
        , max(history._order) filter (where covers.{{ field.covered }}) as {{ field.token }}
        , arg_max({'value': history.{{ field.name }}}, history._order) filter (where covers.{{ field.covered }}) as {{ field.told }}
        {% endfor %}
    from {{ raw }} as history
    inner join covers on history._cover = covers.cover
    where history._key is not null
        and (covers.is_complete{% for field in gained %} or covers.{{ field.covered }}{% endfor %})
    group by history._key
)

select
    held._key
    , told.__image as __image
    , nullif(
        map_from_entries(
            list_filter(
                [
                    {% for field in known %}
                    {'key': {{ field.label }}, 'value': coalesce(held._patch[{{ field.label }}], {{ base }})},
                    {% endfor %}
                    {% for field in gained %}
                    {'key': {{ field.label }}, 'value': told.{{ field.token }}},
                    {% endfor %}
                ]::struct(key varchar, value varchar)[]
                , lambda entry: entry.value > coalesce(told.__image, '')
            )
        )
        , map([]::varchar[], []::varchar[])
    ) as __patch
    {% for field in gained %}
    , told.{{ field.told }}.value as {{ field.told }}
    {% endfor %}
from {{ latest }} as held
left join told on held._key = told._key;

-- unfold --
-- The rows take what was folded.
update {{ latest }} as held
set _base = case when folded.__image = held._order then '=' else folded.__image end
    , _patch = folded.__patch
    {% for field in gained %}
    , {{ field.name }} = folded.{{ field.told }}
    {% endfor %}
from folded
where held._key = folded._key;

-- show --
-- Whether a row is shown hangs on what the contract requires.
update {{ latest }} as held
set _deleted = not is_shown
from (
    select
        _key
        , coalesce(_alive, false) and coalesce(_born, false) and coalesce(({{ life }}) >= coalesce(floors.floor, ''), false)
            and (
                _base is not null
                or (true{% for column in required %} and coalesce(_patch[{{ column.label }}] is not null, false){% endfor %})
            ) as is_shown
    from {{ latest }}, tieout.floors
    where floors.stream = $stream and floors.side = $side
) as now
where held._key = now._key and held._deleted = now.is_shown;

-- forget_folded --
-- It has served.
drop table folded;
