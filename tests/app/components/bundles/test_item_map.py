from app.components.bundles.item_map import NUM_COLOURS, OTHERS, map_table


def test_frequent_values_have_a_colour_of_their_own():
    values = [f"genre {number}" for number in range(NUM_COLOURS)]
    items = [
        {"title": "one", "categories": [value], "num_interactions": 1, "x": 0.0, "y": 0.0}
        for value in [*values, *values]
    ]
    items.append({"title": "rare", "categories": ["rare"], "num_interactions": 1, "x": 0.0, "y": 0.0})
    items.append({"title": "both", "categories": ["rare", values[0]], "num_interactions": 1, "x": 1.0, "y": 2.0})
    table = map_table(items)
    assert table["Colour"].tolist()[-2:] == [OTHERS, values[0]]
    assert table["Categories"].iloc[-1] == f"rare, {values[0]}" and len(set(table["Colour"])) == NUM_COLOURS + 1
