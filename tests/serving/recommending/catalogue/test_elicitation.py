from recsys_serving.recommending.catalogue.elicitation import ElicitationItems
from recsys_serving.recommending.types import CatalogueItem

from tests.models.board_data import NUM_ITEMS, NUM_USERS


def test_items_of_both_colours_are_asked_about(classic):
    chosen = ElicitationItems().choose(classic, 6)
    colours = {int(name[1:]) % 2 for name, _ in chosen[:2]}
    assert len({name for name, _ in chosen}) == 6 and colours == {0, 1}
    assert all(count == NUM_USERS for _, count in chosen)


def test_a_longer_questionnaire_begins_with_the_shorter(classic):
    items = ElicitationItems()
    assert items.choose(classic, 3) == items.choose(classic, 8)[:3]


def test_what_was_asked_is_not_asked_again(classic):
    items = ElicitationItems()
    first = [name for name, _ in items.choose(classic, 3)]
    assert not set(first) & {name for name, _ in items.choose(classic, 50, [*first, "none"])}


def test_there_are_no_more_than_there_are(classic):
    assert len(ElicitationItems().choose(classic, 1000)) == NUM_ITEMS


def test_items_that_are_gone_are_not_asked_about(by_content):
    first = ElicitationItems().choose(by_content, 1)[0][0]
    by_content.lay_over([CatalogueItem(first, available=False)])
    assert first not in {name for name, _ in ElicitationItems().choose(by_content, 50)}
