/* Explore: what has been seen, as a list or on a map, by grade, flora, taxon, period, place, observer. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { place as placeText, t } from '../i18n/index.js';
import { Button, Empty, Failure, Waiting } from '../parts/bits.jsx';
import { Card, placeOf } from '../parts/card.jsx';
import { Icon } from '../parts/icon.jsx';
import { MapView, gathered } from '../parts/mapview.jsx';
import { Near } from '../parts/near.jsx';
import { TaxonName } from '../parts/taxon.jsx';
import { TaxonSearch } from '../parts/taxonsearch.jsx';
import { go, link } from '../router.js';
import { settings } from '../settings.js';
import { useLoaded } from '../state.js';
import { cards, find } from '../store/explore.js';
import { useFloras } from '../store/floras.js';
import { me } from '../store/session.js';

const PAGE = 24, ON_MAP = 200;

const NAMES = ['grade', 'flora', 'taxon', 'from', 'to', 'near', 'observer'], LESS_COMMON = ['from', 'to', 'near', 'observer'];

const filtersOf = (query) => Object.fromEntries(NAMES.map((name) => [name, query.get(name) || '']));

function show(filters, changes) {
  const next = Object.entries({ ...filters, ...changes }).filter(([, value]) => value);
  go(`/explore${next.length ? `?${next.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}` : ''}`);
}

/* Period, place, observer: folded away until somebody wants them. */
function MoreFilters({ filters, set }) {
  const used = LESS_COMMON.filter((name) => filters[name]).length;
  return (
    <details class="more-filters" open={used > 0 || undefined}>
      <summary>{t('explore.filters')}{used > 0 && <span class="badge">{used}</span>}</summary>
      <div class="fields">
        <fieldset>
          <legend>{t('explore.period')}</legend>
          {['from', 'to'].map((name) => (
            <label key={name}>{t(`explore.${name}`)} <input type="date" value={filters[name]} min={name === 'to' ? filters.from || undefined : undefined} max={name === 'from' ? filters.to || undefined : undefined}
              onChange={({ target }) => set({ [name]: target.value })} /></label>
          ))}
        </fieldset>
        <fieldset>
          <legend>{t('explore.near')}</legend>
          <Near key={filters.near} value={filters.near} pick={(near) => set({ near })} drop={() => set({ near: '' })} />
        </fieldset>
        <fieldset>
          <legend>{t('observer')}</legend>
          <div class="row">
            <input type="text" class="observer" aria-label={t('observer')} value={filters.observer} autocapitalize="none" spellcheck={false} onChange={({ target }) => set({ observer: target.value.trim() })} />
            {me.value.uid && filters.observer !== me.value.uid && <Button onClick={() => set({ observer: me.value.uid })}>{t('explore.me')}</Button>}
          </div>
        </fieldset>
        {used > 0 && <p><Button kind="link" onClick={() => set(Object.fromEntries(LESS_COMMON.map((name) => [name, ''])))}>{t('explore.nofilters')}</Button></p>}
      </div>
    </details>
  );
}

function Filters({ filters, map }) {
  const floras = useFloras(), set = (changes) => show({ ...filters, map: map ? '1' : '' }, changes);
  return (
    <div class="filters">
      <select aria-label={t('explore.grade')} value={filters.grade} onChange={({ target }) => set({ grade: target.value })}>
        <option value="">{t('explore.all')}</option>
        {['research', 'needs_review', 'casual'].map((grade) => <option key={grade} value={grade}>{t(`grade.${grade}`)}</option>)}
      </select>
      <select aria-label={t('flora')} value={filters.flora} onChange={({ target }) => set({ flora: target.value })}>
        <option value="">{t('explore.everywhere')}</option>
        {floras.map(({ id, title }) => <option key={id} value={id}>{title}</option>)}
      </select>
      {filters.taxon
        ? <span class="chosen-taxon"><TaxonName id={filters.taxon} linked common={false} /><Button kind="plain" icon="close" aria-label={t('explore.anytaxon')} onClick={() => set({ taxon: '' })} /></span>
        : <TaxonSearch id="explore-taxon" flora={filters.flora || settings.value.flora || floras[0]?.id} choose={(taxon) => set({ taxon })} />}
      <div class="segments" role="group" aria-label={t('explore.as')}>
        <button type="button" aria-pressed={!map} onClick={() => set({ map: '' })}><Icon name="list" size={18} />{t('explore.list')}</button>
        <button type="button" aria-pressed={map} onClick={() => set({ map: '1' })}><Icon name="explore" size={18} />{t('explore.map')}</button>
      </div>
      <MoreFilters filters={filters} set={set} />
    </div>
  );
}

function List({ filters }) {
  const key = JSON.stringify(filters), [pages, setPages] = useState(1);
  useEffect(() => setPages(1), [key]);
  const { value, error, loading, reload } = useLoaded(async (signal) => {
    const found = await find({ ...filters, limit: PAGE * pages + 1 }, signal);
    return { more: found.length > PAGE * pages, list: await cards(found.slice(0, PAGE * pages), signal) };
  }, [key, pages]);
  if (error && !value) return <Failure error={error} again={reload} />;
  if (!value) return <Waiting />;
  if (value.list.length === 0) return <Empty icon="explore" title={t('explore.none')} />;
  return (
    <>
      <ul class="tiles">{value.list.map((whole) => <Card key={whole.obs} whole={whole} />)}</ul>
      {value.more && <p class="more"><Button disabled={loading} onClick={() => setPages((n) => n + 1)}>{t('explore.more')}</Button></p>}
    </>
  );
}

function OnMap({ filters }) {
  const key = JSON.stringify(filters), [chosen, setChosen] = useState(null);
  const { value, error, reload } = useLoaded(async (signal) => cards(await find({ ...filters, limit: ON_MAP }, signal), signal), [key]);
  const points = useMemo(() => gathered((value || []).map((whole) => ({ ...placeOf(whole), whole })).filter((one) => one.latitude !== undefined)), [value]);
  useEffect(() => setChosen(null), [key]);
  if (error && !value) return <Failure error={error} again={reload} />;
  return (
    <div class="on-map">
      <MapView points={points} choose={setChosen} />
      <div>
        <h2>{chosen ? placeText(chosen.latitude, chosen.longitude) : t('explore.places', { n: points.length })}</h2>
        {chosen
          ? <ul class="tiles few">{chosen.list.map(({ whole }) => <Card key={whole.obs} whole={whole} />)}</ul>
          : <ul class="places">{points.slice(0, 40).map((one) => (
              <li key={`${one.latitude},${one.longitude}`}><Button kind="link" onClick={() => setChosen(one)}>{placeText(one.latitude, one.longitude)}</Button><span class="small">{t('explore.count', { n: one.count })}</span></li>
            ))}</ul>}
        {chosen && <Button kind="link" onClick={() => setChosen(null)}>{t('explore.allplaces')}</Button>}
      </div>
    </div>
  );
}

export default function Explore({ query }) {
  const filters = filtersOf(query), map = query.get('map') === '1';
  return (
    <div class="page">
      <h1>{t('explore.title')}</h1>
      <Filters filters={filters} map={map} />
      {map ? <OnMap filters={filters} /> : <List filters={filters} />}
      {filters.taxon && <p><a href={link.taxon(filters.taxon)}>{t('explore.taxonpage')}</a></p>}
    </div>
  );
}
