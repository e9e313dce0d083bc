from recsys.data.preparation.streaming.executor import InProcess


def test_a_call_is_made_when_its_result_is_asked_for() -> None:
    made: list[int] = []

    def call(base: int, number: int) -> int:
        made.append(number)
        return base + number

    results = InProcess().map(call, [(1,), (2,)], (10,))
    assert made == []
    assert (next(results), made) == (11, [1])
    assert list(results) == [12]
    assert [list(group) for group in InProcess().groups(3)] == [[0], [1], [2]]
