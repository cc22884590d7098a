/* Observations on a map; those of one place are one mark. The list beside says the same in words. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { place as placeText, t } from '../i18n/index.js';
import { Waiting } from './bits.jsx';

/* [{latitude, longitude, count, list}] of cards with places. */
export function gathered(list) {
  const places = new Map();
  for (const one of list) {
    const key = `${one.latitude},${one.longitude}`;
    if (!places.has(key)) places.set(key, { latitude: one.latitude, longitude: one.longitude, count: 0, list: [] });
    places.get(key).count += 1;
    places.get(key).list.push(one);
  }
  return [...places.values()];
}

/* `choose(place)`: a mark was tapped. */
export function MapView({ points, choose }) {
  const box = useRef(), map = useRef(null);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    let here = true;
    import('../place/map.js').then(async ({ makeMap }) => {
      const made = await makeMap(box.current);
      if (!here) { made.remove(); return; }
      map.current = made;
      setReady(true);
    });
    return () => { here = false; map.current?.remove(); };
  }, []);
  useEffect(() => {
    if (!ready) return;
    map.current.points(points.map((one) => ({
      ...one, label: `${placeText(one.latitude, one.longitude)}: ${t('explore.count', { n: one.count })}`, go: () => choose?.(one),
    })));
  }, [ready, points]);
  return <div class="map-box">{!ready && <Waiting />}<div ref={box} class="map tall" role="region" aria-label={t('explore.map')} /></div>;
}
