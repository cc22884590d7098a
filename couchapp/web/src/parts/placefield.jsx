/* Where: from the device, from the map, or from what the picture told; and how exactly it may be published. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { metres, place as placeText, t } from '../i18n/index.js';
import { devicePlace } from '../place/place.js';
import { change } from '../settings.js';
import { Button, Waiting } from './bits.jsx';
import { Icon } from './icon.jsx';

/* The map comes when it is wanted, with all that belongs to it. */
function MapPicker({ place, pick }) {
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

export function PlaceField({ place, publish, set }) {
  const [open, setOpen] = useState(false), [problem, setProblem] = useState(null), [busy, setBusy] = useState(false);
  const ask = async () => {
    setBusy(true);
    setProblem(null);
    try {
      set({ place: { ...(await devicePlace()), from: 'device' } });
    } catch (error) {
      setProblem(t(error.message));
    }
    setBusy(false);
  };
  return (
    <section class="card form">
      <h2><Icon name="pin" />{t('observe.where')}</h2>
      <p class="place-now">
        {place ? <><b>{placeText(place.latitude, place.longitude)}</b> <span class="small">{t(`place.from.${place.from}`)}{place.uncertainty ? ` ± ${metres(place.uncertainty)}` : ''}</span></>
          : t('place.notyet')}
      </p>
      <div class="row">
        <Button icon="pin" disabled={busy} onClick={ask}>{t('place.device')}</Button>
        <Button icon="explore" aria-expanded={open} onClick={() => setOpen(!open)}>{t('place.onmap')}</Button>
        {place && <Button kind="link" onClick={() => set({ place: null })}>{t('place.drop')}</Button>}
      </div>
      {problem && <p class="problem" role="alert"><Icon name="warning" size={18} />{problem}</p>}
      {open && <MapPicker place={place} pick={(latitude, longitude) => set({ place: { latitude, longitude, from: 'map' } })} />}
      <label for="publish">{t('publish')}</label>
      <select id="publish" value={publish} onChange={(event) => { set({ publish: event.target.value }); change({ publish: event.target.value }); }}>
        {['exact', '0.2', 'withheld'].map((name) => <option key={name} value={name}>{t(`publish.${name}`)}</option>)}
      </select>
      <p class="help">{t(`publish.help.${publish}`)}</p>
    </section>
  );
}
