// Puts it together: theme, buttons, search, the steps of a chosen scan, printing.
"use strict";

(() => {
    const root = document.documentElement;
    const byId = (id) => document.getElementById(id);
    const scansTable = byId("scans-table");
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    let chosenTheme = null;

    function draw() {
        timeline.draw();
        load.draw();
    }

    function setTheme(theme) {
        root.dataset.theme = theme;
        draw();
    }

    const theme = () => chosenTheme || (dark.matches ? "dark" : "light");

    /** The steps of one scan as a table. */
    function choose(scan) {
        const { steps } = data;
        const mine = steps.scan.map((_, step) => step).filter((step) => steps.scan[step] === scan);
        mine.sort((a, b) => steps.began[a] - steps.began[b]);
        byId("steps-title").textContent = `Steps of ${data.scans[scan]}`;
        byId("steps-table").tBodies[0].replaceChildren(...mine.map(rowOf));
        for (const head of byId("steps-table").tHead.rows[0].cells) head.removeAttribute("aria-sort");
        byId("steps").hidden = false;
        for (const row of scansTable.tBodies[0].rows) row.classList.toggle("chosen", row.dataset.scan === data.scans[scan]);
        byId("found").textContent = `The steps of ${data.scans[scan]} are listed below the charts.`;
    }

    function rowOf(step) {
        const at = (column) => data.steps[column][step];
        const took = at("ended") - at("began");
        const waited = Math.max(0, at("began") - at("ready"));
        const busy = took > 0 ? at("cpu_s") / took : 0;
        const message = data.words[at("message")];
        const ending = data.words[at("ending")];
        const row = document.createElement("tr");
        const name = document.createElement("th");
        name.scope = "row";
        name.textContent = data.kinds[at("kind")];
        const end = tables.cell(message ? `${ending}: ${message}` : ending);
        if (ending !== "done" && ending !== "reused") end.className = "bad";
        row.append(name, tables.cell(at("try"), at("try")), tables.cell(words.elapsed(at("began")), at("began")),
            tables.cell(words.elapsed(waited), waited), tables.cell(words.elapsed(took), took),
            tables.cell(at("expected") ? words.elapsed(at("expected")) : "–", at("expected")), tables.cell(at("cpus"), at("cpus")),
            tables.cell(busy.toFixed(2), busy), tables.cell(words.gib(at("mem_mib")), at("mem_mib")),
            tables.cell(words.gib(at("peak_mib")), at("peak_mib")), end);
        return row;
    }

    /** Names in the table of scans choose a scan. */
    function linkScans() {
        const numbers = new Map(data.scans.map((name, scan) => [name, scan]));
        for (const row of scansTable.tBodies[0].rows) {
            const scan = numbers.get(row.dataset.scan);
            if (scan === undefined) continue;
            const button = document.createElement("button");
            button.type = "button";
            button.append(...row.cells[0].childNodes);
            button.addEventListener("click", () => {
                choose(scan);
                byId("steps").scrollIntoView();
            });
            row.cells[0].append(button);
        }
    }

    function find() {
        const text = byId("find").value;
        const n = timeline.find(text);
        const wanted = text.trim().toLowerCase();
        tables.show(scansTable, (name) => name.toLowerCase().includes(wanted));
        byId("found").textContent = wanted ? `${n} of ${data.scans.length} rows` : "";
    }

    for (const table of document.querySelectorAll("table.sortable")) tables.makeSortable(table);
    linkScans();
    timeline.onChoose(choose);
    byId("find").addEventListener("input", find);
    byId("theme").addEventListener("click", () => {
        chosenTheme = theme() === "dark" ? "light" : "dark";
        setTheme(chosenTheme);
    });
    dark.addEventListener("change", () => setTheme(theme()));
    for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => view.moves[button.dataset.zoom]());
    for (const button of document.querySelectorAll("[data-rows]")) {
        button.addEventListener("click", () => {
            for (const other of document.querySelectorAll("[data-rows]")) other.setAttribute("aria-pressed", String(other === button));
            timeline.setRows(button.dataset.rows);
        });
    }
    let width = window.innerWidth;
    window.addEventListener("resize", () => {
        if (window.innerWidth !== width) {
            width = window.innerWidth;
            draw();
        }
    });
    window.addEventListener("beforeprint", () => {
        for (const details of document.querySelectorAll("details")) details.open = true;
        document.body.style.width = "720px";
        setTheme("light");
    });
    window.addEventListener("afterprint", () => {
        document.body.style.width = "";
        setTheme(theme());
    });
    setTheme(theme());
    root.dataset.ready = String(Math.round(performance.now()));
})();
