/* Tables: scrolled instead of cut, with a first column that stays in sight. Tables of scores: sorted by a
   click on a heading, filtered by a word or by source. Nothing is loaded from elsewhere; without
   JavaScript the tables stay as they are. */
(function () {
  "use strict";

  const OURS = "this library";

  function textOf(row, column) {
    return row.cells[column] ? row.cells[column].textContent.trim() : "";
  }

  function numberOf(text) {
    const found = text.match(/^-?[\d,]*\.?\d+(e-?\d+)?/);
    return found ? Number(found[0].replaceAll(",", "")) : NaN;
  }

  function compare(a, b, falling) {
    const x = numberOf(a), y = numberOf(b);
    if (Number.isNaN(x) !== Number.isNaN(y)) { return Number.isNaN(x) ? 1 : -1; } // gaps at the end
    const order = Number.isNaN(x) ? a.localeCompare(b) : x - y;
    return falling ? -order : order;
  }

  function makeSortable(table, rows) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", function () {
        const up = head.textContent.includes("↑"); // larger is better: the largest first
        const before = head.getAttribute("aria-sort");
        const falling = before ? before === "ascending" : up;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        rows.sort((a, b) => compare(textOf(a, column), textOf(b, column), falling));
        table.tBodies[0].append(...rows);
      });
    });
    return heads.map((head) => head.textContent.trim());
  }

  function pin(table, rows, column) { // stays in sight while the table is scrolled sideways
    [table.tHead.rows[0], ...rows].forEach((row) => row.cells[column].classList.add("pinned"));
  }

  function markOurs(rows, heads) {
    const source = heads.indexOf("Source"), model = heads.indexOf("Model");
    if (source < 0) { return false; }
    rows.forEach(function (row) {
      if (textOf(row, source) !== OURS) { return; }
      row.classList.add("ours");
      const badge = document.createElement("span");
      badge.className = "ours-badge";
      badge.textContent = "ours";
      row.cells[model].append(" ", badge);
    });
    return true;
  }

  function addFilter(frame, rows, hasSource) {
    const bar = document.createElement("div");
    bar.className = "table-filter";
    const word = document.createElement("input");
    word.type = "search";
    word.placeholder = "filter rows";
    word.setAttribute("aria-label", "filter the rows of the table");
    const choice = document.createElement("select");
    choice.setAttribute("aria-label", "source of the scores");
    ["all sources", "this library", "published"].forEach(function (name) {
      choice.append(new Option(name, name));
    });
    function apply() {
      const wanted = word.value.trim().toLowerCase();
      rows.forEach(function (row) {
        const ours = row.classList.contains("ours");
        const bySource = choice.value === "all sources" || ours === (choice.value === OURS);
        row.hidden = !(bySource && row.textContent.toLowerCase().includes(wanted));
      });
    }
    word.addEventListener("input", apply);
    choice.addEventListener("change", apply);
    bar.append(word, ...(hasSource ? [choice] : []));
    frame.before(bar);
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("article table").forEach(function (table) {
      if (!table.tHead || !table.tBodies.length) { return; }
      const rows = Array.from(table.tBodies[0].rows);
      let frame = table.closest(".pst-scrollable-table-container");
      if (!frame) {
        frame = document.createElement("div");
        frame.className = "pst-scrollable-table-container";
        table.before(frame);
        frame.append(table);
      }
      const heads = Array.from(table.tHead.rows[0].cells, (head) => head.textContent.trim());
      if (heads.length > 3 && !table.classList.contains("stacked")) {
        pin(table, rows, Math.max(heads.indexOf("Model"), 0));
      }
      if (rows.length < 8 || !heads.includes("Model")) { return; }
      table.classList.add("scores");
      const hasSource = markOurs(rows, makeSortable(table, rows));
      addFilter(frame, rows, hasSource);
    });
  });
})();
