/* Draws each figure[data-chart] from the JSON beside it.  Colours are read from the page, so
   that charts follow the theme; what is not known is a gap, and the newest bucket is pale. */
(() => {
  "use strict";

  const drawn = new Map();
  const two = (number) => String(number).padStart(2, "0");
  const zone = document.documentElement.dataset.zone;
  const local = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone || undefined, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });

  const pieces = (time) => Object.fromEntries(local.formatToParts(time * 1000).map((each) => [each.type, each.value]));

  const trim = (number) => (number >= 100 ? Math.round(number).toLocaleString("en") : String(Number(number.toPrecision(3))));

  const formats = {
    count: (value) => (value >= 1e6 ? `${trim(value / 1e6)}M` : value >= 1e4 ? `${trim(value / 1e3)}k` : trim(value)),
    rate: (value) => `${trim(value)}/s`,
    duration: (value) => {
      if (value < 1) return `${trim(value * 1000)} ms`;
      if (value < 60) return `${trim(value)} s`;
      if (value < 3600) return `${Math.floor(value / 60)} m${value % 60 >= 1 ? ` ${two(Math.floor(value % 60))} s` : ""}`;
      if (value < 86400) return `${Math.floor(value / 3600)} h${value % 3600 >= 60 ? ` ${two(Math.floor((value % 3600) / 60))} m` : ""}`;
      return `${trim(value / 86400)} d`;
    },
  };

  const pale = (colour, share) => {
    const [red, green, blue] = colour.match(/[\d.]+/g);
    return `rgba(${red}, ${green}, ${blue}, ${share})`;
  };

  const mixed = (colour, ground, share) => {
    const [one, other] = [colour, ground].map((each) => each.match(/[\d.]+/g).slice(0, 3).map(Number));
    return `rgb(${one.map((value, at) => Math.round(value * share + other[at] * (1 - share))).join(", ")})`;
  };

  const coloursOf = (figure) => ({
    text: getComputedStyle(figure.querySelector(".summary")).color,
    line: getComputedStyle(figure).borderTopColor,
    ground: getComputedStyle(figure).backgroundColor,
    series: [...figure.querySelectorAll(".legend i")].map((each) => getComputedStyle(each).backgroundColor),
  });

  // Bars and areas stand on each other: what is drawn are sums, what is told are the numbers.
  const stacked = (values) => {
    const sums = [];
    values.forEach((row, at) => sums.push(row.map((value, x) => (value === null ? null : value + (at ? sums[at - 1][x] ?? 0 : 0)))));
    return sums;
  };

  const bars = uPlot.paths.bars({ size: [0.72, 28], radius: 0.12 });
  const lines = uPlot.paths.linear();

  // The newest bucket is not over: a veil in the colour of the ground makes it pale.
  const veil = (data, colours) => (plot) => {
    const { ctx, bbox } = plot;
    const last = data.times.length - 1;
    if (!data.partial || last < 1) return;
    const step = plot.valToPos(data.times[last], "x", true) - plot.valToPos(data.times[last - 1], "x", true);
    const from = plot.valToPos(data.times[last], "x", true) - (data.kind === "bars" ? step / 2 : step);
    ctx.save();
    ctx.fillStyle = pale(colours.ground, 0.62);
    ctx.fillRect(from, bbox.top, bbox.left + bbox.width - from + 8, bbox.height);
    ctx.restore();
  };

  const hint = (figure, data) => {
    const box = document.createElement("div");
    box.className = "u-tip";
    box.hidden = true;
    const format = formats[data.format];
    const fill = (at) => {
      const now = pieces(data.times[at]);
      const head = document.createElement("b");
      head.textContent = `${now.month}-${now.day} ${now.hour}:${now.minute}${data.times[1] - data.times[0] < 60 ? `:${now.second}` : ""}${data.partial && at === data.times.length - 1 ? ", so far" : ""}`;
      box.replaceChildren(head, ...data.series.map((series) => {
        const line = document.createElement("span");
        const value = document.createElement("em");
        const mark = document.createElement("i");
        line.dataset.series = series.token;
        value.textContent = series.values[at] === null ? "–" : format(series.values[at]);
        line.append(mark, series.label, value);
        return line;
      }));
    };
    return {
      hooks: {
        init: (plot) => plot.over.append(box),
        setCursor: (plot) => {
          const { idx, left } = plot.cursor;
          box.hidden = idx === null || idx === undefined || left < 0;
          if (box.hidden) return;
          fill(idx);
          const right = left + box.offsetWidth + 24 > plot.over.clientWidth;
          box.style.left = `${right ? left - box.offsetWidth - 12 : left + 12}px`;
          box.style.top = "6px";
        },
      },
    };
  };

  // A value between two gaps makes no line, so it is a dot.
  const lonely = (row) => [...row.keys()].filter((at) => row[at] != null && row[at - 1] == null && row[at + 1] == null);

  const seriesOf = (data, colours) => data.series.map((series, at) => {
    const colour = colours.series[at];
    if (data.kind === "bars") return { label: series.label, fill: colour, stroke: colour, width: 0, paths: bars, points: { show: false } };
    const dash = series.dash ? [4, 4] : undefined;
    const fill = data.kind === "area" ? mixed(colour, colours.ground, 0.34) : data.series.length === 1 ? pale(colour, 0.1) : undefined;
    const points = { show: true, size: 4, fill: colour, filter: (plot, row) => lonely(plot.data[row]) };
    return { label: series.label, stroke: colour, fill, dash, width: 1.5, paths: lines, points, spanGaps: false };
  });

  // Lengths of time are read in these steps, not in powers of ten.
  const SPANS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];

  const axesOf = (data, colours) => {
    const font = `11.5px ${getComputedStyle(document.body).fontFamily}`;
    const format = formats[data.format];
    const long = data.times.at(-1) - data.times[0] > 2 * 86400;
    const time = (value) => { const at = pieces(value); return long ? `${at.month}-${at.day}` : `${at.hour}:${at.minute}`; };
    const both = { stroke: colours.text, font, ticks: { show: false } };
    return [
      { ...both, grid: { show: false }, space: 72, size: 26, gap: 4, values: (_, splits) => splits.map(time) },
      { ...both, grid: { stroke: colours.line, width: 1 }, space: 34, size: 58, gap: 6, ...(data.format === "duration" ? { incrs: SPANS } : {}), values: (_, splits) => splits.map((value) => (value === null ? "" : value === 0 ? "0" : format(value))) },
    ];
  };

  const top = (data) => (_, low, high) => {
    const enough = data.format === "count" ? 4 : data.format === "duration" ? 0.01 : 0.1;
    return [0, Math.max((high ?? 0) * 1.1, enough)];
  };

  const dataOf = (figure) => JSON.parse(figure.querySelector("script").textContent);

  const rowsOf = (data) => {
    const values = data.series.map((each) => each.values);
    // Sums are drawn from the tallest to the lowest, so that each covers the one behind it.
    return [data.times, ...(data.kind === "lines" ? values : stacked(values).reverse())];
  };

  const draw = (figure) => {
    const place = figure.querySelector("[data-plot]");
    const data = dataOf(figure);
    const colours = coloursOf(figure);
    const series = seriesOf(data, colours);
    if (data.kind !== "lines") series.reverse();
    const step = data.times.length > 1 ? data.times[1] - data.times[0] : 60;
    const edge = data.kind === "bars" ? step * 0.6 : 0;
    place.replaceChildren();
    const options = {
      width: place.clientWidth, height: place.clientHeight, legend: { show: false }, padding: [6, 18, 0, 0],
      cursor: { y: false, points: { show: data.kind === "lines" }, drag: { x: false, y: false } },
      scales: { x: { time: true, range: () => [data.times[0] - edge, data.times.at(-1) + edge] }, y: data.log ? { distr: 3 } : { range: top(data) } },
      axes: axesOf(data, colours), series: [{}, ...series], plugins: [hint(figure, data)], hooks: { draw: [veil(data, colours)] },
    };
    drawn.get(place)?.plot.destroy();
    drawn.set(place, { plot: new uPlot(options, rowsOf(data), place), text: figure.querySelector("script").textContent });
  };

  const drawAll = () => {
    for (const [place, { plot }] of drawn) if (!document.contains(place)) { plot.destroy(); drawn.delete(place); }
    document.querySelectorAll("figure[data-chart]").forEach(draw);
  };

  const drawChanged = () => {
    for (const figure of document.querySelectorAll("figure[data-chart]")) {
      const known = drawn.get(figure.querySelector("[data-plot]"));
      if (known?.text !== figure.querySelector("script").textContent) draw(figure);
    }
  };

  const resize = () => drawn.forEach(({ plot }, place) => plot.setSize({ width: place.clientWidth, height: place.clientHeight }));

  document.addEventListener("DOMContentLoaded", drawAll);
  addEventListener("ferryman:theme", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("ferryman:swap", drawChanged);
  addEventListener("resize", resize);
})();
