"""Several processes on one study, kept in a PostgreSQL server that lives as long as the script.

    python benchmarks/maintenance/tuning_postgres.py --workers 2 --trials 12
    python benchmarks/maintenance/tuning_postgres.py --kill

It starts Debian's server (package postgresql) in a temporary folder, reachable through a Unix
socket only, and as many workers on the example crystals as you ask for; `--kill` kills the first
of them in the middle of a trial, and the others finish the study. Needs
`pip install 'sklearn-cloud[tuning]' 'psycopg[binary]'`.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

DEBIAN_BINARIES = Path("/usr/lib/postgresql")
STUDY = "example"


def find_program(name):
    """Path of a PostgreSQL program, on the PATH or where Debian puts it; None without one."""
    versions = sorted(DEBIAN_BINARIES.glob(f"*/bin/{name}"), key=lambda path: path.parts[-3])
    return shutil.which(name) or (str(versions[-1]) if versions else None)


def server_user():
    """Account to run the server as: it refuses root; None is the present one."""
    import pwd

    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def throwaway_server():
    """Start a PostgreSQL server of its own, and give the URL of its database to Optuna."""
    initdb, pg_ctl = find_program("initdb"), find_program("pg_ctl")
    if initdb is None or pg_ctl is None:
        raise FileNotFoundError("initdb and pg_ctl are missing: apt-get install postgresql")
    # In /tmp, because the path of a socket must be short.
    home = Path(tempfile.mkdtemp(prefix="cloud-pg-", dir="/tmp"))
    user = server_user()
    if user is not None:
        shutil.chown(home, user)
    data, log = home / "data", home / "log"

    def run(*command):
        subprocess.run(command, check=True, user=user, cwd=home, stdout=subprocess.DEVNULL)

    options = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off"
    try:
        run(initdb, "-D", data, "-U", "cloud", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(pg_ctl, "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://cloud@/postgres?host={home}"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home)


def work(url, n_trials, heartbeat):
    """What each process does: its share of the study's trials."""
    from optuna.distributions import FloatDistribution
    from sklearn.pipeline import make_pipeline

    from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
    from sklearn_cloud.datasets import load_example
    from sklearn_cloud.encoder import EncoderConfig
    from sklearn_cloud.tuning import open_storage, tune_pipeline

    crystals, gaps = load_example(return_X_y=True)
    regressor = CloudRegressor(EncoderConfig(n_layers=1, width=32), max_epochs=5, random_state=0)
    return tune_pipeline(
        make_pipeline(SymmetryStringTransformer(), regressor),
        crystals,
        gaps,
        space={"cloudregressor__learning_rate": FloatDistribution(1e-4, 1e-2, log=True)},
        n_trials=n_trials,
        scoring="neg_mean_absolute_error",
        storage=open_storage(url, heartbeat=heartbeat),
        study_name=STUDY,
    )


def start_worker(url, n_trials, heartbeat):
    command = [sys.executable, __file__, "--url", url]
    return subprocess.Popen([*command, f"--trials={n_trials}", f"--heartbeat={heartbeat}"])


def running_trial(url, process, timeout=120):
    """Wait until a worker is in a trial, and give the trial's number."""
    import optuna

    storage = optuna.storages.RDBStorage(url)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        if STUDY in optuna.get_all_study_names(storage):
            trials = optuna.load_study(study_name=STUDY, storage=storage).trials
            for trial in trials:
                if trial.user_attrs.get("worker") == process.pid and not trial.state.is_finished():
                    return trial.number
        time.sleep(0.1)
    raise TimeoutError(f"worker {process.pid} began no trial in {timeout} s")


def run_study(url, n_workers, n_trials, heartbeat=60, kill=False):
    """Let several processes finish a study; give the number of the killed trial and the study."""
    import optuna

    optuna.storages.RDBStorage(url)  # makes the tables, before the workers race for it
    workers = [start_worker(url, n_trials, heartbeat) for _ in range(n_workers)]
    killed = None
    try:
        if kill:
            killed = running_trial(url, workers[0])
            workers[0].send_signal(signal.SIGKILL)
        for worker in workers[kill:]:
            if worker.wait() != 0:
                raise RuntimeError(f"worker {worker.pid} ended with code {worker.returncode}")
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return killed, optuna.load_study(study_name=STUDY, storage=url)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--heartbeat", type=int, default=2, help="seconds")
    parser.add_argument("--kill", action="store_true", help="kill the first worker in its trial")
    parser.add_argument("--url", help=argparse.SUPPRESS)  # of a worker
    arguments = parser.parse_args()
    if arguments.url:
        work(arguments.url, arguments.trials, arguments.heartbeat)
        return
    with throwaway_server() as url:
        killed, study = run_study(
            url, arguments.workers, arguments.trials, arguments.heartbeat, arguments.kill
        )
        by_worker = Counter((t.user_attrs["worker"], t.state.name) for t in study.trials)
        for (worker, state), count in sorted(by_worker.items()):
            print(f"process {worker}: {count} trials {state}")
        if arguments.kill:
            print(f"killed in trial {killed}")
        print(f"best mean absolute error {study.best_value:.3f} eV with {study.best_params}")


if __name__ == "__main__":
    main()
