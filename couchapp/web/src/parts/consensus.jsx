/* What the community says, and why: the votes one by one with their weights. */
import { fixed, moment, percent, t } from '../i18n/index.js';
import { Icon } from './icon.jsx';
import { TaxonName } from './taxon.jsx';
import { link } from '../router.js';
import { me } from '../store/session.js';

export function Verdict({ consensus }) {
  if (!consensus) return <p class="verdict none"><Icon name="clock" size={18} />{t('consensus.none')}</p>;
  const { taxon, valid, not_a_plant: notPlant } = consensus;
  return (
    <p class={`verdict ${valid ? 'valid' : 'open'}`}>
      <Icon name={valid ? 'check' : 'clock'} size={18} />
      <span>
        {notPlant ? t('vote.not-a-plant') : taxon ? <TaxonName id={taxon} linked /> : t('consensus.unnamed')}
        {(taxon || notPlant) && <b>{t(valid ? 'consensus.valid' : 'consensus.open')}</b>}
      </span>
    </p>
  );
}

function What({ vote }) {
  if (vote.vote !== 'taxon') return t(`vote.${vote.vote}`);
  return <><TaxonName id={vote.taxon} linked common={false} />{vote.disagrees_with && <span class="small"> {t('consensus.rejects')} <TaxonName id={vote.disagrees_with} common={false} /></span>}</>;
}

export function Votes({ consensus, validations = [] }) {
  const counted = consensus?.votes || [], waiting = validations.filter((one) => !counted.some((vote) => vote.user === one.user && !vote.proposed));
  if (counted.length + waiting.length === 0) return <p class="small">{t('consensus.novotes')}</p>;
  const who = (vote) => (vote.user === me.value.uid ? t('consensus.you') : vote.author ? t('consensus.observer') : t('consensus.person'));
  return (
    <table class="votes">
      <caption class="visually-hidden">{t('consensus.votes')}</caption>
      <thead><tr><th scope="col">{t('consensus.who')}</th><th scope="col">{t('consensus.what')}</th><th scope="col" class="number">{t('consensus.weight')}</th></tr></thead>
      <tbody>
        {counted.map((vote) => (
          <tr key={`${vote.user}${vote.proposed}`}>
            <td><a class="quiet" href={link.user(vote.user)}>{who(vote)}</a>{vote.created_at && <time class="small" dateTime={vote.created_at}>{moment(vote.created_at)}</time>}</td>
            <td><What vote={vote} /></td>
            <td class="number">{fixed(vote.weight, 2)}</td>
          </tr>
        ))}
        {waiting.map((vote) => (
          <tr key={vote._id} class="waiting-row"><td>{who(vote)}</td><td><What vote={vote} /></td><td class="number small">{t('consensus.notcounted')}</td></tr>
        ))}
      </tbody>
    </table>
  );
}

/* In words: who leads with what, and what part the machine has. */
export function Why({ consensus }) {
  if (!consensus) return null;
  const { taxon, not_a_plant: notPlant, confidence, accuracy, machine } = consensus;
  return (
    <div class="why">
      {(taxon || notPlant) && <p>{t('consensus.leads', { weight: fixed(confidence, 2), part: percent(accuracy) })}</p>}
      {machine?.taxon && <p>{t(`consensus.machine.${machine.effect}`, { score: percent(machine.score) })} <TaxonName id={machine.taxon} common={false} /></p>}
    </div>
  );
}
