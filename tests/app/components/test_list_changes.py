from app.components.list_changes import changes_summary, changes_table, list_changes


def listed(*names):
    return [{"item_id": name, "title": name.upper()} for name in names]


def test_what_came_left_and_moved_is_told():
    changes = list_changes(listed("a", "b", "c", "d"), listed("c", "b", "e", "a"))
    assert [(one.title, one.before, one.after, one.words) for one in changes] == [
        ("C", 3, 1, "▲ 2"),
        ("B", 2, 2, "stayed"),
        ("E", None, 3, "came in"),
        ("A", 1, 4, "▼ 3"),
        ("D", 4, None, "left"),
    ]
    assert changes_summary(changes) == "1 came in, 1 left, 2 moved."


def test_lists_that_are_alike_say_so():
    assert changes_summary(list_changes(listed("a"), listed("a"))) == "Both lists are the same."


def test_the_table_has_both_ranks():
    table = changes_table(list_changes(listed("a"), listed("b")), "Before", "After")
    assert table.values.tolist() == [["B", "–", "1", "came in"], ["A", "1", "–", "left"]]
    assert list(table.columns) == ["Item", "Before", "After", "Change"]
