/* The pictures of an observation that is being made: up to ten, an organ each. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { settings } from '../settings.js';
import { preparePicture } from '../picture/prepare.js';
import { Button } from './bits.jsx';
import { Icon } from './icon.jsx';

export const VIEWS_MOST = 10;
export const ORGANS = ['auto', 'flower', 'leaf', 'fruit', 'bark', 'habit'];

function Preview({ blob, alt }) {
  const [url, setUrl] = useState(null);
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url && <img src={url} alt={alt} />;
}

function One({ picture, index, set, remove }) {
  return (
    <li class="draft-picture">
      <Preview blob={picture.blob} alt={t('picture.alt', { n: index + 1, organ: t(`organ.${picture.organ}`) })} />
      <Button kind="plain remove" icon="close" aria-label={t('picture.remove', { n: index + 1 })} onClick={remove} />
      <label class="visually-hidden" for={`organ-${index}`}>{t('picture.organ', { n: index + 1 })}</label>
      <select id={`organ-${index}`} value={picture.organ} onChange={(event) => set(event.target.value)}>
        {ORGANS.map((organ) => <option key={organ} value={organ}>{t(`organ.${organ}`)}</option>)}
      </select>
    </li>
  );
}

/* `change(fn)`: gets a function of the list to the new list. */
export function DraftPictures({ pictures, change }) {
  const choose = useRef(), take = useRef();
  const [busy, setBusy] = useState(0), [problems, setProblems] = useState([]);
  const room = VIEWS_MOST - pictures.length - busy;
  const add = async (files) => {
    setProblems(files.length > room ? [t('observe.toomany', { n: VIEWS_MOST })] : []);
    for (const file of files.slice(0, room)) {
      setBusy((n) => n + 1);
      try {
        const picture = await preparePicture(file, { resize: settings.value.resize });
        change((list) => (list.some(({ digest }) => digest === picture.digest) ? list : [...list, { ...picture, organ: 'auto' }]));
      } catch (error) {
        setProblems((list) => [...list, `${file.name}: ${t(error.message)}`]);
      }
      setBusy((n) => n - 1);
    }
  };
  const chosen = (event) => { add([...event.target.files]); event.target.value = ''; };
  return (
    <section class="draft-pictures" aria-label={t('observe.pictures')}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => { event.preventDefault(); add([...event.dataTransfer.files]); }}>
      <ul>
        {pictures.map((picture, index) => (
          <One key={picture.digest} picture={picture} index={index}
            set={(organ) => change((list) => list.map((one) => (one === picture ? { ...one, organ } : one)))}
            remove={() => change((list) => list.filter((one) => one !== picture))} />
        ))}
        {busy > 0 && <li class="draft-picture busy" role="status"><span class="visually-hidden">{t('loading')}</span></li>}
        {room > 0 && (
          <li class={`add-picture ${pictures.length ? '' : 'first'}`}>
            {pictures.length === 0 && <Icon name="picture" size={40} />}
            {pictures.length === 0 && <p>{t('observe.hint')}</p>}
            <Button kind={pictures.length ? '' : 'primary'} icon="picture" onClick={() => choose.current.click()}>{t('observe.choose')}</Button>
            <Button icon="camera" onClick={() => take.current.click()}>{t('observe.take')}</Button>
          </li>
        )}
      </ul>
      <input ref={choose} class="visually-hidden" type="file" accept="image/*" multiple aria-label={t('observe.choose')} tabIndex={-1} onChange={chosen} />
      <input ref={take} class="visually-hidden" type="file" accept="image/*" capture="environment" aria-label={t('observe.take')} tabIndex={-1} onChange={chosen} />
      {problems.map((text) => <p key={text} class="problem" role="alert"><Icon name="warning" size={18} />{text}</p>)}
    </section>
  );
}
