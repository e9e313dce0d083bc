from recsys.data.splitting.leave_last_out import LeaveLastOut
from recsys.data.splitting.seen_before import rows_seen_before, seen_before_by_user
from tests.data.splitting.generated import make


def test_rows_count_whose_first_interaction_is_before_the_start() -> None:
    rows = make([0, 0, 0], timestamps=[10, 20, 30], first_timestamps=[10, 5, 29])
    assert rows_seen_before(rows, rows.user_index.astype("int64")[:0], 9).tolist() == []
    assert rows_seen_before(rows, LeaveLastOut(num_test=2, num_valid=0).split(rows).test, 20).tolist() == [1]


def test_each_user_has_a_start_of_their_own() -> None:
    # User 0 had the item of the last row since 2, user 1 since 31: both before their last interaction. User 0 had that
    # of validation (row 1, held out from 3 on) since 3: it was new then.
    users = [0, 0, 0, 1, 1, 1]
    rows = make(users, timestamps=[1, 3, 30, 5, 6, 40], first_timestamps=[1, 3, 2, 5, 6, 31])
    split = LeaveLastOut().split(rows)
    assert split.test.tolist() == [2, 5]
    assert split.seen_before.tolist() == [2, 5]
    assert seen_before_by_user(rows, split).tolist() == [2, 5]


def test_nothing_is_noted_where_nothing_was_merged() -> None:
    rows = make([0, 0, 0], timestamps=[1, 2, 3])
    assert LeaveLastOut().split(rows).seen_before.tolist() == []
