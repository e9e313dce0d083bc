"""Column names, in one place.

``*_id`` columns hold external identifiers (strings, as the user wrote them); ``*_index`` columns hold internal
ones (integers from zero, without gaps).
"""

USER_ID = "user_id"
ITEM_ID = "item_id"
USER_INDEX = "user_index"
ITEM_INDEX = "item_index"
RATING = "rating"
TIMESTAMP = "timestamp"
SUBSECOND_NS = "subsecond_ns"
FIRST_TIMESTAMP = "first_timestamp"
WEIGHT = "weight"
FOLD = "fold"
TITLE = "title"

#: Values of :data:`FOLD` where a data set comes already split.
FOLD_TRAIN = "train"
FOLD_VALID = "valid"
FOLD_TEST = "test"
FOLDS = (FOLD_TRAIN, FOLD_VALID, FOLD_TEST)
