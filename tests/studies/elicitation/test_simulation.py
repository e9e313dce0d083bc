import numpy as np
import torch

from recsys.data.splitting.cold_users import ColdUsers
from recsys.elicitation.familiarity import FamiliarityModel
from recsys.evaluation.ranking import RankingEvaluator
from recsys.models.interface.protocols import Query
from recsys.models.pure_svd import PureSVD
from recsys.studies.elicitation.simulation import (
    ElicitationSimulation,
    WithPopularityFallback,
    at_random,
    by_answers,
    same_items,
)
from tests.checkerboard import checkerboard

ROWS, _ = checkerboard(num_users=60, num_items=40)
SPLIT = ColdUsers(0.2, 0.1, given_ratio=0.5).split(ROWS)


def fitted() -> PureSVD:
    model = PureSVD(ROWS.num_users, ROWS.num_items, embedding_dim=2)
    model.fit(ROWS.take(SPLIT.train))
    return model.eval()


def simulation(stage: str = "test") -> ElicitationSimulation:
    evaluator = RankingEvaluator(ks=(10,), bootstrap_samples=0)
    return ElicitationSimulation(ROWS, SPLIT, stage, fitted(), evaluator)  # type: ignore[arg-type]


def test_users_know_what_is_given_of_them():
    found = simulation()
    assert found.knows.shape == (12, 40)
    assert found.knows.sum() == len(SPLIT.test_fold_in)
    for row, user in zip(found.knows, np.unique(ROWS.user_index[SPLIT.test_fold_in]), strict=True):
        given = ROWS.item_index[SPLIT.test_fold_in][ROWS.user_index[SPLIT.test_fold_in] == user]
        assert row.nonzero()[0].tolist() == sorted(given)


def test_one_known_item_tells_the_colour_and_none_tells_nothing():
    # the held-out items of a user are those of their colour that are not given: ten, of 30 candidates
    found = simulation()
    one_known = np.array([row.nonzero()[0][:1] for row in found.knows])
    right = found.run("right", lambda knows, number: one_known, [1])[0]
    assert right.num_known == 1.0
    np.testing.assert_allclose(right.values, 1.0)
    nobody_knows = np.array([(~row).nonzero()[0][:1] for row in found.knows])
    wrong = found.run("wrong", lambda knows, number: nobody_knows, [1])[0]
    assert wrong.num_known == 0.0
    assert wrong.values.max() < 1.0


def test_numbers_of_questions_are_measured_along_one_interview():
    found = simulation()
    results = found.run("same_items", same_items(list(range(40))), [40, 2])
    assert [result.num_questions for result in results] == [2, 40]
    assert results[0].num_known < results[1].num_known == found.knows.sum(1).mean()
    np.testing.assert_allclose(results[1].values, found.with_all("all").values)


def test_a_strategy_may_run_out_of_items():
    results = simulation().run("short", same_items([0, 1]), [5])
    assert 0 < results[0].num_known <= 2


def test_validation_asks_its_own_users():
    assert len(simulation("valid").knows) == 6


def test_random_items_are_drawn_for_each_user_from_the_candidates():
    knows = np.zeros((20, 40), dtype=np.bool_)
    asked = at_random(np.arange(5, 15), seed=1)(knows, 8)
    assert asked.shape == (20, 8)
    assert all(len(set(row)) == 8 and set(row) <= set(range(5, 15)) for row in asked.tolist())
    assert len({tuple(row) for row in asked.tolist()}) == 20
    assert at_random(np.arange(3), seed=1)(knows, 5)[0, 3:].tolist() == [-1, -1]


def test_questions_follow_the_answers():
    familiarity = FamiliarityModel.from_interactions(ROWS.take(SPLIT.train), num_components=2)
    knows = np.zeros((2, 40), dtype=np.bool_)
    knows[0, ::2] = knows[1, 1::2] = True
    asked = by_answers(familiarity)(knows, 6)
    assert asked[0, 0] == asked[1, 0]
    assert (knows[[[0], [1]], asked].sum(1) >= 5).all()
    assert all(len(set(row)) == 6 for row in asked.tolist())
    assert by_answers(familiarity)(knows, 45)[0, 40:].tolist() == [-1] * 5


def test_who_knows_nothing_is_recommended_what_is_popular():
    model = WithPopularityFallback(fitted(), torch.arange(40))
    histories = simulation()._task.histories
    query = Query(torch.tensor([-1, -1]), histories.take(torch.tensor([-1, int(simulation()._users[0])])))
    scores = model.score(query)
    assert scores[0].tolist() == list(range(40))
    assert scores[1].equal(fitted().score_histories(query.histories)[1])
