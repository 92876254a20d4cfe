"""Settings of the documentation; build it with ``tox -e docs``."""

import argparse
import inspect
import os
from pathlib import Path

import sklearn_cloud
from sklearn_cloud.__main__ import build_parser
from sklearn_cloud.baselines.registry import MODELS, READS, class_homes
from sklearn_cloud.predictors import list_predictors, load_card
from sklearn_cloud.wording import percent

project = "sklearn_cloud"
author = "the sklearn_cloud developers"
project_copyright = author
version = release = sklearn_cloud.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosectionlabel",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myst_parser",
    "sphinx_copybutton",
]
# included in other pages
COMMAND_LINE = "api/generated/command_line.rst"
MODEL_LIST = "api/generated/models.rst"
PREDICTOR_LIST = "api/generated/predictors.rst"
# the gallery reads the tutorials
exclude_patterns = ["_build", "tutorials/*", COMMAND_LINE, MODEL_LIST, PREDICTOR_LIST]
templates_path = ["_templates"]

# A name in single backticks is linked where there is a page for it, and is plain code elsewhere;
# a reference with a role (:class:, :func:, :doc:, :ref:) must exist.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [("py:obj", "(?s).*")]

autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
numpydoc_show_class_members = False  # the template of a class lists its methods
# Every parameter is described, and nothing else is.
numpydoc_validation_checks = {"PR01", "PR02", "SS01"}
numpydoc_validation_exclude = {  # tuples and results, which describe their attributes
    r"\.(Crystal|Formula|Orbit|SymmetryString|AttentionMap|Explanation|CrystalExplanation|Model|Report|Result)$"
}
myst_heading_anchors = 3
autosectionlabel_prefix_document = True  # :ref:`measurements:Speed`
suppress_warnings = [
    "autosectionlabel.*",  # headings that appear twice on a page, which nobody links to
]

sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "auto_tutorials",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("sklearn_cloud",),
    "reference_url": {"sklearn_cloud": None},
    "abort_on_example_error": False,  # all of them are run; one that fails is a warning
    "only_warn_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 0,
    "ignore_repr_types": r"matplotlib|class 'list'",  # what plotting functions return
    "write_computation_times": False,  # that page would load scripts from elsewhere
}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_cloud"
html_static_path = ["_static"]
html_css_files = ["extra.css"]
html_js_files = ["tables.js"]
copybutton_exclude = ".linenos, .gp, .go"  # copy the code, without prompts and output
html_copy_source = False
html_show_sourcelink = False
# No "edit this page" links: they need the address of the repository, and none is published.
html_theme_options = {
    "logo": {"text": "sklearn_cloud"},
    "navbar_end": ["theme-switcher"],
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
# pages without pages of their own next to them need no list of them
html_sidebars = {
    name: []
    for name in (
        "index",
        "install",
        "measurements",
        "leaderboard",
        "faq",
        "glossary",
        "security",
        "changelog",
    )
}


def skip_foreign_members(app, what, name, member, skip, options):
    """Leave out methods that scikit-learn, PyTorch or Python describe themselves."""
    member = getattr(member, "fget", member)  # a property
    module = getattr(inspect.unwrap(member) if callable(member) else member, "__module__", None)
    return True if not (module or "").startswith("sklearn_cloud") else None


def point_to_pages(app, name, source):
    """Links of the Markdown files that lead out of docs/ lead to pages here."""
    source[0] = source[0].replace("../README.md#data", "howto/offline.rst")


def write_command_line(app):
    """Write what the commands say of themselves as a page."""
    os.environ["COLUMNS"] = "92"  # whatever the terminal has
    parser = build_parser()
    commands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    sections = [("sklearn-cloud", parser), *commands.choices.items()]
    lines = []
    for name, section in sections:
        text = ["    " + line for line in section.format_help().splitlines()]
        lines += [name, "~" * len(name), "", ".. code-block:: text", "", *text, ""]
    write_generated(app, COMMAND_LINE, "\n".join(lines))


def write_generated(app, name, text):
    """Write a file that other pages include."""
    path = Path(app.srcdir) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


SEEN = {
    "composition": "Composition alone:",
    "symmetry": "Composition and symmetry, no coordinates, as CLOUD:",
    "structure": "The structure itself, and so more than a symmetry string says:",
}


def list_models():
    """The models of the registry by what they read, and a table of their names."""
    lines = []
    for reads in READS:
        classes = [model.regressor for model in MODELS.values() if model.reads == reads]
        classes = [name for name in classes if name in class_homes()]
        lines += [SEEN[reads], "", ".. autosummary::", "   :nosignatures:", ""]
        lines += [*(f"   {name}" for name in classes), ""]
    lines += ["All names that ``--model`` takes:", "", ".. list-table::", "   :header-rows: 1", ""]
    rows = [["Name", "Kind", "Reads", "Extra", "Published as", "Classes"]]
    for model in MODELS.values():
        extra = f"``{model.extra}``" if model.extra else "–"
        classes = "yes" if model.classifier else "no"
        row = [f"``{model.name}``", model.kind, model.reads, extra, model.published or "–", classes]
        rows.append(row)
    for first, *rest in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in rest)]
    return "\n".join([*lines, ""])


def write_model_list(app):
    """Write the lists of models as a page."""
    write_generated(app, MODEL_LIST, list_models())


def list_cards(cards):
    """A table of the predictors, with links to the pages of their cards."""
    if not cards:
        return "This installation has no predictors.\n"
    lines = [".. list-table::", "   :header-rows: 1", ""]
    rows = [["Property", "Unit", "Needs", "Rows", "Error", "Coverage", "Best published"]]
    for card in cards:
        scores, best = card["scores"], card["published"]
        main = "accuracy" if card["kind"] == "classification" else "mae"
        published = f"{best['value']:.3g} {best['metric']}" if best else "–"
        error = f"{scores[main]:.3g} {card.table_unit if main == 'mae' else main}".strip()
        rows.append(
            [
                f":doc:`{card['name']} </api/generated/predictors/{card['name']}>`",
                card["unit"] or "–",
                card["needs"],
                f"{card['data']['rows']:,}",
                error,
                percent(scores["coverage"], 1) if "coverage" in scores else "–",
                published,
            ]
        )
    for first, *rest in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in rest)]
    pages = [f"   /api/generated/predictors/{card['name']}" for card in cards]
    return "\n".join([*lines, "", ".. toctree::", "   :hidden:", "", *pages, ""])


def write_predictors(app):
    """Write the cards of the predictors as pages, and a table of them."""
    cards = [load_card(name) for name in list_predictors()]
    for card in cards:
        write_generated(app, f"api/generated/predictors/{card['name']}.rst", card.to_rst())
    write_generated(app, PREDICTOR_LIST, list_cards(cards))


def setup(app):
    app.connect("builder-inited", write_command_line)
    app.connect("builder-inited", write_model_list)
    app.connect("builder-inited", write_predictors)
    app.connect("source-read", point_to_pages)
    app.connect("autodoc-skip-member", skip_foreign_members)
