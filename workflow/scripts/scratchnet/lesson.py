"""The lesson, docs/lesson.ipynb, executed on the arrays of a dataset, as a page.

The page needs no network: it has no scripts, the pictures are in it, and formulas are MathML.
"""

import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from scratchnet.errors import DataError, MissingPackageError
from scratchnet.files import read_json, write_text

# A link to docs/lesson.ipynb, so that it is found beside the code wherever that is copied to.
NOTEBOOK = Path(__file__).with_name("lesson.ipynb")
LIBRARY = Path(__file__).parents[1]
# A piece of code, which is kept, or a formula: $$...$$ or $...$.
FORMULA = re.compile(r"(`[^`]*`)|\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ max-width: 50rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif; }}
@media screen and (prefers-color-scheme: dark) {{
  body {{ background: #181818; color: #ddd; }}
  a {{ color: #8cf; }}
}}
img {{ max-width: 100%; background: #fff; }}
math[display=block] {{ overflow: auto hidden; padding-block: 0.3rem; }}
pre {{ overflow-x: auto; padding: 0.5rem; background: #f5f5f5; color: #222; font-size: 0.8rem; }}
.output pre {{ background: none; color: inherit; border-left: 3px solid #ccc; }}
.prompt, .anchor-link {{ display: none; }}
table {{ display: block; overflow-x: auto; border-collapse: collapse; }}
th, td {{ padding: 0.2rem 0.6rem; border-bottom: 1px solid #ccc; text-align: left; }}
@media print {{
  body {{ max-width: none; margin: 0; font-size: 10pt; }}
  h2 {{ break-after: avoid; }}
  img, math, table {{ break-inside: avoid; }}
  math[display=block] {{ overflow: visible; }}
  pre {{ white-space: pre-wrap; font-size: 8pt; print-color-adjust: exact; }}
  details:not([open]) {{ display: none; }}
}}
{colours}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def make_lesson(manifest, page):
    """Execute the lesson on the arrays beside their `manifest` (a path); write it to `page`, HTML.

    Raises MissingPackageError if Jupyter's packages are not installed, and DataError if a cell of
    the notebook fails on these arrays, or if they are too large for it.
    """
    if read_json(manifest)["arrays"]["X_train"]["dtype"] != "float32":
        raise DataError(
            "the lesson is for smaller datasets: it reads all training images into memory, and "
            "these would take more than 1 GB"
        )
    try:  # all of them now, not after a minute
        import ipykernel  # noqa: F401
        import latex2mathml.converter  # noqa: F401
        import nbclient  # noqa: F401
        import nbconvert  # noqa: F401
        import nbformat
    except ModuleNotFoundError as error:
        package = error.name.partition(".")[0]  # the module may be one of its parts
        raise MissingPackageError(
            f"{package} is not installed. Only the lesson needs it. To install it, run: "
            "make lesson (or python3 workflow/tools/set_up.py lesson)"
        ) from error
    notebook, arrays = nbformat.read(NOTEBOOK, as_version=4), Path(manifest).resolve().parent
    execute_notebook(notebook, arrays)
    write_text(page, render_notebook(notebook, f"The lesson on {arrays.name}"))


def execute_notebook(notebook, arrays, **variables):
    """Execute `notebook`, in place, in a new kernel with these environment `variables`.

    Jupyter's own files go to a temporary folder. Raises DataError if a cell fails, and MemoryError
    if the kernel dies.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    path = os.pathsep.join(filter(None, [str(LIBRARY), os.environ.get("PYTHONPATH")]))
    # The page does not depend on how many EPOCHS somebody wants to see in Jupyter.
    outside = {name: value for name, value in os.environ.items() if name != "EPOCHS"}
    variables = outside | variables | {"LESSON_ARRAYS": str(arrays), "PYTHONPATH": path}
    with TemporaryDirectory() as folder:
        os.environ["JUPYTER_RUNTIME_DIR"] = variables["IPYTHONDIR"] = folder
        try:
            NotebookClient(
                notebook, timeout=None, record_timing=False, coalesce_streams=True
            ).execute(env=variables, stderr=subprocess.DEVNULL)
        except CellExecutionError as error:
            raise DataError(
                f"the lesson does not work on {arrays.name}: {error.ename}: {error.evalue}"
            ) from None
        except DeadKernelError:
            raise MemoryError("the process that executes the lesson was killed") from None
        finally:
            del os.environ["JUPYTER_RUNTIME_DIR"]


def render_notebook(notebook, title):
    """Return an executed notebook as a page of HTML."""
    from latex2mathml.converter import convert
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    def as_mathml(found):
        code, block, inline = found.groups()
        return code or convert(block or inline, display="block" if block else "inline")

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = FORMULA.sub(as_mathml, cell.source)
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    colours = HtmlFormatter().get_style_defs(".highlight")
    return PAGE.format(title=title, colours=colours, body=body)
