from tide_gauge import read


def test_reads_a_line():
    (reading,) = read("2026-03-01T06:10 3.42")
    assert reading.level == 3.42
