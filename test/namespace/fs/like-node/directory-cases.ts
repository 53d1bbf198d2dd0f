/** Names, directories and attributes. */
import type { Case } from './case.ts'
import { nameOfError } from './case.ts'

export const directoryCases: Readonly<Record<string, Case>> = {
  mkdir: (fs, root) => fs.mkdir(`${root}/new`),
  'mkdir mode': (fs, root) => fs.mkdir(`${root}/new`, 0o700),
  'mkdir with a slash behind': (fs, root) => fs.mkdir(`${root}/new/`),
  'mkdir twice': (fs, root) => fs.mkdir(`${root}/dir`),
  'mkdir on a file': (fs, root) => fs.mkdir(`${root}/file`),
  'mkdir on a dangling link': (fs, root) => fs.mkdir(`${root}/dangling`),
  'mkdir without parent': (fs, root) => fs.mkdir(`${root}/no/new`),
  'mkdir below a file': (fs, root) => fs.mkdir(`${root}/file/new`),
  'mkdir dot': (fs, root) => fs.mkdir(`${root}/dir/.`),
  'mkdir recursive': (fs, root) => fs.mkdir(`${root}/a/b/c`, { recursive: true }),
  'mkdir recursive slash': (fs, root) => fs.mkdir(`${root}/a/b/`, { recursive: true }),
  'mkdir recursive mode': (fs, root) => fs.mkdir(`${root}/a/b`, { recursive: true, mode: 0o750 }),
  'mkdir recursive in part': (fs, root) => fs.mkdir(`${root}/dir/sub/c/d`, { recursive: true }),
  'mkdir recursive through a link': (fs, root) =>
    fs.mkdir(`${root}/dirlink/sub/c/d`, { recursive: true }),
  'mkdir recursive there': (fs, root) => fs.mkdir(`${root}/dir/sub`, { recursive: true }),
  'mkdir recursive on a file': (fs, root) => fs.mkdir(`${root}/file`, { recursive: true }),
  'mkdir recursive below a file': (fs, root) => fs.mkdir(`${root}/file/a/b`, { recursive: true }),
  'mkdir recursive on a link to a directory': (fs, root) =>
    fs.mkdir(`${root}/dirlink`, { recursive: true }),

  readdir: async (fs, root) => (await fs.readdir(root)).sort(),
  'readdir empty': (fs, root) => fs.readdir(`${root}/empty`),
  'readdir link': async (fs, root) => (await fs.readdir(`${root}/dirlink`)).sort(),
  'readdir buffer': async (fs, root) =>
    (await fs.readdir(`${root}/dir`, 'buffer')).map(name => Array.from(name).join()).toSorted(),
  'readdir nothing': (fs, root) => fs.readdir(`${root}/nothing`),
  'readdir file': (fs, root) => fs.readdir(`${root}/file`),
  'readdir recursive': async (fs, root) =>
    (await fs.readdir(`${root}/dir`, { recursive: true })).sort(),
  'readdir types': async (fs, root) =>
    (await fs.readdir(root, { withFileTypes: true }))
      .map(entry =>
        [
          entry.name,
          entry.parentPath,
          entry.isFile(),
          entry.isDirectory(),
          entry.isSymbolicLink()
        ].join()
      )
      .toSorted(),
  'readdir recursive types': async (fs, root) =>
    (await fs.readdir(root, { withFileTypes: true, recursive: true }))
      .map(entry => [entry.name, entry.parentPath, entry.isFile()])
      .sort((a, b) =>
        `${String(a[1])}/${String(a[0])}` < `${String(b[1])}/${String(b[0])}` ? -1 : 1
      ),
  opendir: async (fs, root) => {
    const names: string[] = []
    const directory = await fs.opendir(`${root}/dir`)
    for await (const entry of directory) names.push(entry.name)
    return [directory.path, names.sort()]
  },
  'opendir read': async (fs, root) => {
    const directory = await fs.opendir(`${root}/empty`)
    const entry = await directory.read()
    await directory.close()
    return entry
  },
  'opendir nothing': (fs, root) => fs.opendir(`${root}/nothing`),
  'opendir file': (fs, root) => fs.opendir(`${root}/file`),

  'stat file': async (fs, root) => {
    const stats = await fs.stat(`${root}/link`)
    return [
      stats.size,
      stats.mode,
      stats.nlink,
      stats.isFile(),
      stats.isDirectory(),
      stats.isFIFO()
    ]
  },
  'stat directory': async (fs, root) => {
    const stats = await fs.stat(`${root}/dirlink`)
    return [stats.mode, stats.nlink, stats.isFile(), stats.isDirectory()]
  },
  'stat bigint': async (fs, root) => {
    const stats = await fs.stat(`${root}/link`, { bigint: true })
    return [stats.size, stats.mode, stats.nlink, stats.isFile(), typeof stats.mtimeNs]
  },
  'stat times': async (fs, root) => {
    const stats = await fs.stat(`${root}/file`)
    const near = (time: number): boolean => Math.abs(Date.now() - time) < 60_000
    return [
      near(stats.mtimeMs),
      near(stats.ctimeMs),
      near(stats.birthtimeMs),
      stats.mtime instanceof Date
    ]
  },
  'lstat link': async (fs, root) => {
    const stats = await fs.lstat(`${root}/link`)
    return [stats.size, stats.mode, stats.isSymbolicLink()]
  },
  'lstat link with a slash': async (fs, root) => {
    const stats = await fs.lstat(`${root}/dirlink/`)
    return [stats.mode, stats.isSymbolicLink()]
  },
  'stat nothing': (fs, root) => fs.stat(`${root}/nothing`),
  'lstat nothing': (fs, root) => fs.lstat(`${root}/nothing`),
  'stat dangling': (fs, root) => fs.stat(`${root}/dangling`),
  'stat loop': (fs, root) => fs.stat(`${root}/loop`),
  'stat file with a slash': (fs, root) => fs.stat(`${root}/file/`),
  'stat long path': (fs, root) => fs.stat(`${root}/${'a/'.repeat(3000)}`),

  access: (fs, root) => fs.access(`${root}/file`),
  'access all': (fs, root) =>
    fs.access(`${root}/dir`, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK),
  'access execute': (fs, root) => fs.access(`${root}/file`, fs.constants.X_OK),
  'access nothing': (fs, root) => fs.access(`${root}/nothing`),

  chmod: (fs, root) => fs.chmod(`${root}/file`, 0o600),
  'chmod octal': (fs, root) => fs.chmod(`${root}/link`, '755'),
  'chmod nothing': (fs, root) => fs.chmod(`${root}/nothing`, 0o600),
  chown: async (fs, root) => {
    await fs.chown(`${root}/file`, 12, 34)
    const { uid, gid } = await fs.stat(`${root}/file`)
    return [uid, gid]
  },
  'chown nothing': (fs, root) => fs.chown(`${root}/nothing`, 1, 1),
  lchown: async (fs, root) => {
    await fs.lchown(`${root}/link`, 12, 34)
    const [own, target] = [await fs.lstat(`${root}/link`), await fs.stat(`${root}/link`)]
    return [own.uid, own.gid, target.uid]
  },
  'lchown nothing': (fs, root) => fs.lchown(`${root}/nothing`, 1, 1),
  utimes: async (fs, root) => {
    await fs.utimes(`${root}/link`, 1_000_000.5, new Date(2_000_000_000_123))
    const { atimeMs, mtimeMs, mtime } = await fs.stat(`${root}/file`)
    return [atimeMs, mtimeMs, mtime.toISOString()]
  },
  'utimes text': async (fs, root) => {
    await fs.utimes(`${root}/file`, '12', '34')
    const { atimeMs, mtimeMs } = await fs.stat(`${root}/file`)
    return [atimeMs, mtimeMs]
  },
  lutimes: async (fs, root) => {
    await fs.lutimes(`${root}/link`, 12, 34)
    return [
      (await fs.lstat(`${root}/link`)).mtimeMs,
      (await fs.stat(`${root}/link`)).mtimeMs === 34_000
    ]
  },
  'utimes nothing': (fs, root) => fs.utimes(`${root}/nothing`, 1, 1),
  'lutimes nothing': (fs, root) => fs.lutimes(`${root}/nothing`, 1, 1),

  'rename file': (fs, root) => fs.rename(`${root}/file`, `${root}/moved`),
  'rename over file': (fs, root) => fs.rename(`${root}/file`, `${root}/dir/inner`),
  'rename directory': (fs, root) => fs.rename(`${root}/dir`, `${root}/moved`),
  'rename directory with slashes': (fs, root) => fs.rename(`${root}/dir/`, `${root}/moved/`),
  'rename directory over empty': (fs, root) => fs.rename(`${root}/dir`, `${root}/empty`),
  'rename directory over full': (fs, root) => fs.rename(`${root}/empty`, `${root}/dir`),
  'rename directory over file': (fs, root) => fs.rename(`${root}/dir`, `${root}/file`),
  'rename file over directory': (fs, root) => fs.rename(`${root}/file`, `${root}/empty`),
  'rename into itself': (fs, root) => fs.rename(`${root}/dir`, `${root}/dir/sub/x`),
  'rename onto itself': (fs, root) => fs.rename(`${root}/file`, `${root}/file`),
  'rename nothing': (fs, root) => fs.rename(`${root}/nothing`, `${root}/moved`),
  'rename to nowhere': (fs, root) => fs.rename(`${root}/file`, `${root}/no/moved`),
  'rename link': (fs, root) => fs.rename(`${root}/link`, `${root}/moved`),
  'rename file to slash': (fs, root) => fs.rename(`${root}/file`, `${root}/moved/`),
  'rename file with slash': (fs, root) => fs.rename(`${root}/file/`, `${root}/moved`),
  'rename to a long name': (fs, root) => fs.rename(`${root}/file`, `${root}/${'n'.repeat(256)}`),
  'rename dot': (fs, root) => fs.rename(`${root}/dir/.`, `${root}/moved`),

  unlink: (fs, root) => fs.unlink(`${root}/file`),
  'unlink link': (fs, root) => fs.unlink(`${root}/dirlink`),
  'unlink nothing': (fs, root) => fs.unlink(`${root}/nothing`),
  'unlink directory': (fs, root) => fs.unlink(`${root}/dir`),
  'unlink file with a slash': (fs, root) => fs.unlink(`${root}/file/`),
  rmdir: (fs, root) => fs.rmdir(`${root}/empty`),
  'rmdir full': (fs, root) => fs.rmdir(`${root}/dir`),
  'rmdir file': (fs, root) => fs.rmdir(`${root}/file`),
  'rmdir link': (fs, root) => fs.rmdir(`${root}/dirlink`),
  'rmdir nothing': (fs, root) => fs.rmdir(`${root}/nothing`),
  'rmdir dot': (fs, root) => fs.rmdir(`${root}/empty/.`),
  'rmdir dot dot': (fs, root) => fs.rmdir(`${root}/dir/sub/..`),
  'rm file': (fs, root) => fs.rm(`${root}/file`),
  'rm link': (fs, root) => fs.rm(`${root}/dirlink`),
  'rm nothing': (fs, root) => fs.rm(`${root}/nothing`),
  'rm nothing with force': (fs, root) => fs.rm(`${root}/nothing`, { force: true }),
  'rm recursive': (fs, root) => fs.rm(`${root}/dir`, { recursive: true }),
  'rm recursive link': (fs, root) => fs.rm(`${root}/dirlink`, { recursive: true }),
  'rm recursive nothing': (fs, root) => fs.rm(`${root}/nothing`, { recursive: true }),
  'rm recursive file': (fs, root) => fs.rm(`${root}/file`, { recursive: true }),

  link: (fs, root) => fs.link(`${root}/file`, `${root}/hard`),
  'link link': (fs, root) => fs.link(`${root}/link`, `${root}/hard`),
  'link directory': (fs, root) => fs.link(`${root}/dir`, `${root}/hard`),
  'link nothing': (fs, root) => fs.link(`${root}/nothing`, `${root}/hard`),
  'link over': (fs, root) => fs.link(`${root}/file`, `${root}/dir/inner`),
  symlink: (fs, root) => fs.symlink('../somewhere', `${root}/new`),
  'symlink over': (fs, root) => fs.symlink('x', `${root}/file`),
  'symlink to nowhere': (fs, root) => fs.symlink('x', `${root}/no/new`),
  'symlink empty': (fs, root) => fs.symlink('', `${root}/new`),
  readlink: (fs, root) => fs.readlink(`${root}/link`),
  'readlink buffer': async (fs, root) => Array.from(await fs.readlink(`${root}/link`, 'buffer')),
  'readlink file': (fs, root) => fs.readlink(`${root}/file`),
  'readlink nothing': (fs, root) => fs.readlink(`${root}/nothing`),
  realpath: (fs, root) => fs.realpath(`${root}/dirlink/sub/../inner`),
  'realpath nothing': (fs, root) => fs.realpath(`${root}/nothing`),
  'realpath loop': (fs, root) => fs.realpath(`${root}/loop`),
  mkdtemp: async (fs, root) => {
    const path = await fs.mkdtemp(`${root}/dir/sub/t-`)
    const { mode } = await fs.stat(path)
    await fs.rmdir(path)
    return [path.slice(0, -6), mode]
  },
  'mkdtemp nowhere': (fs, root) => nameOfError(fs.mkdtemp(`${root}/no/t-`), 'code')
}
