/* A taxon: its names and place in the tree, pictures by organ, where and when it was seen, by whom, and what it is taken for. */
import { useMemo } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { Empty, Failure, Waiting } from '../parts/bits.jsx';
import { Icon } from '../parts/icon.jsx';
import { placeOf } from '../parts/card.jsx';
import { MapView, gathered } from '../parts/mapview.jsx';
import { Months } from '../parts/months.jsx';
import { Rank, ScientificName, TaxonName } from '../parts/taxon.jsx';
import { go, link } from '../router.js';
import { useCell, useLoaded } from '../state.js';
import { language } from '../i18n/index.js';
import { cards, count, find } from '../store/explore.js';
import { get, query } from '../store/http.js';
import { pictureOf, view } from '../store/observations.js';
import { database } from '../store/site.js';
import { isAbove, taxa, withAncestors } from '../store/taxa.js';

const SEEN_MOST = 120, CHILDREN_MOST = 200, ALIKE_MOST = 6;

/* What it is taken for: [taxon, how often somebody voted for it or the machine put it first], most often first; of those that nobody
 * did, what stands beside it in the machine's answers, by how near it came. Taxa above it are no mistake. */
function confusedWith(id, list) {
  const sums = new Map();
  const add = (taxon, times, score) => {
    if (!taxon || taxon === id || isAbove(taxon, id)) return;
    const sum = sums.get(taxon) || { times: 0, score: 0 };
    sums.set(taxon, { times: sum.times + times, score: sum.score + score });
  };
  for (const { identification, consensus } of list) {
    for (const vote of consensus?.votes || []) add(vote.taxon, 1, 0);
    add(identification?.best?.taxon, 1, 0);
    for (const { taxon, score } of identification?.species || []) add(taxon, 0, score);
  }
  return [...sums].filter(([, { times, score }]) => times || score >= 0.05).sort(([, a], [, b]) => b.times - a.times || b.score - a.score).slice(0, ALIKE_MOST)
    .map(([taxon, { times }]) => [taxon, times]);
}

async function load(id, signal) {
  const found = await taxa([id]);
  if (!found.get(id)) return { taxon: null };
  const taxon = found.get(id), tree = await withAncestors([id]);
  const line = [];
  for (let at = tree.get(taxon.parentNameUsageID); at; at = tree.get(at.parentNameUsageID)) line.unshift(at);
  const [list, children, total, names] = await Promise.all([
    find({ taxon: id, limit: SEEN_MOST }, signal).then((obs) => cards(obs, signal, { all: true })),
    view('reference', 'children', { startkey: [id], endkey: [id, {}], reduce: false, limit: CHILDREN_MOST }, { signal }),
    count('by_taxon', [id], signal),
    get(`${database('reference')}/_design/linnet/_view/names_of${query({ key: id })}`, { signal }),
  ]);
  return { taxon, line, list, children: children.rows.map((row) => row.id), total, names: names.rows.map((row) => row.value) };
}

function Pictures({ list }) {
  const organs = new Map();
  for (const whole of list) {
    if (!whole.consensus?.valid) continue;
    for (const { image, organ } of whole.observation.views) {
      const seen = whole.identification?.organs?.[image] || organ, { src } = pictureOf(whole, image);
      if (src) organs.set(seen, [...(organs.get(seen) || []), { obs: whole.obs, image, src }]);
    }
  }
  if (organs.size === 0) return <p class="small">{t('examples.none')}</p>;
  return [...organs].map(([organ, pictures]) => (
    <section key={organ}>
      <h3>{t(`organ.${organ}`)}</h3>
      <div class="examples wide">{pictures.slice(0, 8).map(({ obs, image, src }) => <a key={`${obs}${image}`} href={link.observation(obs)}><img src={src} alt={t('examples.one')} loading="lazy" /></a>)}</div>
    </section>
  ));
}

function Names({ taxon, names }) {
  const synonyms = names.filter(([name, tag]) => tag === '' && name !== taxon.scientificName), common = names.filter(([, tag]) => tag !== '');
  return (
    <>
      {common.length > 0 && <p class="lead common-names">{common.filter(([, tag]) => tag === language.value).map(([name]) => name).join(', ') || common.map(([name]) => name).join(', ')}</p>}
      {synonyms.length > 0 && <p class="small">{t('taxon.synonyms')} <i>{synonyms.map(([name]) => name).join(', ')}</i></p>}
    </>
  );
}

function People({ list }) {
  const people = new Map();
  for (const { observation: { observer } } of list) people.set(observer, (people.get(observer) || 0) + 1);
  return <ul class="places">{[...people].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([uid, n]) => <li key={uid}><a href={link.user(uid)}>{uid.slice(0, 8)}</a><span class="small">{t('explore.count', { n })}</span></li>)}</ul>;
}

function Seen({ id, list, total }) {
  const points = useMemo(() => gathered(list.map(placeOf).filter(Boolean)), [list]);
  const dates = list.map(({ observation }) => observation.observed_at).filter(Boolean), alike = confusedWith(id, list);
  if (list.length === 0) return <Empty icon="camera" title={t('taxon.unseen')} />;
  return (
    <div class="columns">
      <section class="card"><h2>{t('taxon.pictures')}</h2><Pictures list={list} /></section>
      <section class="card"><h2>{t('taxon.where', { n: total })}</h2><MapView points={points} choose={() => go(`/explore?taxon=${encodeURIComponent(id)}&map=1`)} />
        <p><a href={`#/explore?taxon=${encodeURIComponent(id)}`}>{t('taxon.all')}</a></p></section>
      <section class="card"><h2>{t('taxon.months')}</h2><Months dates={dates} /></section>
      <section class="card"><h2>{t('taxon.people')}</h2><People list={list} /></section>
      {alike.length > 0 && <section class="card"><h2>{t('taxon.alike')}</h2><ul class="places">{alike.map(([one, n]) => <li key={one}><TaxonName id={one} linked />{n > 0 && <span class="small">{t('taxon.times', { n })}</span>}</li>)}</ul></section>}
    </div>
  );
}

export default function Taxon({ parts }) {
  const id = parts[1], { value, error, reload } = useLoaded((signal) => load(id, signal), [id]);
  useCell(language);
  if (error && !value) return <div class="page"><Failure error={error} again={reload} /></div>;
  if (!value) return <Waiting />;
  const { taxon, line, list, children, total, names } = value;
  if (!taxon) return <div class="page"><Empty title={t('taxon.none')} /></div>;
  return (
    <div class="page">
      <nav class="lineage" aria-label={t('taxon.lineage')}>{line.map((one) => <a key={one._id} href={link.taxon(one._id)}><ScientificName taxon={one} /></a>)}</nav>
      <div>
        <h1><ScientificName taxon={taxon} /> <span class="authorship">{taxon.scientificNameAuthorship}</span></h1>
        <p class="small"><Rank rank={taxon.taxonRank} /></p>
      </div>
      <Names taxon={taxon} names={names} />
      {taxon.toxic && <p class="danger"><Icon name="warning" size={18} />{t('danger.toxic')}</p>}
      {(taxon.lookAlikes || []).filter((one) => one.toxic).map((one) => <p key={one.taxon} class="danger"><Icon name="warning" size={18} /><span>{t('danger.alike')} <TaxonName id={one.taxon} linked /></span></p>)}
      {taxon.sensitive && <p class="notice"><Icon name="pin" />{t('taxon.sensitive')}</p>}
      <Seen id={id} list={list} total={total} />
      {children.length > 0 && <section class="card"><h2>{t('taxon.children', { n: children.length })}</h2><ul class="children">{children.map((one) => <li key={one}><TaxonName id={one} linked /></li>)}</ul></section>}
    </div>
  );
}
