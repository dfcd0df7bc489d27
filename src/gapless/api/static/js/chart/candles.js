// The chart itself, by Lightweight Charts: candles, volume, shading, splits, and what is under the pointer in words.

import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  HistogramSeries,
} from "../../vendor/lightweight-charts.js";
import { fill, h } from "../dom.js";
import { compact, moment, price, stamp } from "../format.js";
import { onTheme } from "../theme.js";
import { isIntraday } from "./grid.js";
import { bandsOf, pointsOf } from "./points.js";
import { Shading } from "./shading.js";

const NAMES = ["ink", "quiet", "line", "panel", "up", "down", "gap-band", "gap-line", "pre-band", "volume"];
const SHOWN = 240;

function palette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

export function drawCandles(box, world) {
  const { asked, signal } = world;
  const points = pointsOf(world);
  const bands = bandsOf(points, world);
  let colours = palette();
  const chart = createChart(box, { autoSize: true, ...look(colours, asked.timeframe) });
  const candles = chart.addSeries(CandlestickSeries, {
    borderVisible: true,
    priceLineVisible: false,
    lastValueVisible: false,
  });
  const volume = chart.addSeries(HistogramSeries, {
    priceScaleId: "volume",
    priceFormat: { type: "volume" },
    priceLineVisible: false,
    lastValueVisible: false,
  });
  candles.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.22 } });
  chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
  const shading = new Shading(bands, () => ({
    gap: colours["gap-band"],
    hatch: colours["gap-line"],
    pre: colours["pre-band"],
    post: colours["pre-band"],
  }));
  candles.attachPrimitive(shading);
  const paint = () => {
    colours = palette();
    chart.applyOptions(look(colours, asked.timeframe));
    candles.applyOptions({
      upColor: colours.up,
      downColor: colours.down,
      borderUpColor: colours.up,
      borderDownColor: colours.down,
      wickUpColor: colours.up,
      wickDownColor: colours.down,
    });
    candles.setData(points.map((point) => candle(point)));
    volume.setData(
      points.map(({ time, bar }) => (bar ? { time, value: bar.volume ?? 0, color: colours.volume } : { time })),
    );
  };
  paint();
  const marks = splits(points, world.actions);
  createSeriesMarkers(
    candles,
    marks.map((mark) => ({ ...mark, color: colours.ink })),
  );
  chart.timeScale().setVisibleLogicalRange(atFirst(points, asked, Math.min(SHOWN, box.clientWidth / 4)));
  follow(box, chart, candles, points, bands, world);
  box.dataset.bars = points.filter((point) => point.bar).length;
  box.dataset.hollow = points.filter((point) => point.bar && !point.bar.final).length;
  box.dataset.gaps = bands.filter((band) => band.kind === "gap").length;
  box.dataset.shaded = bands.length - Number(box.dataset.gaps);
  box.dataset.splits = marks.length;
  onTheme(paint, signal);
  signal.addEventListener("abort", () => chart.remove());
}

function look(colours, timeframe) {
  const line = { color: colours.line };
  return {
    layout: {
      background: { type: "solid", color: colours.panel },
      textColor: colours.quiet,
      fontSize: 11,
      attributionLogo: false,
    },
    grid: { vertLines: line, horzLines: line },
    rightPriceScale: { borderColor: colours.line },
    timeScale: {
      borderColor: colours.line,
      timeVisible: isIntraday(timeframe),
      secondsVisible: false,
      minBarSpacing: 0.5,
    },
    crosshair: { mode: 0 },
    localization: {
      locale: "en",
      timeFormatter: (seconds) => moment(seconds * 1000).slice(0, isIntraday(timeframe) ? 16 : 10),
    },
  };
}

/** What is seen at first: the start where one was asked for, else the latest bars and a little of what is missing after. */
function atFirst(points, asked, wide) {
  const last = asked.query.start ? wide : points.findLastIndex((point) => point.bar) + wide / 6;
  const to = Math.min(points.length, Math.max(last, wide)) + 1;
  return { from: Math.max(-1, to - wide), to };
}

/** A candle as the chart takes it; one that can still change is hollow. */
function candle({ time, bar }) {
  if (!bar) return { time };
  const { open, high, low, close } = bar;
  return { time, open, high, low, close, ...(bar.final ? {} : { color: "transparent" }) };
}

function splits(points, actions) {
  return actions
    .filter((one) => one.kind === "split")
    .flatMap((one) => {
      const place = points.findIndex((point) => point.ts >= one.at);
      if (place < 0 || (place === 0 && points[0].ts - one.at > 40 * 86_400_000)) return [];
      return [
        {
          time: points[place].time,
          position: "aboveBar",
          shape: "square",
          text: `split ${one.ratio} for 1${one.applied ? "" : ` (${one.verdict})`}`,
        },
      ];
    });
}

/** Tell what is under the pointer, or where the arrow keys are. */
function follow(box, chart, candles, points, bands, { asked, note, sessions, signal }) {
  const clockOf = (instant) => stamp(instant, sessions.zone, asked.timeframe);
  const tip = h("div", { class: "tip", hidden: true });
  box.append(tip);
  let at = points.length;
  const tell = (place, spot) => {
    const point = points[place];
    const missing = bands.find((band) => band.kind === "gap" && place >= band.from && place <= band.to);
    fill(
      note,
      point
        ? words(point, missing, clockOf)
        : words(
            points.findLast((one) => one.bar),
            null,
            clockOf,
          ),
    );
    tip.hidden = !(missing && spot);
    if (!missing || !spot) return;
    fill(
      tip,
      h("b", null, "Missing"),
      ` ${clockOf(missing.gap.start)} to ${clockOf(missing.gap.end)}`,
      h("span", null, missing.gap.reason || missing.gap.outcome),
    );
    tip.style.left = `${Math.min(spot.x + 14, box.clientWidth - 230)}px`;
    tip.style.top = `${Math.max(8, spot.y - 60)}px`;
  };
  chart.subscribeCrosshairMove(({ logical, point }) => {
    if (point && logical !== undefined && logical !== null) at = Math.round(logical);
    tell(point ? at : -1, point);
  });
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -points.length, End: points.length }[event.key];
    if (!step) return;
    event.preventDefault();
    at = Math.min(points.length - 1, Math.max(0, at + step));
    show(chart, at);
    chart.setCrosshairPosition(points[at].bar?.close ?? 0, points[at].time, candles);
    tell(at, null);
  };
  box.addEventListener("keydown", move, { signal });
  tell(-1, null);
}

/** Scroll only as far as a point needs to be seen. */
function show(chart, at) {
  const scale = chart.timeScale();
  const { from, to } = scale.getVisibleLogicalRange();
  const by = at < from ? at - from - 1 : at > to ? at - to + 1 : 0;
  if (by) scale.setVisibleLogicalRange({ from: from + by, to: to + by });
}

function words(point, missing, clockOf) {
  if (!point) return "";
  const when = h("b", null, clockOf(point.ts));
  const { bar } = point;
  if (!bar) return [when, ` missing: ${missing?.gap.reason || missing?.gap.outcome || "no bar"}`];
  const figures = [
    ["O", price(bar.open)],
    ["H", price(bar.high)],
    ["L", price(bar.low)],
    ["C", price(bar.close)],
    ["V", compact(bar.volume)],
  ];
  return [
    when,
    figures.map(([name, value]) => h("span", null, h("i", null, name), ` ${value}`)),
    !bar.final && h("span", { class: "tag" }, "provisional"),
    missing &&
      h(
        "span",
        { class: "tag", data: { outcome: "failed" } },
        `part of it is missing: ${missing.gap.reason || missing.gap.outcome}`,
      ),
  ];
}
