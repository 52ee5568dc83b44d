const element = (name, text, kind) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const number = new Intl.NumberFormat('en').format;

const drawTables = async () => {
  const WIDTH = 120, HEIGHT = 26; // of a chart, in pixels
  const { tags, names, tables } = JSON.parse(await unpack('numbers'));

  const chart = (kind, shapes) => {
    const shape = (name, given) => {
      const made = document.createElementNS('http://www.w3.org/2000/svg', name);
      for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
      return made;
    };
    const made = shape('svg', { class: kind, 'aria-hidden': true });
    made.append(...shapes.map(([name, given]) => shape(name, given)));
    return made;
  };
  const bar = (asked, answered, kept, accepted) => {
    const parts = { accepted, kept: Math.max(0, kept - accepted), dropped: answered - kept, failed: asked - answered };
    let x = 0;
    return chart('bar', Object.entries(parts).map(([name, count]) => {
      const width = asked ? (count * WIDTH) / asked : 0;
      x += width;
      return ['rect', { class: name, x: x - width, width, height: 10 }];
    }));
  };
  const heights = (levels) => [...levels].map((level) => HEIGHT * (1 - parseInt(level, 16) / 15));
  const line = (levels) => {
    const ys = heights(levels.length > 1 ? levels : levels + levels);
    const point = (y, n) => `${(n * WIDTH) / (ys.length - 1)} ${1 + (y * (HEIGHT - 2)) / HEIGHT}`;
    return chart('line', [['polyline', { points: ys.map(point).join(' ') }]]);
  };
  const histogram = (levels) => {
    const steps = heights(levels).map((y) => `V${y}h${WIDTH / levels.length}`);
    return chart('histogram', [['path', { d: `M0 ${HEIGHT}${steps.join('')}V${HEIGHT}` }]]);
  };

  const said = (counts) => counts.map(([count, name]) => `${number(count)}\u00a0${name}`).join(', ');
  const plain = (value) => typeof value === 'number' ? number(value) : value ?? '–';
  const around = (node) => {
    const made = element('td');
    made.append(node);
    return made;
  };
  const CELLS = {
    language: (place) => {
      const made = element('th', names[place] + ' ');
      made.scope = 'row';
      made.append(element('small', tags[place]));
      return made;
    },
    number: (value) => element('td', plain(value)),
    short: (value, { least }) => element('td', plain(value), value < least ? 'short' : ''),
    same: (count) => count ? element('td', number(count), 'same') : element('td'),
    other: (count) => count ? element('td', number(count), 'other') : element('td'),
    counts: (_, { names, values }, row) => {
      const counts = names.map((name, n) => [values[n][row], name]).filter(([count]) => count);
      return element('td', said(counts.sort((a, b) => b[0] - a[0])), 't');
    },
    pairs: (pairs, { names }) => {
      const counts = [];
      for (let n = 0; n < pairs.length; n += 2) counts.push([pairs[n + 1], names[pairs[n]]]);
      return element('td', said(counts), 't');
    },
    bar: (_, column, row, of) => around(bar(...['Asked', 'Answered', 'Kept', 'Accepted'].map((head) => of(head, row)))),
    share: (_, column, row, of) => {
      const [kept, asked] = [of('Kept', row), of('Asked', row)];
      return element('td', asked ? Math.round((100 * kept) / asked) + '%' : '–');
    },
    line: (levels) => around(line(levels)),
    histogram: (levels) => around(histogram(levels)),
  };
  const LEFT = ['language', 'counts', 'pairs', 'bar', 'line', 'histogram'];

  for (const { at, caption, columns } of tables) {
    const frame = element('div', undefined, 'wide');
    frame.tabIndex = 0;
    frame.setAttribute('role', 'region');
    frame.setAttribute('aria-label', caption);
    const table = element('table', undefined, at);
    table.append(element('caption', caption));
    const head = table.createTHead().insertRow();
    for (const column of columns) {
      const made = element('th', column.head, LEFT.includes(column.kind) ? 't' : '');
      made.scope = 'col';
      head.append(made);
    }
    const body = table.createTBody();
    const of = (name, row) => columns.find(({ head }) => head.startsWith(name)).values[row];
    columns[0].values.forEach((_, row) => body.insertRow().append(
      ...columns.map((column) => CELLS[column.kind](column.values[row], column, row, of))));
    frame.append(table);
    $(at).append(frame);
  }
  $('needs').remove();
};
