const drawRows = async () => {
  if (!$('rows')) return; // a report without rows
  const PAGE = 20; // rows
  const { languages, rows } = JSON.parse(await unpack('data'));

  // A search ignores case, compatibility forms, invisible characters, and the marks that writers leave out:
  // accents, harakat, tatweel, niqqud. Vowel signs of Indic scripts and Thai count as letters.
  const MARKS = /[\u00ad\u061c\u200b-\u200f\u2060\ufeff\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]/g;
  const fold = (s) => s.normalize('NFKD').toLowerCase().replace(MARKS, '').normalize('NFC').replace(/\s+/g, ' ');
  const folded = [];
  const text = (n) => (folded[n] ??= fold([rows[n].id, ...rows[n].texts.map((t) => t[1])].join('\n')));
  const foldAhead = (n) => {
    for (const end = Math.min(n + 200, rows.length); n < end; n++) text(n);
    if (n < rows.length) setTimeout(foldAhead, 0, n);
  };

  const RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/gu;
  // The direction of most letters of a text; if there is no majority, that of its language.
  const direction = (text, language) => {
    const right = (text.match(RIGHT) || []).length;
    const left = (text.match(/\p{L}/gu) || []).length - right;
    return right > left ? 'rtl' : left > right ? 'ltr' : language ? language.direction : 'auto';
  };
  // Characters that turn or hide text, or are invisible, are shown by name, except the joiners that scripts need.
  const UNSEEN = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}])/u;
  const codePoint = (character) => 'U+' + character.codePointAt(0).toString(16).padStart(4, '0').toUpperCase();
  const appendText = (block, text) => {
    text.split(UNSEEN).forEach((part, n) => {
      if (n % 2) block.append(element('span', codePoint(part), 'unseen'));
      else if (part) block.append(part);
    });
  };
  const article = (row) => {
    const node = element('article');
    const language = languages[row.language] || { name: row.language };
    const head = element('h3', language.name + ' ');
    head.append(element('span', row.verdict, 'verdict ' + row.verdict));
    if (row.reason) head.append(' ' + row.reason + (row.reason_at ? ' at ' + row.reason_at : ''));
    node.append(head);
    const list = element('dl');
    for (const [name, text, inLanguage] of row.texts) {
      const block = element('dd');
      block.dir = direction(text, inLanguage ? language : null);
      if (inLanguage && block.dir === language.direction) block.lang = language.bcp47;
      appendText(block, text);
      list.append(element('dt', name, block.dir), block);
    }
    const measured = Object.entries(row.measured).map(([name, value]) => name + ' ' + value);
    node.append(list, element('p', ['id ' + row.id, ...measured].join(' · '), 'measured'));
    return node;
  };

  let matches = [], page = 0;
  const draw = () => {
    const last = Math.max(0, Math.ceil(matches.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    const from = page * PAGE, to = Math.min(from + PAGE, matches.length);
    $('rows').replaceChildren(...matches.slice(from, to).map(article));
    $('count').textContent = matches.length
      ? `Rows ${number(from + 1)} to ${number(to)} of ${number(matches.length)}` + (matches.length < rows.length ? ` (${number(rows.length)} in this file)` : '')
      : 'No rows match.';
    $('previous').disabled = page === 0;
    $('next').disabled = page === last;
  };
  const CHOICES = ['language', 'verdict', 'reason'];
  const select = () => {
    const words = fold($('query').value.trim());
    const chosen = CHOICES.map((name) => [name, $(name).value]).filter(([, value]) => value);
    const worst = $('order').value === 'worst';
    matches = rows.filter((row, n) =>
      chosen.every(([name, value]) => row[name] === value) && (!worst || row.worst !== null) && (!words || text(n).includes(words)));
    if (worst) matches.sort((a, b) => a.worst - b.worst);
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
