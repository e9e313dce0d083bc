from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.readers.tables import converted_text
from recsys.data.readers.tables.converted_text import UNIT_SEPARATOR, ConvertedText
from recsys.data.sources.raw_file import RawFile


def _read(path: Path, content: bytes, encoding: str, separator: str) -> str:
    path.write_bytes(content)
    with ConvertedText(path, None, encoding, separator).open() as stream:
        return stream.read().decode("utf-8")


def test_it_has_the_names_of_the_file(tmp_path: Path) -> None:
    file = RawFile(tmp_path / "a.dat")
    converted = ConvertedText(file.path, file.member, "utf-8", "::")
    assert (converted.name, converted.path, str(converted)) == (file.name, file.path, str(file))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8"])
def test_text_becomes_utf_8_with_common_line_ends(tmp_path: Path, encoding: str) -> None:
    content = "\ufeffé" if encoding == "utf-8" else "é"
    assert _read(tmp_path / "a", f"{content}\rb\r\nc\n".encode(encoding), encoding, ",") == "é\nb\nc\n"


def test_the_first_line_may_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\n \r\nsep=;\r\na;b\r\n")
    with ConvertedText(tmp_path / "a", None, "utf-8", ";", skips_line=True).open() as stream:
        assert stream.read() == b"a;b\n"


def test_long_separators_become_one_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converted_text, "_CHUNK_CHARACTERS", 4)  # so that separators are cut
    text = "1::Amélie: a film::x\n22::b::y\n"
    assert _read(tmp_path / "a", text.encode(), "utf-8", "::") == text.replace("::", UNIT_SEPARATOR)


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r\ufeff"), max_size=50))
def test_text_is_kept(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "kept"
    assert _read(path, text.encode("utf-16-le"), "utf-16-le", ";") == text


def test_what_is_no_text_in_the_encoding_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnicodeError):
        _read(tmp_path / "a", b"\xff\n", "utf-8", ";")
