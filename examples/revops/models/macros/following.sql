{#
  Following what was merged. An incremental model of this project holds whole keys: what moved is taken out and made
  anew from all that is known of it, so that a late change, a delete or a merge of two rows leaves what a full
  refresh would leave. What moved is told by batches: those in `tieout.applied` that the model has not been built from.
  A rebuilt table has its batches under a new fence, and so all of its keys have moved.

  All of it is the transaction of the model: a build that is cut short leaves nothing.
#}

{% macro remember() %}
    create schema if not exists modelled;
    create table if not exists modelled.inputs (model varchar, stream varchar, batch varchar, fence bigint);
    create table if not exists modelled.moved (model varchar, key varchar);
    create table if not exists modelled.floors (stream varchar, floor varchar);
    insert into modelled.floors
    select stream, floor from {{ source('tieout', 'floors') }} where side = 'live' and floor is not null
    except
    select stream, floor from modelled.floors
{% endmacro %}

{# The changes of a stream in batches that this model has not been built from; `columns` of raw. #}
{% macro news(stream, columns) -%}
    select {{ columns }}
    from {{ source('raw', stream | replace('.', '__')) }}
    where _key is not null
    and _batch in (
        select applied.batch
        from {{ source('tieout', 'applied') }} as applied
        left join modelled.inputs as built
            on built.model = '{{ this.identifier }}'
            and built.stream = applied.stream
            and built.batch = applied.batch
            and built.fence = applied.fence
        where applied.stream = '{{ stream }}' and applied.side = 'live' and built.batch is null
    )
{%- endmacro %}

{# The keys that lived when a floor was drawn that this model has not seen, and that it did not mention. #}
{% macro newly_swept(stream) -%}
    select told.id
    from (
        select "Id" as id, _order, {{ life() }} as life
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

{# Before the model: which keys have moved. #}
{% macro note_moved(query) %}
    delete from modelled.moved where model = '{{ this.identifier }}';
    {% if is_incremental() %}
    insert into modelled.moved
    select distinct '{{ this.identifier }}', key
    from ({{ query }}) as moved (key)
    where key is not null;
    {% endif %}
{% endmacro %}

{# Before the model: they are taken out. #}
{% macro forget_moved(key) %}
    {% if is_incremental() %}
    delete from {{ this }} where {{ key }} in ({{ moved() }});
    {% endif %}
{% endmacro %}

{# The keys that have moved. #}
{% macro moved() -%}
    select key from modelled.moved where model = '{{ this.identifier }}'
{%- endmacro %}

{# After the model: what it has been built from. #}
{% macro note_built(streams) %}
    delete from modelled.inputs where model = '{{ this.identifier }}';
    insert into modelled.inputs
    select '{{ this.identifier }}', stream, batch, fence
    from {{ source('tieout', 'applied') }}
    where side = 'live' and stream in ({% for stream in streams %}'{{ stream }}'{{ ', ' if not loop.last }}{% endfor %});
    insert into modelled.inputs
    select '{{ this.identifier }}', stream, floor, 0
    from modelled.floors
    where stream in ({% for stream in streams %}'{{ stream }}'{{ ', ' if not loop.last }}{% endfor %});
    delete from modelled.moved where model = '{{ this.identifier }}'
{% endmacro %}
