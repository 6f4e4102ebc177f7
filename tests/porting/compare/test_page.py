"""The page about it names every mistake."""

from rlbackends.porting.compare.mistakes import MISTAKES


def test_the_page_lists_every_mistake(repository):
    page = (repository / "docs" / "checked-port.md").read_text(encoding="utf-8")
    assert [mistake.word for mistake in MISTAKES if f"| {mistake.word} |" not in page] == []
    words = [mistake.word for mistake in MISTAKES]
    assert len(set(words)) == len(words)
