from recsys_serving.recommending.stages import STAGES

from app.components.stage_words import STAGE_WORDS, stage_words


def test_each_stage_that_the_service_times_has_words_in_their_order():
    assert [name for name in STAGE_WORDS if name in STAGES] == list(STAGES)
    assert stage_words("cache") == "Look into the cache" and stage_words("newer") == "newer"
