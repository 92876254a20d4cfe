"""`sklearn-cloud app`: a web page on this machine that predicts properties of crystals."""

from .options import add_command, whole_number

DESCRIPTION = """\
Open a web page on this machine: drop crystal files or type formulas, choose properties, see the
structures and the predictions, and download them as CSV. Everything is computed on this machine,
and the page loads nothing from the network. Ctrl-C ends it.

    sklearn-cloud app
    sklearn-cloud app --port 8600 --no-browser
    sklearn-cloud app --max-files 20 --max-size 5

Only this machine reaches the page, unless --host names another address: there is no password.
"""


def add_parser(commands):
    parser = add_command(commands, "app", run, "a web page for predictions", DESCRIPTION)
    parser.set_defaults(when_interrupted="the page is closed.")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address of this machine by which browsers reach it (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--port", type=port, default=8501, help="0 chooses a free one (default: 8501)"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--max-files",
        type=whole_number,
        default=100,
        metavar="N",
        help="number of files at a time (default: 100)",
    )
    parser.add_argument(
        "--max-size",
        type=whole_number,
        default=10,
        metavar="MB",
        help="size of a file (default: 10)",
    )
    parser.add_argument(
        "--max-crystals",
        type=whole_number,
        default=500,
        metavar="N",
        help="number of crystals and formulas at a time (default: 500)",
    )


def port(text):
    number = int(text)
    if not 0 <= number < 65536:
        raise ValueError(text)
    return number


def run(arguments):
    from ..app.server import is_loopback, serve
    from ..app.uploads import UploadLimits
    from .messages import note

    def announce(address):
        note(f"the page is at {address} (Ctrl-C ends it)")
        if not is_loopback(arguments.host):
            note("all who reach this address can use the page: there is no password")

    serve(
        UploadLimits(arguments.max_files, arguments.max_size, arguments.max_crystals),
        host=arguments.host,
        port=arguments.port,
        browser=not arguments.no_browser,
        started=announce,
    )
