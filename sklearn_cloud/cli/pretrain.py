"""`sklearn-cloud pretrain`: pre-train an encoder on unlabelled crystals."""

from pathlib import Path

from .options import add_command, add_device_and_seed, add_output, positive, whole_number

DESCRIPTION = """\
Pre-train an encoder on unlabelled crystals by masked language modelling: folders of CIF files,
tables with a column of crystals, folders of Parquet files (which are read one row group at a time),
or the corpus tables that `build_corpus` reads (.tsv.xz, .csv.gz).
The output folder gets the corpus, the checkpoints and, at the end, `encoder/` for the option
--encoder of the other commands. To resume an interrupted run, run the same command again.

    sklearn-cloud pretrain my_crystals/ -o my_pretraining
    sklearn-cloud pretrain crystals.parquet more_cifs/ -o big --size small --epochs 20 --device cuda
    sklearn-cloud fit targets.csv --target band_gap -o gaps --encoder my_pretraining/encoder

Pre-training pays off with many crystals only: the bundled encoder was trained on 172,000.
"""
#: Files of a run, next to `corpus-...` and `checkpoint-...`.
FILES = ("encoder", "history.json", "plan.json")


def add_parser(commands):
    parser = add_command(
        commands, "pretrain", run, "pre-train an encoder on unlabelled crystals", DESCRIPTION
    )
    parser.set_defaults(when_interrupted="run the same command again to resume.")
    parser.add_argument("sources", nargs="+", type=Path, help="folders of CIF files, or tables")
    add_output(parser, "folder of the run")
    parser.add_argument("--column", metavar="NAME", help="column with the crystals in tables")
    parser.add_argument("--size", choices=["mini", "small", "paper"], default="mini")
    parser.add_argument(
        "--sites",
        choices=["set", "orbits", "both"],
        default="both",
        help="form of the strings the encoder learns to read (default: both)",
    )
    parser.add_argument("--epochs", type=whole_number, default=5, help="(default: 5)")
    parser.add_argument("--batch-size", type=whole_number, default=256, help="(default: 256)")
    parser.add_argument("--learning-rate", type=positive, default=1e-3, help="(default: 1e-3)")
    parser.add_argument("--symprec", type=positive, default=0.1, help="in angstrom (default: 0.1)")
    parser.add_argument(
        "--jobs", type=whole_number, default=1, help="number of processes that read crystals"
    )
    add_device_and_seed(parser)


def run(arguments):
    from .messages import say
    from .outputs import full_disk_named

    check_run_folder(arguments.output, arguments.overwrite)
    # sources are read before anything is removed
    sources = [open_source(path, arguments.column) for path in arguments.sources]
    if arguments.overwrite:
        remove_run(arguments.output)
    with full_disk_named(arguments.output):
        result = train(arguments, build_corpora(sources, arguments))
    if not arguments.quiet:
        scores = {k: v for k, v in result["held_out"].items() if isinstance(v, float)}
        for name, value in scores.items():
            say(f"held-out {name}: {value:.4g}")
        say(f"encoder: {result['encoder']}")


def check_run_folder(folder, overwrite):
    """Raise an error if the folder contains other files or a finished run."""
    from ..files import check_writable

    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: choose a folder.")
    ours = ("corpus-", "checkpoint-", *FILES)
    there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    # a killed run may leave a hidden, incomplete file
    others = [name for name in there if not name.lstrip(".").startswith(ours)]
    if others:
        raise FileExistsError(
            f"{folder} contains other files ({others[0]}): choose another folder."
        )
    if (folder / "history.json").is_file() and not overwrite:
        raise FileExistsError(
            f"{folder} contains a finished run: choose another folder, or start over with "
            "--overwrite."
        )
    check_writable(folder)


def remove_run(folder):
    import shutil

    if folder.is_dir():
        shutil.rmtree(folder)


def open_source(path, column):
    """Return a `CorpusSource`, named with the number of crystals so that changes are noticed."""
    from ..crystals.collection import collect_file
    from ..crystals.parquet_files import find_row_groups, is_parquet
    from ..crystals.partitions import find_crystal_column
    from ..crystals.table_files import COMMAND_LINE, is_table
    from ..pretraining.corpus_builder import CorpusSource
    from .inputs import list_folder

    if not path.exists():
        raise ValueError(f"there is no file or folder {str(path)!r}.")
    if is_parquet(path):
        column = find_crystal_column(find_row_groups(path)[0], column, COMMAND_LINE)
        return CorpusSource(path.name, path, column=column)
    if path.is_dir():
        return CorpusSource(f"{path.name}, {len(list_folder(path))} files", path)
    if not is_table(path) or is_corpus_table(path):
        return CorpusSource(path.name, path)
    crystals = collect_file(path, column=column, route=COMMAND_LINE)
    items = list(zip(crystals.names, crystals.items))
    return CorpusSource(f"{path.name}, {len(items)} rows", items)


def is_corpus_table(path):
    """Whether `build_corpus` reads the table itself: structures (.tsv) or symmetries (.csv)."""
    from ..crystals.crystal_files import OPENERS, suffix_of

    if suffix_of(path) != ".csv":
        return suffix_of(path) == ".tsv"
    opened = OPENERS.get(path.suffix.lower(), open)(path, "rt", encoding="utf-8", errors="replace")
    with opened as file:
        header = file.readline().removeprefix("\ufeff").strip().split(",")
    return {"space_group", "wyckoff_letters"} <= set(header)


def build_corpora(sources, arguments):
    """Return one corpus for each form of the strings."""
    from ..pretraining.corpus_builder import build_corpus
    from .messages import note, show_progress

    corpora = []
    for sites in ("set", "orbits") if arguments.sites == "both" else (arguments.sites,):
        corpus = build_corpus(
            arguments.output / f"corpus-{sites}",
            sources,
            sites=sites,
            symprec=arguments.symprec,
            n_jobs=arguments.jobs,
            verbose=show_progress(arguments),
        )
        corpora.append(corpus)
        if not arguments.quiet:
            dropped = "".join(
                f"\n  skipped {count}: {why}"
                for why, count in corpus.manifest["dropped"].items()
                if count
            )
            note(f"corpus of {sites} strings: {len(corpus)} crystals{dropped}")
    return corpora


def train(arguments, corpora):
    from ..encoder.config import ENCODER_SIZES
    from ..pretraining.pretraining import last_checkpoint, pretrain
    from .messages import note, show_progress

    checkpoint = last_checkpoint(arguments.output)
    if checkpoint and not arguments.quiet:
        note(f"resuming from {checkpoint}")
    return pretrain(
        corpora,
        arguments.output,
        config=ENCODER_SIZES[arguments.size],
        geometry_weight=1.0,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        device_batch_size=min(256, arguments.batch_size),
        learning_rate=arguments.learning_rate,
        device=arguments.device,
        random_state=arguments.seed,
        metadata={"sites": arguments.sites, "symprec": arguments.symprec},
        verbose=show_progress(arguments),
    )
