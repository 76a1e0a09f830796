// What all charts share: colours of the theme, figures in words, and the stretch of time that they show.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

const words = {
    /** Seconds as h:mm:ss, or with a decimal where there are few. */
    elapsed(seconds) {
        if (seconds < 10) return `${seconds.toFixed(1)} s`;
        return words.at(seconds);
    },
    at(seconds) {
        const whole = Math.round(seconds);
        const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
        const two = (n) => String(n).padStart(2, "0");
        return h || data.end_s >= 3600 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
    },
    gib: (mib) => `${(mib / 1024).toFixed(mib < 1024 ? 2 : 1)} GiB`,
    clock: (seconds) => new Date((data.began_t + seconds) * 1000).toLocaleString(undefined, { hour12: false }),
};

const colours = (() => {
    const of = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    return { of, kind: (number) => (number < data.n_coloured ? data.colours[number] : of("other")) };
})();

/** The stretch of time that every chart shows, in per cent of the run. */
const view = (() => {
    const followers = [];
    const least = 0.02;
    let shown = { start: 0, end: 100 };

    function set(start, end, from) {
        const width = Math.min(100, Math.max(least, end - start));
        const first = Math.min(Math.max(0, start), 100 - width);
        if (Math.abs(first - shown.start) < 1e-6 && Math.abs(first + width - shown.end) < 1e-6) return;
        shown = { start: first, end: first + width };
        for (const follower of followers) if (follower !== from) follower(shown.start, shown.end);
    }

    function zoom(factor) {
        const [middle, half] = [(shown.start + shown.end) / 2, ((shown.end - shown.start) / 2) * factor];
        set(middle - half, middle + half);
    }

    function move(share) {
        const by = (shown.end - shown.start) * share;
        set(shown.start + by, shown.end + by);
    }

    const moves = { in: () => zoom(0.5), out: () => zoom(2), left: () => move(-0.25), right: () => move(0.25), all: () => set(0, 100) };
    return { follow: (follower) => followers.push(follower), set, moves, get: () => shown };
})();

const frames = (() => {
    const keys = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", 0: "all", Home: "all" };

    /** A chart in an element, which follows the common stretch of time and the keys. */
    function make(id, onKey = () => false) {
        const element = document.getElementById(id);
        const chart = echarts.init(element, null, { renderer: "canvas", useDirtyRect: false });
        const follower = (start, end) => chart.dispatchAction({ type: "dataZoom", dataZoomId: "time", start, end });
        view.follow(follower);
        chart.on("datazoom", (event) => {
            const moved = (event.batch || [event]).find((zoom) => String(zoom.dataZoomId).startsWith("time"));
            if (moved) view.set(moved.start, moved.end, follower);
        });
        element.addEventListener("keydown", (event) => {
            if (event.ctrlKey || event.metaKey || event.altKey) return;
            if (onKey(event.key)) event.preventDefault();
            else if (event.key in keys) {
                view.moves[keys[event.key]]();
                event.preventDefault();
            }
        });
        return chart;
    }

    /** Where the charts' areas begin and end, the same for all, so that an instant is in the same place. */
    const edges = () => ({ left: Math.min(150, Math.round(window.innerWidth * 0.2)), right: 36 });

    const axisText = () => ({ color: colours.of("soft"), fontSize: 11 });

    /** The axis of time: milliseconds since the run began, so that ticks are at round hours, minutes and seconds. */
    const timeAxis = (shows) => ({
        type: "time",
        min: 0,
        max: Math.max(data.end_s, 0.1) * 1000,
        axisLabel: { ...axisText(), show: shows, hideOverlap: true, formatter: (ms) => words.at(ms / 1000) },
        axisLine: { lineStyle: { color: colours.of("line") } },
        axisTick: { show: shows },
        splitLine: { show: true, lineStyle: { color: colours.of("line"), opacity: 0.5 } },
        splitNumber: 8,
    });

    /** Dragging and Ctrl with the wheel; and with a slider where one is wanted. */
    function timeZoom(slider) {
        const common = { xAxisIndex: 0, filterMode: "none", ...view.get(), minSpan: 0.02 };
        const inside = { ...common, id: "time", type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false };
        return slider ? [inside, { ...common, ...sliderLook(), id: "time-slider", type: "slider", bottom: 6, height: 18 }] : [inside];
    }

    const sliderLook = () => ({
        showDetail: false,
        brushSelect: false,
        borderColor: colours.of("line"),
        fillerColor: colours.of("reserved") + "55",
        handleStyle: { color: colours.of("page"), borderColor: colours.of("accent") },
        moveHandleStyle: { color: colours.of("reserved") },
        dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
        selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
    });

    const tooltip = () => ({
        confine: true,
        backgroundColor: colours.of("panel"),
        borderColor: colours.of("line"),
        textStyle: { color: colours.of("text"), fontSize: 12, fontFamily: "system-ui, sans-serif" },
    });

    /** A box of lines for a tooltip, as an element: names are never taken for markup. */
    function tip(title, lines) {
        const box = document.createElement("div");
        box.className = "tip";
        const head = document.createElement("b");
        head.textContent = title;
        box.append(head);
        for (const line of lines) {
            const span = document.createElement("span");
            span.textContent = line;
            box.append(span);
        }
        return box;
    }

    function legend(id, entries) {
        const items = entries.map(([text, background]) => {
            const [item, swatch] = [document.createElement("li"), document.createElement("i")];
            swatch.style.background = background;
            item.append(swatch, text);
            return item;
        });
        document.getElementById(id).replaceChildren(...items);
    }

    return { make, edges, timeAxis, timeZoom, sliderLook, tooltip, tip, legend, axisText };
})();
