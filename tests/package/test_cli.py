"""The commands on small folders and tables: what they write."""

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from cli_tables import PAIRS, cscl, read_rows, run_python, write_table

import sklearn_cloud
from sklearn_cloud import CloudEmbedder, CloudRegressor, symmetry_string
from sklearn_cloud.__main__ import main
from sklearn_cloud.cli import COMMANDS
from sklearn_cloud.datasets import list_matbench
from sklearn_cloud.encoder import load_encoder
from sklearn_cloud.estimators.folders import load_model, read_description

pytestmark = pytest.mark.usefixtures("own_folder")


def test_help_is_instant():
    done = run_python("-X", "importtime", "-m", "sklearn_cloud", "--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "sklearn_cloud.cli.options" in imported
    assert not imported & {"torch", "numpy", "pandas", "sklearn", "pymatgen", "tqdm"}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"    sklearn-cloud {command}" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert sklearn_cloud.__version__ in capsys.readouterr().out


def test_strings_of_a_folder(crystals, tmp_path):
    assert main(["strings", "crystals", "-o", "out/strings.csv"]) == 0
    rows = read_rows(tmp_path / "out/strings.csv")
    assert len(rows) == 12
    assert rows[-1]["file"] == "../crystals/more/CsBr.cif"  # relative to the table
    assert rows[0]["symmetry_string"] == symmetry_string(crystals / "CsCl.cif")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["strings.csv"]


def test_strings_on_standard_output(crystals, capsys):
    pattern = "crystals/Na*.cif"
    options = ["--sites", "set", "--parts", "sites,composition"]
    assert main(["strings", pattern, "crystals/NaF.cif", *options]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "file,symmetry_string"
    assert lines[0] == "crystals/NaBr.cif,1a 1b | Na 0.5 Br 0.5"
    assert len(lines) == 3  # NaF was given twice


def test_processes_write_the_same_strings(crystals, monkeypatch):
    assert main(["strings", "crystals", "-o", "one.csv"]) == 0
    with monkeypatch.context() as elsewhere:  # joblib keeps workers, which stay where they began
        elsewhere.chdir(Path(__file__).parent)
        joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(number) for number in range(4))
    assert main(["strings", "crystals", "-o", "two.csv", "--jobs", "2"]) == 0
    assert read_rows("one.csv") == read_rows("two.csv")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "parquet"])
def test_table_in_table_out(suffix, crystals):
    assert main(["strings", "targets.csv", "-o", f"strings.{suffix}"]) == 0
    # what was written is read again, and keeps its columns
    assert main(["predict", "nowhere", f"strings.{suffix}"]) == 1
    assert main(["embed", f"strings.{suffix}", "-o", "vectors.csv"]) == 0
    rows = read_rows("vectors.csv")
    assert list(rows[0])[:5] == ["id", "file", "gap", "metal", "symmetry_string"]
    assert rows[3]["id"] == "003"  # text stays text


def test_cells_of_every_kind(crystals, tmp_path):
    text = (crystals / "NaCl.cif").read_text()
    records = [
        {"crystal": text},
        {"crystal": "crystals/NaCl.cif"},
        {"crystal": cscl("Na", "Cl").as_dict()},
        {"crystal": "NaCl"},
    ]
    (tmp_path / "table.json").write_text(json.dumps(records))
    assert main(["strings", "table.json", "--column", "crystal", "-o", "out.csv"]) == 0
    strings = [row["symmetry_string"] for row in read_rows("out.csv")]
    expected = symmetry_string(cscl("Na", "Cl"))
    assert strings == [expected, expected, expected, "Na 0.5 Cl 0.5"]
    assert list(read_rows("out.csv")[0]) == ["file", "symmetry_string"]  # no CIF text


def test_json_in_split_form(tmp_path):
    (tmp_path / "split.json").write_text(
        json.dumps({"index": ["a"], "columns": ["formula"], "data": [["NaCl"]]})
    )
    assert main(["strings", "split.json", "-o", "out.csv"]) == 0
    assert read_rows("out.csv") == [
        {"id": "a", "formula": "NaCl", "symmetry_string": "Na 0.5 Cl 0.5"}
    ]


def test_long_cif_text_in_csv(crystals, tmp_path):
    text = (crystals / "NaCl.cif").read_text() + "# padding\n" * 20_000
    write_table(tmp_path / "long.csv", ["cif"], [[text]])
    assert main(["strings", "long.csv", "-o", "out.csv"]) == 0


def test_fit_then_predict_as_in_python(fit, encoder, crystals, capsys, assert_close):
    assert fit("model", "--sites", "set", "--symprec", "0.05", "--seed", "7") == 0
    assert main(["predict", "model", "targets.csv", "-o", "predictions.csv"]) == 0
    message = capsys.readouterr().err
    found = pd.read_csv("predictions.csv")
    files = [f"crystals/{'more/' * (i == 11)}{c}{a}.cif" for i, (c, a) in enumerate(PAIRS)]
    strings = [symmetry_string(file, sites="set", symprec=0.05) for file in files]
    model = CloudRegressor(encoder, max_epochs=2, random_state=7).fit(strings, found["gap"])
    assert_close(found["predicted_gap"], model.predict(strings))
    error = (found["gap"] - found["predicted_gap"]).abs().mean()
    assert f"mean absolute error on the 12 rows with a gap: {error:.4g}" in message


def test_model_folder(fit, crystals, assert_close):
    assert fit("model", "--sites", "set") == 0
    model, content = load_model("model"), read_description(Path("model"))
    assert content["target"] == "gap"
    assert content["training"]["crystals"] == 12
    assert model.steps[0][1].get_params()["sites"] == "set"
    assert model.steps[1][1].get_params()["verbose"] == 0
    assert main(["predict", "model", "crystals/NaF.cif", "-o", "one.json"]) == 0
    record = json.loads(open("one.json").read())[0]
    assert_close(record["predicted_gap"], model.predict(["crystals/NaF.cif"])[0])


def test_fit_names_the_validation_error_for_what_it_is(fit, capsys):
    quick = ["--model", "cloud", "--epochs", "2", "--encoder", "none"]
    assert main(["fit", "targets.csv", "--target", "gap", "-o", "model", *quick]) == 0
    out = capsys.readouterr().out
    estimator = load_model("model").steps[-1][1]
    error = min(estimator.validation_scores_) * estimator.target_scale_[0]
    assert f"lowest validation error: {error:.4g}" in out
    assert "new crystals have a larger one" in out  # it is not the expected error


def test_ensemble_with_intervals(crystals, capsys, assert_close):
    command = ["fit", "targets.csv", "--target", "gap", "-o", "model", "--effort", "fast"]
    assert main(command) == 0
    out = capsys.readouterr().out
    model = load_model("model")
    assert f"expected mean absolute error: {model.expected_error_:.4g}" in out
    assert "members and weights: " in out and "validation" not in out
    command = ["predict", "model", "targets.csv", "-o", "new.csv", "--coverage", "0.8"]
    assert main(command) == 0
    found = pd.read_csv("new.csv")
    files = found["file"].tolist()
    assert_close(found["predicted_gap"], model.predict(files))
    assert_close(found[["lower_gap", "upper_gap"]], model.predict_interval(files, 0.8))
    assert_close(found["applicability"], model.applicability(files))
    assert "mean absolute error on the 12 rows" in capsys.readouterr().err
    cscl("Cs", "Og").to("strange.cif")
    assert main(["predict", "model", "strange.cif"]) == 0
    assert "1 crystals are unlike the training crystals" in capsys.readouterr().err


def test_ensemble_of_classes(crystals):
    command = ["fit", "targets.csv", "--target", "metal", "--classify", "-o", "metals", "--quiet"]
    assert main([*command, "--effort", "fast"]) == 1  # four metals are too few for five folds
    table = pd.read_csv("targets.csv")
    pd.concat([table, table]).to_csv("targets.csv", index=False)
    assert main([*command, "--effort", "fast"]) == 0
    assert main(["predict", "metals", "targets.csv", "-o", "labels.csv", "--quiet"]) == 0
    found = pd.read_csv("labels.csv")
    assert set(found.columns[4:]) == {
        "predicted_metal", "probability_False", "probability_True", "applicability",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "5"], "--epochs applies to the encoder alone: add --model cloud"),
        (["--sites", "set"], "--sites applies to the encoder alone"),
        (["--model", "cloud", "--effort", "fast"], "--effort applies to --model crystal only"),
    ],
)
def test_options_of_the_other_model(crystals, options, message, capsys):
    assert main(["fit", "targets.csv", "--target", "gap", "-o", "model", *options]) == 2
    assert message in capsys.readouterr().err


def test_classify(fit, crystals, capsys):
    assert fit("metals", "--classify", target="metal") == 0
    assert main(["predict", "metals", "targets.csv", "-o", "labels.parquet"]) == 0
    found = pd.read_parquet("labels.parquet")
    assert set(found["predicted_metal"]) <= {"True", "False"}
    np.testing.assert_allclose(found["probability_True"] + found["probability_False"], 1, atol=1e-6)
    share = (found["predicted_metal"] == found["metal"]).mean()
    assert f"accuracy on the 12 rows with a metal: {share:.4g}" in capsys.readouterr().err


@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_whole_numbers_are_labels_as_they_are(suffix, gap, crystals, fit):
    """Not their text, nor the floats that a table with a gap has."""
    table = pd.DataFrame({"formula": [f"{a}{b}" for a, b in PAIRS], "group": [0, 3, 7] * 4})
    table["group"] = table["group"].astype(float if gap else int)
    if gap:
        table.loc[0, "group"] = np.nan
    write = {"csv": table.to_csv, "json": table.to_json, "parquet": table.to_parquet}[suffix]
    write(f"t.{suffix}", **({"orient": "records"} if suffix == "json" else {"index": False}))
    options = ["--classify", "--skip-bad"]
    assert fit("groups", *options, table=f"t.{suffix}", target="group") == 0
    model = load_model("groups")
    assert model.classes_.tolist() == [0, 3, 7] and model.classes_.dtype == np.int64
    assert main(["predict", "groups", f"t.{suffix}", "-o", "labels.parquet", "--quiet"]) == 0
    found = pd.read_parquet("labels.parquet")
    assert found["predicted_group"].dtype == np.int64
    assert "probability_3" in found.columns


def test_a_constant_target_is_noticed(crystals, fit, capsys):
    table = pd.read_csv("targets.csv").assign(gap=1.5)
    table.to_csv("t.csv", index=False)
    assert fit("constant", table="t.csv") == 0
    assert "the column 'gap' is 1.5 in all 12 rows: every model will" in capsys.readouterr().err


def test_embed(crystals, encoder, assert_close):
    assert main(["embed", "crystals", "-o", "vectors.parquet", "--encoder", encoder]) == 0
    table = pd.read_parquet("vectors.parquet")
    strings = [symmetry_string(file) for file in table["file"]]
    assert_close(table.iloc[:, 1:], CloudEmbedder(encoder).fit_transform(strings))


def test_skip_bad_leaves_out_and_names(fit, crystals, capsys):
    (crystals / "KF.cif").write_text("data_nothing\n")
    with open("targets.csv", "a") as file:
        file.write("x,crystals/NaF.cif,,\ny,crystals/NaF.cif\nz,crystals/NaF.cif,inf,\n")
    assert fit("model", "--skip-bad") == 0
    message = capsys.readouterr().err
    assert "skipped 4 of 15 crystals (targets.csv)" in message
    rows = [line.split(":")[0].strip() for line in message.splitlines()[1:5]]
    assert rows == [
        "row 4 (crystals/KF.cif)",
        "row 13 (crystals/NaF.cif)",
        "row 14",
        "row 15 (crystals/NaF.cif)",
    ]
    assert read_description(Path("model"))["training"]["crystals"] == 11


def test_overwrite(fit, crystals):
    assert fit("model") == 0
    assert fit("model", "--sites", "set", "--overwrite") == 0
    assert load_model("model")[0].sites == "set"
    for _ in range(2):
        assert main(["predict", "model", "crystals", "-o", "out.csv", "--overwrite"]) == 0


def test_pretrain_gives_an_encoder_and_goes_on(crystals, fit, capsys, monkeypatch):
    pytest.importorskip("accelerate")
    command = ["pretrain", "crystals", "targets.csv", "-o", "run", "--epochs", "1"]
    command += ["--batch-size", "4", "--sites", "orbits"]

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sklearn_cloud.pretraining.pretraining._finish", stop)
        assert main(command) == 130
    assert "run the same command again" in capsys.readouterr().err
    assert main(command) == 0
    output = capsys.readouterr()
    assert "resuming from run/checkpoint-" in output.err
    assert "skipped 12: same formula and space group" in output.err
    assert "encoder: run/encoder" in output.out
    assert load_encoder("run/encoder").metadata["sites"] == "orbits"
    assert fit("model", "--encoder", "run/encoder") == 0
    assert main(command) == 1
    assert "contains a finished run" in capsys.readouterr().err
    assert main([*command, "--overwrite", "--column", "nothing"]) == 1
    assert load_encoder("run/encoder").metadata["sites"] == "orbits"  # nothing was removed yet


def test_demo_writes_table_and_picture(monkeypatch, capsys, encoder):
    pytest.importorskip("matplotlib")
    from sklearn_cloud import datasets

    example = datasets.load_example()
    example.structures, example.target = example.structures[:20], example.target[:20]
    example.frame = example.frame[:20]
    monkeypatch.setattr(datasets, "load_example", lambda: example)
    monkeypatch.setattr("sklearn_cloud.cli.demo.N_FOLDS", 2)
    assert main(["demo", "--epochs", "1", "-o", "shown"]) == 0
    assert "Band gap of 20 crystals, 2-fold cross-validation, MAE in eV" in capsys.readouterr().out
    rows = read_rows("shown/predictions.csv")
    assert list(rows[0])[-2:] == ["random forest on composition", "CLOUD"]
    assert open("shown/parity.png", "rb").read(8) == b"\x89PNG\r\n\x1a\n"
    assert main(["demo", "-o", "shown"]) == 1
    assert "predictions.csv exists" in capsys.readouterr().err


@pytest.fixture
def small_task(monkeypatch):
    """A table of 30 formulas with three folds, in the place of every MatBench task."""
    from sklearn.utils import Bunch

    from sklearn_cloud import datasets

    formulas = [f"{c}{n}{a}" for c in ("Na", "K", "Rb") for a in ("F", "Cl") for n in range(1, 6)]
    test = np.arange(10)

    def fetch(name, **options):
        classes = name == "glass"
        return Bunch(
            structures=np.array(formulas, dtype=object),
            target=np.arange(30) % 2 == 0 if classes else np.arange(30.0),
            folds=[(np.setdiff1d(np.arange(30), test + 10 * k), test + 10 * k) for k in range(3)],
            ids=np.array([f"row-{k}" for k in range(30)]),
            coverage=1.0,
            task_type="classification" if classes else "regression",
            DESCR="a small task",
        )

    monkeypatch.setattr(datasets, "fetch_matbench", fetch)


@pytest.mark.parametrize("task", ["steels", "glass"])
def test_benchmark(task, small_task, capsys, encoder):
    options = ["--encoder", encoder, "--epochs", "1", "--folds", "0", "2", "-o", "scores.csv"]
    assert main(["benchmark", task, *options]) == 0
    output = capsys.readouterr()
    assert "a small task" in output.err
    scores = pd.read_csv("scores.csv")
    assert scores["fold"].tolist() == [0, 2]
    first = "accuracy" if task == "glass" else "mae"
    assert f"{scores[first].mean():.4g}" in output.out.splitlines()[-2]


def test_benchmark_resumes_and_keeps_predictions(small_task, capsys, tmp_path):
    command = ["benchmark", "steels", "--model", "forest", "--parameters", '{"n_estimators": 3}']
    assert main([*command, "--folds", "1"]) == 0
    first = capsys.readouterr().out.splitlines()[1]
    assert main([*command, "--folds", "0", "1"]) == 0
    output = capsys.readouterr()
    assert first in output.out.splitlines()
    assert "fold 1: from an earlier run with the same settings" in output.err
    (result,) = (tmp_path / "data_home/results").iterdir()
    assert f"({result})" in output.err
    (folder,) = (tmp_path / "data_home/predictions").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["fold_0.csv.gz", "fold_1.csv.gz"]
    # other settings are another result
    assert main(["benchmark", "steels", "--model", "dummy", "--folds", "0"]) == 0
    assert len(list((tmp_path / "data_home/results").iterdir())) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        (["--model", "rooster"], "unknown model 'rooster': choose one of cloud, cloud-geometry"),
        (["--model", "forest", "--encoder", "mini"], "forest has no parameter 'encoder'"),
        (["--model", "magpie-forest"], "magpie-forest predicts numbers"),
        (["--parameters", "{"], "--parameters is not valid JSON"),
        (["--parameters", "3"], "--parameters must be a JSON object such as"),
    ],
)
def test_benchmark_of_a_model_that_cannot_be(options, message, small_task, capsys):
    assert main(["benchmark", "glass", *options]) > 0
    assert message in capsys.readouterr().err


def test_benchmark_names_every_task(capsys):
    with pytest.raises(SystemExit):
        main(["benchmark", "--help"])
    text = capsys.readouterr().out
    assert all(task in text for task in list_matbench())


def test_info(capsys, tmp_path):
    (tmp_path / "data_home/matbench").mkdir(parents=True)
    (tmp_path / "data_home/matbench/matbench_jdft2d.json.gz").touch()
    assert main(["info"]) == 0
    lines = {line[:22].strip(): line[22:].strip() for line in capsys.readouterr().out.splitlines()}
    assert lines["sklearn-cloud"] == sklearn_cloud.__version__
    assert "4 layers x 128" in lines["mini"]
    assert lines["folder"].startswith(str(tmp_path / "data_home"))
    assert lines["MatBench tables"] == "jdft2d"
    assert "threads" in lines["cpu"]
