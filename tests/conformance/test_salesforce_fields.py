"""Fields that come, go, change, are hidden or computed: what was told of them is kept, and what is due is read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.org import account, deal
from tests.salesforce_source import Worker, working
from tieout.sim.org.fields import double, text
from tieout.sim.org.misbehaviour import Do


@pytest.fixture
def worker() -> Iterator[Worker]:
    with working("Account", "Opportunity") as worker:
        yield worker


@pytest.fixture
def deaf() -> Iterator[Worker]:
    """Hears no events."""
    with working("Account", "Opportunity", hears=False) as worker:
        yield worker


def read_account(worker: Worker, **fields: object) -> str:
    with worker.org.transaction() as deed:
        made = account(deed, **fields)  # type: ignore[arg-type]
        deal(deed, made, Amount="10.00", NextStep="call")
    worker.turn()
    worker.clock.sleep(1.0)
    return made


def test_a_new_field_is_read_of_all_rows_with_what_it_held_before(deaf: Worker) -> None:
    of = read_account(deaf)
    deaf.org.admin.add_field("Account", text("Segment__c", 40))
    deaf.org.silent.database_job("Account", [of], {"Segment__c": "old"}, moves_stamp=False)
    deaf.turns(7)

    assert deaf.rows("account")[of]["Segment__c"] == "old"
    assert deaf.differences("account") == []


def test_a_new_field_that_an_event_shows_is_told_at_once(worker: Worker) -> None:
    of = read_account(worker)
    worker.org.admin.add_field("Account", text("Segment__c", 40))
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Segment__c": "new"})
    worker.hear()

    assert worker.rows("account")[of]["Segment__c"] == "new"


def test_a_field_that_is_hidden_keeps_what_was_told_and_is_filled_again_when_it_is_shown(deaf: Worker) -> None:
    of = read_account(deaf, Phone="1")
    with deaf.org.transaction() as deed:
        other = account(deed, "Other", Phone="9")
    deaf.turns()
    deaf.org.admin.hide_field("Account", "Phone")
    deaf.turns(7)
    hidden = deaf.rows("account")[of]["Phone"]
    with deaf.org.transaction() as deed:
        deed.update("Account", of, {"Phone": "2", "Website": "acme.example"})
        deed.update("Account", other, {"Phone": None})
    deaf.turns(3)
    assert deaf.rows("account")[of]["Website"] == "acme.example", "the others go on"
    deaf.org.admin.show_field("Account", "Phone")
    deaf.turns(8)

    assert hidden == "1"
    assert deaf.differences("account") == []


def test_an_event_without_a_hidden_field_nulls_nothing(worker: Worker) -> None:
    of = read_account(worker, Phone="1")
    worker.org.admin.hide_field("Account", "Phone")
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Phone": "2", "Website": "acme.example"})
    worker.hear()

    row = worker.rows("account")[of]
    assert (row["Phone"], row["Website"]) == ("1", "acme.example")


def test_a_field_that_goes_between_describe_and_query_costs_one_turn(deaf: Worker) -> None:
    of = read_account(deaf, Phone="1")
    deaf.script.at("query", 1, Do(lambda: deaf.org.admin.drop_field("Account", "Website")))
    with deaf.org.transaction() as deed:
        deed.update("Account", of, {"Phone": "2"})
    deaf.turn()
    shortfall = deaf.source.shortfall
    deaf.turns(2)

    assert shortfall is not None
    assert "INVALID_FIELD" in shortfall.message
    assert deaf.source.shortfall is None
    assert deaf.rows("account")[of]["Phone"] == "2"


def test_a_field_of_another_type_is_told_in_its_new_type(worker: Worker) -> None:
    of = read_account(worker, NumberOfEmployees=12)
    worker.org.admin.retype_field("Account", "Phone", text("Phone", 255))
    worker.org.admin.add_field("Account", double("Score__c", 10, 2))
    worker.turns(6)
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Score__c": "1.50"})
    worker.turns(2)
    worker.org.admin.retype_field("Account", "Score__c", text("Score__c", 40))
    worker.turns(6)

    assert worker.rows("account")[of]["Score__c"] is not None
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Score__c": "high"})
    worker.turns(2)
    assert worker.rows("account")[of]["Score__c"] == "high"


def test_a_renamed_field_is_a_new_one_with_all_that_it_holds_and_the_old_one_keeps_what_it_had(deaf: Worker) -> None:
    of = read_account(deaf, Website="acme.example")
    deaf.org.admin.rename_field("Account", "Website", "Site__c")
    deaf.turns(7)

    row = deaf.rows("account")[of]
    assert (row["Site__c"], row["Website"]) == ("acme.example", "acme.example")


def test_a_renamed_picklist_value_moves_stamps_alone_and_is_read_by_windows(worker: Worker) -> None:
    of = read_account(worker, Industry="Retail")
    worker.org.admin.rename_picklist_value("Account", "Industry", "Retail", "Shops")
    worker.turns(2)

    assert worker.rows("account")[of]["Industry"] == "Shops"
    assert worker.differences("account") == []


def test_a_picklist_value_that_nobody_may_choose_any_more_is_told_all_the_same(deaf: Worker) -> None:
    of = read_account(deaf, Industry="Retail")
    deaf.org.admin.deactivate_picklist_value("Account", "Industry", "Retail")
    with deaf.org.transaction() as deed:
        deed.update("Account", of, {"Phone": "2"})
    deaf.turns(7)

    assert deaf.rows("account")[of]["Industry"] == "Retail"


def test_a_formula_that_drifts_without_a_stamp_is_read_again_in_its_time() -> None:
    with working("Account", "Opportunity", derived_seconds=3600.0) as worker:
        of = read_account(worker, Tier__c="SMB")
        with worker.org.transaction() as deed:
            deed.update("Account", of, {"Tier__c": "Strategic"})
        worker.turns(2)
        (stale,) = worker.rows("opportunity").values()
        worker.turn(3600.0)

        assert stale["Account_Tier__c"] == "SMB", "no event and no stamp tells"
        assert worker.differences("opportunity") == []


def test_a_formula_of_the_row_itself_is_told_with_its_next_window(worker: Worker) -> None:
    read_account(worker)
    (id_,) = worker.rows("opportunity")
    with worker.org.transaction() as deed:
        deed.update("Opportunity", id_, {"Amount": "1000.00"})
    worker.turns(2)

    assert worker.differences("opportunity") == []


def test_a_reading_of_columns_beats_no_event_that_came_meanwhile() -> None:
    with working("Account", "Opportunity", derived_seconds=600.0) as worker:
        of = read_account(worker, Tier__c="SMB")
        worker.clock.sleep(600.0)
        for piece in worker.told():
            with worker.org.transaction() as deed:
                deed.update("Account", of, {"Phone": str(len(worker.pieces))})
            worker.land(piece)
        worker.turns(2)

        assert worker.differences("account") == worker.differences("opportunity") == []


def test_what_is_vouched_for_ends_where_a_field_was_first_seen_though_nothing_was_read_since(deaf: Worker) -> None:
    of = read_account(deaf)
    deaf.turns(2)
    before = deaf.clock.now()
    deaf.org.admin.add_field("Account", text("Segment__c", 40))
    deaf.org.silent.database_job("Account", [of], {"Segment__c": "old"}, moves_stamp=False)
    for _ in range(4):  # windows go on that do not know of the field
        deaf.clock.sleep(60.0)
        for piece in deaf.told():
            deaf.land(piece)
    deaf.clock.sleep(120.0)

    assert deaf.source.vouched()["account"] > before
    deaf.source.describe(anew=True)

    assert deaf.source.vouched()["account"] <= before
