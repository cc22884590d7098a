/* A person: known by a random id, what they have seen, how many species they know and what their vote weighs. */
import { fixed, number, percent, t } from '../i18n/index.js';
import { Empty, Failure, Waiting } from '../parts/bits.jsx';
import { Card } from '../parts/card.jsx';
import { TaxonName } from '../parts/taxon.jsx';
import { useCell, useLoaded } from '../state.js';
import { cards, count, find } from '../store/explore.js';
import { get } from '../store/http.js';
import { me } from '../store/session.js';
import { database } from '../store/site.js';

async function load(uid, signal) {
  const skill = await get(`${database('reference')}/skill:${encodeURIComponent(uid)}`, { signal }).catch((error) => { if (error.offline) throw error; return null; });
  const [list, observations] = await Promise.all([find({ observer: uid, limit: 24 }, signal).then((found) => cards(found, signal)), count('by_observer', [uid], signal)]);
  return { skill, list, observations };
}

function Figure({ value, label }) {
  return <div class="stat"><b>{value}</b><span>{label}</span></div>;
}

export default function User({ parts }) {
  const uid = parts[1], who = useCell(me), { value, error, reload } = useLoaded((signal) => load(uid, signal), [uid]);
  if (error && !value) return <div class="page"><Failure error={error} again={reload} /></div>;
  if (!value) return <Waiting />;
  const { skill, list, observations } = value;
  const families = Object.entries(skill?.families || {}).sort((a, b) => b[1].right - a[1].right).slice(0, 8);
  return (
    <div class="page">
      <div><h1>{uid === who.uid ? who.name : t('user.title', { uid: uid.slice(0, 8) })}</h1><p class="small"><code>{uid}</code></p></div>
      <div class="stats">
        <Figure value={number(observations)} label={t('user.observations', { n: observations })} />
        <Figure value={number(skill?.species?.length || 0)} label={t('user.species')} />
        <Figure value={fixed(skill?.weight ?? Math.log(2.1), 2)} label={t('user.weight')} />
      </div>
      {families.length > 0 && (
        <section class="card"><h2>{t('user.families')}</h2>
          <table><thead><tr><th scope="col">{t('rank.family')}</th><th scope="col" class="number">{t('user.right')}</th></tr></thead>
            <tbody>{families.map(([family, { precision }]) => <tr key={family}><td><TaxonName id={family} linked common={false} /></td><td class="number">{percent(precision)}</td></tr>)}</tbody></table>
        </section>
      )}
      {list.length > 0 && <p class="row"><a href={`#/explore?observer=${encodeURIComponent(uid)}`}>{t('taxon.all')}</a> <a href={`#/explore?observer=${encodeURIComponent(uid)}&map=1`}>{t('explore.map')}</a></p>}
      {list.length ? <ul class="tiles">{list.map((whole) => <Card key={whole.obs} whole={whole} />)}</ul> : <Empty icon="camera" title={t('explore.none')} />}
    </div>
  );
}
