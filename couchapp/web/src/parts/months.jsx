/* How many observations each month of the year has: twelve bars, with their numbers for those who do not see them. */
import { month, t } from '../i18n/index.js';

export function Months({ dates }) {
  const counts = Array(12).fill(0);
  for (const date of dates) counts[new Date(date).getUTCMonth()] += 1;
  const most = Math.max(1, ...counts);
  return (
    <ol class="months" aria-label={t('taxon.months')}>
      {counts.map((n, index) => (
        <li key={index}>
          <svg viewBox="0 0 10 60" preserveAspectRatio="none" aria-hidden="true"><rect x="1" width="8" y={60 - (58 * n) / most} height={(58 * n) / most + 2} rx="1" class={n ? 'bar' : 'bar none'} /></svg>
          <span aria-hidden="true">{month(index)}</span>
          <span class="visually-hidden">{t('taxon.month', { name: index + 1, n })}</span>
        </li>
      ))}
    </ol>
  );
}
