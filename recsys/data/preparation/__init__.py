"""The steps of preparing: the tables' rows, repeats, filters, the catalogue of items."""
