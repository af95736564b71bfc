from pathlib import Path

import pytest

from daemon import cli
from daemon.crash import unexpected


def test_what_nobody_expected_is_told_in_words_and_kept_in_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fall_over(**options: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cli, "app", fall_over)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "ZeroDivisionError" in told.err
    assert "Traceback" not in told.err
    (report,) = tmp_path.iterdir()
    assert report.name in told.err
    assert "in fall_over" in report.read_text()


def test_the_hint_names_the_report() -> None:
    error = unexpected(ValueError("odd"))
    report = Path(error.hint.removeprefix("please report it with "))
    assert "ValueError: odd" in report.read_text()
    report.unlink()
