"""`sklearn-cloud embed`: vectors of crystals from the pre-trained encoder."""

from .options import add_command, add_crystals, add_device, add_output, add_strings, string_options

DESCRIPTION = """\
Embed crystals with the pre-trained encoder, for clustering, maps, or another model. Nothing is
trained. The output has one column for each component of the vector.

    sklearn-cloud embed my_crystals/ -o vectors.parquet
    sklearn-cloud embed table.csv -o vectors.csv --pooling mean
    sklearn-cloud embed my_crystals/ -o vectors.csv --encoder my_pretraining/encoder
"""


def add_parser(commands):
    parser = add_command(commands, "embed", run, "crystals to vectors", DESCRIPTION)
    add_crystals(parser)
    add_output(parser, "output table")
    parser.add_argument(
        "--encoder",
        default="mini",
        metavar="NAME",
        help="as in `sklearn-cloud fit` (default: mini)",
    )
    parser.add_argument(
        "--pooling",
        choices=["cls", "mean"],
        default="cls",
        help="the vector of the [CLS] token, or the mean over all tokens (default: cls)",
    )
    add_device(parser)
    add_strings(parser)


def run(arguments):
    from .. import CloudEmbedder
    from .inputs import find_crystals, stream_strings
    from .messages import note, show_progress
    from .table_output import add_columns, check_output, open_table

    check_output(arguments)
    embedder = CloudEmbedder(
        arguments.encoder,
        pooling=arguments.pooling,
        device=arguments.device,
        verbose=show_progress(arguments),
    )
    crystals = find_crystals(arguments, arguments.output)
    n_vectors = 0
    with open_table(arguments.output, crystals.frame) as append:
        for strings, part in stream_strings(crystals, string_options(arguments), arguments):
            vectors = embedder.fit_transform(strings)
            columns = dict(zip(embedder.get_feature_names_out(), vectors.T))
            append(add_columns(part.frame, columns, crystals.source))
            n_vectors += len(vectors)
    if not arguments.quiet:
        note(f"wrote {n_vectors} vectors of length {len(columns)} to {arguments.output}")
