/* A small line over the last minutes (uPlot, fetched when first wanted). `rows`: [seconds[], values[]]. */
import { useEffect, useRef } from 'preact/hooks';
import { clock } from '../i18n/index.js';

const HEIGHT = 92, SPAN_S = 300;
const styleOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* Nothing is known at first: the last minutes, empty. */
function span(plot, min, max) {
  const end = max ?? Date.now() / 1000;
  return [Math.min(min ?? end, end - SPAN_S), end];
}

function options(width, label) {
  const axis = { stroke: styleOf('--soft'), grid: { stroke: styleOf('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
  return {
    width, height: HEIGHT, legend: { show: false }, cursor: { show: false }, padding: [8, 6, 0, 0],
    scales: { x: { range: span }, y: { range: (plot, min, max) => [0, Math.max(1, max * 1.15)] } },
    axes: [{ ...axis, size: 22, space: 70, values: (plot, ticks) => ticks.map((seconds) => clock(seconds * 1000)) }, { ...axis, size: 46, space: 26 }],
    series: [{}, { label, stroke: styleOf('--accent'), width: 2, points: { show: false }, fill: `color-mix(in srgb, ${styleOf('--accent')} 14%, transparent)` }],
  };
}

export function Chart({ rows, label }) {
  const box = useRef(), plot = useRef(null);
  useEffect(() => {
    let here = true;
    Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: UPlot }]) => {
      if (here) plot.current = new UPlot(options(box.current.clientWidth, label), rows, box.current);
    });
    return () => { here = false; plot.current?.destroy(); };
  }, []);
  useEffect(() => plot.current?.setData(rows), [rows]);
  return <div ref={box} class="chart" role="img" aria-label={`${label}: ${rows[1].at(-1) ?? '–'}`} />;
}
