import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from recsys_serving.recommending.exposure_log import ExposureCounts, ExposureLog
from recsys_serving.spool.spool import Spool
from recsys_serving.store.events.records import Exposure

from tests.serving.recommending.fakes import Faulty
from tests.serving.recommending.test_service import exposures

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def shown(number, item="a"):
    return Exposure(UUID(int=number), "ann", NOW, (item,), None, "ease", "ease")


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    yield spool
    spool.close()


def test_lists_are_written_in_batches_and_by_the_end(store):
    log = ExposureLog(store, None, flush_seconds=100)
    assert all(log.append(shown(number)) for number in range(1200))
    log.close()
    assert len(exposures(store)) == 1200 and log.counts() == ExposureCounts(0, 1200, 0, 0)
    assert not log.append(shown(5000)) and log.counts().dropped == 1


def test_a_single_list_is_written_soon_although_nothing_follows(store):
    log = ExposureLog(store, None, flush_seconds=0.01)
    for number in range(2):
        log.append(shown(number))
        end = time.monotonic() + 60
        while log.counts().stored <= number and time.monotonic() < end:
            time.sleep(0.01)
        assert len(exposures(store)) == number + 1
    log.close()


def test_a_flush_waits_until_all_is_written(store):
    log = ExposureLog(store, None, flush_seconds=100)
    log.append(shown(1))
    assert log.flush() and len(exposures(store)) == 1
    assert log.flush()
    log.close()


def test_what_does_not_fit_is_dropped_and_counted(store):
    faulty = Faulty(store)
    faulty.hang()
    log = ExposureLog(faulty, None, max_waiting=3, flush_seconds=0.001)
    assert [log.append(shown(number)) for number in range(5)] == [True, True, True, False, False]
    faulty.recover()
    log.close()
    assert log.counts() == ExposureCounts(0, 3, 0, 2)


def test_lists_wait_in_the_spool_while_the_store_is_away(store, spool):
    faulty = Faulty(store)
    faulty.fail()
    log = ExposureLog(faulty, spool)
    for number in range(3):
        log.append(shown(number))
    log.close()
    assert log.counts() == ExposureCounts(0, 0, 3, 0) and len(spool) >= 1


def test_without_store_and_spool_lists_are_lost_and_counted(store, caplog):
    faulty = Faulty(store)
    faulty.fail()
    log = ExposureLog(faulty, None)
    log.append(shown(1))
    log.close()
    assert log.counts().dropped == 1 and "1 lists are lost" in caplog.text


def test_one_list_that_the_store_refuses_is_lost_alone(store, caplog):
    log = ExposureLog(store, None, flush_seconds=100)
    for one in (shown(1), shown(2, "null \0 character"), shown(3)):
        log.append(one)
    log.close()
    assert log.counts() == ExposureCounts(0, 2, 0, 1) and len(exposures(store)) == 2
    assert f"{UUID(int=2)} is lost" in caplog.text


def test_what_waits_of_a_forgotten_user_is_not_written(store):
    log = ExposureLog(store, None, flush_seconds=100)
    log.append(shown(1))
    log.append(replace(shown(2), user_id="ben"))
    log.forget("ann")
    log.close()
    assert [one.user_id for one in exposures(store)] == ["ben"]


def test_a_log_of_which_all_was_forgotten_goes_on(store):
    log = ExposureLog(store, None, flush_seconds=0.001)
    log.append(shown(1))
    log.forget("ann")
    log.append(replace(shown(2), user_id="ben"))
    log.close()
    assert "ben" in {one.user_id for one in exposures(store)}


def test_what_becomes_of_lists_is_told_by_experiment_and_variant(store, spool):
    told = Counter()
    faulty = Faulty(store)
    faulty.hang()
    log = ExposureLog(
        faulty, spool, 4, 0.001, lambda fate, experiment, variant, n: told.update({(fate, experiment, variant): n})
    )
    for number, variant in enumerate(["a", "a", "b", None, "a"]):
        log.append(replace(shown(number), experiment_id=variant and "x", variant=variant))
    assert told == {
        ("waiting", "x", "a"): 2,
        ("waiting", "x", "b"): 1,
        ("waiting", None, None): 1,
        ("dropped", "x", "a"): 1,
    }
    faulty.recover()
    log.flush()
    faulty.fail()
    log.append(replace(shown(9), experiment_id="x", variant="b"))
    log.close()
    assert +told == {
        ("stored", "x", "a"): 2,
        ("stored", "x", "b"): 1,
        ("stored", None, None): 1,
        ("dropped", "x", "a"): 1,
        ("spooled", "x", "b"): 1,
    }


def test_what_is_forgotten_waits_no_longer(store):
    told = Counter()
    log = ExposureLog(store, None, 10, 100, lambda fate, experiment, variant, n: told.update({fate: n}))
    log.append(shown(1))
    log.forget("ann")
    assert told == {"waiting": 0}
    log.close()
