// Tables that can be sorted by any column, and whose rows can be hidden.
"use strict";

const tables = (() => {
    const valueOf = (row, column) => {
        const cell = row.cells[column];
        return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
    };

    const compared = (a, b) =>
        typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });

    /** Sort by a column: the other way round if it is sorted by it already; numbers begin with the largest. */
    function sortBy(table, column) {
        const head = table.tHead.rows[0].cells[column];
        const rows = [...table.tBodies[0].rows];
        const before = head.getAttribute("aria-sort");
        const numeric = rows.length > 0 && typeof valueOf(rows[0], column) === "number";
        const descending = before ? before === "ascending" : numeric;
        for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const keyed = rows.map((row) => [valueOf(row, column), row]);
        keyed.sort(([a], [b]) => (descending ? compared(b, a) : compared(a, b)));
        table.tBodies[0].append(...keyed.map(([, row]) => row));
    }

    function makeSortable(table) {
        [...table.tHead.rows[0].cells].forEach((cell, column) => {
            const button = document.createElement("button");
            button.type = "button";
            button.append(...cell.childNodes);
            button.addEventListener("click", () => sortBy(table, column));
            cell.append(button);
        });
    }

    /** Hide the rows for which the test of their scan fails. */
    function show(table, test) {
        for (const row of table.tBodies[0].rows) row.hidden = !test(row.dataset.scan);
    }

    /** A cell with a text, and with a number to sort by. */
    function cell(text, value) {
        const td = document.createElement("td");
        td.textContent = text;
        if (value !== undefined) {
            td.className = "number";
            td.dataset.value = value;
        }
        return td;
    }

    return { makeSortable, show, cell };
})();
