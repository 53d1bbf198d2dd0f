/** Whole files: read, written, copied. */
import type { Case } from './case.ts'
import { nameOfError } from './case.ts'

export const contentCases: Readonly<Record<string, Case>> = {
  'readFile text': (fs, root) => fs.readFile(`${root}/file`, 'utf8'),
  'readFile encoding option': (fs, root) => fs.readFile(`${root}/file`, { encoding: 'base64' }),
  'readFile hex': (fs, root) => fs.readFile(`${root}/file`, 'hex'),
  'readFile base64url': (fs, root) => fs.readFile(`${root}/file`, 'base64url'),
  'readFile latin1': (fs, root) => fs.readFile(`${root}/file`, 'latin1'),
  'readFile ucs2': (fs, root) => fs.readFile(`${root}/file`, 'utf16le'),
  'readFile wrong encoding': (fs, root) => fs.readFile(`${root}/file`, 'nope' as 'utf8'),
  'readFile through links': (fs, root) => fs.readFile(`${root}/dirlink/../link`, 'utf8'),
  'readFile of nothing': (fs, root) => fs.readFile(`${root}/nothing`),
  'readFile of a directory': (fs, root) => fs.readFile(`${root}/dir`),
  'readFile below a file': (fs, root) => fs.readFile(`${root}/file/x`),
  'readFile with a slash behind': (fs, root) => fs.readFile(`${root}/file/`),
  'readFile of a dangling link': (fs, root) => fs.readFile(`${root}/dangling`),
  'readFile of a loop': (fs, root) => fs.readFile(`${root}/loop`),
  'readFile of a long name': (fs, root) => fs.readFile(`${root}/${'n'.repeat(256)}`),
  'readFile of a name at the limit': (fs, root) => fs.readFile(`${root}/${'n'.repeat(255)}`),
  'readFile of an empty path': fs => fs.readFile(''),
  'readFile with NUL': (fs, root) => fs.readFile(`${root}/a\0b`),
  'readFile of a number as path': fs => fs.readFile(null as unknown as string),
  'readFile by URL': (fs, root) => fs.readFile(new URL(`file://${root}/file`), 'utf8'),
  'readFile by http URL': fs => fs.readFile(new URL('http://host/file'), 'utf8'),
  'readFile by Buffer': (fs, root) => fs.readFile(Buffer.from(`${root}/file`), 'utf8'),
  'readFile aborted': (fs, root) =>
    nameOfError(fs.readFile(`${root}/file`, { signal: AbortSignal.abort() })),
  'readFile flag a+': (fs, root) => fs.readFile(`${root}/new`, { flag: 'a+', encoding: 'utf8' }),
  'readFile flag nonsense': (fs, root) => fs.readFile(`${root}/file`, { flag: 'q' }),

  'writeFile new': (fs, root) => fs.writeFile(`${root}/new`, 'text'),
  'writeFile mode': (fs, root) => fs.writeFile(`${root}/new`, 'text', { mode: 0o600 }),
  'writeFile octal mode': (fs, root) => fs.writeFile(`${root}/new`, 'text', { mode: '640' }),
  'writeFile over': (fs, root) => fs.writeFile(`${root}/file`, 'x'),
  'writeFile bytes': (fs, root) => fs.writeFile(`${root}/new`, Uint8Array.of(104, 105)),
  'writeFile view': (fs, root) =>
    fs.writeFile(`${root}/new`, new DataView(Uint8Array.of(104, 105, 106).buffer, 1)),
  'writeFile base64': (fs, root) => fs.writeFile(`${root}/new`, 'aGVsbG8=', 'base64'),
  'writeFile hex': (fs, root) => fs.writeFile(`${root}/new`, '68656c6c6fzz', 'hex'),
  'writeFile latin1': (fs, root) => fs.writeFile(`${root}/new`, 'aé😀', 'latin1'),
  'writeFile utf16le': (fs, root) => fs.writeFile(`${root}/new`, 'aé😀', 'utf16le'),
  'writeFile iterable': (fs, root) => fs.writeFile(`${root}/new`, ['a', 'b', Uint8Array.of(99)]),
  'writeFile async iterable': (fs, root) =>
    fs.writeFile(
      `${root}/new`,
      (async function* () {
        yield 'one '
        yield Buffer.from('two')
      })()
    ),
  'writeFile number': (fs, root) => fs.writeFile(`${root}/new`, 5 as unknown as string),
  'writeFile wx': (fs, root) => fs.writeFile(`${root}/new`, 'x', { flag: 'wx' }),
  'writeFile wx over': (fs, root) => fs.writeFile(`${root}/file`, 'x', { flag: 'wx' }),
  'writeFile wx over a dangling link': (fs, root) =>
    fs.writeFile(`${root}/dangling`, 'x', { flag: 'wx' }),
  'writeFile a': (fs, root) => fs.writeFile(`${root}/file`, '+more', { flag: 'a' }),
  'writeFile r+': (fs, root) => fs.writeFile(`${root}/file`, 'CON', { flag: 'r+' }),
  'writeFile r+ of nothing': (fs, root) => fs.writeFile(`${root}/nothing`, 'CON', { flag: 'r+' }),
  'writeFile r': (fs, root) => fs.writeFile(`${root}/file`, 'CON', { flag: 'r' }),
  'writeFile over a directory': (fs, root) => fs.writeFile(`${root}/dir`, 'x'),
  'writeFile over a directory wx': (fs, root) => fs.writeFile(`${root}/dir`, 'x', { flag: 'wx' }),
  'writeFile with a slash behind': (fs, root) => fs.writeFile(`${root}/new/`, 'x'),
  'writeFile over a file with a slash behind': (fs, root) => fs.writeFile(`${root}/file/`, 'x'),
  'writeFile without parent': (fs, root) => fs.writeFile(`${root}/no/new`, 'x'),
  'writeFile below a file': (fs, root) => fs.writeFile(`${root}/file/new`, 'x'),
  'writeFile through a link': (fs, root) => fs.writeFile(`${root}/link`, 'via link'),
  'writeFile through a dangling link': (fs, root) => fs.writeFile(`${root}/dangling`, 'made'),
  'writeFile through a loop': (fs, root) => fs.writeFile(`${root}/loop`, 'made'),
  'writeFile keeps hard links': async (fs, root) => {
    await fs.link(`${root}/file`, `${root}/second`)
    await fs.writeFile(`${root}/file`, 'seen by both')
  },
  'writeFile aborted': (fs, root) =>
    nameOfError(fs.writeFile(`${root}/new`, 'x', { signal: AbortSignal.abort() })),
  'writeFile with flush': (fs, root) => fs.writeFile(`${root}/new`, 'x', { flush: true }),

  appendFile: (fs, root) => fs.appendFile(`${root}/file`, ' and more'),
  'appendFile new': (fs, root) => fs.appendFile(`${root}/new`, 'first', { mode: 0o600 }),
  'appendFile directory': (fs, root) => fs.appendFile(`${root}/dir`, 'first'),

  truncate: (fs, root) => fs.truncate(`${root}/file`, 3),
  'truncate to nothing': (fs, root) => fs.truncate(`${root}/file`),
  'truncate negative': (fs, root) => fs.truncate(`${root}/file`, -3),
  'truncate longer': (fs, root) => fs.truncate(`${root}/file`, 20),
  'truncate nothing': (fs, root) => fs.truncate(`${root}/nothing`, 3),
  'truncate directory': (fs, root) => fs.truncate(`${root}/dir`, 3),

  copyFile: (fs, root) => fs.copyFile(`${root}/file`, `${root}/copy`),
  'copyFile mode': async (fs, root) => {
    await fs.chmod(`${root}/file`, 0o751)
    await fs.copyFile(`${root}/file`, `${root}/copy`)
  },
  'copyFile over': (fs, root) => fs.copyFile(`${root}/file`, `${root}/dir/inner`),
  'copyFile onto itself': (fs, root) => fs.copyFile(`${root}/file`, `${root}/link`),
  'copyFile exclusive': (fs, root) =>
    fs.copyFile(`${root}/file`, `${root}/dir/inner`, fs.constants.COPYFILE_EXCL),
  'copyFile nothing': (fs, root) => fs.copyFile(`${root}/nothing`, `${root}/copy`),
  'copyFile to nowhere': (fs, root) => fs.copyFile(`${root}/file`, `${root}/no/copy`),
  'copyFile onto directory': (fs, root) => fs.copyFile(`${root}/file`, `${root}/dir`),

  'cp file': (fs, root) => fs.cp(`${root}/file`, `${root}/copy`),
  'cp file to new directories': (fs, root) => fs.cp(`${root}/file`, `${root}/x/y/copy`),
  'cp tree': (fs, root) => fs.cp(`${root}/dir`, `${root}/copy`, { recursive: true }),
  'cp tree into tree': (fs, root) => fs.cp(`${root}/dir`, `${root}/empty`, { recursive: true }),
  'cp over': (fs, root) => fs.cp(`${root}/file`, `${root}/dir/inner`),
  'cp over without force': (fs, root) =>
    fs.cp(`${root}/file`, `${root}/dir/inner`, { force: false }),
  'cp link': async (fs, root) => {
    await fs.cp(`${root}/link`, `${root}/empty/copy`)
    return (await fs.readlink(`${root}/empty/copy`)).replace(root, '')
  },
  'cp link verbatim': async (fs, root) => {
    await fs.cp(`${root}/link`, `${root}/empty/copy`, { verbatimSymlinks: true })
    return await fs.readlink(`${root}/empty/copy`)
  },
  'cp dereference': async (fs, root) => {
    await fs.cp(`${root}/link`, `${root}/empty/copy`, { dereference: true })
  },
  'cp filter': (fs, root) =>
    fs.cp(`${root}/dir`, `${root}/copy`, {
      recursive: true,
      filter: source => !source.endsWith('inner')
    }),
  'cp filter paths': async (fs, root) => {
    const seen: string[] = []
    await fs.cp(`${root}/dir`, `${root}/copy`, {
      recursive: true,
      filter: (source, destination) => seen.push(`${source} ${destination}`) > 0
    })
    return seen.sort()
  },
  'cp timestamps': async (fs, root) => {
    await fs.utimes(`${root}/dir/inner`, 100, 200)
    await fs.cp(`${root}/dir`, `${root}/copy`, { recursive: true, preserveTimestamps: true })
    return (await fs.stat(`${root}/copy/inner`)).mtimeMs
  }
}
