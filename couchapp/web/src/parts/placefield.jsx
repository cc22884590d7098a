/* Where: from the device, from the map, or from what the picture told; and how exactly it may be published. */
import { useState } from 'preact/hooks';
import { metres, place as placeText, t } from '../i18n/index.js';
import { devicePlace } from '../place/place.js';
import { change } from '../settings.js';
import { Button } from './bits.jsx';
import { Icon } from './icon.jsx';
import { MapPicker } from './mappicker.jsx';

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
