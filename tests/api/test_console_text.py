from rich.table import Table

from recsys.api.console_text import WIDTH, as_text_of_console


def test_lines_have_no_blanks_at_their_ends_and_text_is_as_it_is():
    table = Table("a", "b", box=None)
    table.add_row("[red]x[/red]", "")
    text = as_text_of_console(lambda console: console.print(table))
    assert text.splitlines() == [" a             b", " [red]x[/red]"]


def test_is_text_in_a_notebook_as_well(monkeypatch):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert as_text_of_console(lambda console: console.print("here")) == "here"


def test_long_lines_of_tables_are_folded():
    table = Table("a")
    table.add_row("word " * 100)
    assert all(len(line) <= WIDTH for line in as_text_of_console(lambda console: console.print(table)).splitlines())
