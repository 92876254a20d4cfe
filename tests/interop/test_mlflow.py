"""A model folder as an artifact of MLflow."""

import numpy as np
import pytest

pytest.importorskip("mlflow", reason="needs MLflow")


def test_a_model_folder_is_logged_and_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database needs more packages
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    # [start]
    import mlflow

    from sklearn_cloud import CloudRegressor, load_model, save_model

    strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 4
    model = CloudRegressor(max_epochs=2, random_state=0).fit(strings, [8.5, 3.6, 1.1] * 4)

    with mlflow.start_run() as run:
        mlflow.log_params(model.get_params(deep=False))
        mlflow.log_metric("training loss", model.loss_curve_[-1])
        save_model(model, "model")
        mlflow.log_artifacts("model", "model")

    folder = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model")
    again = load_model(folder)
    # [end]
    np.testing.assert_array_equal(again.predict(strings), model.predict(strings))
    assert mlflow.get_run(run.info.run_id).data.params["max_epochs"] == "2"
