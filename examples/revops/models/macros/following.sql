{#
  Following what was merged. An incremental model of this project holds whole keys: what moved is taken out and made
  anew from all that is known of it, so that a late change, a delete or a merge of two rows leaves what a full
  refresh would leave. What moved is told by batches: those in `tieout.applied` that the model has not been built from.
  A rebuilt table has its batches under a new fence, and so all of its keys have moved.

  Which batches there are is written down before anything is read, since where others merge meanwhile a statement may
  see more than the one before it: such a batch is taken once more by the next build. The keys that moved stand in
  `modelled.moved` until the model holds them, so a build that was cut short at any place is made good by the next.
#}

{# Of floors the newest, which is all that every engine keeps. #}
{% macro remember() %}
    {% if execute and not adapter.check_schema_exists(target.database, 'modelled') %}
    create schema modelled;
    {% endif %}
    create table if not exists modelled.inputs (model varchar, stream varchar, batch varchar, fence bigint);
    create table if not exists modelled.taken (model varchar, stream varchar, batch varchar, fence bigint);
    create table if not exists modelled.moved (model varchar, key varchar);
    create table if not exists modelled.floors (stream varchar, floor varchar);
    insert into modelled.floors
    select stream, max(floor) from {{ source('tieout', 'floors') }} where side = 'live' and floor is not null group by stream
    except
    select stream, floor from modelled.floors
{% endmacro %}

{# The changes of a stream in batches that this model has not been built from; `columns` of raw. #}
{% macro news(stream, columns) -%}
    select {{ columns }}
    from {{ source('raw', stream | replace('.', '__')) }}
    where _key is not null
    and _batch in (
        select taken.batch
        from modelled.taken as taken
        left join modelled.inputs as built
            on built.model = taken.model
            and built.stream = taken.stream
            and built.batch = taken.batch
            and built.fence = taken.fence
        where taken.model = '{{ this.identifier }}' and taken.stream = '{{ stream }}' and built.batch is null
    )
{%- endmacro %}

{# The keys that lived when a floor was drawn that this model has not seen, and that it did not mention. #}
{% macro newly_swept(stream) -%}
    select told.id
    from (
        select Id as id, _order, {{ life() }} as life
        from {{ source('raw', stream | replace('.', '__')) }}
        where _key is not null
    ) as told
    cross join (
        select floor from modelled.floors where stream = '{{ stream }}'
        except
        select batch from modelled.inputs where model = '{{ this.identifier }}' and stream = '{{ stream }}'
    ) as drawn
    where told.life is not null
    group by told.id, drawn.floor
    having max(case when told._order < drawn.floor and told.life then told._order end)
        > coalesce(max(case when told._order < drawn.floor and not told.life then told._order end), '')
    and count(case when {{ place_of('told._order') }} = {{ place_of('drawn.floor') }} then 1 end) = 0
{%- endmacro %}

{# Before the model: what there is to build it from, and which keys have moved. #}
{% macro note_moved(query, streams) %}
    delete from modelled.taken where model = '{{ this.identifier }}';
    insert into modelled.taken
    select '{{ this.identifier }}', stream, batch, fence
    from {{ source('tieout', 'applied') }}
    where side = 'live' and stream in ('{{ streams | join("', '") }}')
    union all
    select '{{ this.identifier }}', stream, floor, 0
    from modelled.floors
    where stream in ('{{ streams | join("', '") }}');
    {% if is_incremental() %}
    insert into modelled.moved
    with told (key) as ({{ query }})
    select distinct '{{ this.identifier }}', key
    from told
    where key is not null and key not in ({{ moved() }});
    {% endif %}
{% endmacro %}

{# The keys that have moved. #}
{% macro moved() -%}
    select key from modelled.moved where model = '{{ this.identifier }}'
{%- endmacro %}

{# The strategy `by_key`: the keys that have moved are taken out, and stand anew, for every reader at once. #}
{% macro get_incremental_by_key_sql(told) %}
    {%- set columns = get_quoted_csv(told.dest_columns | map(attribute='name')) %}
    {%- call at_once() %}
    delete from {{ told.target_relation }} where {{ told.unique_key }} in ({{ moved() }});
    insert into {{ told.target_relation }} ({{ columns }}) select {{ columns }} from {{ told.temp_relation }};
    {%- endcall %}
{% endmacro %}

{# After the model: what it has been built from. #}
{% macro note_built() %}
    {%- call at_once() %}
    delete from modelled.inputs where model = '{{ this.identifier }}';
    insert into modelled.inputs select * from modelled.taken where model = '{{ this.identifier }}';
    delete from modelled.taken where model = '{{ this.identifier }}';
    delete from modelled.moved where model = '{{ this.identifier }}';
    {%- endcall %}
{% endmacro %}

{# For tests that compare a model with what goes on moving: the keys of which something was merged since it was built. #}
{% macro moved_since(model, stream) -%}
    select Id
    from {{ source('raw', stream | replace('.', '__')) }}
    where _key is not null
    and _batch in (
        select applied.batch
        from {{ source('tieout', 'applied') }} as applied
        left join modelled.inputs as built
            on built.model = '{{ model }}'
            and built.stream = applied.stream
            and built.batch = applied.batch
            and built.fence = applied.fence
        where applied.stream = '{{ stream }}' and applied.side = 'live' and built.batch is null
    )
{%- endmacro %}
