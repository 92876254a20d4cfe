"""Take pictures of built pages, and list what is wrong with them.

    pip install playwright && playwright install chromium
    python docs/look_at_pages.py docs/_build/html pictures
    python docs/look_at_pages.py docs/_build/html pictures --pages index leaderboard
    python docs/look_at_pages.py report pictures --pages report    # of sklearn-cloud evaluate

Every page is opened at desk and phone width, light and dark. It ends with a list of what was found:
pages that are wider than the window, images and other files that do not load, links to pages or
places that do not exist, errors of scripts, and blocks of code without a copy button. `--pages all`
checks every page; `--browser` names an installed Chromium.
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright
from tqdm import tqdm

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
PAGES = (
    "index",
    "leaderboard",
    "measurements",
    "howto/accuracy",
    "howto/explain",
    "auto_tutorials/plot_5_gaussian_process",
    "api/index",
    "api/generated/sklearn_cloud.CrystalRegressor",
)
FINDINGS = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1) {
    found.push(`wider than the window by ${root.scrollWidth - root.clientWidth} px`);
  }
  for (const image of document.images) {
    if (image.complete && !image.naturalWidth) { found.push(`image not loaded: ${image.src}`); }
  }
  for (const link of document.querySelectorAll("article a[href^='#']")) {
    const id = decodeURIComponent(link.getAttribute("href").slice(1));
    if (id && !document.getElementById(id)) { found.push(`no such place: #${id}`); }
  }
  for (const block of document.querySelectorAll("article div.highlight")) {
    if (!block.querySelector("button.copybtn")) {
      found.push(`no copy button: ${block.textContent.trim().slice(0, 40)}`);
    }
  }
  return found;
}"""
LINKS = """() => Array.from(document.querySelectorAll("a[href]"), (link) => link.href)
  .filter((href) => href.startsWith("file:"))"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("html", type=Path, help="folder of the pages")
    parser.add_argument("pictures", type=Path, help="folder of the pictures")
    parser.add_argument("--pages", nargs="+", default=PAGES, help="names without .html, or all")
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=SCHEMES)
    parser.add_argument("--whole", action="store_true", help="the whole page, not its first screen")
    parser.add_argument("--browser", help="path of Chromium (default: that of playwright)")
    arguments = parser.parse_args()
    pages = arguments.pages
    if list(pages) == ["all"]:
        files = arguments.html.rglob("*.html")
        pages = sorted(str(f.relative_to(arguments.html).with_suffix("")) for f in files)
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    found = []
    with sync_playwright() as playwright:
        options = {"executable_path": arguments.browser, "args": ["--no-sandbox"]}
        browser = playwright.chromium.launch(**options)
        for name in tqdm(pages, unit="page"):
            for width in arguments.widths:
                for scheme in arguments.schemes:
                    lines = look(browser, name, width, scheme, arguments)
                    found += [f"{name}, {width} px, {scheme}: {line}" for line in lines]
        browser.close()
    sys.exit("\n".join(found) or 0)


def look(browser, name, width, scheme, arguments):
    """Take a picture of a page, and return what was found."""
    found = []
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(120_000)  # milliseconds; a busy machine takes its time
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.on("requestfailed", lambda request: found.append(f"not loaded: {request.url}"))
    page.goto((arguments.html / f"{name}.html").resolve().as_uri())
    found += page.evaluate(FINDINGS) + missing_files(page.evaluate(LINKS))
    picture = f"{name.replace('/', '_')}_{width}_{scheme}.png"
    page.screenshot(path=arguments.pictures / picture, full_page=arguments.whole)
    page.close()
    return list(dict.fromkeys(found))


def missing_files(links):
    """Linked files that do not exist."""
    paths = {link.partition("#")[0].removeprefix("file://") for link in links}
    return [f"no such page: {path}" for path in sorted(paths) if not Path(path).exists()]


if __name__ == "__main__":
    main()
