/* A place picked on a map: by a tap, or by Enter at its middle. The map comes when it is wanted, with all that belongs to it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { Waiting } from './bits.jsx';

export function MapPicker({ place, pick }) {
  const box = useRef(), map = useRef(null);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    let here = true;
    import('../place/map.js').then(async ({ makeMap }) => {
      if (!here) return;
      map.current = await makeMap(box.current, { pick });
      if (!here) { map.current.remove(); return; }
      setReady(true);
    });
    return () => { here = false; map.current?.remove(); };
  }, []);
  useEffect(() => { if (ready) map.current.mark(place); }, [ready, place]);
  return <div class="map-box">{!ready && <Waiting />}<div ref={box} class="map" role="application" aria-label={t('place.map')} /></div>;
}
