-- Every account leads to one that leads nowhere else.
select aliases.*
from {{ ref('account_alias') }} as aliases
inner join {{ ref('account_alias') }} as onward on onward.account_id = aliases.winner_id
