// CPUs and memory over time, against the budget.
"use strict";

const load = (() => {
    const { curves } = data;
    const inGib = (values) => values.map((mib) => mib / 1024);
    const charts = [
        { chart: frames.make("cpus-chart"), legend: "cpus-legend", reserved: curves.reserved_cpus, used: curves.busy_cpus, budget: data.cpus,
            names: ["reserved", "busy", "budget"], colours: ["reserved", "busy"], shown: (n) => `${n.toFixed(1)} CPUs` },
        { chart: frames.make("memory-chart"), legend: "memory-legend", reserved: inGib(curves.reserved_mib), used: inGib(curves.held_mib), budget: data.mem_mib / 1024,
            names: ["reserved", "really held", "budget"], colours: ["requested", "held"], shown: (n) => words.gib(n * 1024) },
    ];

    /** A value for each part of the run, which lasts to the next. */
    const points = (values) => [...values.map((value, part) => [part * curves.part_s * 1000, value]), [data.end_s * 1000, values[values.length - 1]]];

    function series(of) {
        const [reserved, used, budget] = [...of.colours, "budget"].map(colours.of);
        const line = (name, values, colour) => ({ name, type: "line", step: "end", symbol: "none", data: values, lineStyle: { color: colour, width: 1.5 }, itemStyle: { color: colour }, emphasis: { disabled: true } });
        return [
            { ...line(of.names[0], points(of.reserved), reserved), lineStyle: { color: reserved, width: 1 }, areaStyle: { color: reserved, opacity: 0.35 } },
            line(of.names[1], points(of.used), used),
            { ...line(of.names[2], [[0, of.budget], [data.end_s * 1000, of.budget]], budget), lineStyle: { color: budget, width: 1.5, type: "dashed" } },
        ];
    }

    function told(of, items) {
        const part = Math.min(of.used.length - 1, Math.floor(items[0].axisValue / 1000 / curves.part_s));
        const began = part * curves.part_s;
        return frames.tip(`${words.elapsed(began)} (${words.clock(began)})`, [
            `${of.names[0]} ${of.shown(of.reserved[part])}`, `${of.names[1]} ${of.shown(of.used[part])}`, `budget ${of.shown(of.budget)}`]);
    }

    function draw() {
        for (const of of charts) {
            of.chart.resize();
            of.chart.setOption({
                animation: false,
                useUTC: true,
                grid: { ...frames.edges(), top: 12, bottom: 28 },
                xAxis: frames.timeAxis(true),
                yAxis: { type: "value", min: 0, axisLabel: frames.axisText(), name: of.legend.startsWith("cpus") ? "CPUs" : "GiB",
                    nameLocation: "middle", nameGap: 38, nameTextStyle: frames.axisText(), splitLine: { lineStyle: { color: colours.of("line"), opacity: 0.5 } } },
                tooltip: { ...frames.tooltip(), trigger: "axis", axisPointer: { type: "line" }, formatter: (items) => told(of, items) },
                dataZoom: frames.timeZoom(false),
                series: series(of),
            }, true);
            frames.legend(of.legend, of.names.map((name, i) => [name, colours.of([...of.colours, "budget"][i])]));
        }
    }

    return { draw, charts: charts.map((of) => of.chart) };
})();
