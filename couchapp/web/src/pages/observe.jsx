/* Observe: pictures, place, day. Saved on this device first; nothing here waits for a network. */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { Button } from '../parts/bits.jsx';
import { Icon } from '../parts/icon.jsx';
import { say } from '../parts/toast.jsx';
import { DraftPictures } from '../parts/draftpictures.jsx';
import { PlaceField } from '../parts/placefield.jsx';
import { TaxonName } from '../parts/taxon.jsx';
import { TaxonSearch } from '../parts/taxonsearch.jsx';
import { go, link } from '../router.js';
import { change, settings } from '../settings.js';
import { useCell } from '../state.js';
import { prepareSealing } from '../place/place.js';
import { me } from '../store/session.js';
import { useFloras } from '../store/floras.js';

const two = (value) => String(value).padStart(2, '0');

/* The value of a datetime-local field, in the device's time zone. */
const local = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;

function SignInFirst() {
  return (
    <div class="page narrow">
      <h1>{t('nav.observe')}</h1>
      <p class="lead">{t('observe.signin')}</p>
      <a class="button primary" href="#/signin?then=/observe">{t('signin')}</a>
    </div>
  );
}

function When({ value, set }) {
  return (
    <section class="card form">
      <h2><Icon name="calendar" />{t('observe.when')}</h2>
      <label for="when" class="visually-hidden">{t('observe.when')}</label>
      <input id="when" type="datetime-local" required value={value} max={local(new Date(Date.now() + 86400000))}
        onInput={(event) => set(event.target.value)} />
    </section>
  );
}

/* What the observer thinks it is: the first vote, if there is one. */
function Proposal({ draft, set }) {
  const floras = useFloras();
  return (
    <section class="card form">
      <h2><Icon name="leaf" />{t('observe.what')}</h2>
      {draft.proposed
        ? <p class="chosen-taxon"><TaxonName id={draft.proposed} /><Button kind="plain" icon="close" aria-label={t('observe.unpropose')} onClick={() => set({ proposed: '' })} /></p>
        : <TaxonSearch id="proposed" flora={draft.flora || floras[0]?.id} choose={(proposed) => set({ proposed })} label={t('observe.propose')} />}
    </section>
  );
}

function More({ draft, set }) {
  const floras = useFloras();
  return (
    <section class="card form">
      <h2><Icon name="list" />{t('observe.more')}</h2>
      <label for="flora">{t('flora')}</label>
      <select id="flora" value={draft.flora} onChange={(event) => { set({ flora: event.target.value }); change({ flora: event.target.value }); }}>
        <option value="">{t('flora.byplace')}</option>
        {floras.map(({ id, title }) => <option key={id} value={id}>{title}</option>)}
      </select>
      <label for="licence">{t('licence')}</label>
      <select id="licence" value={draft.licence} onChange={(event) => { set({ licence: event.target.value }); change({ licence: event.target.value }); }}>
        {['CC-BY-4.0', 'CC-BY-SA-4.0', 'CC-BY-NC-4.0', 'CC0-1.0'].map((name) => <option key={name}>{name}</option>)}
      </select>
      <label class="tick">
        <input type="checkbox" checked={!draft.wild} onChange={(event) => set({ wild: !event.target.checked })} />
        <span>{t('observe.planted')}</span>
      </label>
    </section>
  );
}

/* What pictures tell, where the observer has not said otherwise. */
function told(draft, pictures) {
  const dated = pictures.find((picture) => picture.taken_at), placed = pictures.find((picture) => picture.latitude !== undefined);
  return {
    ...(dated && !draft.whenSaid ? { when: local(new Date(dated.taken_at)), whenTold: true } : {}),
    ...(placed && !draft.place ? { place: { latitude: placed.latitude, longitude: placed.longitude, from: 'picture' } } : {}),
  };
}

const fresh = () => ({ pictures: [], when: local(new Date()), flora: settings.value.flora, licence: settings.value.licence, publish: settings.value.publish, wild: true });

export default function Observe() {
  const who = useCell(me), [draft, setDraft] = useState(fresh), [busy, setBusy] = useState(false);
  useEffect(() => { if (who.uid) prepareSealing().catch(() => {}); }, [who.uid]);
  if (!who.uid) return <SignInFirst />;
  const set = (changes) => setDraft((old) => ({ ...old, ...changes }));
  const setPictures = (change_) => setDraft((old) => {
    const pictures = change_(old.pictures);
    return { ...old, pictures, ...told(old, pictures) };
  });
  const save = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const { saveObservation } = await import('../store/writing.js');
      const obs = await saveObservation({ ...draft, observed_at: new Date(draft.when).toISOString() });
      say(t('observe.saved'));
      go(link.observation(obs).slice(1));
    } catch (error) {
      say(t('observe.failed', { reason: error.message }));
      setBusy(false);
    }
  };
  return (
    <form class="page observe" onSubmit={save}>
      <h1>{t('observe.title')}</h1>
      <DraftPictures pictures={draft.pictures} change={setPictures} />
      <div class="columns">
        <PlaceField place={draft.place} publish={draft.publish} set={set} />
        <div>
          <When value={draft.when} set={(when) => set({ when, whenSaid: true })} />
          <Proposal draft={draft} set={set} />
          <More draft={draft} set={set} />
        </div>
      </div>
      <div class="finish">
        <p class="small">{t('observe.privacy')}</p>
        <button class="button primary big" disabled={busy || draft.pictures.length === 0}>{t('observe.save')}</button>
      </div>
    </form>
  );
}
