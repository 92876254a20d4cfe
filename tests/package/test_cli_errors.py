"""What goes wrong is said in one line, with its exit code, and nothing half-written stays."""

import json
import os
import signal
import warnings

import pytest
from cli_tables import cscl, run_python, write_table
from safetensors import SafetensorError

from sklearn_cloud.__main__ import main

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def failing(capsys, tmp_path):
    """Run a command that must fail: its exit code is right, it writes nothing, and says so."""

    def run(arguments, code=1):
        before = snapshot(tmp_path)
        assert main([str(argument) for argument in arguments]) == code
        assert snapshot(tmp_path) == before
        output = capsys.readouterr()
        assert output.out == ""
        assert "Traceback" not in output.err
        assert output.err.lstrip().startswith("error: " if code != 130 else "interrupted: ")
        return output.err

    return run


def snapshot(folder):
    return {
        path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))
    }


def test_missing_target_column(failing, crystals, no_training):
    message = failing(["fit", "targets.csv", "--target", "band_gap", "-o", "model"])
    assert (
        message
        == "error: targets.csv has no column 'band_gap'; its columns are: id, file, gap, metal.\n"
    )


@pytest.mark.parametrize("command", ["fit", "evaluate"])
def test_the_column_of_the_crystals_is_no_target(command, failing, tmp_path, no_training):
    """CIF text is not kept next to the data: it is not a missing column either."""
    cif = cscl("Na", "Cl").to(fmt="cif")
    write_table(tmp_path / "t.csv", ["cif", "gap", "lab"], [[cif, 8.5, "one"]] * 3)
    message = failing([command, "t.csv", "--target", "cif", "-o", "out"])
    assert "--target is 'cif', the column of the crystals of t.csv" in message
    assert "another column (gap, lab), or that of the crystals with --column" in message


def test_missing_crystal_column(failing, tmp_path):
    write_table(tmp_path / "t.csv", ["name", "gap"], [["NaCl", 8.5]])
    message = failing(["strings", "t.csv"])
    assert "--column" in message and "Its columns are: name, gap." in message
    assert "no column 'cristal'; its columns are: name, gap" in failing(
        ["strings", "t.csv", "--column", "cristal"]
    )


def test_all_bad_rows_are_listed(failing, crystals, no_training):
    with open("targets.csv", "a") as file:
        file.write("a,crystals/none.cif,1.0,\nb,crystals/NaF.cif\nc,crystals/NaF.cif,wide,\n,,2,\n")
    message = failing(["fit", "targets.csv", "--target", "gap", "-o", "model"])
    headline, *rows = message.splitlines()
    assert headline.startswith("error: 4 of 16 crystals (targets.csv) cannot be used")
    assert "--skip-bad" in headline
    assert rows[0].startswith("  row 13 (crystals/none.cif): there is no file")
    assert rows[1] == "  row 14: it has 2 fields, but the header has 4"
    assert rows[2] == "  row 15 (crystals/NaF.cif): its gap is 'wide', not a number"
    assert rows[3] == "  row 16: the crystal is missing: the cell of the table is empty"


def test_long_lists_are_cut_but_complete(failing, tmp_path):
    write_table(tmp_path / "t.csv", ["formula"], [[f"Q{n}"] for n in range(1, 31)] + [["NaCl"]])
    message = failing(["strings", "t.csv"])
    assert len(message.splitlines()) == 22
    assert "and 10 more: row 21 (Q21)" in message and "row 30 (Q30)" in message


def test_nothing_left(failing, tmp_path):
    write_table(tmp_path / "t.csv", ["formula"], [["Qq"]])
    assert "no crystal is left" in failing(["strings", "t.csv", "--skip-bad"])


def test_unreadable_cif_is_named(failing, crystals):
    (crystals / "KF.cif").write_text("data_nothing\n")
    assert "  crystals/KF.cif: " in failing(["strings", "crystals"])


def test_target_without_numbers(failing, crystals, no_training):
    message = failing(["fit", "targets.csv", "--target", "metal", "-o", "model"])
    assert "'True'" in message and "--classify" in message


def test_empty_folder(failing, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "there are no crystal files in the folder 'empty'" in failing(["strings", "empty"])
    message = failing(["pretrain", "empty", "-o", "run"])
    assert "there are no crystal files" in message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing/*.cif", "no file matches 'nothing/*.cif'"),
        ("no.cif", "no file or folder 'no.cif'"),
    ],
)
def test_nothing_of_that_name(name, message, failing):
    assert message in failing(["strings", name])


def test_table_beside_crystals(failing, crystals):
    message = failing(["strings", "crystals", "targets.csv"], code=2)
    assert "pass crystal files, or a single table" in message
    assert "--column" in failing(["strings", "crystals", "--column", "cif"], code=2)


def test_other_files_in_a_folder_are_mentioned(crystals, capsys):
    (crystals / "notes.txt").touch()
    (crystals / "OUTCAR").touch()
    assert main(["strings", "crystals"]) == 0
    message = capsys.readouterr().err
    assert "12 crystal files; ignored other files (.txt, OUTCAR)" in message


@pytest.mark.parametrize("output", ["out.txt", "out"])
def test_unknown_format(output, failing, crystals):
    assert "unknown table format" in failing(["strings", "crystals", "-o", output], code=2)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "'t.csv' is empty"),
        ("t.csv", b"formula\n", "t.csv has no rows"),
        ("t.csv", b"formula,formula\nNaCl,KCl\n", "two columns named 'formula'"),
        ("t.csv", b"formula\n\xff\xfe\n", "'t.csv' is not UTF-8 text"),
        ("t.json", b"{", "t.json is not JSON"),
        ("t.json", b"[1, 2]", "a list of records or structures"),
        ("t.parquet", b"PAR1", "t.parquet is not a Parquet file"),
    ],
)
def test_damaged_table(name, content, message, failing, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert message in failing(["strings", name])


@pytest.mark.parametrize(
    "command",
    [
        ["strings", "crystals", "-o", "there.csv"],
        ["predict", "model", "crystals", "-o", "there.csv"],
        ["embed", "crystals", "-o", "there.csv"],
        ["benchmark", "jdft2d", "-o", "there.csv"],
    ],
)
def test_existing_file(command, failing, tmp_path):
    (tmp_path / "there.csv").write_text("precious")
    assert failing(command) == (
        "error: there.csv exists: choose another name, or replace it with --overwrite.\n"
    )


def test_existing_model(failing, fit, crystals, no_training, tmp_path):
    command = ["fit", "targets.csv", "--target", "gap", "-o"]
    (tmp_path / "model").mkdir()
    (tmp_path / "model/crystal_model.json").write_text("{}")
    assert "replace it with --overwrite" in failing([*command, "model"])
    # a folder that is not a model is never replaced
    assert "contains other files" in failing([*command, "crystals", "--overwrite"])
    assert "targets.csv is a file" in failing([*command, "targets.csv", "--overwrite"])
    assert "contains other files" in failing(
        ["pretrain", "crystals", "-o", "crystals", "--overwrite"]
    )


@pytest.mark.parametrize(
    "command",
    [
        ["strings", "crystals", "-o", "targets.csv/out.csv"],
        ["fit", "targets.csv", "--target", "gap", "-o", "targets.csv/model"],
        ["pretrain", "crystals", "-o", "targets.csv/run"],
        ["demo", "-o", "targets.csv"],
    ],
)
def test_place_that_cannot_be_written(command, failing, crystals, no_training):
    assert "cannot be written" in failing(command)


def test_no_write_permission(failing, crystals, monkeypatch, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    if os.geteuid() == 0:  # who may do everything
        monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    message = failing(["strings", "crystals", "-o", "closed/out.csv"])
    assert message == (
        "error: closed/out.csv cannot be written (Permission denied): choose a writable folder.\n"
    )


def refuse(**options):
    raise PermissionError(13, "Permission denied")


def test_folder_without_model(failing, crystals):
    message = failing(["predict", "crystals", "crystals"])
    assert "it has no crystal_model.json" in message and "sklearn-cloud fit" in message
    assert "no model folder 'nowhere'" in failing(["predict", "nowhere", "crystals"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("format_version"), "is damaged"),
        (lambda c: c.pop("files"), "changed after it was written"),
        (lambda c: c.update(format_version=99), "incompatible version"),
    ],
)
def test_damaged_model(change, message, failing, fit, tmp_path):
    assert fit("model") == 0
    path = tmp_path / "model/crystal_model.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    assert message in failing(["predict", "model", "crystals"])


def test_prediction_that_is_there_already(failing, fit, crystals):
    assert fit("model") == 0
    assert main(["predict", "model", "crystals", "-o", "once.csv", "--quiet"]) == 0
    message = failing(["predict", "model", "once.csv", "-o", "twice.csv", "--quiet"])
    assert "once.csv already has a column 'predicted_gap'" in message


def test_unknown_encoder(failing, crystals):
    options = ["--encoder", "huge", "--quiet"]
    assert "No encoder 'huge'" in failing(
        ["fit", "targets.csv", "--target", "gap", "-o", "model", "--model", "cloud", *options]
    )
    assert "No encoder 'huge'" in failing(["embed", "crystals", "-o", "v.csv", *options])


def test_full_disk_leaves_the_old_file(fit, crystals, monkeypatch, failing, tmp_path):
    import pandas as pd

    (tmp_path / "out.csv").write_text("old")

    def write_some(self, path, **options):
        path.write_text("half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(pd.DataFrame, "to_csv", write_some)
    message = failing(["strings", "crystals", "-o", "out.csv", "--overwrite"])
    assert "No space left on device" in message


def test_leftovers_of_a_killed_process_are_removed(crystals, tmp_path):
    (tmp_path / ".out.csv.12.part").write_text("half")
    (tmp_path / ".other.csv.12.part").write_text("half")
    assert main(["strings", "crystals", "-o", "out.csv"]) == 0
    assert [path.name for path in tmp_path.glob(".*.part")] == [".other.csv.12.part"]


@pytest.mark.parametrize(
    ("error", "free"),
    [
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), 0),
        (SafetensorError("I/O error: No space left on device (os error 28)"), 10**9),
        (OSError(28, "No space left on device"), 10**9),
    ],
)
def test_full_disk_in_pretrain(error, free, crystals, monkeypatch, capsys):
    def pretrain(*arguments, **options):
        raise error

    monkeypatch.setattr("sklearn_cloud.pretraining.pretraining.pretrain", pretrain)
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("sklearn_cloud.cli.outputs.shutil.disk_usage", lambda path: usage)
    assert main(["pretrain", "crystals", "-o", "run", "--sites", "set", "--quiet"]) == 1
    assert "error: the disk of run is full: free some space" in capsys.readouterr().err


def test_failed_model_leaves_the_old_one(failing, fit, crystals, monkeypatch, capsys):
    assert fit("model") == 0
    before = snapshot(crystals.parent)

    def write(path, data):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("sklearn_cloud.estimators.folder_files.write_file", write)
    assert fit("model", "--overwrite") == 1
    assert snapshot(crystals.parent) == before


@pytest.fixture
def heeds_ctrl_c():
    """A process that was started in the background may be deaf to it."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_while_training(failing, crystals, encoder, monkeypatch):
    """skorch would take a KeyboardInterrupt as the wish to end the training early."""
    from sklearn_cloud.training.data import InputDataset

    batch = InputDataset.batch

    def press(self, rows):
        signal.raise_signal(signal.SIGINT)
        return batch(self, rows)

    monkeypatch.setattr(InputDataset, "batch", press)
    command = [
        "fit",
        "targets.csv",
        "--target",
        "gap",
        "-o",
        "model",
        "--model",
        "cloud",
        "--quiet",
    ]
    assert "nothing was written" in failing([*command, "--encoder", encoder], code=130)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_while_reading(failing, crystals, monkeypatch):
    def press(*arguments, **options):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("sklearn_cloud.symmetry.strings.compose_strings", press)
    failing(["strings", "crystals", "-o", "out.csv"], code=130)


def test_traceback_on_request(crystals, capsys):
    assert main(["strings", "nowhere.cif", "--traceback"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("Traceback") and message.endswith("'nowhere.cif'.\n")


def test_warnings_are_one_line(crystals, capsys, monkeypatch):
    import sklearn_cloud.cli.inputs as module

    find = module.find_crystals

    def warn(*arguments):
        warnings.warn("mind the gap", stacklevel=1)
        return find(*arguments)

    monkeypatch.setattr(module, "find_crystals", warn)
    assert main(["strings", "crystals", "-o", "out.csv", "--quiet"]) == 0
    assert capsys.readouterr().err == "warning: mind the gap\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["strings"],
        ["fit", "targets.csv", "-o", "model"],
        ["fit", "targets.csv", "--target", "gap", "-o", "model", "--epochs", "0"],
        ["predict", "model", "crystals", "--coverage", "90"],
        ["strings", "crystals", "--symprec", "-1"],
        ["strings", "crystals", "--parts", "sites,colour"],
        ["benchmark", "jdft2d", "--folds", "5"],
    ],
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: sklearn-cloud" in capsys.readouterr().err


def test_reader_that_has_seen_enough(crystals):
    """As `sklearn-cloud strings crystals | head` does, but sure to be over when we write."""
    code = (
        "import os, sys; from sklearn_cloud.__main__ import main; "
        "read, write = os.pipe(); os.close(read); os.dup2(write, 1); "
        "sys.exit(main(['strings', 'crystals']))"
    )
    done = run_python("-c", code)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, when it is imported
def test_encoder_and_device_come_before_the_crystals(failing, crystals, monkeypatch):
    monkeypatch.setattr("sklearn_cloud.cli.inputs.read_all", None)
    command = ["fit", "targets.csv", "--target", "gap", "-o", "model", "--model", "cloud"]
    assert "smal" in failing([*command, "--encoder", "smal"])
    assert "leave out --device" in failing([*command, "--device", "meta"])


def test_numbers_are_no_classes_and_no_crystals(failing, crystals):
    command = ["fit", "targets.csv", "-o", "model", "--target", "gap"]
    assert "leave out --classify" in failing([*command, "--classify"])
    assert "the column gap of targets.csv contains numbers" in failing(
        [*command, "--column", "gap"]
    )


def test_a_file_is_named_once(failing, crystals):
    (crystals / "KF.cif").write_text("data_nothing\n")
    message = failing(["strings", "crystals", "-o", "out.csv"])
    assert message.count("KF.cif") == 1
