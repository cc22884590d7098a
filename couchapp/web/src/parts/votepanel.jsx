/* All that one can say of an observation, and what others have said. */
import { t } from '../i18n/index.js';
import { settings } from '../settings.js';
import { useFloras } from '../store/floras.js';
import { Button } from './bits.jsx';
import { Verdict, Votes, Why } from './consensus.jsx';
import { Similar, useAlike } from './similar.jsx';
import { Suggestions } from './suggestions.jsx';
import { TaxonSearch } from './taxonsearch.jsx';

const ORGANS = ['flower', 'leaf', 'fruit', 'bark', 'habit'];
const QUALITIES = ['good', 'fair', 'bad'];

/* What this picture shows, and how well: goes with the vote. */
function ViewVote({ whole, at, views, setViews }) {
  const { image } = whole.observation.views[at] || whole.observation.views[0], said = views[image] || {};
  const set = (changes) => setViews({ ...views, [image]: { ...said, ...changes } });
  const group = (name, list, texts, value) => (
    <div class="segments" role="group" aria-label={t(name)}>
      {list.map((one) => (
        <button key={one} type="button" aria-pressed={value === one} onClick={() => set({ [name === 'organ' ? 'organ' : 'quality']: one })}>{t(`${texts}.${one}`)}</button>
      ))}
    </div>
  );
  const guess = said.organ || whole.identification?.organs?.[image];
  return (
    <details class="view-vote">
      <summary>{t('viewvote')}</summary>
      {group('organ', ORGANS, 'organ', guess)}
      {group('quality', QUALITIES, 'quality', said.quality)}
    </details>
  );
}

export function VotePanel({ whole, at, choose, cast, search, views, setViews, mine, move }) {
  const floras = useFloras(), found = useAlike(whole);
  const flora = whole.identification?.flora || whole.observation.flora || settings.value.flora || floras[0]?.id;
  return (
    <>
      <h2>{t('suggest.title')}</h2>
      <Suggestions whole={whole} choose={choose} chosen={mine?.taxon} found={found} />
      <TaxonSearch flora={flora} choose={choose} box={search} />
      <div class="row vote-others">
        <Button aria-keyshortcuts="n" onClick={() => cast({ vote: 'not-a-plant' })}>{t('vote.not-a-plant')}</Button>
        <Button aria-keyshortcuts="c" onClick={() => cast({ vote: 'cannot-tell' })}>{t('vote.cannot-tell')}</Button>
      </div>
      {move}
      <Similar found={found} />
      {setViews && <ViewVote whole={whole} at={at} views={views} setViews={setViews} />}
      <section class="community">
        <h2>{t('consensus.title')}</h2>
        <Verdict consensus={whole.consensus} />
        <Why consensus={whole.consensus} />
        <Votes consensus={whole.consensus} validations={whole.validations} />
      </section>
    </>
  );
}
