"""A column of CSV in place of whole lines."""

from edgecalc.shell import cli


def predict(model_path, capsys, *arguments):
    status = cli.main(["predict", "--model", str(model_path), *map(str, arguments)])
    out, errors = capsys.readouterr()
    return status, out.splitlines(), errors


def test_a_column_by_name_leaves_out_the_first_line(model_path, capsys, tmp_path):
    (tmp_path / "a.csv").write_text('name, task \nAda,"1+1"\nBob,"2 + 2"\n')
    (tmp_path / "b.csv").write_text("task\n3+3\n")
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    assert predict(model_path, capsys, "--column", "task", *files) == (0, ["2", "4", "6"], "")


def test_a_column_by_number_has_no_such_line(model_path, capsys, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Ada,1+1\nBob,2+2\n")
    assert predict(model_path, capsys, "--column=2", path) == (0, ["2", "4"], "")


def test_a_line_that_is_no_csv_or_too_short_is_reported(model_path, capsys, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('Ada,1+1\nBob\n\nEve,"2+2\nDan,5+\n' + "x" * 5000 + ",3+3\n")
    status, out, errors = predict(model_path, capsys, "--column=2", path)
    assert status == 1
    assert out[0] == "2"
    assert out[1] == out[2] == "error: the line ends before column 2"
    assert out[3].startswith("error: not CSV: ")
    assert out[4] == "error: a number is missing: type one from 0 to 99 behind the + (column 3)"
    assert out[5:] == ["6"]  # a long line is no reason to refuse a short cell
    assert f"{path}:2: the line ends before column 2" in errors


def test_a_name_that_is_not_there(model_path, capsys, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1+1,2+2\n")
    status, out, errors = predict(model_path, capsys, "--column=task", path)
    assert (status, out) == (1, [])
    assert errors == f"edgecalc: {path}: has no column 'task' in its first line\n"
