"""Any process of a run may die or stop at any moment: draws from the table of docs/architecture.md.
See kill_testing.py."""
import pytest
import kill_testing as kt
import memlog_testing as mt

ARCHITECTURE = mt.TESTS.parent / "docs/architecture.md"


@pytest.mark.parametrize("number", range(kt.KILLS))
def test_draw(number):
    kt.run_draw(kt.draw(number))


def test_document_has_the_table():
    lines = ARCHITECTURE.read_text().splitlines()
    absent = [row.markdown() for row in kt.ROWS if row.markdown() not in lines]
    assert not absent, "not in docs/architecture.md:\n" + "\n".join(absent)
