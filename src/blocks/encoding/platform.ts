/** What of ciphers and compressions this platform has. */
import type { Cipher } from './cipher.ts'
import type { Compression } from './compression.ts'
import { findNodeCipher } from './node-cipher.ts'
import { findNodeCompressions } from './node-compression.ts'
import { createWebCipher } from './web-cipher.ts'
import { createWebDeflate } from './web-compression.ts'

/** On the calling thread in Node, where a trip to another costs more than sealing a block does. */
export const platformCipher: Cipher = findNodeCipher() ?? createWebCipher()

/** The one to be used first; all of them are read. */
export const platformCompressions: readonly Compression[] = findNodeCompressions() ?? [
  createWebDeflate()
]
