/* A picture that one can look into: wheel, pinch, double tap, + and -, arrows; dragged when it is larger than its frame. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';

const MOST = 8, STEP = 1.5;
const REST = { scale: 1, x: 0, y: 0 };

/* Keep the picture over its frame: no further than its own edge. */
function bounded({ scale, x, y }, box) {
  const s = Math.min(MOST, Math.max(1, scale)), roomX = (box.width * (s - 1)) / 2, roomY = (box.height * (s - 1)) / 2;
  return { scale: s, x: Math.max(-roomX, Math.min(roomX, x)), y: Math.max(-roomY, Math.min(roomY, y)) };
}

/* Scale about a point given relative to the frame's middle. */
function about(at, factor, px, py, box) {
  const scale = Math.min(MOST, Math.max(1, at.scale * factor)), ratio = scale / at.scale;
  return bounded({ scale, x: px - (px - at.x) * ratio, y: py - (py - at.y) * ratio }, box);
}

function usePointers(frame, at, move) {
  const down = useRef(new Map());
  const point = (event) => {
    const box = frame.current.getBoundingClientRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2, box };
  };
  return {
    onPointerDown(event) {
      down.current.set(event.pointerId, point(event));
      frame.current.setPointerCapture(event.pointerId);
    },
    onPointerMove(event) {
      const last = down.current.get(event.pointerId), now = point(event);
      if (!last) return;
      down.current.set(event.pointerId, now);
      if (down.current.size === 2) {
        const [other] = [...down.current].filter(([id]) => id !== event.pointerId).map(([, value]) => value);
        const before = Math.hypot(last.x - other.x, last.y - other.y), after = Math.hypot(now.x - other.x, now.y - other.y);
        if (before > 0) move(about(at.current, after / before, (now.x + other.x) / 2, (now.y + other.y) / 2, now.box));
      } else if (at.current.scale > 1) {
        move(bounded({ ...at.current, x: at.current.x + now.x - last.x, y: at.current.y + now.y - last.y }, now.box));
      }
    },
    onPointerUp(event) { down.current.delete(event.pointerId); },
    onPointerCancel(event) { down.current.delete(event.pointerId); },
    onDblClick(event) {
      const { x, y, box } = point(event);
      move(at.current.scale > 1 ? REST : about(at.current, 2.5, x, y, box));
    },
  };
}

export function Zoom({ children, label, name }) {
  const frame = useRef(), at = useRef(REST);
  const [shown, setShown] = useState(REST);
  const move = (next) => { at.current = next; setShown(next); };
  useEffect(() => move(REST), [name]);
  useEffect(() => {
    const wheel = (event) => {
      event.preventDefault();
      const box = frame.current.getBoundingClientRect();
      move(about(at.current, event.deltaY < 0 ? 1.2 : 1 / 1.2, event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2, box));
    };
    frame.current.addEventListener('wheel', wheel, { passive: false }); // Preact's are passive where the browser wants it
    return () => frame.current?.removeEventListener('wheel', wheel);
  }, []);
  const keys = (event) => {
    const box = frame.current.getBoundingClientRect();
    const pan = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
    if (event.key === '+' || event.key === '=') move(about(at.current, STEP, 0, 0, box));
    else if (event.key === '-') move(about(at.current, 1 / STEP, 0, 0, box));
    else if (pan && at.current.scale > 1) move(bounded({ ...at.current, x: at.current.x + pan[0], y: at.current.y + pan[1] }, box));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={frame} class={`zoom ${shown.scale > 1 ? 'zoomed' : ''}`} tabIndex={0} role="group" aria-label={label}
      aria-description={t('zoom.help')} onKeyDown={keys} {...usePointers(frame, at, move)}>
      <div class="zoom-inner" ref={(node) => { if (node) node.style.transform = `translate(${shown.x}px, ${shown.y}px) scale(${shown.scale})`; }}>
        {children}
      </div>
    </div>
  );
}
