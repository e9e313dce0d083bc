from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import StoreRefused
from recsys_serving.store.schema.partitions import Partitions, check_moment, partition_names, period

NOW = datetime.now(UTC)


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.close()


def names(database, table="interactions"):
    with database.transaction() as connection:
        return partition_names(connection, table)


def day(year, month=1, number=15):
    return datetime(year, month, number, tzinfo=UTC)


def test_a_year_long_over_has_one_partition(database):
    Partitions(database, "interactions").ensure([day(1998, 3), day(1998, 9), day(2001)])
    assert names(database) == ["interactions_1998", "interactions_2001"]


def test_this_year_has_a_partition_for_each_month(database):
    Partitions(database, "exposures").ensure([day(NOW.year, 2), day(NOW.year, 11)])
    assert names(database, "exposures") == [f"exposures_{NOW.year}_02", f"exposures_{NOW.year}_11"]


def test_a_year_with_months_gets_further_months_when_it_is_long_over(database):
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE interactions_2001_02 PARTITION OF interactions "
            "FOR VALUES FROM ('2001-02-01') TO ('2001-03-01')"
        )
    Partitions(database, "interactions").ensure([day(2001, 2), day(2001, 5)])
    assert names(database) == ["interactions_2001_02", "interactions_2001_05"]


def test_what_is_there_is_not_made_again(database):
    partitions = Partitions(database, "interactions")
    partitions.ensure([day(1998)])
    partitions.ensure([day(1998)])
    Partitions(database, "interactions").ensure([day(1998)])
    assert names(database) == ["interactions_1998"]


def test_a_partition_that_was_dropped_is_made_again_once_forgotten(database):
    partitions = Partitions(database, "interactions")
    partitions.ensure([day(1998)])
    with database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE interactions_1998")
    partitions.ensure([day(1998)])
    assert names(database) == []
    partitions.forget()
    partitions.ensure([day(1998)])
    assert names(database) == ["interactions_1998"]


def test_several_may_make_the_same_partitions_at_once(database):
    def make(number):
        Partitions(database, "interactions").ensure([day(2000 + number % 3), day(2001)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(make, range(12)))
    assert names(database) == ["interactions_2000", "interactions_2001", "interactions_2002"]


@given(moment=st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC)))
def test_a_moment_is_in_the_period_of_its_year_and_its_month(moment):
    for name in (f"interactions_{moment.year:04d}", f"interactions_{moment.year:04d}_{moment.month:02d}"):
        start, end = period(name)
        assert start <= moment < end


def test_a_december_ends_with_the_year():
    assert period("interactions_2024_12") == (day(2024, 12, 1), day(2025, 1, 1))


def test_a_moment_is_given_in_utc():
    assert check_moment(datetime.fromisoformat("2024-01-01T01:30:00+05:00")).isoformat() == "2023-12-31T20:30:00+00:00"


@pytest.mark.parametrize(
    "text", ["1969-12-31T23:59:59+00:00", "2100-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_moment_out_of_range_is_refused(text):
    with pytest.raises(StoreRefused, match="from 1970 to 2099"):
        check_moment(datetime.fromisoformat(text))
