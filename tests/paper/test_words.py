"""Numbers, times and spreads as the page writes them."""

from intae.paper.words import duration, number, over_seeds


def test_words():
    assert [number(v) for v in (0, 0.0182, 7.5, 129.4, 7768.5, 0.0004)] == [
        "0", "0.0182", "7.5", "129", "7,768", "0.0004",
    ]  # fmt: skip
    assert [duration(d) for d in (3.3, 0.5, 0.01, 0.00001)] == [
        "3.3 days", "12 hours", "14.4 minutes", "0.864 seconds",
    ]  # fmt: skip
    assert over_seeds({3: 0.5}) == "0.50 (seed 3 only)"
    assert over_seeds({0: 0.5, 1: 0.25}) == "0.50 (seed 0), 0.25 (seed 1)"
    assert over_seeds(dict.fromkeys(range(3), 0.5) | {9: 0.7}) == (
        "0.55 on average (0.50 to 0.70 over 4 seeds)"
    )
