/* A box in which one finds a taxon: a combobox with a list (ARIA Authoring Practices, "Editable combobox with list"). */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { searchAll, searchFlora } from '../store/search.js';
import { Icon } from './icon.jsx';
import { TaxonName } from './taxon.jsx';

const LETTERS_LEAST = 2;

/* What is found for a text, in the flora first; in all names where there is no flora, or it has nothing. */
async function find(flora, text, signal) {
  if (flora) {
    const here = await searchFlora(flora, text).catch(() => []);
    if (here.length) return here;
  }
  return searchAll(text, signal);
}

export function TaxonSearch({ flora, choose, id = 'taxon-search', box }) {
  const [text, setText] = useState(''), [found, setFound] = useState([]), [at, setAt] = useState(0), [nothing, setNothing] = useState(false);
  const controller = useRef(null);
  const clear = () => { setText(''); setFound([]); setNothing(false); };
  useEffect(() => { if (flora) searchFlora(flora, 'aa').catch(() => {}); }, [flora]); // the index is built before it is needed
  const type = async (value) => {
    setText(value);
    controller.current?.abort();
    if (value.trim().length < LETTERS_LEAST) { setFound([]); setNothing(false); return; }
    controller.current = new AbortController();
    const { signal } = controller.current;
    try {
      const list = await find(flora, value.trim(), signal);
      if (signal.aborted) return;
      setFound(list);
      setNothing(list.length === 0);
      setAt(0);
    } catch (error) {
      if (!signal.aborted) { setFound([]); setNothing(true); }
    }
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
        placeholder={t('search.taxon')} aria-label={t('search.taxon')} aria-expanded={found.length > 0} aria-controls={`${id}-list`}
        aria-autocomplete="list" aria-activedescendant={found.length ? `${id}-${at}` : undefined}
        onInput={(event) => type(event.target.value)} onKeyDown={keys} />
      <ul id={`${id}-list`} role="listbox" aria-label={t('search.found')} hidden={found.length === 0}>
        {found.map((one, index) => (
          <li key={one.taxon} id={`${id}-${index}`} role="option" aria-selected={index === at}
            onMouseDown={(event) => { event.preventDefault(); take(one); }}>
            <TaxonName id={one.taxon} />
            {one.language !== '' && <span class="matched">{one.name}</span>}
          </li>
        ))}
      </ul>
      {nothing && <p class="small" role="status">{t('search.nothing')}</p>}
    </div>
  );
}
