"""Tables as CSV files."""

from tracker.whole_files import write_table


def test_all_columns_in_the_order_of_appearance(tmp_path):
    path = tmp_path / "t.csv"
    write_table(path, [{"a": 1, "b": "x,y"}, {"c": 2.5, "a": 3}])
    assert path.read_bytes() == b'a,b,c\r\n1,"x,y",\r\n3,,2.5\r\n'
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]
