/* A box in which one finds a taxon: a combobox with a list (ARIA Authoring Practices, "Editable combobox with list"). */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { FOUND_MOST, searchAll, searchFlora } from '../store/search.js';
import { Icon } from './icon.jsx';
import { TaxonName } from './taxon.jsx';

const LETTERS_LEAST = 2;
const IDLE_MOST_MS = 4000;

/* When the page has nothing better to do, but soon. Returns the function that calls it off. */
function whenIdle(run) {
  if (!globalThis.requestIdleCallback) { const timer = setTimeout(run, IDLE_MOST_MS / 4); return () => clearTimeout(timer); }
  const asked = requestIdleCallback(run, { timeout: IDLE_MOST_MS });
  return () => cancelIdleCallback(asked);
}

/* What is found for a text: in the flora at once, then, where that leaves room, in all names. `told(list)` is called for each. */
async function find(flora, text, signal, told) {
  const here = flora ? await searchFlora(flora, text).catch(() => []) : [];
  if (here.length) told(here);
  if (here.length >= FOUND_MOST) return;
  const all = await searchAll(text, signal).catch(() => []);
  told([...here, ...all.filter((one) => !here.some(({ taxon }) => taxon === one.taxon))].slice(0, FOUND_MOST));
}

export function TaxonSearch({ flora, choose, id = 'taxon-search', box, label = t('search.taxon') }) {
  const [text, setText] = useState(''), [found, setFound] = useState([]), [at, setAt] = useState(0), [answered, setAnswered] = useState('');
  const controller = useRef(null);
  const clear = () => { controller.current?.abort(); setText(''); answer('', []); };
  const answer = (to, list) => { setFound(list); setAnswered(to); };
  useEffect(() => whenIdle(() => flora && searchFlora(flora, 'aa').catch(() => {})), [flora]); // the index is built before it is needed
  const type = async (value) => {
    setText(value);
    controller.current?.abort();
    if (value.trim().length < LETTERS_LEAST) { answer(value, []); return; }
    controller.current = new AbortController();
    const { signal } = controller.current;
    setAt(0);
    await find(flora, value.trim(), signal, (list) => signal.aborted || answer(value, list));
  };
  const take = (one) => { clear(); choose(one.taxon); };
  const keys = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) setAt((at + step + found.length) % found.length);
    else if (event.key === 'Enter' && found[at]) take(found[at]);
    else if (event.key === 'Escape') { clear(); event.target.blur(); } else return;
    event.preventDefault();
  };
  return (
    <div class="search">
      <Icon name="search" size={18} />
      <input ref={box} id={id} type="text" role="combobox" autocomplete="off" autocapitalize="none" spellcheck={false} value={text}
        placeholder={label} aria-label={label} aria-expanded={found.length > 0} aria-controls={`${id}-list`}
        aria-autocomplete="list" aria-activedescendant={found.length ? `${id}-${at}` : undefined}
        onInput={(event) => type(event.target.value)} onKeyDown={keys} />
      <ul id={`${id}-list`} role="listbox" aria-label={t('search.found')} aria-busy={answered !== text} data-answers={answered} hidden={found.length === 0}>
        {found.map((one, index) => (
          <li key={one.taxon} id={`${id}-${index}`} role="option" aria-selected={index === at}
            onMouseDown={(event) => { event.preventDefault(); take(one); }}>
            <TaxonName id={one.taxon} />
            {one.language !== '' && <span class="matched">{one.name}</span>}
          </li>
        ))}
      </ul>
      {answered === text && text.trim().length >= LETTERS_LEAST && found.length === 0 && <p class="small" role="status">{t('search.nothing')}</p>}
    </div>
  );
}
