/** Open files. */
import type { Case } from './case.ts'
import { nameOfError } from './case.ts'

export const handleCases: Readonly<Record<string, Case>> = {
  'open nothing': (fs, root) => fs.open(`${root}/nothing`),
  'open wrong flags': (fs, root) => fs.open(`${root}/file`, 'zz'),
  'open directory for writing': (fs, root) => fs.open(`${root}/dir`, 'r+'),
  'open file as directory': (fs, root) => fs.open(`${root}/file`, 0o200000),
  'open link without following': (fs, root) => fs.open(`${root}/link`, 0o400000),
  'handle read': async (fs, root) => {
    const handle = await fs.open(`${root}/file`)
    const first = await handle.read(Buffer.alloc(4), 0, 4)
    const second = await handle.read(Buffer.alloc(10), 2, 8)
    const third = await handle.read(Buffer.alloc(2), { position: 1 })
    const fourth = await handle.read({ buffer: Buffer.alloc(3), position: 100 })
    await handle.close()
    return [first, second, third, fourth].map(({ bytesRead, buffer }) => [
      bytesRead,
      buffer.toString('hex')
    ])
  },
  'handle read by default': async (fs, root) => {
    const handle = await fs.open(`${root}/file`)
    const { bytesRead, buffer } = await handle.read()
    await handle.close()
    return [bytesRead, buffer.byteLength]
  },
  'handle read outside the buffer': async (fs, root) => {
    const handle = await fs.open(`${root}/file`)
    try {
      await handle.read(Buffer.alloc(4), 2, 4)
    } finally {
      await handle.close()
    }
  },
  'handle readv': async (fs, root) => {
    const handle = await fs.open(`${root}/file`)
    const { bytesRead, buffers } = await handle.readv([Buffer.alloc(3), Buffer.alloc(9)], 1)
    await handle.close()
    return [bytesRead, buffers.map(buffer => buffer.toString('hex'))]
  },
  'handle read a directory': async (fs, root) => {
    const handle = await fs.open(`${root}/dir`)
    try {
      await handle.read()
    } finally {
      await handle.close()
    }
  },
  'handle write': async (fs, root) => {
    const handle = await fs.open(`${root}/new`, 'w+')
    const first = await handle.write('hello ')
    const second = await handle.write(Buffer.from('xworldx'), 1, 5)
    const third = await handle.write('J', 0)
    const fourth = await handle.write(Buffer.from('!'), { position: 11 })
    const all = await handle.read({ buffer: Buffer.alloc(20), position: 0 })
    await handle.close()
    return [first, second, third, fourth, all].map(result =>
      'bytesWritten' in result ? result.bytesWritten : result.buffer.toString('latin1')
    )
  },
  'handle writev': async (fs, root) => {
    const handle = await fs.open(`${root}/new`, 'w')
    const { bytesWritten } = await handle.writev([Buffer.from('ab'), Buffer.from('cd')])
    await handle.close()
    return bytesWritten
  },
  'handle write over a gap': async (fs, root) => {
    const handle = await fs.open(`${root}/new`, 'w')
    await handle.write('end', 10)
    await handle.close()
  },
  'handle append': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'a+')
    await handle.write('1', 0)
    await handle.write('2')
    const text = await handle.readFile('utf8')
    await handle.close()
    return text
  },
  'handle position': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r+')
    await handle.write('CO')
    const rest = await handle.readFile('utf8')
    await handle.write('!')
    await handle.close()
    return rest
  },
  'handle writeFile': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r+')
    await handle.writeFile('AB')
    await handle.writeFile('CD')
    await handle.appendFile('E')
    await handle.close()
  },
  'handle truncate': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r+')
    await handle.truncate(2)
    await handle.write('x', 4)
    const { size } = await handle.stat()
    await handle.close()
    return size
  },
  'handle truncate read only': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r')
    try {
      await handle.truncate(2)
    } finally {
      await handle.close()
    }
  },
  'handle attributes': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r+')
    await handle.chmod(0o640)
    await handle.chown(5, 6)
    await handle.utimes(100, 200)
    await handle.sync()
    await handle.datasync()
    const { mode, uid, gid, atimeMs, mtimeMs } = await handle.stat()
    await handle.close()
    return [mode, uid, gid, atimeMs, mtimeMs]
  },
  'handle read of a writer': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'w')
    try {
      await handle.read(Buffer.alloc(1))
    } finally {
      await handle.close()
    }
  },
  'handle write of a reader': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r')
    try {
      await handle.write('x')
    } finally {
      await handle.close()
    }
  },
  'handle after close': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r')
    await handle.close()
    return await nameOfError(handle.read(Buffer.alloc(1)), 'code')
  },
  'handle after unlink': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r+')
    await fs.unlink(`${root}/file`)
    await handle.write('CO')
    const { nlink, size } = await handle.stat()
    const { buffer } = await handle.read({ buffer: Buffer.alloc(7), position: 0 })
    await handle.close()
    return [nlink, size, buffer.toString('latin1')]
  },
  'handle after rename': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r+')
    await fs.rename(`${root}/file`, `${root}/dir/moved`)
    await handle.write('CO')
    await handle.close()
  },
  'handle after being replaced': async (fs, root) => {
    const handle = await fs.open(`${root}/file`, 'r')
    await fs.rename(`${root}/dir/inner`, `${root}/file`)
    const text = await handle.readFile('utf8')
    await handle.close()
    return text
  }
}
