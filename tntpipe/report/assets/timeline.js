// The timeline: a bar for every attempt at a step, in rows of scans or of CPUs.
"use strict";

const timeline = (() => {
    const { steps } = data;
    const [rowHeight, mostHeight, leastHeight] = [26, 640, 160];
    let edges = {};
    let rowsAre = "scans";
    let wanted = "";
    let rows = [];
    let onChoose = () => {};

    const chart = frames.make("timeline-chart", (key) => {
        if (key !== "ArrowUp" && key !== "ArrowDown") return false;
        moveRows(key === "ArrowUp" ? -0.25 : 0.25);
        return true;
    });
    let shownRows = { start: 0, end: 100 };
    chart.on("datazoom", (event) => {
        const moved = (event.batch || [event]).find((zoom) => String(zoom.dataZoomId).startsWith("rows"));
        if (moved) shownRows = { start: moved.start, end: moved.end };
    });

    function moveRows(share) {
        const width = shownRows.end - shownRows.start;
        const start = Math.min(Math.max(0, shownRows.start + width * share), 100 - width);
        chart.dispatchAction({ type: "dataZoom", dataZoomId: "rows", start, end: start + width });
    }

    const isWanted = (scan) => data.scans[scan].toLowerCase().includes(wanted);
    const endingOf = (step) => data.words[steps.ending[step]];

    /** Stripes for attempts without a result, in a colour. */
    function stripes(colour) {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 8;
        const context = canvas.getContext("2d");
        context.fillStyle = colours.of("page");
        context.fillRect(0, 0, 8, 8);
        context.strokeStyle = colour;
        context.lineWidth = 3;
        for (const x of [-8, 0, 8]) {
            context.beginPath();
            context.moveTo(x - 2, 10);
            context.lineTo(x + 10, -2);
            context.stroke();
        }
        return { image: canvas, repeat: "repeat" };
    }

    function fills() {
        return { failed: colours.of("failed"), "retried": stripes(colours.of("again")), stopped: stripes(colours.of("stopped")),
            unfinished: stripes(colours.of("stopped")) };
    }

    /** Steps of a scan that run at a time are drawn over each other, each lower than the one before, which stays in sight.
     * Bars as [began ms, ended ms, row, part of the row, parts, step]; a wait has no step. */
    function bars() {
        if (rowsAre === "cores") {
            return data.cores.flatMap(([step, first, n]) =>
                isWanted(steps.scan[step])
                    ? Array.from({ length: n }, (_, i) => [steps.began[step] * 1000, steps.ended[step] * 1000, first + i, 0, 1, step])
                    : []);
        }
        const place = new Map(rows.map((scan, row) => [scan, row]));
        const waits = data.waits.filter(([scan]) => place.has(scan))
            .map(([scan, began, ended]) => [began * 1000, ended * 1000, place.get(scan), 0, 1, -1]);
        const spans = steps.scan.flatMap((scan, step) => place.has(scan)
            ? [[steps.began[step] * 1000, steps.ended[step] * 1000, place.get(scan), steps.lane[step], data.n_lanes[scan], step]] : []);
        return [...waits, ...spans.sort((a, b) => a[3] - b[3])];
    }

    function drawn(fillOf) {
        return (_, api) => {
            const [row, part, parts, step] = [2, 3, 4, 5].map((dimension) => api.value(dimension));
            const [left, middle] = api.coord([api.value(0), row]);
            const [right] = api.coord([api.value(1), row]);
            const band = api.size([0, 1])[1];
            const height = band > 6 ? band * 0.84 : band;
            const top = middle - height / 2;
            const box = step < 0
                ? { x: left, y: middle - Math.max(0.5, height * 0.08), width: right - left, height: Math.max(1, height * 0.16) }
                : { x: left, y: top + (height * part) / parts, width: Math.max(1, right - left), height: Math.max(1, height * (1 - part / parts)) };
            const area = { x: edges.left, y: edges.top, width: chart.getWidth() - edges.left - edges.right, height: chart.getHeight() - edges.top - edges.bottom };
            const shape = echarts.graphic.clipRectByRect(box, area);
            return shape && { type: "rect", shape, style: { fill: fillOf(step) }, silent: step < 0 };
        };
    }

    function told(step) {
        const at = (column) => steps[column][step];
        const [took, waited] = [at("ended") - at("began"), Math.max(0, at("began") - at("ready"))];
        const text = (column) => data.words[at(column)];
        return frames.tip(`${data.scans[at("scan")]}: ${data.kinds[at("kind")]}`, [
            `${endingOf(step)}${at("try") > 1 ? `, attempt ${at("try")}` : ""}${text("message") ? `: ${text("message")}` : ""}`,
            `began ${words.elapsed(at("began"))} after the run (${words.clock(at("began"))}), took ${words.elapsed(took)}` +
                (at("expected") ? `, expected ${words.elapsed(at("expected"))}` : ""),
            `waited ${words.elapsed(waited)}${text("waited_for") ? `: ${text("waited_for")}` : ""}`,
            `${at("cpus")} CPU${at("cpus") === 1 ? "" : "s"}, ${took > 0 ? (at("cpu_s") / took).toFixed(2) : "0"} busy`,
            `memory: peak ${words.gib(at("peak_mib"))} of ${words.gib(at("mem_mib"))}`,
            ...(text("why") ? [`started because ${text("why")}`] : []),
        ]);
    }

    /** Draw it all again: the rows, the search or the theme may be other ones. */
    function draw() {
        edges = { ...frames.edges(), top: 8, bottom: 52 };
        rows = data.scans.map((_, scan) => scan).filter(isWanted);
        const nCores = data.cores.reduce((most, [, first, n]) => Math.max(most, first + n), 0);
        const names = rowsAre === "cores" ? Array.from({ length: nCores }, (_, core) => `CPU ${core + 1}`) : rows.map((scan) => data.scans[scan]);
        const height = Math.min(mostHeight, Math.max(leastHeight, names.length * rowHeight)) + edges.top + edges.bottom;
        chart.getDom().style.height = `${height}px`;
        chart.resize();
        const special = fills();
        const kindColours = data.kinds.map((_, kind) => colours.kind(kind));
        const wait = colours.of("wait");
        const fillOf = (step) => (step < 0 ? wait : special[endingOf(step)] || kindColours[steps.kind[step]]);
        chart.setOption({
            animation: false,
            useUTC: true,
            grid: { ...edges },
            xAxis: frames.timeAxis(true),
            yAxis: { type: "category", data: names, inverse: true, axisTick: { show: false }, axisLine: { show: false },
                axisLabel: { ...frames.axisText(), width: edges.left - 12, overflow: "truncate" } },
            tooltip: { ...frames.tooltip(), formatter: ({ value }) => (value[5] < 0 ? "" : told(value[5])) },
            dataZoom: [
                ...frames.timeZoom(true),
                { id: "rows", type: "inside", yAxisIndex: 0, filterMode: "weakFilter", zoomOnMouseWheel: "shift", moveOnMouseWheel: false, ...shownRows },
                { ...frames.sliderLook(), id: "rows-slider", type: "slider", yAxisIndex: 0, filterMode: "weakFilter", right: 6, width: 16, ...shownRows },
            ],
            series: [{ type: "custom", progressive: 0, clip: true, encode: { x: [0, 1], y: 2 }, renderItem: drawn(fillOf), data: bars() }],
        }, true);
        drawLegend();
    }

    function drawLegend() {
        const css = (colour) => `repeating-linear-gradient(135deg, ${colour} 0 3px, transparent 3px 6px)`;
        const endings = new Set(steps.ending.map((word) => data.words[word]));
        const entries = data.kinds.slice(0, data.n_coloured).map((kind, number) => [kind.replaceAll("_", " "), colours.kind(number)]);
        if (data.kinds.length > data.n_coloured) entries.push(["other steps", colours.of("other")]);
        if (endings.has("failed")) entries.push(["failed", colours.of("failed")]);
        if (endings.has("retried")) entries.push(["retried, out of memory", css(colours.of("again"))]);
        if (endings.has("stopped") || endings.has("unfinished")) entries.push(["stopped or unfinished", css(colours.of("stopped"))]);
        if (rowsAre === "scans" && data.waits.length) entries.push(["waits", colours.of("wait")]);
        frames.legend("timeline-legend", entries);
    }

    chart.on("click", ({ value }) => value[5] >= 0 && onChoose(steps.scan[value[5]]));

    return {
        chart,
        draw,
        setRows(what) {
            rowsAre = what;
            shownRows = { start: 0, end: 100 };
            draw();
        },
        /** Show only the scans whose names hold a text; how many there are. */
        find(text) {
            wanted = text.trim().toLowerCase();
            shownRows = { start: 0, end: 100 };
            draw();
            return rows.length;
        },
        onChoose(listener) {
            onChoose = listener;
        },
    };
})();
