const drawRows = async () => {
  if (!$('rows')) return; // a report of numbers alone
  const PAGE = 20; // rows
  const { languages, rows } = JSON.parse(await unpack('data'));

  // Case, compatibility forms, what cannot be seen, and the marks that writers leave out: accents, harakat,
  // tatweel, niqqud.
  // Vowel signs of Indic scripts and Thai are letters to those who search, and stay.
  const MARKS = /[\u00ad\u061c\u200b-\u200f\u2060\ufeff\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]/g;
  const fold = (s) => s.normalize('NFKD').toLowerCase().replace(MARKS, '').normalize('NFC').replace(/\s+/g, ' ');
  const folded = [];
  const text = (n) => (folded[n] ??= fold([rows[n].id, ...rows[n].texts.map((t) => t[1])].join('\n')));
  const foldAhead = (n) => {
    for (const end = Math.min(n + 200, rows.length); n < end; n++) text(n);
    if (n < rows.length) setTimeout(foldAhead, 0, n);
  };

  const RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/gu;
  // As its letters go; a text with as many of both, or none, as its language does.
  const direction = (text, language) => {
    const right = (text.match(RIGHT) || []).length;
    const left = (text.match(/\p{L}/gu) || []).length - right;
    return right > left ? 'rtl' : left > right ? 'ltr' : language ? language.direction : 'auto';
  };
  // What turns or hides text, or cannot be seen, is named; the joiners that scripts need are not.
  const UNSEEN = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}])/u;
  const code = (sign) => 'U+' + sign.codePointAt(0).toString(16).padStart(4, '0').toUpperCase();
  const say = (block, text) => {
    text.split(UNSEEN).forEach((part, n) => {
      if (n % 2) block.append(element('span', code(part), 'unseen'));
      else if (part) block.append(part);
    });
  };
  const article = (row) => {
    const made = element('article');
    const language = languages[row.language] || { name: row.language };
    const head = element('h3', language.name + ' ');
    head.append(element('span', row.verdict, 'verdict ' + row.verdict));
    if (row.reason) head.append(' ' + row.reason + (row.reason_at ? ' at ' + row.reason_at : ''));
    made.append(head);
    const list = element('dl');
    for (const [name, text, ours] of row.texts) {
      const block = element('dd');
      block.dir = direction(text, ours ? language : null);
      const own = ours && row.reason !== 'wrong_language' && block.dir === language.direction;
      if (own) block.lang = language.bcp47;
      say(block, text);
      list.append(element('dt', name, block.dir), block);
    }
    const measured = Object.entries(row.measured).map(([name, value]) => name + ' ' + value);
    made.append(list, element('p', ['id ' + row.id, ...measured].join(' · '), 'measured'));
    return made;
  };

  let found = [], page = 0;
  const draw = () => {
    const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    const from = page * PAGE, to = Math.min(from + PAGE, found.length);
    $('rows').replaceChildren(...found.slice(from, to).map(article));
    $('count').textContent = found.length
      ? `Rows ${number(from + 1)} to ${number(to)} of ${number(found.length)}` + (found.length < rows.length ? ` (${number(rows.length)} in this file)` : '')
      : 'No row is like that.';
    $('previous').disabled = page === 0;
    $('next').disabled = page === last;
  };
  const CHOICES = ['language', 'verdict', 'reason'];
  const select = () => {
    const words = fold($('query').value.trim());
    const wanted = CHOICES.map((name) => [name, $(name).value]).filter(([, value]) => value);
    const worst = $('order').value === 'worst';
    found = rows.filter((row, n) =>
      wanted.every(([name, value]) => row[name] === value) && (!worst || row.worst !== null) && (!words || text(n).includes(words)));
    if (worst) found.sort((a, b) => a.worst - b.worst);
    page = 0;
    draw();
  };
  const turn = (by) => { page += by; draw(); $('pages').scrollIntoView(); };

  for (const name of CHOICES) {
    const counts = new Map();
    for (const row of rows) if (row[name]) counts.set(row[name], (counts.get(row[name]) || 0) + 1);
    const known = Object.keys(languages);
    const order = name === 'language' ? (a, b) => known.indexOf(a) - known.indexOf(b) : (a, b) => counts.get(b) - counts.get(a);
    for (const value of [...counts.keys()].sort(order)) {
      const label = name === 'language' && languages[value] ? languages[value].name : value;
      const option = element('option', `${label} (${counts.get(value)})`);
      option.value = value;
      $(name).append(option);
    }
    $(name).addEventListener('change', select);
  }
  $('order').addEventListener('change', select);
  let timer;
  $('query').addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(select, 80); });
  $('form').addEventListener('submit', (event) => { event.preventDefault(); clearTimeout(timer); select(); });
  $('form').addEventListener('reset', () => setTimeout(select));
  $('previous').addEventListener('click', () => turn(-1));
  $('next').addEventListener('click', () => turn(1));
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches('input, select, textarea');
    if (event.key === '/' && !typing) { event.preventDefault(); $('query').focus(); }
    if (event.key === 'ArrowLeft' && !typing && !$('previous').disabled) turn(-1);
    if (event.key === 'ArrowRight' && !typing && !$('next').disabled) turn(1);
  });
  select();
  setTimeout(foldAhead, 0, 0);
};

drawTables().then(drawRows).then(() => {
  document.documentElement.dataset.ready = Math.round(performance.now());
});
