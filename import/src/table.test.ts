import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type ColumnRef, openTable, type TableFormat, type TableRow } from './table.ts'

const directory = mkdtempSync(join(tmpdir(), 'import-table-'))
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
function fileOf(content: string | Buffer, extension = 'csv'): string {
  const path = join(directory, `${files++}.${extension}`)
  writeFileSync(path, content)
  return path
}

async function rowsOf(path: string, columns: readonly ColumnRef[], format: TableFormat = {}): Promise<TableRow[]> {
  const rows: TableRow[] = []
  for await (const row of openTable(path, format, columns).rows) rows.push(row)
  return rows
}

const a = { column: 'a' }
const b = { column: 'b' }

describe('CSV', () => {
  test('a row has the number of the line it starts on, whatever its cells hold', async () => {
    const crlf = 'a,b\r\n1,"x\r\ny"\r\n\r\n2,"p\nq"\r\n3,z\r\n'
    expect(await rowsOf(fileOf(crlf), [a, b])).toEqual([
      { line: 2, cells: ['1', 'x\r\ny'] },
      { line: 5, cells: ['2', 'p\nq'] },
      { line: 7, cells: ['3', 'z'] },
    ])
  })

  test('a byte order mark, blanks around cells and a missing last line break are no part of the data', async () => {
    expect(await rowsOf(fileOf('\uFEFFa, b \n 1 ,2'), [a, b])).toEqual([{ line: 2, cells: ['1', '2'] }])
  })

  test('quoted cells keep delimiters and quotation marks; one inside a bare cell is a character', async () => {
    expect(await rowsOf(fileOf('a,b\n"x, ""y""",5" pipe\n'), [a, b])).toEqual([
      { line: 2, cells: ['x, "y"', '5" pipe'] },
    ])
  })

  test('of two columns of one name the mapping says which', async () => {
    const path = fileOf('Salsa,a,Salsa\n4,x,flag\n')
    const second = { column: 'Salsa', occurrence: 2 }
    expect(await rowsOf(path, [{ column: 'Salsa', occurrence: 1 }, second])).toEqual([
      { line: 2, cells: ['4', 'flag'] },
    ])
    await expect(rowsOf(path, [{ column: 'Salsa' }])).rejects.toThrow(/2 columns `Salsa`; say which by "occurrence"/)
    await expect(rowsOf(path, [{ column: 'Salsa', occurrence: 3 }])).rejects.toThrow(/only 2 of that name/)
  })

  test('columns may be told by number, and must be in a file without a header', async () => {
    const path = fileOf('1;2\n3;4\n')
    const format = { delimiter: ';', header: false }
    expect(await rowsOf(path, [{ columnNumber: 2 }], format)).toEqual([
      { line: 1, cells: ['2'] },
      { line: 2, cells: ['4'] },
    ])
    await expect(rowsOf(path, [a], format)).rejects.toThrow(/has no header, so `a` must be given by its number/)
    await expect(rowsOf(path, [{ columnNumber: 3 }], format)).rejects.toThrow(/only 2 columns/)
  })

  test('a row with another number of cells is handed over with its fault', async () => {
    expect(await rowsOf(fileOf('a,b\n1\n1,2,3\n1,2\n'), [a])).toEqual([
      { line: 2, fault: '1 cells where there are 2 columns' },
      { line: 3, fault: '3 cells where there are 2 columns' },
      { line: 4, cells: ['1'] },
    ])
  })

  test('a column that is not there is named, with those that are', async () => {
    await expect(rowsOf(fileOf('a,b\n1,2\n'), [{ column: 'c' }])).rejects.toThrow(/has no column `c`; it has: a, b/)
  })

  test('a file that is no table ends the reading', async () => {
    await expect(rowsOf(fileOf('a,b\n1,"never closed\n'), [a])).rejects.toMatchObject({ code: 'unreadable-file' })
    await expect(rowsOf(fileOf(Buffer.from([0x61, 0x0a, 0xff, 0xfe])), [a])).rejects.toThrow(/not UTF-8/)
    await expect(rowsOf(fileOf(''), [a])).rejects.toThrow(/empty, it has no header/)
    await expect(rowsOf(join(directory, 'none.csv'), [a])).rejects.toThrow(/ENOENT/)
    await expect(async () => rowsOf(fileOf('', 'xlsx'), [a])).rejects.toThrow(/neither .csv nor .ndjson/)
  })

  test('characters cut in two by a chunk are whole again', async () => {
    const cell = 'é€😀'.repeat(60_000) // 540 kB, more than one chunk of any size that is no multiple of 9
    expect(await rowsOf(fileOf(`a,b\n${cell},1\n`), [a])).toEqual([{ line: 2, cells: [cell] }])
  })
})

describe('NDJSON', () => {
  test('fields are found by name or by the path to them; what is missing or null is blank', async () => {
    const lines = ['{"a":" x ","b":{"c":true},"b.d":1}', '', '{"a":null,"b":{}}']
    const columns = [a, { column: 'b.c' }, { column: 'b.d' }]
    expect(await rowsOf(fileOf(`\uFEFF${lines.join('\r\n')}`, 'ndjson'), columns)).toEqual([
      { line: 1, cells: ['x', 'true', '1'] },
      { line: 3, cells: ['', '', ''] },
    ])
  })

  test('numbers are what the file says, not floats', async () => {
    const path = fileOf('{"a":12345678901234567890,"b":3.3350}\n', 'jsonl')
    expect(await rowsOf(path, [a, b])).toEqual([{ line: 1, cells: ['12345678901234567890', '3.3350'] }])
  })

  test('a line that is no object of single values is handed over with its fault', async () => {
    const rows = await rowsOf(fileOf('{"a":\n[1]\n{"a":{"x":1}}\n{"a":1}\n', 'ndjson'), [a])
    expect(rows).toEqual([
      { line: 1, fault: expect.stringMatching(/^not JSON: /) },
      { line: 2, fault: 'not a JSON object' },
      { line: 3, fault: '`a` is no single value' },
      { line: 4, cells: ['1'] },
    ])
  })

  test('the number of a column has no meaning', async () => {
    await expect(rowsOf(fileOf('{}\n', 'ndjson'), [{ columnNumber: 1 }])).rejects.toThrow(/no meaning in JSON/)
  })
})

test.each(['csv', 'ndjson'])('the digest of %s is that of the bytes of the file', async (extension) => {
  const content = extension === 'csv' ? '\uFEFFa\r\n1\r\n' : '{"a":1}\r\n\r\n'
  const table = openTable(fileOf(content, extension), {}, [a])
  for await (const row of table.rows) expect(row).toHaveProperty('line')
  expect(table.sha256()).toBe(createHash('sha256').update(content).digest('hex'))
})
