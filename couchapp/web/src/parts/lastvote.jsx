/* What became of my last vote: followed until the community's answer has it. */
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { link } from '../router.js';
import { useLoaded } from '../state.js';
import { follow } from '../store/live.js';
import { readWhole } from '../store/observations.js';
import { me } from '../store/session.js';
import { Button } from './bits.jsx';
import { Icon } from './icon.jsx';
import { TaxonName } from './taxon.jsx';

const counted = (consensus, { what }) => consensus?.votes.some((vote) => vote.user === me.value.uid && vote.vote === what.vote && !vote.proposed);

function Outcome({ last, consensus }) {
  if (!counted(consensus, last)) return <span class="outcome"><Icon name="clock" size={16} />{t('lastvote.saved')}</span>;
  if (consensus.valid) return <span class="outcome valid"><Icon name="check" size={16} />{t('consensus.valid')}</span>;
  return <span class="outcome"><Icon name="check" size={16} />{t('lastvote.counted')}</span>;
}

export function LastVote({ last, undo }) {
  const obs = last?.obs;
  const { value, reload } = useLoaded(async () => (obs ? readWhole(obs) : null), [obs]);
  useEffect(() => (obs ? follow({ observation: obs }, reload) : undefined), [obs]);
  if (!last) return null;
  const { what } = last;
  return (
    <div class="last-vote" role="status">
      <span class="last-vote-what">
        <a class="quiet" href={link.observation(obs)}>{t('lastvote')}</a>
        {what.vote === 'taxon' ? <TaxonName id={what.taxon} common={false} /> : <b>{t(`vote.${what.vote}`)}</b>}
      </span>
      <Outcome last={last} consensus={value?.obs === obs ? value.consensus : null} />
      <Button kind="link" icon="undo" aria-keyshortcuts="u" onClick={undo}>{t('undo')}</Button>
    </div>
  );
}
