const element = (name, text, kind) => {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
};
const number = new Intl.NumberFormat('en').format;

const drawTables = async () => {
  const WIDTH = 120, HEIGHT = 26; // of a chart, in pixels
  const { tags, names, tables } = JSON.parse(await unpack('numbers'));

  const chart = (kind, shapes) => {
    const shape = (name, attributes) => {
      const node = document.createElementNS('http://www.w3.org/2000/svg', name);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      return node;
    };
    const node = shape('svg', { class: kind, 'aria-hidden': true });
    node.append(...shapes.map(([name, attributes]) => shape(name, attributes)));
    return node;
  };
  const bar = (rows, answered, kept, accepted) => {
    const parts = { accepted, kept: Math.max(0, kept - accepted), dropped: answered - kept, failed: rows - answered };
    let x = 0;
    return chart('bar', Object.entries(parts).map(([name, count]) => {
      const width = rows ? (count * WIDTH) / rows : 0;
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

  const listed = (counts) => counts.map(([count, name]) => `${number(count)}\u00a0${name}`).join(', ');
  const shown = (value) => typeof value === 'number' ? number(value) : value ?? '–';
  const cell = (content) => {
    const node = element('td');
    node.append(content);
    return node;
  };
  const CELLS = {
    language: (index) => {
      const node = element('th', names[index] + ' ');
      node.scope = 'row';
      node.append(element('small', tags[index]));
      return node;
    },
    number: (value) => element('td', shown(value)),
    short: (value, { least }) => element('td', shown(value), value < least ? 'short' : ''),
    same: (count) => count ? element('td', number(count), 'same') : element('td'),
    other: (count) => count ? element('td', number(count), 'other') : element('td'),
    counts: (_, { names, values }, row) => {
      const counts = names.map((name, n) => [values[n][row], name]).filter(([count]) => count);
      return element('td', listed(counts.sort((a, b) => b[0] - a[0])), 't');
    },
    pairs: (pairs, { names }) => {
      const counts = [];
      for (let n = 0; n < pairs.length; n += 2) counts.push([pairs[n + 1], names[pairs[n]]]);
      return element('td', listed(counts), 't');
    },
    bar: (_, column, row, valueAt) => cell(bar(...['Rows', 'Answered', 'Kept', 'Accepted'].map((head) => valueAt(head, row)))),
    share: (_, column, row, valueAt) => {
      const [kept, rows] = [valueAt('Kept', row), valueAt('Rows', row)];
      return element('td', rows ? Math.round((100 * kept) / rows) + '%' : '–');
    },
    line: (levels) => cell(line(levels)),
    histogram: (levels) => cell(histogram(levels)),
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
      const node = element('th', column.head, LEFT.includes(column.kind) ? 't' : '');
      node.scope = 'col';
      head.append(node);
    }
    const body = table.createTBody();
    const valueAt = (name, row) => columns.find(({ head }) => head.startsWith(name)).values[row];
    columns[0].values.forEach((_, row) => body.insertRow().append(
      ...columns.map((column) => CELLS[column.kind](column.values[row], column, row, valueAt))));
    frame.append(table);
    $(at).append(frame);
  }
  $('needs').remove();
};
